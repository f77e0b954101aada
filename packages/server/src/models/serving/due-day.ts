import { dayText } from '@touchstone/quant/series/day';
import { CALENDAR_CODES, type CalendarCode, isTradingDay } from '@touchstone/quant/series/trading-calendar';

const CALENDAR_DEFAULT: CalendarCode = 'XNYS';

/** The trading day so many sessions after a day. */
export function dueDayOf(calendar: string | null, day: number, sessions: number): string {
  const code = CALENDAR_CODES.find((known) => known === calendar) ?? CALENDAR_DEFAULT;
  let due = day;
  for (let left = sessions; left > 0; left--) {
    do due++;
    while (!isTradingDay(code, due));
  }
  return dayText(due);
}
