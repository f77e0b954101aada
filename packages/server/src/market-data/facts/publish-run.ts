import { sql } from 'kysely';
import type { Database, Principal, Transaction } from '../../platform/database/database.ts';
import { appendEvidence } from '../../platform/evidence/evidence.ts';
import { failPoint } from '../../platform/fail-point.ts';
import { ProblemError } from '../../platform/problem-error.ts';
import { basisSentence } from './basis-sentence.ts';
import { computeContentSha256, isRunKind } from './fact-tables.ts';
import { dropStaging, type StagedTable } from './staging.ts';

/** A finding of the court as it goes into `data_case`. Days are texts, knownAt EpochMs or null for recorded. */
export type NewCase = {
  instrumentId: number | null;
  kind: string;
  action: 'quarantine' | 'note';
  firstDay: string;
  lastDay: string;
  rowCount: number;
  measure: number | null;
  threshold: number | null;
  reason: string;
  knownAt: number | null;
  /** True when it names bars that are in sight: confirming it withholds them. */
  withholds?: boolean;
};

/** What a delivery has staged and found, ready to be made visible. */
export type PublishPlan = {
  runId: number;
  tables: readonly StagedTable[];
  /** Staged bars that are held back; `case_no` counts from 1 in the order of `cases`. */
  held: StagedTable | null;
  cases: readonly NewCase[];
  instrumentIds: readonly number[];
  /** Known already when the rows were encoded here; otherwise computed from the table. */
  contentSha256: string | null;
  counts: {
    rowCount: number;
    acceptedCount: number;
    unchangedCount: number;
    revisedCount: number;
    quarantinedCount: number;
    errorCount: number;
  };
  errors: readonly { file: string; line: number; column: string | null; rule: string }[];
  firstDay: string | null;
  lastDay: string | null;
  priceBasis: string | null;
  fileSha256: string | null;
  note: string;
  reason: string;
  universeName?: string | undefined;
};

export type Published = { runId: number; publishedAt: string; rowCount: number; contentSha256: string };

/**
 * Makes a staged run visible: facts, held bars, cases, publication, evidence and event in one transaction, or nothing.
 * Safe to call again: a run that is published stays as it is.
 *
 * @throws Error if the run is gone or refers to instruments that are not there.
 */
export async function publishRun(database: Database, principal: Principal, plan: PublishPlan): Promise<Published> {
  const published = await database.transaction(principal, (tx) => publishInTransaction(tx, plan));
  failPoint('import.after-publish');
  await database.transaction(principal, (tx) => dropStaging(tx, plan.runId));
  return published;
}

/** The same inside the caller's transaction, for deliveries that change other rows with it. */
export async function publishInTransaction(tx: Transaction, plan: PublishPlan): Promise<Published> {
  const run = await tx.query
    .selectFrom('ingest_run')
    .select(['id', 'tenant_id', 'source_id', 'kind', 'state'])
    .where('id', '=', plan.runId)
    .where('tenant_id', '=', tx.principal.tenantId)
    .forUpdate()
    .executeTakeFirstOrThrow();
  if (!isRunKind(run.kind)) throw new TypeError(`a run kind must be known, was ${run.kind}`);
  const before = await findPublished(tx, run.id);
  if (before !== undefined) return before;

  await checkInstruments(tx, plan.instrumentIds);
  if (plan.priceBasis !== null) await claimBasis(tx, run.source_id, plan.priceBasis);
  await moveRows(tx, run, plan);
  const caseIds = await insertCases(tx, run, plan.cases);
  await moveHeld(tx, run, plan, caseIds);
  failPoint('import.before-publication');
  const sha = plan.contentSha256 ?? (await computeContentSha256(tx, { id: run.id, kind: run.kind })).toString('hex');
  if (plan.universeName !== undefined) await insertUniverse(tx, run.source_id, plan.universeName);
  await finishRun(tx, plan);

  // The stamp is taken late: other publications wait from here to our commit.
  const rowCount = plan.tables.reduce((sum, table) => sum + table.rowCount, 0);
  const published = await insertPublication(tx, run.id, plan, rowCount, sha);
  await tx.query
    .insertInto('outbox_event')
    .values({
      tenant_id: tx.principal.tenantId,
      name: 'prices.updated',
      payload: JSON.stringify({
        runId: run.id,
        sourceId: run.source_id,
        kind: run.kind,
        rowCount,
        firstDay: plan.firstDay,
        lastDay: plan.lastDay,
      }),
    })
    .execute();
  await appendEvidence(tx, {
    kind: 'run.published',
    subjectKind: 'run',
    subjectId: run.id,
    body: {
      sourceId: run.source_id,
      kind: run.kind,
      publishedAt: published.publishedAt,
      contentSha256: sha,
      fileSha256: plan.fileSha256,
      reason: plan.reason,
      ...plan.counts,
      rowCount,
      readCount: plan.counts.rowCount,
      caseCount: plan.cases.length,
    },
  });
  return published;
}

