import { sql } from 'kysely';
import type { Transaction } from '../../platform/database/database.ts';

/** Steps of the load that are published. */
export async function findPublishedSteps(tx: Transaction, codes: readonly string[]): Promise<Set<string>> {
  const { rows } = await sql<{ step: string }>`
    SELECT r.options->>'step' AS step FROM ingest_run r JOIN source s ON s.id = r.source_id
    WHERE s.tenant_id = ${tx.principal.tenantId} AND s.code = ANY (${[...codes]}::text[]) AND r.state = 'published'
  `.execute(tx.query);
  return new Set(rows.map((row) => row.step));
}

/** The run of a step that an earlier start began and did not publish. */
export async function findUnpublishedRun(tx: Transaction, sourceId: number, step: string): Promise<number | undefined> {
  const { rows } = await sql<{ id: number }>`
    SELECT id FROM ingest_run
    WHERE source_id = ${sourceId} AND options->>'step' = ${step} AND state <> 'published' ORDER BY id LIMIT 1
  `.execute(tx.query);
  return rows[0]?.id;
}

export type NewInstrument = {
  symbol: string;
  name: string;
  kind: string;
  calendar: string;
  currency: string;
  sector: string;
};

/** Makes what is not there yet; ids in the order given. */
export async function ensureNamedInstruments(tx: Transaction, wanted: readonly NewInstrument[]): Promise<number[]> {
  const { tenantId } = tx.principal;
  await sql`
    INSERT INTO instrument (tenant_id, symbol, name, kind, calendar, currency, sector)
    SELECT ${tenantId}, i->>'symbol', i->>'name', i->>'kind', i->>'calendar', i->>'currency', i->>'sector'
    FROM jsonb_array_elements(${JSON.stringify(wanted)}::jsonb) WITH ORDINALITY AS t (i, no) ORDER BY no
    ON CONFLICT (tenant_id, symbol) WHERE deleted_at IS NULL DO NOTHING
  `.execute(tx.query);
  const { rows } = await sql<{ id: number }>`
    SELECT i.id FROM unnest(${wanted.map((one) => one.symbol)}::text[]) WITH ORDINALITY AS w (symbol, no)
    JOIN instrument i ON i.symbol = w.symbol AND i.tenant_id = ${tenantId} AND i.deleted_at IS NULL ORDER BY no
  `.execute(tx.query);
  return rows.map((row) => row.id);
}

/** Hash of the truth as the evidence tells it; undefined before anything was planted. */
export async function findTruthSha256(tx: Transaction): Promise<string | undefined> {
  const row = await tx.query
    .selectFrom('evidence')
    .select(sql<string>`body::jsonb->'body'->>'truthSha256'`.as('sha256'))
    .where('tenant_id', '=', tx.principal.tenantId)
    .where('kind', '=', 'simulation.planted')
    .limit(1)
    .executeTakeFirst();
  return row?.sha256;
}

/** The source of a code, and when something of it was published last. */
export async function findPublishedSource(tx: Transaction, code: string) {
  const { rows } = await sql<{ id: number; publishedAt: string }>`
    SELECT s.id, max(v.published_at) AS "publishedAt" FROM source s JOIN visible_run v ON v.source_id = s.id
    WHERE s.tenant_id = ${tx.principal.tenantId} AND s.code = ${code} GROUP BY s.id
  `.execute(tx.query);
  return rows[0];
}

/** The symbol each instrument of a source was listed under. */
export async function findListedSymbols(tx: Transaction, sourceId: number) {
  const { rows } = await sql<{ symbol: string; instrumentId: number }>`
    SELECT DISTINCT symbol, instrument_id AS "instrumentId" FROM listing_event
    WHERE source_id = ${sourceId} AND kind = 'listed'
  `.execute(tx.query);
  return rows;
}

/** Findings about instruments of a source whose runs were published. */
export async function findFindings(tx: Transaction, sourceId: number) {
  const { rows } = await sql<{ kind: string; instrumentId: number; firstDay: string; lastDay: string }>`
    SELECT c.kind, c.instrument_id AS "instrumentId", c.first_day AS "firstDay", c.last_day AS "lastDay"
    FROM data_case c JOIN visible_run v ON v.run_id = c.run_id
    WHERE c.source_id = ${sourceId} AND c.instrument_id IS NOT NULL
  `.execute(tx.query);
  return rows;
}
