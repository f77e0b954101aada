/** Days are the strings `'2026-01-15'`, as on the wire. All arithmetic is in UTC, so no time zone moves a day. */

const DAY_MS = 86_400_000;

/** Count of days since 1970-01-01. */
export function dayNumber(day: string): number {
  return Math.round(Date.parse(`${day}T00:00:00Z`) / DAY_MS);
}

export function dayFromNumber(count: number): string {
  return new Date(count * DAY_MS).toISOString().slice(0, 10);
}

export function addDays(day: string, count: number): string {
  return dayFromNumber(dayNumber(day) + count);
}

/** The same day of another month; the month's last day where that day does not exist. */
export function addMonths(day: string, count: number): string {
  const [year = 1970, month = 1, date = 1] = day.split('-').map(Number);
  const first = new Date(Date.UTC(year, month - 1 + count, 1));
  const lastDate = new Date(Date.UTC(first.getUTCFullYear(), first.getUTCMonth() + 1, 0)).getUTCDate();
  first.setUTCDate(Math.min(date, lastDate));
  return first.toISOString().slice(0, 10);
}

export function clampDay(day: string, first: string, last: string): string {
  if (day < first) return first;
  return day > last ? last : day;
}

/** The UTC day of an instant. */
export function dayOfInstant(instant: string): string {
  return new Date(instant).toISOString().slice(0, 10);
}

/** The last second of a day: everything told that day is known by then. */
export function endOfDay(day: string): string {
  return `${day}T23:59:59.000Z`;
}

export function isDay(text: string): boolean {
  return /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(Date.parse(`${text}T00:00:00Z`));
}
