import { sql } from 'kysely';
import type { Transaction } from '../../platform/database/database.ts';
import { appendEvidence } from '../../platform/evidence/evidence.ts';
import { findLevels, type IntervalKey, insertLevel } from './interval.repository.ts';
import { nextLevel } from './outcome-of.ts';

/** A prediction whose outcome is not known here yet. */
export type PendingPrediction = {
  id: number;
  modelId: number;
  version: number;
  target: string | null;
  universeId: number | null;
  trainedUntil: string;
  servedBy: string;
  subjectKind: 'instrument' | 'index';
  subjectId: number;
  eventDay: string;
  value: number | null;
  lower: number | null;
  upper: number | null;
  baseline: number | null;
  /** Level of its interval; null: it has none. */
  level: number | null;
};

export type NewOutcome = {
  prediction: PendingPrediction;
  value: number;
  day: string;
  loss: number | null;
  baselineLoss: number | null;
  inside: boolean | null;
  volatility: number | null;
};

const JOIN_LOCK = 7420018;

/** Those due by a day, oldest first, behind the given number. */
export async function listPending(
  tx: Transaction,
  { today, after, limit }: { today: string; after: number; limit: number },
): Promise<PendingPrediction[]> {
  const { rows } = await sql<PendingPrediction & { id: number }>`
    SELECT p.id, p.model_id AS "modelId", p.version_number AS version, v.manifest->>'target' AS target,
      (v.manifest->>'universeId')::int AS "universeId", v.manifest->>'trainedUntil' AS "trainedUntil",
      p.served_by AS "servedBy", p.subject_kind AS "subjectKind", p.subject_id AS "subjectId", p.event_day AS "eventDay",
      p.value, p.lower, p.upper, p.baseline, (p.body::jsonb #>> '{forecast,level}')::float8 AS level
    FROM prediction p
    JOIN model_version v ON v.tenant_id = p.tenant_id AND v.model_id = p.model_id AND v.number = p.version_number
    WHERE p.tenant_id = ${tx.principal.tenantId} AND p.due_day <= ${today}::date AND p.id > ${after}
      AND NOT EXISTS (SELECT FROM prediction_outcome o WHERE o.tenant_id = p.tenant_id AND o.prediction_id = p.id)
    ORDER BY p.id LIMIT ${limit}`.execute(tx.query);
  return rows.map((row) => ({ ...row, id: Number(row.id) }));
}

/** Joins outcomes and moves the intervals they were revealed to. Joined before: left as it is. */
export async function insertOutcomes(
  tx: Transaction,
  outcomes: readonly NewOutcome[],
  knownAt: string,
): Promise<{ joined: number }> {
  const { tenantId } = tx.principal;
  await sql`SELECT pg_advisory_xact_lock(${JOIN_LOCK}::int, ${tenantId}::int)`.execute(tx.query);
  const column = <K extends keyof NewOutcome>(name: K) => outcomes.map((one) => one[name]);
  const { rows } = await sql<{ prediction_id: number }>`
    INSERT INTO prediction_outcome (tenant_id, prediction_id, value, day, known_at, loss, baseline_loss, inside, volatility)
    SELECT ${tenantId}::int, n.id, n.value, n.day, ${knownAt}::timestamptz, n.loss, n.baseline_loss, n.inside, n.volatility
    FROM unnest(${outcomes.map(({ prediction }) => prediction.id)}::bigint[], ${column('value')}::float8[],
      ${column('day')}::date[], ${column('loss')}::float8[], ${column('baselineLoss')}::float8[],
      ${column('inside')}::boolean[], ${column('volatility')}::float8[])
      AS n (id, value, day, loss, baseline_loss, inside, volatility)
    ON CONFLICT DO NOTHING RETURNING prediction_id`.execute(tx.query);
  const joined = new Set(rows.map((row) => Number(row.prediction_id)));
  if (joined.size === 0) return { joined: 0 };
  const fresh = outcomes.filter(({ prediction }) => joined.has(prediction.id));
  await moveIntervals(tx, fresh);
  await appendEvidence(tx, {
    ...{ kind: 'prediction.outcomes_joined', subjectKind: 'prediction_outcome', subjectId: fresh[0]!.prediction.id },
    body: { knownAt, outcomes: Object.fromEntries(fresh.map((one) => [String(one.prediction.id), one.value])) },
  });
  return { joined: joined.size };
}

/** One state for each revealed outcome, in the order of days. Days the version had learnt from reveal nothing. */
async function moveIntervals(tx: Transaction, outcomes: readonly NewOutcome[]): Promise<void> {
  const moving = outcomes.filter(
    ({ inside, prediction }) =>
      inside !== null && prediction.level !== null && prediction.eventDay > prediction.trainedUntil,
  );
  const groups = Map.groupBy(
    moving,
    ({ prediction: { modelId, version, subjectKind, subjectId } }) =>
      `${modelId} ${version} ${subjectKind}:${subjectId}`,
  );
  for (const group of groups.values()) {
    const { modelId, version, subjectKind, subjectId } = group[0]!.prediction;
    const key: IntervalKey = { modelId, version, group: `${subjectKind}:${subjectId}` };
    const states = await findLevels(tx, key);
    let last = states.at(-1) ?? null;
    const nominal = await findNominal(tx, key, group[0]!.prediction.level!);
    const inOrder = group.toSorted((a, b) => (a.day < b.day ? -1 : a.day > b.day ? 1 : 0));
    for (const { day, inside } of inOrder) {
      // A day moves it once, however often was asked about it, and never backwards.
      if (last !== null && day <= last.throughDay) continue;
      last = {
        sequence: (last?.sequence ?? 0) + 1,
        level: nextLevel(last?.level ?? nominal, nominal, inside === true),
        observed: (last?.observed ?? 0) + 1,
        throughDay: day,
      };
      await insertLevel(tx, key, last);
    }
  }
}

