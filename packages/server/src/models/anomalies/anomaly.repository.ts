import {
  type AnomalyCase,
  type AnomalyDetector,
  type AnomalyState,
  anomalyCase,
} from '@touchstone/contracts/anomalies';
import { sql } from 'kysely';
import type { Subject } from '../../features/index.ts';
import type { ReadTime } from '../../market-data/index.ts';
import type { Transaction } from '../../platform/database/database.ts';
import type { Alarm } from './anomaly-answer.ts';

function select(tx: Transaction) {
  return tx.query.selectFrom('market_anomaly').selectAll().where('tenant_id', '=', tx.principal.tenantId);
}

type Row = Awaited<ReturnType<ReturnType<typeof select>['execute']>>[number];

function caseOf(row: Row): AnomalyCase {
  return {
    ...{ id: row.id, subjectKind: anomalyCase.shape.subjectKind.parse(row.subject_kind), subjectId: row.subject_id },
    ...{ detector: anomalyCase.shape.detector.parse(row.detector), day: row.day },
    ...{ score: row.score, threshold: row.threshold, alarmsPerYear: row.alarms_per_year },
    ...{ state: anomalyCase.shape.state.parse(row.state), note: row.note },
    time: { asOf: row.as_of, knownAt: row.known_at, recordedAt: row.recorded_at, reconstructed: row.reconstructed },
    ...{ openedAt: row.created_at, openedBy: row.created_by },
    ...{ judgedAt: row.judged_at, judgedBy: row.judged_by, version: row.version },
  };
}

/** Opens a case for each alarm that has none. @returns the new ones. */
export async function insertMissingCases(
  tx: Transaction,
  { kind, id }: Subject,
  alarms: readonly Alarm[],
  time: ReadTime,
): Promise<AnomalyCase[]> {
  if (alarms.length === 0) return [];
  const rows = await tx.query
    .insertInto('market_anomaly')
    .values(
      alarms.map((alarm) => ({
        tenant_id: tx.principal.tenantId,
        ...{ subject_kind: kind, subject_id: id, detector: alarm.detector, day: alarm.day },
        ...{ score: alarm.score, threshold: alarm.threshold, alarms_per_year: alarm.alarmsPerYear },
        ...{ as_of: time.asOf, known_at: time.knownAt, recorded_at: time.recordedAt },
        reconstructed: time.reconstructed,
      })),
    )
    .onConflict((conflict) =>
      conflict
        .columns(['tenant_id', 'subject_kind', 'subject_id', 'detector', 'day'])
        .where('deleted_at', 'is', null)
        .doNothing(),
    )
    .returningAll()
    .execute();
  return rows.map(caseOf);
}

/** All cases of a subject, for the alarms they belong to. */
export async function findCasesOf(tx: Transaction, { kind, id }: Subject): Promise<AnomalyCase[]> {
  const rows = await select(tx).where('subject_kind', '=', kind).where('subject_id', '=', id).orderBy('id').execute();
  return rows.map(caseOf);
}

export async function findCase(tx: Transaction, id: number): Promise<AnomalyCase | undefined> {
  const row = await select(tx).where('id', '=', id).executeTakeFirst();
  return row && caseOf(row);
}

export type CaseFilter = {
  state?: AnomalyState | undefined;
  subjectKind?: Subject['kind'] | undefined;
  subjectId?: number | undefined;
};

/** Newest first, below the given number. */
export async function listCasesPage(
  tx: Transaction,
  filter: CaseFilter,
  page: { before: number | undefined; limit: number },
): Promise<AnomalyCase[]> {
  let query = select(tx);
  if (filter.state !== undefined) query = query.where('state', '=', filter.state);
  if (filter.subjectKind !== undefined) query = query.where('subject_kind', '=', filter.subjectKind);
  if (filter.subjectId !== undefined) query = query.where('subject_id', '=', filter.subjectId);
  if (page.before !== undefined) query = query.where('id', '<', page.before);
  const rows = await query.orderBy('id', 'desc').limit(page.limit).execute();
  return rows.map(caseOf);
}

export type Judgements = {
  detector: AnomalyDetector;
  caseCount: number;
  judgedCount: number;
  confirmedShare: number | null;
};

/** How often each detector's alarms were confirmed, over all subjects of the tenant. */
export async function countJudgements(tx: Transaction): Promise<Judgements[]> {
  const rows = await tx.query
    .selectFrom('market_anomaly')
    .where('tenant_id', '=', tx.principal.tenantId)
    .select(({ fn }) => [
      'detector',
      fn.countAll<number>().as('cases'),
      sql<number>`count(*) FILTER (WHERE state <> 'open')`.as('judged'),
      sql<number>`count(*) FILTER (WHERE state = 'confirmed')`.as('confirmed'),
    ])
    .groupBy('detector')
    .orderBy('detector')
    .execute();
  return rows.map((row) => ({
    detector: anomalyCase.shape.detector.parse(row.detector),
    ...{ caseCount: Number(row.cases), judgedCount: Number(row.judged) },
    confirmedShare: Number(row.judged) === 0 ? null : Number(row.confirmed) / Number(row.judged),
  }));
}

/** @returns undefined when it is at another version by now. */
export async function judgeCase(
  tx: Transaction,
  id: number,
  { state, note, version }: { state: AnomalyState; note: string; version: number },
): Promise<AnomalyCase | undefined> {
  const isOpen = state === 'open';
  const row = await tx.query
    .updateTable('market_anomaly')
    .set({
      ...{ state, note },
      judged_at: isOpen ? null : sql<string>`clock_timestamp()`,
      judged_by: isOpen ? null : tx.principal.actorId,
    })
    .where('tenant_id', '=', tx.principal.tenantId)
    .where('id', '=', id)
    .where('version', '=', version)
    .returningAll()
    .executeTakeFirst();
  return row && caseOf(row);
}

export async function countOpen(tx: Transaction, kind: string, id: number): Promise<number> {
  const { open } = await tx.query
    .selectFrom('market_anomaly')
    .where('tenant_id', '=', tx.principal.tenantId)
    .where('subject_kind', '=', kind)
    .where('subject_id', '=', id)
    .where('state', '=', 'open')
    .select(({ fn }) => fn.countAll<number>().as('open'))
    .executeTakeFirstOrThrow();
  return Number(open);
}
