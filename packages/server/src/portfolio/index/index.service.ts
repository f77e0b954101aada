import type { IndexDefinition } from '@touchstone/contracts/indexes';
import type { ReadCoverage } from '../../features/index.ts';
import { changedMeanwhile } from '../../platform/database/changed-meanwhile.ts';
import type { Database, Principal, Transaction } from '../../platform/database/database.ts';
import { appendEvidence } from '../../platform/evidence/evidence.ts';
import { found, ProblemError } from '../../platform/problem-error.ts';
import {
  findBenchmarks,
  findIndex,
  findIndexAsShown,
  findOwners,
  insertIndex,
  listIndexesPage,
  type NewIndex,
  setIndexDeleted,
  updateIndex,
} from './index.repository.ts';

export type IndexService = ReturnType<typeof createIndexService>;

export function createIndexService(database: Database, readCoverage: ReadCoverage) {
  return {
    list: (principal: Principal, page: { after: number; limit: number; includeDeleted: boolean }) =>
      database.transaction(principal, (tx) => listIndexesPage(tx, page, readCoverage), {
        includeDeleted: page.includeDeleted,
      }),

    get: (principal: Principal, id: number) =>
      database.transaction(principal, async (tx) =>
        found(await findIndexAsShown(tx, id, readCoverage), `There is no index ${id}.`),
      ),

    create: (principal: Principal, wanted: NewIndex) =>
      database.transaction(principal, async (tx) => {
        checkParameters(wanted);
        const id = await insertIndex(tx, wanted, await getOwners(tx, wanted));
        return record(tx, id, 'index.created', { definition: wanted }, readCoverage);
      }),

    /** Runs made before keep the definition they were made with. */
    update: (principal: Principal, id: number, changes: Partial<NewIndex> & { version: number }) =>
      database.transaction(principal, async (tx) => {
        const { version, ...fields } = changes;
        const before = await getIndexIn(tx, id);
        const wanted = { ...definitionOf(before), ...fields };
        checkParameters(wanted);
        if (!(await updateIndex(tx, id, version, wanted, await getOwners(tx, wanted)))) {
          throw await changedMeanwhile(tx, 'index_definition', id, { name: before.name, version });
        }
        return record(tx, id, 'index.changed', { before: definitionOf(before), after: wanted }, readCoverage);
      }),

    delete: (principal: Principal, id: number) =>
      database.transaction(
        principal,
        async (tx) => {
          if (!(await setIndexDeleted(tx, id, new Date().toISOString()))) throw missing(id);
          await appendEvidence(tx, { kind: 'index.deleted', subjectKind: 'index', subjectId: id, body: {} });
        },
        { includeDeleted: true },
      ),

    undelete: (principal: Principal, id: number) =>
      database.transaction(
        principal,
        async (tx) => {
          if (!(await setIndexDeleted(tx, id, null))) throw missing(id);
          return record(tx, id, 'index.undeleted', {}, readCoverage);
        },
        { includeDeleted: true },
      ),

    benchmarks: (principal: Principal, search: string | undefined) =>
      database.transaction(principal, (tx) => findBenchmarks(tx, search)),
  };
}

/** @throws ProblemError NOT_FOUND */
export async function getIndexIn(tx: Transaction, id: number): Promise<IndexDefinition> {
  return found(await findIndex(tx, id), `There is no index ${id}.`);
}

/** What an index is, without what the database adds. It is what a run keeps. */
export function definitionOf(index: IndexDefinition): NewIndex {
  const { name, description, universeId, method, parameters, currency, costBasisPoints } = index;
  const { firstDay, baseValue, benchmarkInstrumentId, visibility } = index;
  return {
    name,
    description,
    universeId,
    method,
    parameters,
    currency,
    costBasisPoints,
    firstDay,
    baseValue,
    benchmarkInstrumentId,
    visibility,
  };
}

function checkParameters(index: NewIndex): void {
  const { momentumPillar, capPillar, riskPillar } = index.parameters;
  if (momentumPillar + capPillar + riskPillar <= 0) {
    throw new ProblemError('INVALID_REQUEST', 'At least one pillar must have a weight above zero.', {
      details: [{ path: 'body.parameters', rule: 'momentumPillar + capPillar + riskPillar must be above 0.' }],
    });
  }
}

async function getOwners(tx: Transaction, index: NewIndex): Promise<{ universe: number; benchmark: number | null }> {
  const owners = await findOwners(tx, index.universeId, index.benchmarkInstrumentId);
  const universe = found(owners.universe, `There is no universe ${index.universeId}.`);
  if (index.benchmarkInstrumentId === null) return { universe, benchmark: null };
  return { universe, benchmark: found(owners.benchmark, `There is no instrument ${index.benchmarkInstrumentId}.`) };
}

async function record(
  tx: Transaction,
  id: number,
  kind: string,
  body: Record<string, unknown>,
  readCoverage: ReadCoverage,
): Promise<IndexDefinition> {
  const index = found(await findIndexAsShown(tx, id, readCoverage), `There is no index ${id}.`);
  await appendEvidence(tx, { kind, subjectKind: 'index', subjectId: id, body: { ...body, version: index.version } });
  return index;
}

function missing(id: number): ProblemError {
  return new ProblemError('NOT_FOUND', `There is no index ${id}.`);
}