/** The level stated when the first of its intervals was told, before any outcome had moved it. */
async function findNominal(tx: Transaction, { modelId, version }: IntervalKey, otherwise: number): Promise<number> {
  const { rows } = await sql<{ level: number | null }>`
    SELECT (p.body::jsonb #>> '{forecast,level}')::float8 AS level FROM prediction p
    WHERE p.tenant_id = ${tx.principal.tenantId} AND p.model_id = ${modelId} AND p.version_number = ${version}
      AND p.lower IS NOT NULL AND p.body::jsonb ->> 'level' IS NULL
    ORDER BY p.id LIMIT 1`.execute(tx.query);
  return rows[0]?.level ?? otherwise;
}

/** A resolved prediction, as far as it is held against what happened. */
export type JudgedRow = {
  id: number;
  version: number;
  eventDay: string;
  value: number | null;
  lower: number | null;
  upper: number | null;
  abstained: string | null;
  beforeOutcome: boolean;
  inSample: boolean;
  outcome: number | null;
  loss: number | null;
  baselineLoss: number | null;
  inside: boolean | null;
  volatility: number | null;
};

export type JudgedFilter = {
  modelId: number;
  version?: number | undefined;
  from?: string | undefined;
  to?: string | undefined;
  limit: number;
};

/** Of several predictions of one version about one subject and day the first: newest days first. */
export async function listJudged(tx: Transaction, filter: JudgedFilter): Promise<JudgedRow[]> {
  const conditions = [sql`p.tenant_id = ${tx.principal.tenantId}`, sql`p.model_id = ${filter.modelId}`];
  if (filter.version !== undefined) conditions.push(sql`p.version_number = ${filter.version}`);
  if (filter.from !== undefined) conditions.push(sql`p.event_day >= ${filter.from}::date`);
  if (filter.to !== undefined) conditions.push(sql`p.event_day <= ${filter.to}::date`);
  const { rows } = await sql<JudgedRow>`
    SELECT * FROM (
      SELECT DISTINCT ON (p.version_number, p.subject_kind, p.subject_id, p.event_day)
        p.id, p.version_number AS version, p.event_day AS "eventDay", p.value, p.lower, p.upper, p.abstained,
        p.before_outcome AS "beforeOutcome", p.event_day <= (v.manifest->>'trainedUntil')::date AS "inSample",
        o.value AS outcome, o.loss, o.baseline_loss AS "baselineLoss", o.inside, o.volatility
      FROM prediction p
      JOIN model_version v ON v.tenant_id = p.tenant_id AND v.model_id = p.model_id AND v.number = p.version_number
      LEFT JOIN prediction_outcome o ON o.tenant_id = p.tenant_id AND o.prediction_id = p.id
      WHERE ${sql.join(conditions, sql` AND `)}
      ORDER BY p.version_number, p.subject_kind, p.subject_id, p.event_day, p.id
    ) first ORDER BY "eventDay" DESC, id DESC LIMIT ${filter.limit}`.execute(tx.query);
  return rows;
}

export type AdaptiveRow = { version: number; group: string; level: number; observed: number; throughDay: string };

/** Where each adaptive interval stands, the most observed first. */
export async function listAdaptive(
  tx: Transaction,
  { modelId, version, limit }: { modelId: number; version?: number | undefined; limit: number },
): Promise<AdaptiveRow[]> {
  const only = version === undefined ? sql`true` : sql`version_number = ${version}`;
  const { rows } = await sql<AdaptiveRow>`
    SELECT * FROM (
      SELECT DISTINCT ON (version_number, subject_group) version_number AS version, subject_group AS "group", level, observed,
        through_day AS "throughDay"
      FROM prediction_interval WHERE tenant_id = ${tx.principal.tenantId} AND model_id = ${modelId} AND ${only}
      ORDER BY version_number, subject_group, sequence DESC
    ) last ORDER BY observed DESC, "group" LIMIT ${limit}`.execute(tx.query);
  return rows;
}

/** What the newest prediction says of the baseline and the level of its interval. */
export async function findNewestWords(
  tx: Transaction,
  { modelId, version }: { modelId: number; version?: number | undefined },
): Promise<{ baseline: string; level: number | null } | undefined> {
  const only = version === undefined ? sql`true` : sql`p.version_number = ${version}`;
  const { rows } = await sql<{ baseline: string; level: number | null }>`
    SELECT p.body::jsonb #>> '{forecast,baseline,name}' AS baseline, (p.body::jsonb #>> '{forecast,level}')::float8 AS level
    FROM prediction p WHERE p.tenant_id = ${tx.principal.tenantId} AND p.model_id = ${modelId} AND ${only}
    ORDER BY p.lower IS NULL, p.id DESC LIMIT 1`.execute(tx.query);
  return rows[0];
}
