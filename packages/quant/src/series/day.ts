import { expect } from '../checks/expect.ts';

/** A trading day, `'2026-01-15'`. A calendar date without a time zone. */
export type Day = string;

const MS_PER_DAY = 86_400_000;

/** Days since 1970-01-01 of an ISO date. @throws RangeError if the text is no such date. */
export function dayNumber(day: Day): number {
  const ms = /^\d{4}-\d{2}-\d{2}$/.test(day) ? Date.parse(`${day}T00:00:00Z`) : Number.NaN;
  expect(
    Number.isFinite(ms) && dayText(ms / MS_PER_DAY) === day,
    `a day must be a real date like 2026-01-15, was ${day}`,
  );
  return ms / MS_PER_DAY;
}

/** ISO date of a count of days since 1970-01-01. */
export function dayText(number: number): Day {
  return new Date(number * MS_PER_DAY).toISOString().slice(0, 10);
}

/** Day of the week of a day number, Monday = 0 … Sunday = 6. */
export function weekday(number: number): number {
  // 1970-01-01 was a Thursday.
  return (((number + 3) % 7) + 7) % 7;
}
