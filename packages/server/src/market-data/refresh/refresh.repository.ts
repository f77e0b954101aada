import { dayNumber, dayText } from '@touchstone/quant/series/day';
import { type SqlBool, sql } from 'kysely';
import type { Transaction } from '../../platform/database/database.ts';
import { openBars } from '../archive/open-bars.ts';
import { checkCalendar } from '../calendars/check-calendar.ts';
import type { KnownCloses } from './check-answer.ts';
import type { WantedSymbol } from './plan-questions.ts';
import type { BatchOutcome, DatedGap, RefreshBatch } from './refresh-batch.ts';

export type GapKind = 'unknown' | 'empty' | 'refused' | 'credits' | 'unavailable' | 'lies';
export type RefreshState = 'running' | 'done' | 'degraded' | 'failed' | 'cancelled';

export type RefreshRow = {
  id: number;
  source_id: number;
  source_name: string;
  universe_id: number | null;
  task_id: number | null;
  state: RefreshState;
  symbol_count: number;
  current_count: number;
  refreshed_count: number;
  gap_count: number;
  accepted_count: number;
  revised_count: number;
  quarantined_count: number;
  case_count: number;
  batch_count: number;
  first_day: string | null;
  last_day: string | null;
  sentence: string;
  started_at: string;
  finished_at: string | null;
};

// ---- What a refresh is about ------------------------------------------------------------------------------------------

/** Holds a feed until commit; false when it was removed. */
export async function lockFeed(tx: Transaction, sourceId: number): Promise<boolean> {
  const row = await tx.query
    .selectFrom('source')
    .select('id')
    .where('id', '=', sourceId)
    .where('tenant_id', '=', tx.principal.tenantId)
    .where('feed', 'is not', null)
    .where('feed_removed_at', 'is', null)
    .forUpdate()
    .executeTakeFirst();
  return row !== undefined;
}

/** A universe the caller may see. */
export async function findUniverse(tx: Transaction, id: number) {
  return tx.query
    .selectFrom('universe')
    .select(['id', 'tenant_id', 'rule', 'source_id', 'name'])
    .where('id', '=', id)
    .where(({ or, eb }) =>
      or([eb('visibility', '=', 'tenant'), eb('created_by', 'is not distinct from', tx.principal.actorId)]),
    )
    .executeTakeFirst();
}

/** Symbols of a universe with the last day each is a member; null: still. */
export async function findMembers(
  tx: Transaction,
  universe: { id: number; rule: string; source_id: number },
): Promise<{ symbol: string; lastDay: string | null }[]> {
  if (universe.rule === 'list') {
    return tx.query
      .selectFrom('universe_member as m')
      .innerJoin('instrument as i', 'i.id', 'm.instrument_id')
      .where('m.universe_id', '=', universe.id)
      .where('i.tenant_id', '=', tx.principal.tenantId)
      .select(['i.symbol', 'm.last_day as lastDay'])
      .orderBy('i.symbol')
      .execute();
  }
  const { rows } = await sql<{ symbol: string }>`
    SELECT i.symbol FROM instrument i
    WHERE i.tenant_id = ${tx.principal.tenantId} AND i.kind <> 'index'
      AND EXISTS (SELECT FROM bar_key o WHERE o.instrument_id = i.id AND o.source_id = ${universe.source_id})
    ORDER BY i.symbol
  `.execute(tx.query);
  return rows.map(({ symbol }) => ({ symbol, lastDay: null }));
}

