import type { DriftCheck, DriftFinding } from '@touchstone/contracts/drift';
import { driftArea, driftRule } from '@touchstone/contracts/drift';
import { reason } from '@touchstone/contracts/market';
import { sql } from 'kysely';
import type { Transaction } from '../../platform/database/database.ts';

export type NewCheck = {
  modelId: number;
  version: number;
  asOf: string;
  knownAt: string;
  recordedAt: string;
  dataSha256: string;
  configSha256: string;
  codeVersion: string;
  alarmsPerYear: number;
};

/** What a finding says, in the order of its rank. */
export type NewFinding = Omit<DriftFinding, 'id' | 'checkId' | 'asOf' | 'rank'>;

export async function insertCheck(tx: Transaction, check: NewCheck, findings: readonly NewFinding[]): Promise<number> {
  const tenant = tx.principal.tenantId;
  const { id } = await tx.query
    .insertInto('drift_check')
    .values({
      ...{ tenant_id: tenant, model_id: check.modelId, version_number: check.version, as_of: check.asOf },
      ...{ known_at: check.knownAt, recorded_at: check.recordedAt, data_sha256: check.dataSha256 },
      ...{ config_sha256: check.configSha256, code_version: check.codeVersion },
      ...{ alarms_per_year: check.alarmsPerYear, finding_count: findings.length },
      alarm_count: findings.filter(({ alarm }) => alarm).length,
    })
    .returning('id')
    .executeTakeFirstOrThrow();
  if (findings.length === 0) return id;
  await tx.query
    .insertInto('drift_finding')
    .values(
      findings.map((finding, k) => ({
        ...{ tenant_id: tenant, check_id: id, rank: k + 1, area: finding.area, rule: finding.rule },
        ...{ feature: finding.feature, subject_id: finding.instrumentId },
        ...{ instrument_count: finding.instrumentCount, sample_count: finding.sampleCount },
        ...{ statistic: finding.statistic, threshold: finding.threshold, alarm: finding.alarm },
        ...{ alarms_per_year: finding.alarmsPerYearExpected, effect: finding.effect, sentence: finding.sentence },
        reason: finding.reason === null ? null : JSON.stringify(finding.reason),
      })),
    )
    .execute();
  return id;
}

/** Checks of a model, newest first, below the given number. */
export async function listChecks(
  tx: Transaction,
  model: { id: number; name: string },
  page: { before?: number | undefined; limit: number; only?: number | undefined },
): Promise<(DriftCheck & { alarmsPerYear: number })[]> {
  let query = tx.query
    .selectFrom('drift_check')
    .selectAll()
    .where('tenant_id', '=', tx.principal.tenantId)
    .where('model_id', '=', model.id);
  if (page.before !== undefined) query = query.where('id', '<', page.before);
  if (page.only !== undefined) query = query.where('id', '=', page.only);
  const rows = await query.orderBy('id', 'desc').limit(page.limit).execute();
  return rows.map((row) => ({
    ...{ id: row.id, model: model.name, version: row.version_number, asOf: row.as_of, checkedAt: row.created_at },
    ...{ findingCount: row.finding_count, alarmCount: row.alarm_count, codeVersion: row.code_version },
    alarmsPerYear: row.alarms_per_year,
  }));
}

export async function listFindings(
  tx: Transaction,
  check: { id: number; asOf: string },
  alarmsOnly: boolean,
): Promise<DriftFinding[]> {
  let query = tx.query
    .selectFrom('drift_finding')
    .selectAll()
    .where('tenant_id', '=', tx.principal.tenantId)
    .where('check_id', '=', check.id);
  if (alarmsOnly) query = query.where('alarm', '=', true);
  const rows = await query.orderBy('rank').execute();
  return rows.map((row) => ({
    ...{ id: row.id, checkId: row.check_id, area: driftArea.parse(row.area), rule: driftRule.parse(row.rule) },
    ...{ feature: row.feature, instrumentId: row.subject_id, instrumentCount: row.instrument_count },
    ...{ asOf: check.asOf, sampleCount: row.sample_count, statistic: row.statistic, threshold: row.threshold },
    ...{ alarm: row.alarm, alarmsPerYearExpected: row.alarms_per_year, effect: row.effect, rank: row.rank },
    ...{ sentence: row.sentence, reason: row.reason === null ? null : reason.parse(row.reason) },
  }));
}

