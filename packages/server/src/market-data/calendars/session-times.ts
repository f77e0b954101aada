import { dayNumber, dayText } from '@touchstone/quant/series/day';
import {
  CALENDAR_CODES,
  type CalendarCode,
  calendarInfo,
  closeInstant,
  holidays,
  tradingDays,
} from '@touchstone/quant/series/trading-calendar';
import type { Transaction } from '../../platform/database/database.ts';
import { found } from '../../platform/problem-error.ts';
import type { Session, SessionTimes } from '../../platform/tasks/schedule-times.ts';
import { findToldHolidays } from './calendars.repository.ts';

const MS_PER_DAY = 86_400_000;
const MS_PER_MINUTE = 60_000;

/** When exchanges close: the rules of their calendars, changed by what was told about single days. */
export const sessionTimes: SessionTimes = {
  check: (code) => void calendarOf(code),

  async sessions(tx: Transaction, code: string, from: number, to: number): Promise<Session[]> {
    const calendar = calendarOf(code);
    // A close may lie on the day after its session in UTC, and a day ahead of it.
    const [first, last] = [Math.floor(from / MS_PER_DAY) - 1, Math.floor(to / MS_PER_DAY) + 1];
    const told = new Map(
      (await findToldHolidays(tx, code, dayText(first), dayText(last))).map(({ day, kind }) => [dayNumber(day), kind]),
    );
    const days = new Set(tradingDays(calendar, first, last));
    for (const [day, kind] of told) kind === 'closed' ? days.delete(day) : days.add(day);
    const early = new Set(
      holidays(calendar, first, last)
        .filter(({ kind }) => kind === 'early')
        .map(({ day }) => day),
    );
    return [...days]
      .map((day) => ({ day: dayText(day), closeAt: closeOf(calendar, day, early.has(day), told.get(day)) }))
      .filter(({ closeAt }) => closeAt >= from && closeAt <= to)
      .sort((a, b) => a.closeAt - b.closeAt);
  },

  localDay(code: string, at: number): string {
    // Sweden writes dates as ISO 8601 does.
    return new Intl.DateTimeFormat('sv-SE', { timeZone: calendarInfo(calendarOf(code)).timeZone }).format(at);
  },
};

/** The close by the rules, moved where somebody told of an early close the rules do not know, or of an ordinary one. */
function closeOf(
  calendar: CalendarCode,
  day: number,
  isEarly: boolean,
  told: 'closed' | 'early' | 'open' | undefined,
): number {
  const close = closeInstant(calendar, day);
  const { closeTime, earlyCloseTime } = calendarInfo(calendar);
  const difference = (minutesOf(closeTime) - minutesOf(earlyCloseTime)) * MS_PER_MINUTE;
  if (told === 'early' && !isEarly) return close - difference;
  if (told === 'open' && isEarly) return close + difference;
  return close;
}

function minutesOf(time: string): number {
  const [hours, minutes] = time.split(':');
  return Number(hours) * 60 + Number(minutes);
}

function calendarOf(code: string): CalendarCode {
  return found(
    CALENDAR_CODES.find((known) => known === code),
    `There is no calendar ${code}. There are ${CALENDAR_CODES.join(', ')}.`,
  );
}
