import type { Dataset } from '@touchstone/contracts/datasets';
import { dayText } from '@touchstone/quant/series/day';
import { resolveTime, type TimeQuery } from '../../market-data/index.ts';
import type { Database, Principal, Transaction } from '../../platform/database/database.ts';
import { appendEvidence } from '../../platform/evidence/evidence.ts';
import { type BundleTable, floatColumn, intColumn, readBundle, readPart } from '../../platform/object-store/bundle.ts';
import type { ObjectStore } from '../../platform/object-store/object-store.ts';
import { found } from '../../platform/problem-error.ts';
import { findDataset, insertMissingDataset, listDatasetsPage } from './dataset.repository.ts';
import { type DatasetQuestion, freezeDataset } from './freeze.ts';

/** Turns a universe into what is frozen of it. Universes belong to a later stage, so this comes from the wiring. */
export type ResolveUniverse = (
  tx: Transaction,
  universeId: number,
) => Promise<Pick<DatasetQuestion, 'instruments' | 'sourceId' | 'priceBasis' | 'calendar'>>;

export type DatasetService = ReturnType<typeof createDatasetService>;

const VALUES = ['open', 'high', 'low', 'close', 'volume'] as const;

export function createDatasetService(database: Database, objects: ObjectStore, resolveUniverse: ResolveUniverse) {
  const get = async (tx: Transaction, sha256: string): Promise<Dataset> =>
    found(await findDataset(tx, sha256), `There is no dataset ${sha256}.`);
  return {
    /** Freezes the prices of a universe. The same question at the same times gives the same dataset. */
    freeze: (principal: Principal, asked: TimeQuery & { universeId: number; from?: string; to?: string }) =>
      database.transaction(
        principal,
        async (tx) => {
          const time = await resolveTime(tx, asked);
          const question: DatasetQuestion = {
            kind: 'prices',
            ...(await resolveUniverse(tx, asked.universeId)),
            from: asked.from ?? null,
            to: asked.to ?? null,
            currency: null,
            benchmark: null,
          };
          const bundle = await freezeDataset(tx, objects, question, time);
          const query = {
            universeId: asked.universeId,
            from: question.from,
            to: question.to,
            sourceId: question.sourceId,
          };
          await insertMissingDataset(tx, 'prices', query, bundle, time);
          await appendEvidence(tx, {
            kind: 'dataset.frozen',
            subjectKind: 'dataset',
            subjectId: bundle.sha256,
            body: { query, parts: bundle.parts },
          });
          return get(tx, bundle.sha256);
        },
        { isolation: 'repeatable read' },
      ),

    list: (principal: Principal, page: Parameters<typeof listDatasetsPage>[1]) =>
      database.transaction(principal, (tx) => listDatasetsPage(tx, page)),

    get: (principal: Principal, sha256: string) => database.transaction(principal, (tx) => get(tx, sha256)),

    /** The bars as an Arrow IPC file. */
    async file(principal: Principal, sha256: string) {
      await database.transaction(principal, (tx) => get(tx, sha256));
      const bundle = await readBundle(objects, sha256);
      const part = found(
        bundle.parts.find((candidate) => candidate.name === 'bars'),
        `Dataset ${sha256} has no bars.`,
      );
      return { stream: objects.stream(part.sha256), byteCount: part.byteCount };
    },

    /** What changed between two datasets, bar by bar: of several tellings the last counts. */
    async diff(principal: Principal, sha256: string, otherSha256: string, limit: number) {
      await database.transaction(principal, async (tx) => [await get(tx, sha256), await get(tx, otherSha256)]);
      const [before, after] = await Promise.all(
        [sha256, otherSha256].map(async (hash) => readPart(objects, await readBundle(objects, hash), 'bars')),
      );
      return diffBars(before!, after!, limit);
    },
  };
}

type BarChange = {
  change: 'added' | 'removed' | 'changed';
  instrumentId: number;
  day: string;
  before: Record<string, number | null> | null;
  after: Record<string, number | null> | null;
};

/** Walks two sorted tables side by side. Exported for its test. */
export function diffBars(before: BundleTable, after: BundleTable, limit: number) {
  const left = lastTellings(before);
  const right = lastTellings(after);
  const counts = { added: 0, removed: 0, changed: 0, unchanged: 0 };
  const examples: BarChange[] = [];
  const note = (change: BarChange['change'], key: number, a: number | null, b: number | null) => {
    counts[change]++;
    if (examples.length >= limit) return;
    examples.push({
      change,
      instrumentId: Math.floor(key / DAYS_PER_INSTRUMENT),
      day: dayText((key % DAYS_PER_INSTRUMENT) - DAY_OFFSET),
      before: a === null ? null : valuesOf(before, a),
      after: b === null ? null : valuesOf(after, b),
    });
  };
  let i = 0;
  let j = 0;
  while (i < left.keys.length || j < right.keys.length) {
    const a = left.keys[i] ?? Number.POSITIVE_INFINITY;
    const b = right.keys[j] ?? Number.POSITIVE_INFINITY;
    if (a < b) note('removed', a, left.rows[i++]!, null);
    else if (b < a) note('added', b, null, right.rows[j++]!);
    else {
      const [rowA, rowB] = [left.rows[i++]!, right.rows[j++]!];
      if (VALUES.every((name) => Object.is(floatColumn(before, name)[rowA], floatColumn(after, name)[rowB])))
        counts.unchanged++;
      else note('changed', a, rowA, rowB);
    }
  }
  return { ...counts, examples };
}

/** An instrument and a day as one number that sorts the same way; days from 1700 to 3400 fit. */
const DAYS_PER_INSTRUMENT = 1 << 20;
const DAY_OFFSET = 100_000;

function lastTellings(table: BundleTable): { keys: number[]; rows: number[] } {
  const instrument = intColumn(table, 'instrument');
  const day = intColumn(table, 'day');
  const keys: number[] = [];
  const rows: number[] = [];
  for (let k = 0; k < table.rowCount; k++) {
    const key = instrument[k]! * DAYS_PER_INSTRUMENT + day[k]! + DAY_OFFSET;
    if (keys.at(-1) === key) rows[rows.length - 1] = k;
    else {
      keys.push(key);
      rows.push(k);
    }
  }
  return { keys, rows };
}

function valuesOf(table: BundleTable, row: number): Record<string, number | null> {
  return Object.fromEntries(
    VALUES.map((name) => {
      const value = floatColumn(table, name)[row]!;
      return [name, Number.isNaN(value) ? null : value];
    }),
  );
}
