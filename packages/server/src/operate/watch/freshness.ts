import type { Freshness } from '@touchstone/contracts/diagnostics';
import { dayNumber } from '@touchstone/quant/series/day';
import { CALENDAR_CODES, closeInstant, tradingDays } from '@touchstone/quant/series/trading-calendar';
import { sql } from 'kysely';
import type { Transaction } from '../../platform/database/database.ts';

/** A universe that is kept current may be this old: a holiday the calendar does not know is no alarm. */
export const STALE_AFTER_TRADING_DAYS = 2;
/** A vendor has its bars an hour after the close, the rule by which they are declared known. */
const BAR_AFTER_CLOSE_MS = 3_600_000;
const MS_PER_DAY = 86_400_000;
const UNIVERSES_MAX = 1_000;

type Row = {
  id: number;
  tenant_id: number;
  name: string;
  source_code: string;
  source_kind: string;
  calendar: string;
  last_day: string | null;
  is_scheduled: boolean;
};

/**
 * How old the prices of the universes in sight are, in finished trading days of their source's calendar. One statement,
 * however many universes there are. Private universes are seen by their maker only.
 */
export async function readFreshness(tx: Transaction, nowMs: number): Promise<Freshness[]> {
  const { rows } = await sql<Row>`
    SELECT u.id, u.tenant_id, u.name, s.code AS source_code, s.kind AS source_kind, s.calendar, d.last_day,
           EXISTS (SELECT FROM schedule c WHERE c.enabled AND c.input->>'universeId' = u.id::text) AS is_scheduled
    FROM universe u JOIN source s ON s.id = u.source_id
    LEFT JOIN (
      SELECT r.source_id, max(r.last_day) AS last_day
      FROM ingest_run r JOIN visible_run v ON v.run_id = r.id
      WHERE v.retracted_at IS NULL AND r.kind IN ('prices', 'correction', 'release')
      GROUP BY r.source_id
    ) d ON d.source_id = s.id
    WHERE u.visibility = 'tenant' OR u.created_by IS NOT DISTINCT FROM ${tx.principal.actorId}
    ORDER BY u.id LIMIT ${UNIVERSES_MAX}`.execute(tx.query);
  return rows.map((row) => toFreshness(row, nowMs));
}

function toFreshness(row: Row, nowMs: number): Freshness {
  const calendar = CALENDAR_CODES.find((code) => code === row.calendar);
  const isExpectedFresh = row.is_scheduled || row.source_kind === 'feed';
  const about = {
    ...{ universeId: row.id, universeName: row.name, tenantId: row.tenant_id, isExpectedFresh },
    ...{ sourceCode: row.source_code, sourceKind: row.source_kind, calendar: row.calendar, lastDay: row.last_day },
  };
  const unknown = (reason: string): Freshness => ({ ...about, ageTradingDays: null, isStale: false, reason });
  if (row.last_day === null) return unknown('Nothing is published for it yet.');
  if (calendar === undefined) return unknown(`The calendar ${row.calendar} is not known.`);
  const last = dayNumber(row.last_day);
  const today = Math.floor(nowMs / MS_PER_DAY);
  const later = today > last ? tradingDays(calendar, last + 1, today) : new Int32Array();
  const ageTradingDays = later.filter((day) => closeInstant(calendar, day) + BAR_AFTER_CLOSE_MS <= nowMs).length;
  return {
    ...{ ...about, ageTradingDays, reason: null },
    isStale: isExpectedFresh && ageTradingDays > STALE_AFTER_TRADING_DAYS,
  };
}
