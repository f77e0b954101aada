import type { Bars } from '@touchstone/quant/series/bars';
import { dayText } from '@touchstone/quant/series/day';
import { sql } from 'kysely';
import type { Transaction } from '../../platform/database/database.ts';
import type { KnownAction } from '../facts/corporate-actions.ts';
import { type ActionTellings, loadActions, loadSuspectSteps } from '../facts/load-small-facts.ts';
import { findPriceBasis, findPriceSources, type PriceBasis } from '../facts/price-source.ts';
import { type BarTellings, loadTellings } from '../facts/read-bars.ts';
import type { ReadTime } from '../facts/read-time.ts';
import { adjustmentFactors } from './adjust-bars.ts';

/** Daily bars of one instrument as known at a moment, ready to be computed with. */
export type LoadedBars = {
  bars: Bars;
  sourceId: number;
  /** What the prices stand on now: adjusted as far as the source allows; null: the source does not say. */
  basis: PriceBasis | null;
  /** Days whose step looks like a split nobody told of. Until somebody decides, the step is paid as no return. */
  suspectDays: Int32Array;
};

/**
 * Bars of many instruments as known at a moment, adjusted for splits and dividends as far as their sources allow, each
 * from the source that published last. Instruments without bars are left out. The number of statements does not depend
 * on the number of instruments, only on the number of their sources.
 *
 * Missing prices are NaN. Days ascend.
 *
 * @param from First day wanted; adjusting needs nothing before it.
 */
export async function loadBars(
  tx: Transaction,
  question: {
    instrumentIds: readonly number[];
    time: ReadTime;
    from?: string | undefined;
    sourceId?: number | undefined;
  },
): Promise<Map<number, LoadedBars>> {
  const { instrumentIds, time, from } = question;
  const loaded = new Map<number, LoadedBars>();
  if (instrumentIds.length === 0) return loaded;
  const sources = await sourcesOf(tx, question);
  const actions = actionsByInstrument(await loadActions(tx, instrumentIds, time));
  for (const { id: sourceId, priceBasis: delivered, ids } of sources) {
    const tellings = await loadTellings(tx, { instrumentIds: ids, sourceId, time, from });
    const suspects = await loadSuspectSteps(tx, ids, sourceId, time);
    for (const [id, bars] of splitTellings(tellings)) {
      const basis = delivered === null ? null : 'total_return';
      if (delivered !== null) adjust(bars, actions.get(id) ?? [], delivered);
      const days = suspects.day.filter((_, row) => suspects.instrument[row] === id);
      const suspectDays = days.filter((day) => payNothing(bars, day));
      loaded.set(id, { bars, sourceId, basis, suspectDays });
    }
  }
  return loaded;
}

/** Which source each instrument is read from; those without any are left out. A named source is asked for all. */
async function sourcesOf(
  tx: Transaction,
  {
    instrumentIds,
    time,
    sourceId,
  }: { instrumentIds: readonly number[]; time: ReadTime; sourceId?: number | undefined },
): Promise<{ id: number; priceBasis: PriceBasis | null; ids: readonly number[] }[]> {
  if (sourceId !== undefined)
    return [{ id: sourceId, priceBasis: await findPriceBasis(tx, sourceId), ids: instrumentIds }];
  const told = await findPriceSources(tx, instrumentIds, time.recordedAt);
  const bySource = Map.groupBy(
    instrumentIds.filter((id) => told.has(id)),
    (id) => told.get(id)!.id,
  );
  return Array.from(bySource.values(), (ids) => ({ ...told.get(ids[0]!)!, ids }));
}

/** The last day up to `asOf` of which any of the instruments was ever told a bar by a source, by one probe an instrument. */
export async function findLastBarDay(
  tx: Transaction,
  instrumentIds: readonly number[],
  sourceId: number,
  asOf: string,
): Promise<string | null> {
  const { rows } = await sql<{ day: string | null }>`
    SELECT max(b.day) AS day FROM unnest(${[...instrumentIds]}::int[]) AS i (id)
    CROSS JOIN LATERAL (
      SELECT o.day FROM bar_key o
      WHERE o.instrument_id = i.id AND o.source_id = ${sourceId} AND o.day <= ${asOf}::date
      ORDER BY o.day DESC LIMIT 1
    ) b
  `.execute(tx.query);
  return rows[0]?.day ?? null;
}

/** Of several tellings of a day the last one counts; one without any price withholds the bar. */
function splitTellings(tellings: BarTellings): Map<number, Bars> {
  const { rowCount, instrument, day, open, high, low, close, volume } = tellings;
  const isLast = (row: number) =>
    row + 1 === rowCount || instrument[row + 1] !== instrument[row] || day[row + 1] !== day[row];
  const isTold = (row: number) => ![open, high, low, close].every((column) => Number.isNaN(column[row]!));
  const split = new Map<number, Bars>();
  let start = 0;
  while (start < rowCount) {
    const rows: number[] = [];
    let row = start;
    for (; row < rowCount && instrument[row] === instrument[start]; row++)
      if (isLast(row) && isTold(row)) rows.push(row);
    const floats = (column: Float64Array) => Float64Array.from(rows, (at) => column[at]!);
    if (rows.length > 0)
      split.set(instrument[start]!, {
        day: Int32Array.from(rows, (at) => day[at]!),
        ...{ open: floats(open), high: floats(high), low: floats(low), close: floats(close), volume: floats(volume) },
      });
    start = row;
  }
  return split;
}

/** Puts bars on the basis of total return in place, as far as they were delivered otherwise. */
export function adjust(bars: Bars, actions: readonly KnownAction[], from: PriceBasis): void {
  if (actions.length === 0 || from === 'total_return') return;
  const points = Array.from(bars.day, (day, i) => {
    const close = bars.close[i]!;
    return { day: dayText(day), close: Number.isNaN(close) ? null : close };
  });
  const { price, shares } = adjustmentFactors(points, actions, from, 'total_return');
  for (let i = 0; i < price.length; i++) multiply(bars, i, price[i]!, shares[i]!);
}

/** Moves all prices before a day so that its step is no return. @returns false when the day has no step. */
export function payNothing(bars: Bars, day: number): boolean {
  const at = bars.day.indexOf(day);
  const factor = at < 1 ? Number.NaN : bars.close[at]! / bars.close[at - 1]!;
  if (!(factor > 0 && Number.isFinite(factor))) return false;
  for (let i = 0; i < at; i++) multiply(bars, i, factor, 1 / factor);
  return true;
}

function multiply(bars: Bars, i: number, price: number, shares: number): void {
  bars.open[i]! *= price;
  bars.high[i]! *= price;
  bars.low[i]! *= price;
  bars.close[i]! *= price;
  bars.volume[i]! *= shares;
}

/** Of several tellings of an action the last known counts: they come in that order. */
function actionsByInstrument({ rowCount, instrument, day, kind, value, knownAt }: ActionTellings) {
  const actions = new Map<number, KnownAction[]>();
  for (let row = 0; row < rowCount; row++) {
    const isAgain =
      row + 1 < rowCount &&
      instrument[row + 1] === instrument[row] &&
      day[row + 1] === day[row] &&
      kind[row + 1] === kind[row];
    if (isAgain) continue;
    const list = actions.get(instrument[row]!) ?? [];
    actions.set(instrument[row]!, list);
    list.push({
      day: dayText(day[row]!),
      kind: kind[row] === 0 ? 'split' : 'dividend',
      value: value[row]!,
      knownAt: new Date(knownAt[row]!).toISOString(),
    });
  }
  return actions;
}
