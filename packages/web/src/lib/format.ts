/** Numbers and times as people read them. Fractions become percentages here and nowhere else. */

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const LONG_MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];
const BYTE_UNITS = ['B', 'kB', 'MB', 'GB', 'TB'];
const MINUS = '\u2212';
const NARROW_SPACE = '\u202f';
/** Stands where there is no value; the reason stands beside it. */
export const NO_VALUE = '\u2013';

/** `1234.5` as `1,234.50`, with a true minus sign. */
export function formatNumber(value: number | null | undefined, digits = 2): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return NO_VALUE;
  const text = Math.abs(value).toLocaleString('en-US', {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
  const isZero = !/[1-9]/.test(text);
  return value < 0 && !isZero ? MINUS + text : text;
}

export function formatCount(value: number | null | undefined): string {
  return formatNumber(value, 0);
}

/** `0.0125` as `1.3 %`. */
export function formatPercent(fraction: number | null | undefined, digits = 1): string {
  if (fraction === null || fraction === undefined || !Number.isFinite(fraction)) return NO_VALUE;
  return `${formatNumber(fraction * 100, digits)}${NARROW_SPACE}%`;
}

/** Prices keep the decimals that carry meaning: four below one, else two. */
export function formatPrice(value: number | null | undefined): string {
  if (value === null || value === undefined) return NO_VALUE;
  return formatNumber(value, Math.abs(value) < 1 ? 4 : 2);
}

/** A number with as many decimals as it needs, at most four. */
export function formatPlain(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return NO_VALUE;
  return (value < 0 ? MINUS : '') + Math.abs(value).toLocaleString('en-US', { maximumFractionDigits: 4 });
}

/** `'2026-01-15'` as `15 Jan 2026`. */
export function formatDay(day: string | null | undefined): string {
  if (!day) return NO_VALUE;
  const [year, month, date] = day.slice(0, 10).split('-').map(Number);
  return `${date} ${MONTHS[(month ?? 1) - 1]} ${year}`;
}

/** `'2026-01-15'` as `15 January 2026`. */
export function formatLongDay(day: string): string {
  const [year, month, date] = day.slice(0, 10).split('-').map(Number);
  return `${date} ${LONG_MONTHS[(month ?? 1) - 1]} ${year}`;
}

/** `15 Jan 2026, 21:00 UTC`: always UTC, so that two readers see the same. */
export function formatInstant(instant: string | null | undefined): string {
  if (!instant) return NO_VALUE;
  const text = new Date(instant).toISOString();
  return `${formatDay(text)}, ${text.slice(11, 16)} UTC`;
}

/** How long ago, coarsely, for lists of recent things. */
export function formatAgo(instant: string, nowMs: number): string {
  const seconds = Math.max(0, Math.round((nowMs - Date.parse(instant)) / 1000));
  if (seconds < 60) return 'just now';
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ago`;
  if (seconds < 86_400 * 60) return `${Math.floor(seconds / 86_400)} days ago`;
  return formatDay(instant);
}

export function formatBytes(byteCount: number): string {
  let value = byteCount;
  let unit = 0;
  while (value >= 1000 && unit < BYTE_UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${formatNumber(value, unit === 0 || value >= 100 ? 0 : 1)}${NARROW_SPACE}${BYTE_UNITS[unit]}`;
}

/** The first characters of a hash, enough to tell two apart by eye. */
export function shortHash(hash: string): string {
  return hash.slice(0, 10);
}

type Measured = { unit: string; value: number | null; interval: readonly [number, number] | null };

/** A figure in its own unit: fractions as percentages, ratios with two decimals, days as whole days. */
export function formatMetricNumber(value: number | null, unit: string): string {
  if (value === null) return NO_VALUE;
  if (unit.includes('fraction')) return formatPercent(value);
  if (unit.includes('ratio')) return formatNumber(value, 2);
  if (/\b(days|count|trades)\b/.test(unit))
    return formatNumber(value, Number.isInteger(value) || Math.abs(value) >= 100 ? 0 : 1);
  return formatPlain(value);
}

export function formatMetric(metric: Measured): string {
  return formatMetricNumber(metric.value, metric.unit);
}

/** The interval in the unit of its figure, the percent sign once. */
export function formatInterval(metric: Measured): string | null {
  if (metric.interval === null) return null;
  const [low, high] = metric.interval;
  if (metric.unit.includes('fraction')) return `${formatNumber(low * 100, 1)} to ${formatPercent(high)}`;
  return `${formatMetricNumber(low, metric.unit)} to ${formatMetricNumber(high, metric.unit)}`;
}

/** What a unit of the wire is called beside a figure; nothing where the figure says it already. */
export function unitWords(unit: string): string {
  if (unit === 'fraction' || unit === 'ratio') return '';
  if (unit.includes('fraction')) return unit.replace(/fraction\s*/, '').trim();
  return unit;
}

/** `price_basis` as `Price basis`: codes of the wire as words. */
export function words(code: string): string {
  const text = code.replace(/[_-]+/g, ' ');
  return text.charAt(0).toUpperCase() + text.slice(1);
}

export function plural(value: number, one: string, many = `${one}s`): string {
  return `${formatCount(value)} ${value === 1 ? one : many}`;
}

const BROWSERS = [
  ['Edg/', 'Edge'],
  ['OPR/', 'Opera'],
  ['Firefox/', 'Firefox'],
  ['Chrome/', 'Chrome'],
  ['Safari/', 'Safari'],
] as const;
const SYSTEMS = [
  ['Android', 'Android'],
  ['iPhone', 'iPhone'],
  ['iPad', 'iPad'],
  ['Windows', 'Windows'],
  ['Mac OS X', 'macOS'],
  ['Linux', 'Linux'],
] as const;

/** What a browser says of itself as `Chrome on Linux`; other programs as they name themselves. */
export function agentWords(agent: string): string {
  const browser = BROWSERS.find(([mark]) => agent.includes(mark))?.[1];
  if (browser === undefined) return agent === 'touchstone-cli' ? 'Command line' : agent || 'Unknown program';
  const system = SYSTEMS.find(([mark]) => agent.includes(mark))?.[1];
  return system === undefined ? browser : `${browser} on ${system}`;
}
