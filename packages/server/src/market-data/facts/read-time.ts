import { sql } from 'kysely';
import type { Transaction } from '../../platform/database/database.ts';
import { ProblemError } from '../../platform/problem-error.ts';
import { dayLiteral, literal } from './literals.ts';

export { dayLiteral, literal };

/** The times a read is answered for; all given. Instants are ISO texts in UTC. */
export type ReadTime = {
  asOf: string;
  knownAt: string;
  recordedAt: string;
  /** True when some of what is shown was published after knownAt, by a declared knowledge time. */
  reconstructed: boolean;
};

export type TimeQuery = { asOf?: string | undefined; knownAt?: string | undefined; recordedAt?: string | undefined };

/** Before anything is published every read is answered for this moment: empty, and the same for ever. */
const BEFORE_ALL = '1970-01-01T00:00:00.000Z';

/** Fills in what a question leaves open: the last publication, the latest knowledge then, and its day. */
export async function resolveTime(tx: Transaction, asked: TimeQuery): Promise<ReadTime> {
  const isOpen = asked.recordedAt === undefined || asked.knownAt === undefined;
  const last = isOpen ? await findLast(tx, asked.recordedAt) : null;
  const recordedAt = asked.recordedAt ?? last?.recordedAt ?? BEFORE_ALL;
  const knownAt = asked.knownAt ?? last?.knownAt ?? recordedAt;
  const asOf = asked.asOf ?? knownAt.slice(0, 10);
  if (Date.parse(knownAt) < Date.parse(`${asOf}T00:00:00Z`)) {
    throw new ProblemError(
      'INVALID_REQUEST',
      `asOf ${asOf} is later than knownAt ${knownAt}: nobody could know that day yet.`,
    );
  }
  const later = await tx.query
    .selectFrom('publication')
    .select('id')
    .where('kind', '=', 'publish')
    .where('published_at', '>', knownAt)
    .where('published_at', '<=', recordedAt)
    .where('known_at_min', '<=', knownAt)
    .limit(1)
    .executeTakeFirst();
  return { asOf, knownAt: normal(knownAt), recordedAt: normal(recordedAt), reconstructed: later !== undefined };
}

/** What a participant could know first and last, and when we last published. Null while nothing is published. */
export async function readTimeline(tx: Transaction) {
  const { rows } = await sql<{ first: string | null; last: string | null; recorded: string | null }>`
    SELECT min(known_at_min) AS first, max(known_at_max) AS last, max(published_at) AS recorded FROM publication
  `.execute(tx.query);
  const row = rows[0]!;
  return { firstKnownAt: row.first, lastKnownAt: row.last, recordedAt: row.recorded };
}

/** The last publication and the latest knowledge by then. Null while nothing is published. */
async function findLast(tx: Transaction, recordedAt: string | undefined) {
  const row = await tx.query
    .selectFrom('publication')
    .select(({ fn }) => [fn.max('published_at').as('recordedAt'), fn.max('known_at_max').as('knownAt')])
    .$if(recordedAt !== undefined, (query) => query.where('published_at', '<=', recordedAt!))
    .executeTakeFirst();
  return { recordedAt: row?.recordedAt ?? null, knownAt: row?.knownAt ?? null };
}

function normal(instant: string): string {
  return new Date(instant).toISOString();
}

/**
 * The condition of ARCHITECTURE.md, Time: fact `f` of run `r` (a `visible_run`) is visible at the given times.
 * As text with quoted literals, because COPY takes no parameters; the instants are checked to be nothing else.
 */
export function visibleAt(fact: string, run: string, time: Pick<ReadTime, 'knownAt' | 'recordedAt'>): string {
  const knownAt = literal(time.knownAt);
  const recordedAt = literal(time.recordedAt);
  return `${run}.published_at <= ${recordedAt}
    AND (${fact}.known_at <= ${knownAt} OR (${fact}.known_at IS NULL AND ${run}.published_at <= ${knownAt}))
    AND (${run}.retracted_at IS NULL OR ${run}.retracted_at > ${recordedAt}
         OR (${fact}.known_at IS NULL AND ${run}.retracted_at > ${knownAt}))`;
}
