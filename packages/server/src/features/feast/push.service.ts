import { dayNumber } from '@touchstone/quant/series/day';
import type { Database, Principal, Transaction } from '../../platform/database/database.ts';
import { appendEvidence } from '../../platform/evidence/evidence.ts';
import { ProblemError } from '../../platform/problem-error.ts';
import { reasonByte } from '../feature-compute/reasons.ts';
import { findInstruments } from '../feature-store/historical.service.ts';
import { findPushed, insertPushed } from '../feature-store/push.repository.ts';
import { type FeatureViewService, latestOf, VIEW_SUBJECT } from '../feature-view/feature-view.service.ts';
import type { ViewVersion } from '../feature-view/feature-view.ts';
import { writeValues } from '../online-store/database-store.ts';
import type { OnlineStore, StoredRow } from '../online-store/online-store.ts';
import { packValue } from '../online-store/packed-value.ts';

/** A table as it is sent: equally long columns. */
export type PushedTable = Readonly<Record<string, readonly (string | number | boolean | null)[]>>;

export type PushService = ReturnType<typeof createPushService>;

const INSTRUMENT = 'instrument';
const EVENT = 'event_timestamp';
/** Sent along by Feast; our own clock says when something came. */
const IGNORED = 'created';

/** Takes values from outside into a view of pushed features. What is pushed is kept for good, and the newest is served. */
export function createPushService(database: Database, views: FeatureViewService, store: OnlineStore) {
  return {
    /** @throws NOT_FOUND, NOT_POSSIBLE_NOW for a view that is computed, INVALID_REQUEST naming the column or row. */
    async push(principal: Principal, viewName: string, table: PushedTable): Promise<{ rowCount: number }> {
      const view = latestOf(await views.views(principal), viewName);
      const viewId = view.id;
      if (view.definition.source !== 'push' || viewId === null)
        throw new ProblemError(
          'NOT_POSSIBLE_NOW',
          `${viewName} is computed from bars; values cannot be pushed into it.`,
        );
      const key = { view: viewName, version: view.version };
      const rows = await database.transaction(principal, async (tx) => {
        const told = await toRows(tx, view, table);
        await insertPushed(tx, { viewId, version: view.version }, told);
        const newest = await newestRows(tx, { viewId, version: view.version }, told);
        await writeValues(tx, key, newest);
        await appendEvidence(tx, {
          ...{ kind: 'features.pushed', subjectKind: VIEW_SUBJECT, subjectId: viewId },
          body: { version: view.version, rowCount: told.length },
        });
        return newest;
      });
      await store.keep(principal, key, rows);
      return { rowCount: rows.length };
    },
  };
}

type Row = { instrumentId: number; eventAt: string; values: (number | null)[] };

async function toRows(tx: Transaction, { definition }: ViewVersion, table: PushedTable): Promise<Row[]> {
  const names = definition.features.map(({ name }) => name);
  const instruments = columnOf(table, INSTRUMENT);
  const events = columnOf(table, EVENT);
  const columns = names.map((name) => columnOf(table, name));
  for (const [name, column] of Object.entries(table)) {
    if (column.length !== instruments.length)
      throw refused(name, `Must have ${instruments.length} values like the others, has ${column.length}.`);
    if (![...names, INSTRUMENT, EVENT, IGNORED].includes(name))
      throw refused(name, `${definition.name} has no feature of this name. It has ${names.join(', ')}.`);
  }
  const keys = instruments.map((key, row) => {
    if (typeof key === 'string' || typeof key === 'number') return key;
    throw refused(`${INSTRUMENT}.${row}`, 'Must be a number or a symbol.');
  });
  const ids = await findInstruments(tx, new Set(keys));
  return keys.map((key, row): Row => {
    const instrumentId = ids.get(key);
    if (instrumentId === undefined) throw refused(`${INSTRUMENT}.${row}`, `There is no instrument ${key}.`);
    return {
      instrumentId,
      eventAt: instantOf(events[row], row),
      values: columns.map((column, i) => numberToldBy(column[row], names[i]!, row)),
    };
  });
}

function columnOf(table: PushedTable, name: string) {
  const column = Object.hasOwn(table, name) ? table[name] : undefined;
  if (column === undefined) throw refused(name, 'This column is needed.');
  return column;
}

/** Feast sends ISO texts without a zone, which mean UTC; or seconds since 1970. */
function instantOf(told: string | number | boolean | null | undefined, row: number): string {
  const isBare = typeof told === 'string' && !/(Z|[+-]\d\d:?\d\d)$/.test(told);
  const ms = typeof told === 'number' ? told * 1000 : Date.parse(isBare ? `${told.replace(' ', 'T')}Z` : String(told));
  const first = Date.UTC(1900, 0, 1);
  const last = Date.UTC(2200, 0, 1);
  if (!(ms >= first && ms < last)) throw refused(`${EVENT}.${row}`, 'Must be an instant like 2026-01-15T22:00:00Z.');
  return new Date(ms).toISOString();
}

function numberToldBy(told: string | number | boolean | null | undefined, name: string, row: number): number | null {
  if (told === null || told === undefined) return null;
  if (typeof told === 'boolean') return Number(told);
  if (typeof told === 'number' && Number.isFinite(told)) return told;
  throw refused(`${name}.${row}`, 'Must be a number or null.');
}

/** Of each instrument what is about the latest moment; of two about the same, what came last. */
async function newestRows(
  tx: Transaction,
  view: { viewId: number; version: number },
  told: readonly Row[],
): Promise<StoredRow[]> {
  const ids = [...new Set(told.map(({ instrumentId }) => instrumentId))];
  const newest = new Map((await findPushed(tx, [view], ids)).map((row) => [row.instrumentId, row]));
  return Array.from(newest.values(), ({ instrumentId, eventAt, pushedAt, values }) => ({
    instrumentId,
    packed: packValue({
      // As with Feast, age counts from the moment the values are about.
      ...{ version: view.version, knownAt: eventAt, recordedAt: pushedAt },
      eventDay: dayNumber(new Date(eventAt).toISOString().slice(0, 10)),
      values: Float64Array.from(values),
      reasons: Uint8Array.from(values, (value) => (Number.isNaN(value) ? reasonByte('not_defined') : 0)),
    }),
  }));
}

function refused(place: string, rule: string): ProblemError {
  return new ProblemError('INVALID_REQUEST', `df.${place}: ${rule}`, { details: [{ path: `body.df.${place}`, rule }] });
}
