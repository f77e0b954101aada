import { logReturns } from '@touchstone/quant/series/log-returns';
import type { Series, SeriesService, Subject } from '../../features/index.ts';
import type { Database, Principal } from '../../platform/database/database.ts';

/** Others of the same owner whose mean return stands for the market of an instrument. */
const PARTNERS_MAX = 30;
/** Fewer make no market. */
const PARTNERS_MIN = 3;

export type Partner = { logReturn: Float64Array; instrumentCount: number; dataSha256: string };

/**
 * What an instrument's correlation is judged against: the mean log return of others that belong to the same owner, known at
 * the same moment, on the instrument's own days. Null with fewer than three of them, and for anything but an instrument.
 */
export async function readPartner(
  database: Database,
  series: SeriesService,
  principal: Principal,
  subject: Subject,
  own: Series,
): Promise<Partner | null> {
  if (subject.kind !== 'instrument' || own.bars.day.length === 0) return null;
  const others = await database.transaction(
    principal,
    ({ query }) =>
      query
        .selectFrom('instrument')
        .innerJoin('instrument as own', 'own.tenant_id', 'instrument.tenant_id')
        .where('own.id', '=', subject.id)
        .whereRef('instrument.id', '<>', 'own.id')
        .select('instrument.id')
        .orderBy('instrument.id')
        .limit(PARTNERS_MAX)
        .execute(),
    { readOnly: true },
  );
  if (others.length < PARTNERS_MIN) return null;
  const ids = others.map(({ id }) => id);
  const { series: told, dataSha256 } = await series.readMany(principal, ids, own.time);
  const rowOf = new Map(Array.from(own.bars.day, (day, row) => [day, row]));
  const sum = new Float64Array(own.bars.day.length);
  const count = new Float64Array(own.bars.day.length);
  for (const { bars, suspectDays } of told)
    logReturns(bars.close, bars.day, suspectDays).forEach((value, t) => {
      const row = rowOf.get(bars.day[t]!);
      if (row === undefined || Number.isNaN(value)) return;
      sum[row]! += value;
      count[row]! += 1;
    });
  const logReturn = sum.map((value, row) => (count[row]! >= PARTNERS_MIN ? value / count[row]! : Number.NaN));
  const withBars = told.filter(({ bars }) => bars.day.length > 0).length;
  return withBars < PARTNERS_MIN ? null : { logReturn, instrumentCount: withBars, dataSha256 };
}
