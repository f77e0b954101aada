import type { RegimeRecord, RegimeState } from '@touchstone/contracts/regimes';
import { sql } from 'kysely';
import type { Subject } from '../../features/index.ts';
import type { Transaction } from '../../platform/database/database.ts';
import { hashOf } from '../../platform/object-store/bundle.ts';

/** What a seal covers. */
export type SealedFields = Omit<RegimeRecord, 'id' | 'recordSha256' | 'sealedAt' | 'sealedBy'>;

const SEAL_LOCK = 7420015;

/** Hash of the seal before and of everything a record says. Times and numbers as they cross the wire. */
export function sealOf(subject: Subject, fields: SealedFields): string {
  return hashOf({ subject: { kind: subject.kind, id: subject.id }, ...fields });
}

/** Makes sealing of one subject wait for each other, and gives its last record. */
export async function lockLastRecord(tx: Transaction, { kind, id }: Subject): Promise<RegimeRecord | undefined> {
  await sql`SELECT pg_advisory_xact_lock(${SEAL_LOCK}::int, hashtext(${`${tx.principal.tenantId}/${kind}/${id}`}))`.execute(
    tx.query,
  );
  const [last] = await listRecords(tx, { kind, id }, { limit: 1 });
  return last;
}

/** @returns undefined when the same was said already, of the same day from the same data, settings and code. */
export async function insertRecord(
  tx: Transaction,
  { kind, id }: Subject,
  fields: SealedFields,
): Promise<RegimeRecord | undefined> {
  const recordSha256 = sealOf({ kind, id }, fields);
  const row = await tx.query
    .insertInto('regime_record')
    .values({
      tenant_id: tx.principal.tenantId,
      ...{ subject_kind: kind, subject_id: id, sequence: fields.sequence, day: fields.day, state: fields.state },
      ...fields.probabilities,
      change_point: fields.changePointProbability,
      ...{ as_of: fields.time.asOf, known_at: fields.time.knownAt, recorded_at: fields.time.recordedAt },
      reconstructed: fields.time.reconstructed,
      ...{ data_sha256: fields.dataSha256, config_sha256: fields.configSha256, code_version: fields.codeVersion },
      ...{ previous_sha256: fields.previousSha256, record_sha256: recordSha256 },
    })
    .onConflict((conflict) => conflict.constraint('said_once').doNothing())
    .returning(['id', 'created_at', 'created_by'])
    .executeTakeFirst();
  if (row === undefined) return undefined;
  return { id: row.id, ...fields, recordSha256, sealedAt: row.created_at, sealedBy: row.created_by };
}

/** Newest first, below the given sequence. */
export async function listRecords(
  tx: Transaction,
  { kind, id }: Subject,
  page: { before?: number | undefined; limit: number },
): Promise<RegimeRecord[]> {
  let query = tx.query
    .selectFrom('regime_record')
    .selectAll()
    .where('tenant_id', '=', tx.principal.tenantId)
    .where('subject_kind', '=', kind)
    .where('subject_id', '=', id);
  if (page.before !== undefined) query = query.where('sequence', '<', page.before);
  const rows = await query.orderBy('sequence', 'desc').limit(page.limit).execute();
  return rows.map((row) => ({
    ...{ id: row.id, sequence: row.sequence, day: row.day, state: stateOf(row.state) },
    probabilities: { bull: row.bull, sideways: row.sideways, bear: row.bear },
    changePointProbability: row.change_point,
    time: { asOf: row.as_of, knownAt: row.known_at, recordedAt: row.recorded_at, reconstructed: row.reconstructed },
    ...{ dataSha256: row.data_sha256, configSha256: row.config_sha256, codeVersion: row.code_version },
    ...{ previousSha256: row.previous_sha256, recordSha256: row.record_sha256 },
    ...{ sealedAt: row.created_at, sealedBy: row.created_by },
  }));
}

function stateOf(text: string): RegimeState {
  if (text === 'bull' || text === 'sideways' || text === 'bear') return text;
  throw new Error(`regime_record holds the state ${text}`);
}