/** What is known of symbols, in their order, by one statement. */
export async function findWanted(
  tx: Transaction,
  source: { id: number; calendar: string },
  symbols: readonly { symbol: string; lastDay: string | null }[],
): Promise<WantedSymbol[]> {
  const bars = (order: 'ASC' | 'DESC') => sql`
    SELECT o.day FROM bar_key o JOIN visible_run r ON r.run_id = o.run_id
    WHERE o.instrument_id = i.id AND o.source_id = ${source.id} AND r.retracted_at IS NULL
    ORDER BY o.day ${sql.raw(order)} LIMIT 1`;
  const { rows } = await sql<{
    symbol: string;
    id: number | null;
    calendar: string | null;
    first: string | null;
    last: string | null;
    held: string | null;
    listed: string | null;
    ended: string | null;
  }>`
    SELECT w.symbol, i.id, i.calendar, f.day AS first, l.day AS last, h.day AS held, e.listed,
           least(e.delisted, w.ended) AS ended
    FROM unnest(${symbols.map(({ symbol }) => symbol)}::text[], ${symbols.map(({ lastDay }) => lastDay)}::date[])
      WITH ORDINALITY AS w (symbol, ended, no)
    LEFT JOIN instrument i ON i.tenant_id = ${tx.principal.tenantId} AND i.symbol = w.symbol AND i.deleted_at IS NULL
    LEFT JOIN LATERAL (${bars('DESC')}) l ON true
    LEFT JOIN LATERAL (${bars('ASC')}) f ON true
    LEFT JOIN LATERAL (
      SELECT max(q.day) AS day FROM price_quarantine q
      JOIN visible_run r ON r.run_id = q.run_id JOIN data_case c ON c.id = q.case_id
      WHERE q.instrument_id = i.id AND q.source_id = ${source.id} AND r.retracted_at IS NULL AND c.state <> 'false') h ON true
    LEFT JOIN LATERAL (
      SELECT min(v.day) FILTER (WHERE v.kind = 'listed') AS listed, max(v.day) FILTER (WHERE v.kind = 'delisted') AS delisted
      FROM listing_event v JOIN visible_run r ON r.run_id = v.run_id
      WHERE v.instrument_id = i.id AND r.retracted_at IS NULL) e ON true
    ORDER BY w.no
  `.execute(tx.query);
  const dayOf = (text: string | null) => (text === null ? null : dayNumber(text));
  return rows.map((row) => ({
    symbol: row.symbol,
    instrumentId: row.id,
    calendar: checkCalendar(row.calendar ?? source.calendar),
    firstKnown: dayOf(row.first),
    lastKnown: dayOf(row.last === null || (row.held !== null && row.held > row.last) ? row.held : row.last),
    listedDay: dayOf(row.listed),
    endDay: dayOf(row.ended),
  }));
}

/** The closes in sight of some instruments of a source, by instrument and day. */
export async function findCloses(
  tx: Transaction,
  question: { sourceId: number; instrumentIds: readonly number[]; from: number; to: number },
): Promise<Map<number, KnownCloses>> {
  if (question.instrumentIds.length === 0) return new Map();
  const [from, to] = [dayText(question.from), dayText(question.to)];
  const bars = await openBars(tx, { instrumentIds: question.instrumentIds, from, to });
  const { rows } = await sql<{ id: number; day: string; close: number | null }>`
    SELECT DISTINCT ON (o.instrument_id, o.day) o.instrument_id AS id, o.day, o.close
    FROM ${sql.raw(bars)} o JOIN visible_run r ON r.run_id = o.run_id
    WHERE o.source_id = ${question.sourceId} AND o.instrument_id = ANY (${[...question.instrumentIds]}::int[])
      AND o.day BETWEEN ${from}::date AND ${to}::date AND r.retracted_at IS NULL
    ORDER BY o.instrument_id, o.day, coalesce(o.known_at, r.published_at) DESC, o.run_id DESC
  `.execute(tx.query);
  const closes = new Map<number, Map<number, number>>();
  for (const { id, day, close } of rows) {
    const known = closes.get(id) ?? new Map<number, number>();
    if (close !== null) known.set(dayNumber(day), close);
    closes.set(id, known);
  }
  return closes;
}

/** The latest value told of each day of a macro series, and the last day whose state of knowledge is here. */
export async function findTold(tx: Transaction, sourceId: number, series: string) {
  const { rows } = await sql<{ day: string; value: number | null; known: string }>`
    SELECT DISTINCT ON (f.day) f.day, f.value, coalesce(f.known_at, r.published_at) AS known
    FROM macro_observation f JOIN visible_run r ON r.run_id = f.run_id
    WHERE f.source_id = ${sourceId} AND f.series = ${series} AND r.retracted_at IS NULL
    ORDER BY f.day, coalesce(f.known_at, r.published_at) DESC, f.run_id DESC
  `.execute(tx.query);
  const told = new Map(rows.map(({ day, value }) => [dayNumber(day), value] as const));
  const instants = rows.map(({ known }) => Date.parse(known));
  return { told, lastKnownAt: instants.length === 0 ? null : instants.reduce((a, b) => Math.max(a, b)) };
}

// ---- The refresh itself -----------------------------------------------------------------------------------------------

const REFRESH = sql`f.*, s.name AS source_name FROM refresh f JOIN source s ON s.id = f.source_id`;

