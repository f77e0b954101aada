import { Readable } from 'node:stream';
import type { Dataset } from '@touchstone/contracts/datasets';
import { dayText } from '@touchstone/quant/series/day';
import { resolveTime, type TimeQuery } from '../../market-data/index.ts';
import type { Database, Principal, Transaction } from '../../platform/database/database.ts';
import { appendEvidence } from '../../platform/evidence/evidence.ts';
import { type BundleTable, floatColumn, intColumn, readBundle, readPart } from '../../platform/object-store/bundle.ts';
import type { ObjectStore } from '../../platform/object-store/object-store.ts';
import { found, ProblemError } from '../../platform/problem-error.ts';
import { findDataset, insertMissingDataset, listDatasetsPage, mainPart } from './dataset.repository.ts';
import { dvcPointerOf, MANIFEST_PART } from './dvc-pointer.ts';
import { type DatasetQuestion, freezeDataset } from './freeze.ts';
import { csvOf } from './table-csv.ts';

/** Turns a universe into what is frozen of it. Universes belong to a later stage, so this comes from the wiring. */
export type ResolveUniverse = (
  tx: Transaction,
  universeId: number,
) => Promise<Pick<DatasetQuestion, 'instruments' | 'sourceId' | 'priceBasis' | 'calendar'>>;

export type DatasetService = ReturnType<typeof createDatasetService>;

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

    /**
     * A table as an Arrow IPC file or as CSV, or the manifest.
     *
     * @param wanted Name of a table, or `manifest`; its main table unless said. @throws NOT_FOUND, NOT_POSSIBLE_NOW
     */
    async file(principal: Principal, sha256: string, wanted?: string, format: 'arrow' | 'csv' = 'arrow') {
      await database.transaction(principal, (tx) => get(tx, sha256));
      const bundle = await readBundle(objects, sha256);
      if (wanted === MANIFEST_PART)
        return { stream: objects.stream(sha256), byteCount: null, type: 'application/json', ending: 'json' };
      const part = found(
        wanted === undefined ? mainPart(bundle) : bundle.parts.find((candidate) => candidate.name === wanted),
        `Dataset ${sha256} has no ${wanted ?? 'main table'}.`,
      );
      if (format === 'csv') {
        const table = await readPart(objects, bundle, part.name);
        return { stream: Readable.from(csvOf(table)), byteCount: null, type: 'text/csv; charset=utf-8', ending: 'csv' };
      }
      const type = 'application/vnd.apache.arrow.file';
      return { stream: objects.stream(part.sha256), byteCount: part.byteCount, type, ending: 'arrow' };
    },

    /** As DVC tracks it. @throws NOT_FOUND */
    async pointer(principal: Principal, sha256: string) {
      await database.transaction(principal, (tx) => get(tx, sha256));
      return dvcPointerOf(objects, sha256);
    },

    /** What changed between two datasets, day by day: of several tellings the last counts. @throws NOT_POSSIBLE_NOW */
    async diff(principal: Principal, sha256: string, otherSha256: string, limit: number) {
      await database.transaction(principal, async (tx) => [await get(tx, sha256), await get(tx, otherSha256)]);
      const [before, after] = await Promise.all(
        [sha256, otherSha256].map(async (hash) => {
          const bundle = await readBundle(objects, hash);
          const part = found(mainPart(bundle), `Dataset ${hash} has no main table.`);
          return { name: part.name, table: await readPart(objects, bundle, part.name) };
        }),
      );
      if (before!.name !== after!.name)
        throw new ProblemError(
          'INVALID_REQUEST',
          `One holds ${before!.name}, the other ${after!.name}: their rows cannot be compared.`,
        );
      return diffTables(before!.table, after!.table, limit);
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

/**
 * Walks two tables side by side, by instrument and day. Values that only one of them has are shown and not compared.
 * Exported for its test.
 */
export function diffTables(before: BundleTable, after: BundleTable, limit: number) {
  const left = lastTellings(before);
  const right = lastTellings(after);
  const shared = valueColumns(before).filter((name) => valueColumns(after).includes(name));
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
      if (shared.every((name) => Object.is(floatColumn(before, name)[rowA], floatColumn(after, name)[rowB])))
        counts.unchanged++;
      else note('changed', a, rowA, rowB);
    }
  }
  return { ...counts, examples };
}

/** An instrument and a day as one number that sorts the same way; days from 1700 to 3400 fit. */
const DAYS_PER_INSTRUMENT = 1 << 20;
const DAY_OFFSET = 100_000;

/** What a table says of an instrument and a day, beside when it was known. */
function valueColumns(table: BundleTable): string[] {
  return Object.keys(table.columns).filter(
    (name) => table.columns[name]?.values instanceof Float64Array && name !== 'known_at_ms',
  );
}

/** Rows by key, ascending; of several with one key the one known last. */
function lastTellings(table: BundleTable): { keys: number[]; rows: number[] } {
  const instrument = intColumn(table, 'instrument');
  const day = intColumn(table, 'day');
  const knownAt = floatColumn(table, 'known_at_ms');
  const last = new Map<number, number>();
  let isSorted = true;
  let previous = Number.NEGATIVE_INFINITY;
  for (let row = 0; row < table.rowCount; row++) {
    const key = instrument[row]! * DAYS_PER_INSTRUMENT + day[row]! + DAY_OFFSET;
    const known = last.get(key);
    if (known === undefined || !(knownAt[row]! < knownAt[known]!)) last.set(key, row);
    if (key < previous) isSorted = false;
    previous = key;
  }
  const keys = [...last.keys()];
  if (!isSorted) keys.sort((a, b) => a - b);
  return { keys, rows: keys.map((key) => last.get(key)!) };
}

function valuesOf(table: BundleTable, row: number): Record<string, number | null> {
  return Object.fromEntries(
    valueColumns(table).map((name) => {
      const value = floatColumn(table, name)[row]!;
      return [name, Number.isNaN(value) ? null : value];
    }),
  );
}
