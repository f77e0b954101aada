import { listHolidays } from '@touchstone/contracts/data';
import type { Serve } from '../../platform/http/serve.ts';
import type { CalendarsService } from './calendars.service.ts';

export function registerCalendarsRoutes(serve: Serve, service: CalendarsService): void {
  serve(listHolidays, ({ caller, params, query }) => service.listHolidays(caller, params.calendar, query));
}