/** The refresh of a task, made at its first try. */
export async function ensureRefresh(
  tx: Transaction,
  refresh: { sourceId: number; universeId: number | null; taskId: number },
): Promise<RefreshRow> {
  await sql`
    INSERT INTO refresh (tenant_id, source_id, universe_id, task_id)
    VALUES (${tx.principal.tenantId}, ${refresh.sourceId}, ${refresh.universeId}, ${refresh.taskId})
    ON CONFLICT (tenant_id, task_id) DO UPDATE SET state = 'running', sentence = '', finished_at = NULL
  `.execute(tx.query);
  const { rows } = await sql<RefreshRow>`SELECT ${REFRESH} WHERE f.task_id = ${refresh.taskId}`.execute(tx.query);
  return rows[0]!;
}

export async function setRefresh(
  tx: Transaction,
  id: number,
  values: Partial<{
    state: RefreshState;
    symbol_count: number;
    current_count: number;
    refreshed_count: number;
    gap_count: number;
    first_day: string;
    last_day: string;
    sentence: string;
    finished_at: ReturnType<typeof sql<string>>;
  }>,
): Promise<void> {
  await tx.query.updateTable('refresh').set(values).where('id', '=', id).execute();
}

export async function addToRefresh(tx: Transaction, id: number, done: BatchOutcome): Promise<void> {
  await sql`
    UPDATE refresh SET refreshed_count = refreshed_count + ${done.refreshedCount}, batch_count = batch_count + 1,
      accepted_count = accepted_count + ${done.acceptedCount}, revised_count = revised_count + ${done.revisedCount},
      quarantined_count = quarantined_count + ${done.quarantinedCount}, case_count = case_count + ${done.caseCount}
    WHERE id = ${id}
  `.execute(tx.query);
}

export async function findRefreshes(
  tx: Transaction,
  question: {
    id?: number;
    sourceId?: number | undefined;
    universeId?: number | undefined;
    before?: number;
    limit: number;
  },
): Promise<RefreshRow[]> {
  const parts: ReturnType<typeof sql<SqlBool>>[] = [sql`true`];
  if (question.id !== undefined) parts.push(sql`f.id = ${question.id}`);
  if (question.sourceId !== undefined) parts.push(sql`f.source_id = ${question.sourceId}`);
  if (question.universeId !== undefined) parts.push(sql`f.universe_id = ${question.universeId}`);
  if (question.before !== undefined) parts.push(sql`f.id < ${question.before}`);
  const { rows } = await sql<RefreshRow>`
    SELECT ${REFRESH} WHERE ${sql.join(parts, sql` AND `)} ORDER BY f.id DESC LIMIT ${question.limit}
  `.execute(tx.query);
  return rows;
}

/** The last refresh of each source. */
export async function findLastRefreshes(tx: Transaction): Promise<RefreshRow[]> {
  const { rows } = await sql<RefreshRow>`
    SELECT DISTINCT ON (f.source_id) ${REFRESH} ORDER BY f.source_id, f.id DESC
  `.execute(tx.query);
  return rows;
}

export async function findRunsOfTask(tx: Transaction, taskId: number, limit: number) {
  const { rows } = await sql<{
    id: number;
    state: string;
    accepted_count: number;
    revised_count: number;
    quarantined_count: number;
    first_day: string | null;
    last_day: string | null;
    published_at: string | null;
  }>`
    SELECT r.id, r.state, r.accepted_count, r.revised_count, r.quarantined_count, r.first_day, r.last_day, p.published_at
    FROM ingest_run r LEFT JOIN publication p ON p.run_id = r.id AND p.kind = 'publish'
    WHERE r.task_id = ${taskId} ORDER BY r.id LIMIT ${limit}
  `.execute(tx.query);
  return rows;
}

// ---- Gaps -------------------------------------------------------------------------------------------------------------

export type GapRow = {
  id: number;
  source_id: number;
  source_name: string;
  refresh_id: number;
  instrument_id: number | null;
  symbol: string;
  kind: GapKind;
  sentence: string;
  from_day: string;
  to_day: string;
  retry_at: string | null;
  times: number;
  opened_at: string;
  closed_at: string | null;
};

