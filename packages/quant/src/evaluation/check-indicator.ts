import { type BarColumns, type Indicator, runIndicator } from '../indicators/indicator.ts';
import { measureSettling, randomBars, type Settling } from '../indicators/warm-up.ts';
import type { Random } from '../random/random.ts';
import { type CanaryVerdict, checkNoLookAhead } from './look-ahead-canary.ts';

/** Whether an indicator keeps what it declares of its warm-up and memory. */
export type WarmUpVerdict = Settling & {
  ok: boolean;
  /** What was declared and what was measured. */
  sentence: string;
};

/** Both badges of an indicator. */
export type IndicatorVerdict = {
  ok: boolean;
  canary: CanaryVerdict;
  warmUp: WarmUpVerdict;
};

const CANARY_BARS = 120;
const CANARY_PROBES = 6;
const START_COUNT = 3;
const START_MAX = 60;
/** Bars after which an indicator of endless memory is believed to differ for good. */
const ENDLESS_BARS = 1500;
const BARS_MAX = 12_000;

/** Holds an indicator against its own future, and against starts on other bars, on seeded random bars. */
export function checkIndicator(indicator: Indicator, random: Random): IndicatorVerdict {
  const canary = checkCanary(indicator, random.split('canary'));
  const warmUp = checkWarmUp(indicator, random.split('warm-up'));
  return { ok: canary.ok && warmUp.ok, canary, warmUp };
}

/** The look-ahead canary for one indicator; its probes lie where it has values. */
export function checkCanary(indicator: Indicator, random: Random): CanaryVerdict {
  const rowCount = indicator.warmUp + CANARY_BARS;
  const probeRows = Array.from({ length: CANARY_PROBES }, (_, k) =>
    Math.min(rowCount - 2, indicator.warmUp + Math.floor((k + random.uniform()) * (CANARY_BARS / CANARY_PROBES))),
  );
  return checkNoLookAhead({
    name: indicator.name,
    input: { ...randomBars(random.split('bars'), rowCount) },
    rowCount,
    compute: (bars) => interleave(runIndicator(indicator, bars)),
    random,
    probeRows: [...new Set(probeRows)].sort((a, b) => a - b),
  });
}

/** Row-major T × K from K columns of T. */
function interleave(columns: readonly Float64Array[]): Float64Array {
  const width = columns.length;
  const rows = new Float64Array(width * (columns[0]?.length ?? 0));
  columns.forEach((column, k) => {
    for (let i = 0; i < column.length; i++) rows[i * width + k] = column[i]!;
  });
  return rows;
}

/** Measures when the first value comes and how long another start shows, and compares it with what is declared. */
export function checkWarmUp(indicator: Indicator, random: Random): WarmUpVerdict {
  const { memory, warmUp } = indicator;
  const settle = memory.kind === 'recursive' ? memory.settle : memory.kind === 'window' ? 0 : ENDLESS_BARS;
  const wanted = warmUp + START_MAX + Math.ceil(1.3 * settle) + 300;
  const count = Math.min(BARS_MAX, wanted);
  const bars: BarColumns = randomBars(random.split('bars'), count);
  const starts = Array.from({ length: START_COUNT }, () => 1 + random.integer(START_MAX));
  const settling = measureSettling(indicator, bars, starts);
  const { firstValue, settledAfter } = settling;
  const keepsWarmUp = firstValue === warmUp;
  const keepsMemory =
    memory.kind === 'cumulative'
      ? settledAfter === null
      : wanted > BARS_MAX || (settledAfter !== null && settledAfter <= settle);
  const first = firstValue === null ? 'It never had a value' : `Its first value came after ${firstValue} bars`;
  const declared = {
    window: 'nothing beyond its window',
    recursive: `a start elsewhere for at most ${settle} bars`,
    cumulative: 'its first bar for ever',
  }[memory.kind];
  const unsettled = wanted > BARS_MAX ? `too long to be measured on ${BARS_MAX} bars` : 'it never settled';
  const measured = settledAfter === null ? unsettled : `it settled after ${settledAfter}`;
  return {
    ...settling,
    ok: keepsWarmUp && keepsMemory,
    sentence: `${first} (declared ${warmUp}); declared to remember ${declared}, ${measured}.`,
  };
}