/** Names of models with a champion. */
export async function listServedModels(tx: Transaction): Promise<string[]> {
  const { rows } = await sql<{ name: string }>`
    SELECT m.name FROM model m
    JOIN LATERAL (
      SELECT to_number FROM model_alias_event e
      WHERE e.tenant_id = m.tenant_id AND e.model_id = m.id AND e.alias = 'champion' ORDER BY e.id DESC LIMIT 1
    ) c ON c.to_number IS NOT NULL
    WHERE m.tenant_id = ${tx.principal.tenantId} AND m.deleted_at IS NULL ORDER BY m.name`.execute(tx.query);
  return rows.map(({ name }) => name);
}

/** One prediction of an instrument that the version itself gave. */
export type ServedPrediction = { instrumentId: number; eventDay: string; inputSha256: string };

/** The last predictions of each instrument, oldest first, one an event day: the one sealed last. */
export async function lastPredictions(
  tx: Transaction,
  of: { modelId: number; version: number },
  perInstrument: number,
): Promise<ServedPrediction[]> {
  const { rows } = await sql<{ subject_id: number; event_day: string; input_sha256: string }>`
    SELECT subject_id, event_day, input_sha256 FROM (
      SELECT d.*, row_number() OVER (PARTITION BY subject_id ORDER BY event_day DESC) AS place FROM (
        SELECT DISTINCT ON (subject_id, event_day) subject_id, event_day, input_sha256 FROM prediction
        WHERE tenant_id = ${tx.principal.tenantId} AND model_id = ${of.modelId} AND version_number = ${of.version}
          AND subject_kind = 'instrument' AND served_by IN ('model', 'previous')
        ORDER BY subject_id, event_day, id DESC
      ) d
    ) p WHERE place <= ${perInstrument} ORDER BY subject_id, event_day`.execute(tx.query);
  return rows.map((row) => ({
    instrumentId: row.subject_id,
    eventDay: row.event_day,
    inputSha256: row.input_sha256,
  }));
}

export async function findInputs(tx: Transaction, hashes: readonly string[]): Promise<Map<string, Buffer>> {
  if (hashes.length === 0) return new Map();
  const rows = await tx.query
    .selectFrom('prediction_input')
    .select(['sha256', 'content'])
    .where('tenant_id', '=', tx.principal.tenantId)
    .where('sha256', 'in', [...hashes])
    .execute();
  return new Map(rows.map(({ sha256, content }) => [sha256, content]));
}

/** A prediction of the version whose outcome is known. */
export type ScoredRow = {
  subjectKind: string;
  subjectId: number;
  eventDay: string;
  value: number | null;
  lower: number | null;
  upper: number | null;
  outcome: number;
  loss: number | null;
  baselineLoss: number | null;
  volatility: number | null;
};

/** Predictions about later days with a known outcome, by event day; of the same question the one sealed first counts. */
export async function listScored(
  tx: Transaction,
  of: { modelId: number; version: number; after: string },
): Promise<ScoredRow[]> {
  const { rows } = await sql<{
    subject_kind: string;
    subject_id: number;
    event_day: string;
    value: number | null;
    lower: number | null;
    upper: number | null;
    outcome: number;
    loss: number | null;
    baseline_loss: number | null;
    volatility: number | null;
  }>`
    SELECT DISTINCT ON (p.event_day, p.subject_kind, p.subject_id) p.subject_kind, p.subject_id, p.event_day, p.value, p.lower,
      p.upper, o.value AS outcome, o.loss, o.baseline_loss, o.volatility
    FROM prediction p JOIN prediction_outcome o ON o.tenant_id = p.tenant_id AND o.prediction_id = p.id
    WHERE p.tenant_id = ${tx.principal.tenantId} AND p.model_id = ${of.modelId} AND p.version_number = ${of.version}
      AND p.served_by IN ('model', 'previous') AND p.event_day > ${of.after}::date
    ORDER BY p.event_day, p.subject_kind, p.subject_id, p.id`.execute(tx.query);
  return rows.map((row) => ({
    ...{ subjectKind: row.subject_kind, subjectId: row.subject_id, eventDay: row.event_day, value: row.value },
    ...{ lower: row.lower, upper: row.upper, outcome: row.outcome, loss: row.loss },
    ...{ baselineLoss: row.baseline_loss, volatility: row.volatility },
  }));
}