/** Opens gaps, or renews the words of those that are open: one statement. */
export async function openGaps(
  tx: Transaction,
  { refreshId, source, gaps }: Pick<RefreshBatch, 'refreshId' | 'gaps'> & { source: { id: number } },
): Promise<void> {
  if (gaps.length === 0) return;
  const last = new Map<string, DatedGap>(gaps.map((gap) => [gap.symbol, gap]));
  const told = [...last.values()].map(({ symbol, kind, sentence, from, to, retryAt }) => ({
    ...{ symbol, kind, sentence: sentence.slice(0, SENTENCE_LENGTH_MAX) },
    ...{ from: dayText(from), to: dayText(Math.max(from, to)) },
    retryAt: retryAt === null ? null : new Date(retryAt).toISOString(),
  }));
  await sql`
    INSERT INTO refresh_gap (tenant_id, source_id, refresh_id, instrument_id, symbol, kind, sentence, from_day, to_day, retry_at)
    SELECT ${tx.principal.tenantId}, ${source.id}, ${refreshId},
           (SELECT i.id FROM instrument i WHERE i.tenant_id = ${tx.principal.tenantId} AND i.symbol = g->>'symbol'
            AND i.deleted_at IS NULL),
           g->>'symbol', g->>'kind', g->>'sentence', (g->>'from')::date, (g->>'to')::date, (g->>'retryAt')::timestamptz
    FROM jsonb_array_elements(${JSON.stringify(told)}::jsonb) AS t (g)
    ON CONFLICT (tenant_id, source_id, symbol) WHERE closed_at IS NULL AND deleted_at IS NULL DO UPDATE SET
      times = refresh_gap.times + CASE WHEN refresh_gap.refresh_id = excluded.refresh_id THEN 0 ELSE 1 END,
      refresh_id = excluded.refresh_id, instrument_id = excluded.instrument_id, kind = excluded.kind,
      sentence = excluded.sentence, from_day = excluded.from_day, to_day = excluded.to_day, retry_at = excluded.retry_at
  `.execute(tx.query);
}

const SENTENCE_LENGTH_MAX = 500;

/** The symbols lack nothing any more. */
export async function closeGaps(tx: Transaction, sourceId: number, symbols: readonly string[]): Promise<void> {
  if (symbols.length === 0) return;
  await sql`
    UPDATE refresh_gap SET closed_at = clock_timestamp()
    WHERE source_id = ${sourceId} AND symbol = ANY (${[...symbols]}::text[]) AND closed_at IS NULL
  `.execute(tx.query);
}

export type GapQuestion = {
  sourceId?: number | undefined;
  refreshId?: number | undefined;
  universe?: { id: number; rule: string; source_id: number } | undefined;
  state: 'open' | 'closed' | 'all';
};

export async function findGaps(
  tx: Transaction,
  question: GapQuestion & { before?: number; limit: number; bySymbol?: boolean },
): Promise<GapRow[]> {
  const { rows } = await sql<GapRow>`
    SELECT g.*, s.name AS source_name FROM refresh_gap g JOIN source s ON s.id = g.source_id
    WHERE ${gapsWhere(question)} AND ${question.before === undefined ? sql`true` : sql`g.id < ${question.before}`}
    ORDER BY ${question.bySymbol ? sql`g.symbol, g.id` : sql`g.id DESC`} LIMIT ${question.limit}
  `.execute(tx.query);
  return rows;
}

export async function countGaps(tx: Transaction, question: GapQuestion): Promise<number> {
  const { rows } = await sql<{ n: number }>`
    SELECT count(*)::int AS n FROM refresh_gap g WHERE ${gapsWhere(question)}
  `.execute(tx.query);
  return rows[0]!.n;
}

function gapsWhere({ sourceId, refreshId, universe, state }: GapQuestion) {
  const parts: ReturnType<typeof sql<SqlBool>>[] = [sql`true`];
  if (sourceId !== undefined) parts.push(sql`g.source_id = ${sourceId}`);
  if (refreshId !== undefined) parts.push(sql`g.refresh_id = ${refreshId}`);
  if (state !== 'all') parts.push(state === 'open' ? sql`g.closed_at IS NULL` : sql`g.closed_at IS NOT NULL`);
  if (universe !== undefined)
    parts.push(
      universe.rule === 'list'
        ? sql`g.instrument_id IN (SELECT m.instrument_id FROM universe_member m WHERE m.universe_id = ${universe.id})`
        : sql`EXISTS (SELECT FROM bar_key o
                      WHERE o.instrument_id = g.instrument_id AND o.source_id = ${universe.source_id})`,
    );
  return sql.join(parts, sql` AND `);
}

/** Open gaps of a source by kind, with the first moment when asking again makes sense. */
export async function countOpenGaps(tx: Transaction, refreshId: number | null, sourceId: number) {
  const { rows } = await sql<{ kind: GapKind; n: number; retry: string | null; example: string }>`
    SELECT kind, count(*)::int AS n, min(retry_at) AS retry, min(sentence) AS example FROM refresh_gap
    WHERE source_id = ${sourceId} AND closed_at IS NULL AND ${refreshId === null ? sql`true` : sql`refresh_id = ${refreshId}`}
    GROUP BY kind ORDER BY kind
  `.execute(tx.query);
  return rows;
}
