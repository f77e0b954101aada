import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import { changeNews } from '../cache/change-line.ts';
import { noteChange, type Transaction } from '../database/database.ts';
import { canonicalJson } from './canonical-json.ts';

/** What happened, to what. Bodies hold ids and figures, never names of people. */
export type EvidenceEntry = {
  /** Past tense, `run.published`. */
  kind: string;
  subjectKind: string;
  subjectId: string | number;
  body: Record<string, unknown>;
};

const FIRST_HASH = Buffer.alloc(32);
const CHAIN_LOCK = 7420004;

/**
 * Adds a record to the tenant's hash chain, in the transaction of the change it tells of: both happen or neither.
 *
 * Writers of one tenant wait for each other from here to their commit, so append last.
 *
 * @returns the hash of the record, hexadecimal.
 */
export async function appendEvidence(tx: Transaction, entry: EvidenceEntry): Promise<string> {
  const { tenantId, actorId } = tx.principal;
  const { channel, payload } = changeNews({ tenantId, subjectKind: entry.subjectKind });
  // Other processes hear of the change when it is committed, and not at all when it is not.
  await sql`SELECT pg_advisory_xact_lock(${CHAIN_LOCK}::int, ${tenantId}::int), pg_notify(${channel}, ${payload})`.execute(
    tx.query,
  );
  noteChange(tx, { tenantId, subjectKind: entry.subjectKind });
  const last = await tx.query
    .selectFrom('evidence')
    .select(['sequence', 'hash', sql<string>`clock_timestamp()`.as('now')])
    .where('tenant_id', '=', tenantId)
    .orderBy('sequence', 'desc')
    .limit(1)
    .executeTakeFirst();
  const sequence = (last?.sequence ?? 0) + 1;
  const previousHash = last?.hash ?? FIRST_HASH;
  const recordedAt =
    last?.now ?? (await sql<{ now: string }>`SELECT clock_timestamp() AS now`.execute(tx.query)).rows[0]!.now;
  const body = canonicalJson({
    sequence,
    recordedAt,
    kind: entry.kind,
    subjectKind: entry.subjectKind,
    subjectId: String(entry.subjectId),
    actorId,
    body: entry.body,
  });
  const hash = evidenceHash(previousHash, body);
  await tx.query
    .insertInto('evidence')
    .values({
      tenant_id: tenantId,
      sequence,
      recorded_at: recordedAt,
      kind: entry.kind,
      subject_kind: entry.subjectKind,
      subject_id: String(entry.subjectId),
      actor_id: actorId,
      body,
      previous_hash: previousHash,
      hash,
    })
    .execute();
  return hash.toString('hex');
}

/** The record's own part of what was hashed. */
export function evidenceBodyOf(text: string): Record<string, unknown> {
  const record: { body?: Record<string, unknown> } = JSON.parse(text);
  return record.body ?? {};
}

function evidenceHash(previousHash: Buffer, body: string): Buffer {
  return createHash('sha256').update(previousHash).update(body).digest();
}

export type ChainVerdict = { ok: true; records: number } | { ok: false; sequence: number; sentence: string };

const BATCH = 1000;

/** Walks the tenant's chain from its first record and finds the first that does not fit, or none. */
export async function verifyEvidence(tx: Transaction): Promise<ChainVerdict> {
  let previousHash: Buffer = FIRST_HASH;
  let sequence = 0;
  for (;;) {
    const records = await tx.query
      .selectFrom('evidence')
      .selectAll()
      .where('tenant_id', '=', tx.principal.tenantId)
      .where('sequence', '>', sequence)
      .orderBy('sequence')
      .limit(BATCH)
      .execute();
    for (const record of records) {
      const broken = findBreak(record, sequence + 1, previousHash);
      if (broken !== null) return { ok: false, sequence: record.sequence, sentence: broken };
      sequence = record.sequence;
      previousHash = record.hash;
    }
    if (records.length < BATCH) return { ok: true, records: sequence };
  }
}

type StoredRecord = {
  sequence: number;
  recorded_at: string;
  kind: string;
  subject_kind: string;
  subject_id: string;
  actor_id: number | null;
  body: string;
  previous_hash: Buffer;
  hash: Buffer;
};

function findBreak(record: StoredRecord, expectedSequence: number, previousHash: Buffer): string | null {
  if (record.sequence !== expectedSequence) return `Record ${expectedSequence} is missing; ${record.sequence} follows.`;
  if (!record.previous_hash.equals(previousHash))
    return `Record ${record.sequence} does not follow the record before it.`;
  if (!evidenceHash(previousHash, record.body).equals(record.hash))
    return `Record ${record.sequence} was changed: its hash differs.`;
  const told = JSON.parse(record.body);
  const columns = {
    sequence: record.sequence,
    recordedAt: record.recorded_at,
    kind: record.kind,
    subjectKind: record.subject_kind,
    subjectId: record.subject_id,
    actorId: record.actor_id,
  };
  for (const [name, value] of Object.entries(columns)) {
    if (told[name] !== value)
      return `Record ${record.sequence} was changed: ${name} is ${value}, its body says ${told[name]}.`;
  }
  return null;
}
