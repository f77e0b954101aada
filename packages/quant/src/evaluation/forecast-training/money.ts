import { type DaySums, metricInterval, type SkillInterval, type SkillSettings } from '../panel-skill.ts';

/** Hypothetical gain a year after costs, against holding as much of everything. */
export type GainAYear = { gain: SkillInterval; sentence: string };

export type Trades = {
  day: Int32Array;
  asset: Int32Array;
  forecast: Float64Array;
  /** 1: says that it rises. */
  decision: Float64Array;
  /** To the close at the horizon; NaN where not known. */
  forwardReturn: Float64Array;
};

/** Of what is bought or sold. */
export const COST_RATE = 0.001;
const DAYS_A_YEAR = 252;
const TOP_SHARE = 0.2;
/** With fewer assets a fifth is no portfolio. */
const ASSETS_LEAST = 5;

/**
 * What acting on the forecasts would have left: hypothetical. Each day a tranche is formed and held to the horizon, where it is
 * turned into that day's; costs are paid for what changes between the two.
 *
 * `top_fifth`: holds the highest fifth of the day against all assets of the day. `long_or_cash`: holds what is said to rise,
 * against the mean holding of the whole span in everything, so that being invested more often earns nothing.
 */
export function gainAYear(
  trades: Trades,
  kind: 'top_fifth' | 'long_or_cash',
  horizonDays: number,
  settings: SkillSettings,
): GainAYear {
  const { day, asset, decision, forwardReturn } = trades;
  const rowsOf = new Map<number, number[]>();
  for (let row = 0; row < day.length; row++) {
    const rows = rowsOf.get(day[row]!);
    if (rows === undefined) rowsOf.set(day[row]!, [row]);
    else rows.push(row);
  }
  const days = Int32Array.from(rowsOf.keys()).sort();
  const mean = decision.reduce((sum, said) => sum + said, 0) / Math.max(1, decision.length);
  const sums = new Float64Array(2 * days.length);
  const held: Map<number, number>[] = [];
  days.forEach((number, at) => {
    const rows = rowsOf.get(number)!;
    const { position, neutral } =
      kind === 'top_fifth'
        ? topFifth(rows, trades)
        : { position: rows.map((row) => decision[row]! / rows.length), neutral: mean };
    const book = new Map(rows.map((row, i) => [asset[row]!, position[i]!]));
    held.push(book);
    let gain = 0;
    let isKnown = true;
    rows.forEach((row, i) => {
      if (Number.isNaN(forwardReturn[row]!)) isKnown = false;
      gain += (position[i]! - neutral / rows.length) * forwardReturn[row]!;
    });
    if (!isKnown || (kind === 'top_fifth' && rows.length < ASSETS_LEAST)) return;
    const before = held[at - horizonDays] ?? new Map<number, number>();
    let turned = 0;
    for (const key of new Set([...book.keys(), ...before.keys()]))
      turned += Math.abs((book.get(key) ?? 0) - (before.get(key) ?? 0));
    sums[2 * at] = ((gain - COST_RATE * turned) * DAYS_A_YEAR) / horizonDays;
    sums[2 * at + 1] = 1;
  });
  const table: DaySums = { day: days, width: 2, sums };
  const gain = metricInterval('mean', table, settings);
  const what = kind === 'top_fifth' ? 'holding the highest fifth against all' : 'holding what is said to rise';
  const percent = (x: number) => `${(100 * x).toFixed(1)} %`;
  const sentence = `Hypothetical: ${what} gains ${percent(gain.value)} a year net of 10 bp of what is traded, 95 % interval ${percent(gain.low)} to ${percent(gain.high)}.`;
  return { gain, sentence };
}

function topFifth(rows: readonly number[], { forecast }: Trades): { position: number[]; neutral: number } {
  const count = Math.max(1, Math.round(rows.length * TOP_SHARE));
  const order = rows.map((_, i) => i).sort((a, b) => forecast[rows[b]!]! - forecast[rows[a]!]! || a - b);
  const chosen = new Set(order.slice(0, count));
  return { position: rows.map((_, i) => (chosen.has(i) ? 1 / count : 0)), neutral: 1 };
}