/** The publication of a run, if there is one. */
export async function findPublished(tx: Transaction, runId: number): Promise<Published | undefined> {
  const row = await tx.query
    .selectFrom('publication')
    .select(['published_at', 'row_count', 'content_sha256'])
    .where('run_id', '=', runId)
    .where('kind', '=', 'publish')
    .executeTakeFirst();
  if (row === undefined) return undefined;
  return {
    runId,
    publishedAt: row.published_at,
    rowCount: row.row_count,
    contentSha256: row.content_sha256.toString('hex'),
  };
}

async function checkInstruments(tx: Transaction, ids: readonly number[]): Promise<void> {
  if (ids.length === 0) return;
  const { rows } = await sql<{ id: number }>`
    SELECT wanted.id FROM unnest(${[...ids]}::int[]) AS wanted (id)
    LEFT JOIN instrument i ON i.id = wanted.id AND i.tenant_id = ${tx.principal.tenantId}
    WHERE i.id IS NULL LIMIT 1
  `.execute(tx.query);
  if (rows.length > 0) throw new Error(`a fact must refer to an instrument of its tenant, ${rows[0]!.id} is none`);
}

/** The first prices of a source settle its basis. Two bases under one name would be adjusted twice or not at all. */
async function claimBasis(tx: Transaction, sourceId: number, basis: string): Promise<void> {
  const source = await tx.query
    .selectFrom('source')
    .select(['name', 'price_basis'])
    .where('id', '=', sourceId)
    .forUpdate()
    .executeTakeFirstOrThrow();
  if (source.price_basis === basis) return;
  if (source.price_basis !== null)
    throw new ProblemError('FILE_REFUSED', basisSentence(source.name, source.price_basis, basis));
  await tx.query.updateTable('source').set({ price_basis: basis }).where('id', '=', sourceId).execute();
}

type RunRow = { id: number; tenant_id: number; source_id: number };

async function moveRows(tx: Transaction, run: RunRow, plan: PublishPlan): Promise<void> {
  for (const { name, table, columns, rowCount } of plan.tables) {
    if (rowCount === 0) continue;
    if (table === 'price_observation') await ensureYears(tx, plan);
    const list = columns.join(', ');
    await sql
      .raw(
        `INSERT INTO ${table} (tenant_id, run_id, source_id, ${list})
         SELECT ${run.tenant_id}, ${run.id}, ${run.source_id}, ${list} FROM ${name}`,
      )
      .execute(tx.query);
  }
}

async function ensureYears(tx: Transaction, plan: PublishPlan): Promise<void> {
  if (plan.firstDay === null || plan.lastDay === null) return;
  await sql`SELECT touchstone_ensure_price_years(${Number(plan.firstDay.slice(0, 4))}::int,
    ${Number(plan.lastDay.slice(0, 4))}::int)`.execute(tx.query);
}

/** One statement for all; identities ascend in the order given, which is the order of case numbers. */
async function insertCases(tx: Transaction, run: RunRow, cases: readonly NewCase[]): Promise<number[]> {
  if (cases.length === 0) return [];
  const told = cases.map((found) => ({
    ...found,
    knownAt: found.knownAt === null ? null : new Date(found.knownAt).toISOString(),
  }));
  const { rows } = await sql<{ id: number }>`
    INSERT INTO data_case (tenant_id, run_id, source_id, instrument_id, kind, action, first_day, last_day, row_count,
                           measure, threshold, reason, known_at, withholds)
    SELECT ${run.tenant_id}, ${run.id}, ${run.source_id}, (c->>'instrumentId')::int, c->>'kind', c->>'action',
           (c->>'firstDay')::date, (c->>'lastDay')::date, (c->>'rowCount')::int, (c->>'measure')::float8,
           (c->>'threshold')::float8, c->>'reason', (c->>'knownAt')::timestamptz,
           coalesce((c->>'withholds')::boolean, false)
    FROM jsonb_array_elements(${JSON.stringify(told)}::jsonb) WITH ORDINALITY AS t (c, no) ORDER BY no
    RETURNING id
  `.execute(tx.query);
  return rows.map((row) => row.id).sort((a, b) => a - b);
}

