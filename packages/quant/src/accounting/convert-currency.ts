import { expect } from '../checks/expect.ts';

/** Rates of one base: units of each currency that one unit of the base bought, as known on each day. */
export type ExchangeRates = {
  /** R ascending days since 1970-01-01; what a row says was known on that day. */
  day: Int32Array;
  /** C currency codes. The base itself may be missing: it is one. */
  currencies: readonly string[];
  /** Row-major R × C; NaN: no rate that day. 1.10 for USD with base EUR: one euro bought 1.10 dollars. */
  rate: Float64Array;
  base: string;
};

export type ConvertedPanel = {
  /** Row-major T × N in the target currency; NaN where the value or a rate was missing. */
  values: Float64Array;
  /** Values that were there but could not be converted for want of a rate. */
  missingRateCount: number;
  /** Values converted with a rate of an earlier day. */
  carriedRateCount: number;
};

/** Calendar days a rate is carried: a long weekend with holidays on both sides. */
export const RATE_MAX_AGE_DAYS_DEFAULT = 5;

/**
 * Values of one row and column in another currency, with the last rate at or before the row's day.
 *
 * A value in currency a becomes value × rate(to) / rate(a); both rates are quoted per unit of the base, so that any pair
 * goes through it and crosses agree: a → b → c is a → c up to rounding. A rate is carried for `maxAgeDays` calendar days,
 * then it is gone: the value is NaN and counted, never converted at one. Row t depends on rates of days up to t only.
 * Columns that are in the target currency already are copied. Time O(T·N + R·C).
 *
 * @param day T ascending days since 1970-01-01.
 * @param values Row-major T × N, NaN where missing.
 * @param currency N currency codes, one a column.
 * @param to The target currency.
 * @throws RangeError on wrong shapes, days out of order, a rate that is not positive, or a currency the rates do not know.
 */
export function convertCurrency(
  day: Int32Array,
  values: Float64Array,
  currency: readonly string[],
  to: string,
  rates: ExchangeRates,
  maxAgeDays = RATE_MAX_AGE_DAYS_DEFAULT,
): ConvertedPanel {
  const columnCount = currency.length;
  checkInput(day, values, columnCount, rates, maxAgeDays);
  const converted = new Float64Array(values.length);
  let missingRateCount = 0;
  let carriedRateCount = 0;
  const target = carryRate(day, rates, to, maxAgeDays);
  const sources = new Map([...new Set(currency)].map((code) => [code, carryRate(day, rates, code, maxAgeDays)]));
  for (let i = 0; i < columnCount; i++) {
    const source = sources.get(currency[i]!)!;
    const isSame = currency[i] === to;
    for (let t = 0; t < day.length; t++) {
      const cell = t * columnCount + i;
      const value = values[cell]!;
      // One division of two rates, so that all columns of a currency get the same factor to the last bit.
      converted[cell] = isSame ? value : value * (target.rate[t]! / source.rate[t]!);
      if (isSame || Number.isNaN(value)) continue;
      if (Number.isNaN(converted[cell]!)) missingRateCount++;
      else if (target.ageDays[t]! > 0 || source.ageDays[t]! > 0) carriedRateCount++;
    }
  }
  return { values: converted, missingRateCount, carriedRateCount };
}

function checkInput(
  day: Int32Array,
  values: Float64Array,
  columnCount: number,
  rates: ExchangeRates,
  maxAgeDays: number,
): void {
  const { currencies } = rates;
  expect(
    values.length === day.length * columnCount,
    `values must be ${day.length} x ${columnCount}, had ${values.length}`,
  );
  expect(
    rates.rate.length === rates.day.length * currencies.length,
    `rates must be ${rates.day.length} x ${currencies.length}, had ${rates.rate.length}`,
  );
  expect(maxAgeDays >= 0, `maxAgeDays must be >= 0, was ${maxAgeDays}`);
  for (const days of [day, rates.day])
    for (let t = 1; t < days.length; t++)
      expect(days[t]! > days[t - 1]!, `days must ascend: row ${t} is ${days[t]} after ${days[t - 1]}`);
  for (const rate of rates.rate)
    expect(Number.isNaN(rate) || (rate > 0 && rate < Infinity), `a rate must be positive and finite, was ${rate}`);
}

/** The last rate known at each day and its age in calendar days; NaN where there is none young enough. */
function carryRate(
  day: Int32Array,
  rates: ExchangeRates,
  code: string,
  maxAgeDays: number,
): { rate: Float64Array; ageDays: Int32Array } {
  const rate = new Float64Array(day.length).fill(Number.NaN);
  const ageDays = new Int32Array(day.length);
  if (code === rates.base) return { rate: rate.fill(1), ageDays };
  const column = rates.currencies.indexOf(code);
  expect(column >= 0, `no exchange rate is known for currency ${code}`);
  let next = 0;
  let last = Number.NaN;
  let lastDay = 0;
  for (let t = 0; t < day.length; t++) {
    for (; next < rates.day.length && rates.day[next]! <= day[t]!; next++) {
      const value = rates.rate[next * rates.currencies.length + column]!;
      if (Number.isNaN(value)) continue;
      last = value;
      lastDay = rates.day[next]!;
    }
    if (Number.isNaN(last) || day[t]! - lastDay > maxAgeDays) continue;
    rate[t] = last;
    ageDays[t] = day[t]! - lastDay;
  }
  return { rate, ageDays };
}
