import { type AbTest, assignment, lossMetric } from '@touchstone/contracts/experiments';
import type { Selectable } from 'kysely';
import { sql } from 'kysely';
import type { Transaction } from '../../platform/database/database.ts';
import type { AbTestTable } from '../../platform/database/schema-types.ts';

/** A test as the server needs it: beside what is told, the numbers of its rows. */
export type StoredTest = {
  told: AbTest;
  modelId: number;
  horizonDays: number;
  startedAt: string;
  endedAt: string | null;
};

export type NewTest = {
  modelId: number;
  controlVersion: number;
  treatmentVersion: number;
  metric: AbTest['metric'];
  effect: number;
  assignment: AbTest['assignment'];
  blockDays: number;
  maximumDays: number;
  level: number;
  power: number;
  horizonDays: number;
  neededDays: number;
  noise: AbTest['noise'];
};

export async function insertTest(tx: Transaction, test: NewTest): Promise<number> {
  const { id } = await tx.query
    .insertInto('ab_test')
    .values({
      ...{ tenant_id: tx.principal.tenantId, model_id: test.modelId, control_number: test.controlVersion },
      ...{ treatment_number: test.treatmentVersion, metric: test.metric, effect: test.effect },
      ...{ assignment: test.assignment, block_days: test.blockDays, maximum_days: test.maximumDays },
      ...{ level: test.level, power: test.power, horizon_days: test.horizonDays, needed_days: test.neededDays },
      ...{ long_run_deviation: test.noise.longRunDeviation, noise_basis: test.noise.basis },
      ...{ noise_days: test.noise.dayCount, first_day: sql<string>`(clock_timestamp() AT TIME ZONE 'UTC')::date` },
    })
    .returning('id')
    .executeTakeFirstOrThrow();
  return id;
}

/** @returns false when it has an end already. */
export async function insertEnd(tx: Transaction, testId: number, reason: string): Promise<boolean> {
  const row = await tx.query
    .insertInto('ab_test_end')
    .values({ tenant_id: tx.principal.tenantId, test_id: testId, reason })
    .onConflict((conflict) => conflict.doNothing())
    .returning('test_id')
    .executeTakeFirst();
  return row !== undefined;
}

type Row = Selectable<AbTestTable> & {
  name: string;
  ended_at: string | null;
  ended_by: number | null;
  end_reason: string | null;
};

/** Tests newest first: of a model, one, or those that run. */
export async function listTests(
  tx: Transaction,
  which: { modelId?: number; id?: number; running?: boolean; before?: number | undefined; limit: number },
): Promise<StoredTest[]> {
  const conditions = [sql`t.tenant_id = ${tx.principal.tenantId}`];
  if (which.modelId !== undefined) conditions.push(sql`t.model_id = ${which.modelId}`);
  if (which.id !== undefined) conditions.push(sql`t.id = ${which.id}`);
  if (which.running === true) conditions.push(sql`e.test_id IS NULL`);
  if (which.before !== undefined) conditions.push(sql`t.id < ${which.before}`);
  const { rows } = await sql<Row>`
    SELECT t.*, m.name, e.created_at AS ended_at, e.created_by AS ended_by, e.reason AS end_reason
    FROM ab_test t JOIN model m ON m.tenant_id = t.tenant_id AND m.id = t.model_id
    LEFT JOIN ab_test_end e ON e.tenant_id = t.tenant_id AND e.test_id = t.id
    WHERE ${sql.join(conditions, sql` AND `)} ORDER BY t.id DESC LIMIT ${which.limit}`.execute(tx.query);
  return rows.map((row) => ({
    ...{ modelId: row.model_id, horizonDays: row.horizon_days, startedAt: row.created_at, endedAt: row.ended_at },
    told: {
      ...{ id: row.id, model: row.name, controlVersion: row.control_number, treatmentVersion: row.treatment_number },
      ...{ metric: lossMetric.parse(row.metric), effect: row.effect, assignment: assignment.parse(row.assignment) },
      ...{ blockDays: row.block_days, maximumDays: row.maximum_days, level: row.level, power: row.power },
      neededDays: row.needed_days,
      noise: {
        ...{ longRunDeviation: row.long_run_deviation, basis: basisOf(row.noise_basis), dayCount: row.noise_days },
      },
      ...{ state: row.ended_at === null ? ('running' as const) : ('stopped' as const), startedAt: row.created_at },
      ...{ startedBy: row.created_by, firstDay: row.first_day, stoppedAt: row.ended_at, stoppedBy: row.ended_by },
      stopReason: row.end_reason,
    },
  }));
}

function basisOf(text: string): AbTest['noise']['basis'] {
  return text === 'paired_history' || text === 'control_history' ? text : 'given';
}

/** What two versions said of one subject on one day, and what happened; null: that one said nothing. */
export type Pair = {
  subject: string;
  eventDay: string;
  outcome: number;
  control: Said | null;
  treatment: Said | null;
};
type Said = { value: number | null; lower: number | null; upper: number | null; baseline: number | null };

/**
 * Predictions of two versions with a known outcome, by event day. Of a version's answers to one question the first counts; only
 * those count that were on record before anybody could know.
 *
 * @param span Sealed within it; absent: whenever.
 */
export async function listPairs(
  tx: Transaction,
  of: { modelId: number; control: number; treatment: number },
  span: { from?: string; to?: string | null } = {},
): Promise<Pair[]> {
  const from = span.from === undefined ? sql`true` : sql`p.created_at >= ${span.from}`;
  const to = span.to == null ? sql`true` : sql`p.created_at <= ${span.to}`;
  const { rows } = await sql<{
    version_number: number;
    subject: string;
    event_day: string;
    value: number | null;
    lower: number | null;
    upper: number | null;
    baseline: number | null;
    outcome: number;
  }>`
    SELECT DISTINCT ON (p.event_day, subject, p.version_number) p.version_number,
      p.subject_kind || '/' || p.subject_id AS subject, p.event_day, p.value, p.lower, p.upper, p.baseline, o.value AS outcome
    FROM prediction p JOIN prediction_outcome o ON o.tenant_id = p.tenant_id AND o.prediction_id = p.id
    WHERE p.tenant_id = ${tx.principal.tenantId} AND p.model_id = ${of.modelId}
      AND p.version_number IN (${of.control}, ${of.treatment}) AND p.served_by IN ('model', 'previous')
      AND p.before_outcome AND ${from} AND ${to}
    ORDER BY p.event_day, subject, p.version_number, p.id`.execute(tx.query);
  const pairs = new Map<string, Pair>();
  for (const row of rows) {
    const key = `${row.event_day} ${row.subject}`;
    const pair = pairs.get(key) ?? {
      ...{ subject: row.subject, eventDay: row.event_day, outcome: row.outcome, control: null, treatment: null },
    };
    pairs.set(key, pair);
    const said = { value: row.value, lower: row.lower, upper: row.upper, baseline: row.baseline };
    if (row.version_number === of.control) pair.control = said;
    else pair.treatment = said;
  }
  return [...pairs.values()];
}
