import { copyOut } from '../../platform/database/copy-binary.ts';
import type { Transaction } from '../../platform/database/database.ts';
import { dayLiteral, literal, type ReadTime, visibleAt } from './read-time.ts';

/** Corporate actions as columns, sorted by instrument, ex-day, kind, knowledge time. `kind` is 0 for a split, 1 for a dividend. */
export type ActionTellings = {
  rowCount: number;
  instrument: Int32Array;
  day: Int32Array;
  kind: Int32Array;
  value: Float64Array;
  knownAt: Float64Array;
};

/** Reported market capitalisations as columns, sorted by instrument, day, knowledge time. */
export type CapTellings = {
  rowCount: number;
  instrument: Int32Array;
  day: Int32Array;
  value: Float64Array;
  knownAt: Float64Array;
};

/** Exchange rates of one pair as columns, sorted by day and knowledge time: units of quote for one unit of base. */
export type RateTellings = { rowCount: number; day: Int32Array; value: Float64Array; knownAt: Float64Array };

/** Every visible telling of splits and dividends of the given instruments up to `asOf`. */
export async function loadActions(
  tx: Transaction,
  instrumentIds: readonly number[],
  time: ReadTime,
): Promise<ActionTellings> {
  const { rowCount, columns } = await copyOut(
    tx.client,
    `SELECT f.instrument_id, f.day, (f.kind = 'dividend')::int, f.value, coalesce(f.known_at, r.published_at)
     FROM corporate_action f JOIN visible_run r ON r.run_id = f.run_id
     WHERE ${ofInstruments(instrumentIds)} AND f.day <= ${dayLiteral(time.asOf)} AND ${visibleAt('f', 'r', time)}
     ORDER BY 1, 2, 3, 5, f.run_id`,
    ['int4', 'date', 'int4', 'float8', 'timestamptz'],
  );
  const [instrument, day, kind, value, knownAt] = columns;
  return {
    rowCount,
    instrument: ints(instrument),
    day: ints(day),
    kind: ints(kind),
    value: floats(value),
    knownAt: floats(knownAt),
  };
}

/** Every visible telling of market capitalisations of the given instruments up to `asOf`. */
export async function loadCaps(
  tx: Transaction,
  instrumentIds: readonly number[],
  time: ReadTime,
): Promise<CapTellings> {
  const { rowCount, columns } = await copyOut(
    tx.client,
    `SELECT f.instrument_id, f.day, f.value, coalesce(f.known_at, r.published_at)
     FROM market_cap f JOIN visible_run r ON r.run_id = f.run_id
     WHERE ${ofInstruments(instrumentIds)} AND f.day <= ${dayLiteral(time.asOf)} AND ${visibleAt('f', 'r', time)}
     ORDER BY 1, 2, 4, f.run_id`,
    ['int4', 'date', 'float8', 'timestamptz'],
  );
  const [instrument, day, value, knownAt] = columns;
  return { rowCount, instrument: ints(instrument), day: ints(day), value: floats(value), knownAt: floats(knownAt) };
}

/** Every visible telling of one pair's rates up to `asOf`. @throws RangeError if a currency is no ISO code. */
export async function loadRates(tx: Transaction, base: string, quote: string, time: ReadTime): Promise<RateTellings> {
  for (const code of [base, quote]) {
    if (!/^[A-Z]{3}$/.test(code)) throw new RangeError(`a currency must be an ISO code like USD, was ${code}`);
  }
  const { rowCount, columns } = await copyOut(
    tx.client,
    `SELECT f.day, f.value, coalesce(f.known_at, r.published_at)
     FROM exchange_rate f JOIN visible_run r ON r.run_id = f.run_id
     WHERE f.base = '${base}' AND f.quote = '${quote}' AND f.day <= ${dayLiteral(time.asOf)} AND ${visibleAt('f', 'r', time)}
     ORDER BY 1, 3, f.run_id`,
    ['date', 'float8', 'timestamptz'],
  );
  const [day, value, knownAt] = columns;
  return { rowCount, day: ints(day), value: floats(value), knownAt: floats(knownAt) };
}

/**
 * Days on which the court suspects a split nobody told of, unless a person has called it a false alarm by `recordedAt`.
 * Sorted by instrument and day.
 */
export async function loadSuspectSteps(
  tx: Transaction,
  instrumentIds: readonly number[],
  sourceId: number,
  time: ReadTime,
): Promise<{ rowCount: number; instrument: Int32Array; day: Int32Array }> {
  const recordedAt = literal(time.recordedAt);
  const { rowCount, columns } = await copyOut(
    tx.client,
    `SELECT DISTINCT f.instrument_id, f.first_day FROM data_case f JOIN visible_run r ON r.run_id = f.run_id
     WHERE ${ofInstruments(instrumentIds)} AND f.source_id = ${Math.trunc(sourceId)} AND f.kind = 'split_suspicion'
       AND (f.state <> 'false' OR date_trunc('milliseconds', f.decided_at) > ${recordedAt}) AND f.first_day <= ${dayLiteral(time.asOf)}
       AND r.published_at <= ${recordedAt} AND (r.retracted_at IS NULL OR r.retracted_at > ${recordedAt})
     ORDER BY 1, 2`,
    ['int4', 'date'],
  );
  const [instrument, day] = columns;
  return { rowCount, instrument: ints(instrument), day: ints(day) };
}

function ofInstruments(instrumentIds: readonly number[]): string {
  return `f.instrument_id = ANY (ARRAY[${instrumentIds.map(Math.trunc).join(',')}]::int[])`;
}

function ints(column: Int32Array | Float64Array | undefined): Int32Array {
  if (!(column instanceof Int32Array)) throw new TypeError('expected an integer column');
  return column;
}

function floats(column: Int32Array | Float64Array | undefined): Float64Array {
  if (!(column instanceof Float64Array)) throw new TypeError('expected a float column');
  return column;
}