async function moveHeld(tx: Transaction, run: RunRow, plan: PublishPlan, caseIds: number[]): Promise<void> {
  if (plan.held === null || plan.held.rowCount === 0) return;
  const prices = 'known_at, open, high, low, close, volume, adjusted_close';
  await sql`
    INSERT INTO price_quarantine (tenant_id, run_id, source_id, instrument_id, day, line, case_id, ${sql.raw(prices)})
    SELECT ${run.tenant_id}, ${run.id}, ${run.source_id}, h.instrument_id, h.day, h.line, c.id, ${sql.raw(prices)}
    FROM ${sql.raw(plan.held.name)} h
    JOIN unnest(${caseIds}::int[]) WITH ORDINALITY AS c (id, no) ON c.no = h.case_no
  `.execute(tx.query);
}

async function insertUniverse(tx: Transaction, sourceId: number, name: string): Promise<void> {
  const tenantId = tx.principal.tenantId;
  await sql`
    INSERT INTO universe (tenant_id, name, rule, source_tenant_id, source_id)
    VALUES (${tenantId}, ${name}, 'all_of_source', ${tenantId}, ${sourceId})
    ON CONFLICT (tenant_id, name) WHERE deleted_at IS NULL DO NOTHING
  `.execute(tx.query);
}

async function finishRun(tx: Transaction, plan: PublishPlan): Promise<void> {
  const { counts } = plan;
  await tx.query
    .updateTable('ingest_run')
    .set({
      state: 'published',
      price_basis: plan.priceBasis,
      file_sha256: plan.fileSha256 === null ? null : Buffer.from(plan.fileSha256, 'hex'),
      row_count: counts.rowCount,
      accepted_count: counts.acceptedCount,
      unchanged_count: counts.unchangedCount,
      revised_count: counts.revisedCount,
      quarantined_count: counts.quarantinedCount,
      error_count: counts.errorCount,
      errors: JSON.stringify(plan.errors.slice(0, 100)),
      first_day: plan.firstDay,
      last_day: plan.lastDay,
      note: plan.note,
      // Which instruments a run told of, so that lists need not look through its bars.
      options: sql<string>`options || ${JSON.stringify({ instrumentIds: plan.instrumentIds })}::jsonb`,
    })
    .where('id', '=', plan.runId)
    .execute();
}

async function insertPublication(
  tx: Transaction,
  runId: number,
  plan: PublishPlan,
  rowCount: number,
  sha: string,
): Promise<Published> {
  const { tenantId, actorId } = tx.principal;
  const declared = plan.tables.filter((table) => table.knownAtMin !== null && table.knownAtMax !== null);
  const hasRecorded = rowCount === 0 || plan.tables.some((table) => table.hasRecorded);
  const least = declared.length === 0 ? null : Math.min(...declared.map((table) => table.knownAtMin ?? 0));
  const most = declared.length === 0 ? null : Math.max(...declared.map((table) => table.knownAtMax ?? 0));
  const min = least === null ? null : new Date(least).toISOString();
  const max = most === null ? null : new Date(most).toISOString();
  const { rows } = await sql<{ at: string }>`
    WITH stamp AS MATERIALIZED (SELECT touchstone_stamp() AS at)
    INSERT INTO publication (tenant_id, run_id, kind, published_at, row_count, content_sha256, known_at_min, known_at_max,
                             reason, actor_id)
    SELECT ${tenantId}, ${runId}, 'publish', at, ${rowCount}, ${Buffer.from(sha, 'hex')},
           ${hasRecorded ? sql`least(at, ${min}::timestamptz)` : sql`${min}::timestamptz`},
           ${hasRecorded ? sql`greatest(at, ${max}::timestamptz)` : sql`${max}::timestamptz`},
           ${plan.reason}, ${actorId}
    FROM stamp RETURNING published_at AS at
  `.execute(tx.query);
  return { runId, publishedAt: rows[0]!.at, rowCount, contentSha256: sha };
}
