import { dayNumber, dayText } from '@touchstone/quant/series/day';
import { CALENDAR_CODES, calendarInfo, holidays } from '@touchstone/quant/series/trading-calendar';
import type { Database, Principal } from '../../platform/database/database.ts';
import { found, ProblemError } from '../../platform/problem-error.ts';
import { findToldHolidays } from './calendars.repository.ts';

/** Longest span one answer covers. */
const YEARS_MAX = 200;

export type CalendarsService = ReturnType<typeof createCalendarsService>;

export function createCalendarsService(database: Database) {
  return {
    /** Days by the rules of the calendar, changed by what was told about it. @throws NOT_FOUND, INVALID_REQUEST */
    async listHolidays(principal: Principal, code: string, { from, to }: { from: string; to: string }) {
      const calendar = found(
        CALENDAR_CODES.find((known) => known === code),
        `There is no calendar ${code}. There are ${CALENDAR_CODES.join(', ')}.`,
      );
      const [first, last] = [dayNumber(from), dayNumber(to)];
      if (last - first > YEARS_MAX * 366)
        throw new ProblemError('INVALID_REQUEST', `Ask for at most ${YEARS_MAX} years at once.`);
      const told = await database.transaction(principal, (tx) => findToldHolidays(tx, code, from, to), {
        readOnly: true,
      });
      const byDay = new Map<string, { day: string; name: string; kind: 'closed' | 'early' }>();
      for (const { day, name, kind } of holidays(calendar, first, last))
        byDay.set(dayText(day), { day: dayText(day), name, kind });
      for (const { day, name, kind } of told) {
        if (kind === 'open') byDay.delete(day);
        else byDay.set(day, { day, name, kind });
      }
      const { name, timeZone, closeTime } = calendarInfo(calendar);
      return {
        calendar: { code, name, timeZone, closeTime },
        items: [...byDay.values()].sort((a, b) => (a.day < b.day ? -1 : 1)),
      };
    },
  };
}
