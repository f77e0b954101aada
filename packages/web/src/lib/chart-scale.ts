/** Scales of charts: where the ticks stand and how a long line is drawn short. */

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** Round values between two ends, about `count` of them: steps of 1, 2, 2.5 or 5 times a power of ten. */
export function niceTicks(low: number, high: number, count: number): number[] {
  const rough = (high - low) / Math.max(1, count);
  if (!(rough > 0) || !Number.isFinite(rough)) return [low];
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 2.5, 5, 10].find((factor) => factor * power >= rough) ?? 10);
  const ticks: number[] = [];
  for (let tick = Math.ceil(low / step); tick * step <= high; tick += 1)
    ticks.push(Number((tick * step).toPrecision(12)));
  return ticks;
}

/** Round values of a logarithmic axis; finer the shorter the axis is. None where an end has no logarithm. */
export function logTicks(low: number, high: number): number[] {
  if (!(low > 0) || !Number.isFinite(high)) return [];
  const ratio = high / low;
  if (!(ratio > 1)) return [low];
  if (ratio < 3) return niceTicks(low, high, 5);
  const factors = ratio < 12 ? [1, 1.5, 2, 3, 4, 5, 7] : ratio < 120 ? [1, 2, 5] : [1];
  const ticks: number[] = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power += 1) {
    for (const factor of factors) {
      const tick = Number((factor * 10 ** power).toPrecision(12));
      if (tick >= low && tick <= high) ticks.push(tick);
    }
  }
  return ticks;
}

/** At most about `count` labelled places on an axis of days: years, quarters, months or days. */
export function timeTicks(days: readonly string[], count: number): { index: number; label: string }[] {
  const first = days[0];
  const last = days.at(-1);
  if (first === undefined || last === undefined) return [];
  const months = monthOf(last) - monthOf(first);
  if (months < 2) return everyFew(days, count);
  const step = [1, 3, 6, 12, 24, 60, 120].find((candidate) => months / candidate <= count) ?? 240;
  const ticks: { index: number; label: string }[] = [];
  for (let index = 1; index < days.length; index += 1) {
    const month = monthOf(days[index] ?? '');
    if (month === monthOf(days[index - 1] ?? '') || month % step !== 0) continue;
    const year = Math.floor(month / 12);
    ticks.push({ index, label: month % 12 === 0 ? String(year) : `${MONTHS[month % 12]} ${String(year).slice(2)}` });
  }
  return ticks;
}

/**
 * An SVG path. Where many values share a pixel column, only its first, lowest, highest and last are drawn; of a plain
 * line only the last, because a dash pattern on a jagged line is a blur.
 */
export function linePath(
  values: readonly (number | null)[],
  x: (index: number) => number,
  y: (value: number) => number,
  isPlain = false,
): string {
  const parts: string[] = [];
  let isDown = false;
  const put = (index: number, value: number) => {
    parts.push(`${isDown ? 'L' : 'M'}${x(index).toFixed(1)} ${y(value).toFixed(1)}`);
    isDown = true;
  };
  let index = 0;
  while (index < values.length) {
    const first = values[index];
    if (first === null || first === undefined || !Number.isFinite(y(first))) {
      isDown = false;
      index += 1;
      continue;
    }
    const pixel = Math.round(x(index));
    let end = index;
    let lowest = index;
    let highest = index;
    while (end + 1 < values.length && Math.round(x(end + 1)) === pixel && isNumber(values[end + 1])) {
      end += 1;
      if (valueAt(values, end) < valueAt(values, lowest)) lowest = end;
      if (valueAt(values, end) > valueAt(values, highest)) highest = end;
    }
    const places = isPlain ? [end] : [...new Set([index, lowest, highest, end])];
    for (const place of places.sort((a, b) => a - b)) put(place, valueAt(values, place));
    index = end + 1;
  }
  return parts.join('');
}

/** An SVG path around the places between two values, one closed piece for every run of days that have both. */
export function areaPath(
  { low, high }: { low: readonly (number | null)[]; high: readonly (number | null)[] },
  x: (index: number) => number,
  y: (value: number) => number,
): string {
  const pieces: string[] = [];
  let above: string[] = [];
  let below: string[] = [];
  const close = () => {
    if (above.length > 0) pieces.push(`M${above.join('L')}L${below.reverse().join('L')}Z`);
    [above, below] = [[], []];
  };
  for (let index = 0; index < high.length; index += 1) {
    const [from, to] = [low[index], high[index]];
    if (from === null || from === undefined || to === null || to === undefined) {
      close();
      continue;
    }
    above.push(`${x(index).toFixed(1)} ${y(to).toFixed(1)}`);
    below.push(`${x(index).toFixed(1)} ${y(from).toFixed(1)}`);
  }
  close();
  return pieces.join('');
}

function monthOf(day: string): number {
  return Number(day.slice(0, 4)) * 12 + Number(day.slice(5, 7)) - 1;
}

function everyFew(days: readonly string[], count: number): { index: number; label: string }[] {
  const step = Math.max(1, Math.ceil(days.length / count));
  return days
    .map((day, index) => ({ index, label: `${Number(day.slice(8))} ${MONTHS[Number(day.slice(5, 7)) - 1]}` }))
    .filter((tick) => tick.index % step === 0);
}

function isNumber(value: number | null | undefined): boolean {
  return value !== null && value !== undefined;
}

function valueAt(values: readonly (number | null)[], index: number): number {
  return values[index] ?? 0;
}
