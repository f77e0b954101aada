import { CALENDAR_CODES, type CalendarCode } from '@touchstone/quant/series/trading-calendar';
import { ProblemError } from '../../platform/problem-error.ts';

/** @throws INVALID_REQUEST for a calendar nobody knows. */
export function checkCalendar(code: string): CalendarCode {
  const known = CALENDAR_CODES.find((calendar) => calendar === code);
  if (known === undefined)
    throw new ProblemError('INVALID_REQUEST', `A calendar must be one of ${CALENDAR_CODES.join(', ')}, was ${code}.`);
  return known;
}
