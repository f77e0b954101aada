import { expect } from '../checks/expect.ts';
import type { Bars } from '../series/bars.ts';

/**
 * Daily bars of many instruments, one after the other: instrument `i` owns rows `offset[i]` up to, not including,
 * `offset[i + 1]`. Inside an instrument rows ascend by day; equal days (duplicates) stay in file order.
 */
export type BarPanel = Bars & { offset: Int32Array };

/** A view on the rows `from` up to, not including, `to`. Nothing is copied. */
export function barsBetween(bars: Bars, from: number, to: number): Bars {
  return {
    day: bars.day.subarray(from, to),
    open: bars.open.subarray(from, to),
    high: bars.high.subarray(from, to),
    low: bars.low.subarray(from, to),
    close: bars.close.subarray(from, to),
    volume: bars.volume.subarray(from, to),
  };
}

/** Puts the bars of several instruments one after the other. Copies. */
export function concatenateBars(parts: readonly Bars[]): BarPanel {
  const offset = new Int32Array(parts.length + 1);
  for (let i = 0; i < parts.length; i++) offset[i + 1] = offset[i]! + parts[i]!.day.length;
  const size = offset[parts.length]!;
  const panel: BarPanel = {
    offset,
    day: new Int32Array(size),
    open: new Float64Array(size),
    high: new Float64Array(size),
    low: new Float64Array(size),
    close: new Float64Array(size),
    volume: new Float64Array(size),
  };
  parts.forEach((part, i) => {
    const at = offset[i]!;
    panel.day.set(part.day, at);
    panel.open.set(part.open, at);
    panel.high.set(part.high, at);
    panel.low.set(part.low, at);
    panel.close.set(part.close, at);
    panel.volume.set(part.volume, at);
  });
  return panel;
}

/** The distinct days on which at least `shareMin` of the instruments alive that day have a bar, ascending. */
export function daysOfPanel(panel: BarPanel, shareMin = 0): Int32Array {
  expect(shareMin >= 0 && shareMin <= 1, `shareMin must be in 0..1, was ${shareMin}`);
  const size = panel.day.length;
  if (size === 0) return new Int32Array(0);
  let first = panel.day[0]!;
  let last = first;
  for (let row = 0; row < size; row++) {
    const day = panel.day[row]!;
    if (day < first) first = day;
    if (day > last) last = day;
  }
  const span = last - first + 1;
  const bars = new Int32Array(span);
  const born = new Int32Array(span + 1);
  for (let row = 0; row < size; row++) bars[panel.day[row]! - first]! += 1;
  for (let i = 0; i + 1 < panel.offset.length; i++) {
    const from = panel.offset[i]!;
    const to = panel.offset[i + 1]!;
    if (from === to) continue;
    born[panel.day[from]! - first]! += 1;
    born[panel.day[to - 1]! - first + 1]! -= 1;
  }
  const days: number[] = [];
  let alive = 0;
  for (let k = 0; k < span; k++) {
    alive += born[k]!;
    if (bars[k]! > 0 && bars[k]! >= shareMin * alive) days.push(first + k);
  }
  return Int32Array.from(days);
}
