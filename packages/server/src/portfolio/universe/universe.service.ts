import type { Universe } from '@touchstone/contracts/universes';
import { changedMeanwhile } from '../../platform/database/changed-meanwhile.ts';
import type { Database, Principal, Transaction } from '../../platform/database/database.ts';
import { appendEvidence } from '../../platform/evidence/evidence.ts';
import { found, ProblemError } from '../../platform/problem-error.ts';
import {
  countIndexesOf,
  findMembers,
  findUniverse,
  findUniverseHolding,
  findUniverseOfIndex,
  findUniverseRule,
  insertUniverse,
  listUniversesPage,
  type MemberChoice,
  type NewUniverse,
  replaceMembers,
  setUniverseDeleted,
  updateUniverse,
} from './universe.repository.ts';

export type UniverseService = ReturnType<typeof createUniverseService>;

export function createUniverseService(database: Database) {
  return {
    list: (principal: Principal, page: { after: number; limit: number; includeDeleted: boolean }) =>
      database.transaction(principal, (tx) => listUniversesPage(tx, page), { includeDeleted: page.includeDeleted }),

    get: (principal: Principal, id: number) =>
      database.transaction(principal, async (tx) => {
        const universe = await getUniverseIn(tx, id);
        return { ...universe, members: await findMembers(tx, universe) };
      }),

    create: (principal: Principal, wanted: NewUniverse & { members: MemberChoice[] }) =>
      database.transaction(principal, async (tx) => {
        const source = await tx.query
          .selectFrom('source')
          .select('tenant_id')
          .where('id', '=', wanted.sourceId)
          .executeTakeFirst();
        const { tenant_id: sourceTenantId } = found(source, `There is no source ${wanted.sourceId}.`);
        const id = await insertUniverse(tx, wanted, sourceTenantId);
        if (wanted.rule === 'list') await setMembers(tx, id, wanted.members);
        return record(tx, id, 'universe.created', { ...wanted });
      }),

    update: (
      principal: Principal,
      id: number,
      changes: Partial<Pick<Universe, 'name' | 'description' | 'visibility'>> & {
        version: number;
        members?: MemberChoice[];
      },
    ) =>
      database.transaction(principal, async (tx) => {
        const { version, members, ...fields } = changes;
        const before = await getUniverseIn(tx, id);
        if (!(await updateUniverse(tx, id, version, fields)))
          throw await changedMeanwhile(tx, 'universe', id, { name: before.name, version });
        if (members !== undefined) {
          if (before.rule !== 'list') {
            throw new ProblemError(
              'INVALID_REQUEST',
              'This universe is everything its source has; it has no list of members.',
            );
          }
          await setMembers(tx, id, members);
        }
        return record(tx, id, 'universe.changed', { before: { ...before }, changes: { ...changes } });
      }),

    delete: (principal: Principal, id: number) =>
      database.transaction(
        principal,
        async (tx) => {
          const users = await countIndexesOf(tx, id);
          if (users > 0) {
            throw new ProblemError(
              'NOT_POSSIBLE_NOW',
              `${users} ${users === 1 ? 'index uses' : 'indexes use'} this universe. Delete them first.`,
            );
          }
          if (!(await setUniverseDeleted(tx, id, new Date().toISOString()))) throw missing(id);
          await appendEvidence(tx, { kind: 'universe.deleted', subjectKind: 'universe', subjectId: id, body: {} });
        },
        { includeDeleted: true },
      ),

    undelete: (principal: Principal, id: number) =>
      database.transaction(
        principal,
        async (tx) => {
          if (!(await setUniverseDeleted(tx, id, null))) throw missing(id);
          return record(tx, id, 'universe.undeleted', {});
        },
        { includeDeleted: true },
      ),
  };
}

/** @throws ProblemError NOT_FOUND */
export async function getUniverseIn(tx: Transaction, id: number): Promise<Universe> {
  return found(await findUniverse(tx, id), `There is no universe ${id}.`);
}

/** Whose bars of which instruments a universe stands for. Also the answer to stages that may not look downstream. */
export async function universeBars(tx: Transaction, id: number) {
  const universe = found(await findUniverseRule(tx, id), `There is no universe ${id}.`);
  const members = await findMembers(tx, universe);
  return {
    name: universe.name,
    sourceId: universe.sourceId,
    instrumentIds: members.map(({ instrumentId }) => instrumentId),
  };
}

/** The universe a subject is measured in: the one asked for, an index's own, or the first that has the instrument. */
export async function universeOf(
  tx: Transaction,
  subject: { kind: 'instrument' | 'index'; id: number },
  universeId: number | undefined,
) {
  const id =
    universeId ??
    (subject.kind === 'index' ? await findUniverseOfIndex(tx, subject.id) : await findUniverseHolding(tx, subject.id));
  return id === undefined || id === null ? null : { id, ...(await universeBars(tx, id)) };
}

async function setMembers(tx: Transaction, id: number, members: readonly MemberChoice[]): Promise<void> {
  const unknown = await replaceMembers(tx, id, members);
  if (unknown.length > 0)
    throw new ProblemError('NOT_FOUND', `There is no instrument ${unknown.slice(0, 5).join(', ')}.`);
}

async function record(tx: Transaction, id: number, kind: string, body: Record<string, unknown>): Promise<Universe> {
  const universe = await getUniverseIn(tx, id);
  await appendEvidence(tx, {
    kind,
    subjectKind: 'universe',
    subjectId: id,
    body: { ...body, version: universe.version },
  });
  return universe;
}

function missing(id: number): ProblemError {
  return new ProblemError('NOT_FOUND', `There is no universe ${id}.`);
}
