import type { BlastRadius, Dependent, StaleIndex } from '@touchstone/contracts/blast-radius';
import type { Database, Principal, Transaction } from '../../platform/database/database.ts';
import { found, ProblemError } from '../../platform/problem-error.ts';
import * as repository from './change.repository.ts';
import { type Overlap, overlapOf, type ReadCoverage, type Touched } from './coverage.ts';

/** A change, and the frozen datasets that hold rows as they were before it. */
export type Change = {
  touched: Touched;
  /** By hash. */
  datasets: ReadonlyMap<string, Overlap>;
};

/** Finds what one slice made from the rows of a change, newest first, in the transaction of the question. */
export type FindDependents = (tx: Transaction, change: Change) => Promise<Dependent[]>;
export type FindStaleIndexes = (tx: Transaction, change: Change) => Promise<StaleIndex[]>;

export type BlastRadiusQuestion = {
  runId?: number | undefined;
  instrumentId?: number | undefined;
  sourceId?: number | undefined;
  from?: string | undefined;
  to?: string | undefined;
};

export type BlastRadiusService = ReturnType<typeof createBlastRadiusService>;

/** Datasets looked at; beyond it the answer says that there are more. */
const DATASETS_MAX = 5_000;
const ITEMS_MAX = 500;
const NAMES: Readonly<Record<string, string>> = { prices: 'Prices', features: 'Features' };
const INSTRUMENTS_MAX = 100;

/** What rests on rows that changed. Each slice says what it made of datasets; the frozen manifests say which those are. */
export function createBlastRadiusService(database: Database, readCoverage: ReadCoverage) {
  const finders: { kind: string; find: FindDependents }[] = [];
  let findStaleIndexes: FindStaleIndexes = async () => [];

  return {
    /** Says how things of a kind are found that were made from changed rows. Called while wiring, upstream first. */
    registerDependents(kind: string, find: FindDependents): void {
      if (finders.some((known) => known.kind === kind)) throw new Error(`Dependents ${kind} are registered twice.`);
      finders.push({ kind, find });
    },
    /** Says how stale indexes are told. Called once while wiring. */
    registerStaleIndexes(find: FindStaleIndexes): void {
      findStaleIndexes = find;
    },

    /** @throws NOT_FOUND, NOT_POSSIBLE_NOW for a run nobody can see yet, INVALID_REQUEST */
    ask: (principal: Principal, question: BlastRadiusQuestion): Promise<BlastRadius> =>
      database.transaction(
        principal,
        async (tx) => {
          const startedAt = performance.now();
          const { about, touched, window } = await resolve(tx, question);
          const approximations: string[] = [];
          const frozen = await repository.findFrozen(tx, window, DATASETS_MAX);
          if (frozen.length > DATASETS_MAX)
            approximations.push(`Only the newest ${DATASETS_MAX} datasets were looked at; there are more.`);
          const datasets = new Map<string, Overlap>();
          const items: Dependent[] = [];
          for (const { sha256, kind } of frozen.slice(0, DATASETS_MAX)) {
            const overlap = await overlapWith(sha256, touched, approximations);
            if (overlap === null) continue;
            datasets.set(sha256, overlap);
            items.push({ id: sha256, name: NAMES[kind] ?? 'Input of an index', ...overlap });
          }
          const change = { touched, datasets };
          const dependents = [{ kind: 'dataset', count: items.length, items: items.slice(0, ITEMS_MAX) }];
          for (const { kind, find } of finders) {
            const made = await find(tx, change);
            dependents.push({ kind, count: made.length, items: made.slice(0, ITEMS_MAX) });
          }
          if ([...datasets.values()].some(({ exact }) => !exact))
            approximations.push(
              'Some datasets lie between the first and the last changed day of an instrument; they are named to be safe.',
            );
          if (touched.fact === 'none')
            approximations.push('Rows of this kind go into no dataset, so nothing rests on them.');
          const indexes = await findStaleIndexes(tx, change);
          return {
            change: { ...about, ...(await tellTouched(tx, touched)) },
            exact:
              dependents.every(({ items: told }) => told.every(({ exact }) => exact)) && datasets.size <= DATASETS_MAX,
            ...{ approximations, dependents, indexes },
            milliseconds: Math.round(performance.now() - startedAt),
          };
        },
        { readOnly: true, isolation: 'repeatable read' },
      ),
  };

  async function overlapWith(sha256: string, touched: Touched, approximations: string[]): Promise<Overlap | null> {
    try {
      return overlapOf(touched, await readCoverage(sha256));
    } catch {
      // A manifest that is away (an object store restored without it) hides what it covers.
      approximations.push(`The manifest of dataset ${sha256.slice(0, 12)} cannot be read; it is named to be safe.`);
      return { instrumentCount: 0, firstDay: null, lastDay: null, exact: false };
    }
  }
}

type Resolved = {
  about: Pick<BlastRadius['change'], 'what' | 'runId' | 'runKind' | 'sourceId' | 'at'>;
  touched: Touched;
  window: { before: string; since: string | null; knownFrom: string | null };
};

async function resolve(tx: Transaction, question: BlastRadiusQuestion): Promise<Resolved> {
  const { runId, instrumentId } = question;
  if ((runId === undefined) === (instrumentId === undefined))
    throw new ProblemError('INVALID_REQUEST', 'Ask either with runId, or with instrumentId and days.');
  return runId === undefined ? supposed(tx, { ...question, instrumentId: instrumentId! }) : ofRun(tx, runId);
}

async function ofRun(tx: Transaction, runId: number): Promise<Resolved> {
  const exists = await tx.query.selectFrom('ingest_run').select('state').where('id', '=', runId).executeTakeFirst();
  const { state } = found(exists, `There is no run ${runId}.`);
  const run = await repository.findChangedRun(tx, runId);
  if (run === undefined)
    throw new ProblemError(
      'NOT_POSSIBLE_NOW',
      `Run ${runId} is ${state}: nothing of it is visible, so nothing rests on it.`,
    );
  const touched = await repository.findTouched(tx, run);
  const about = { runId, runKind: run.kind, sourceId: run.sourceId };
  return run.retractedAt === null
    ? {
        about: { ...about, what: 'published', at: run.publishedAt },
        touched,
        window: { before: run.publishedAt, since: null, knownFrom: null },
      }
    : {
        about: { ...about, what: 'retracted', at: run.retractedAt },
        touched,
        // Only what was frozen while the run was in sight, and asked late enough to see a row of it, holds its rows.
        window: { before: run.retractedAt, since: run.publishedAt, knownFrom: run.knownAtMin },
      };
}

async function supposed(tx: Transaction, asked: BlastRadiusQuestion & { instrumentId: number }): Promise<Resolved> {
  const { instrumentId, sourceId = null, from = null, to = null } = asked;
  const [instrument] = await repository.findSymbols(tx, [instrumentId]);
  found(instrument, `There is no instrument ${instrumentId}.`);
  if (sourceId !== null) {
    const source = await tx.query.selectFrom('source').select('id').where('id', '=', sourceId).executeTakeFirst();
    found(source, `There is no source ${sourceId}.`);
  }
  const rows = await repository.findSupposed(tx, { instrumentId, sourceId, from, to });
  const { rows: clock } = await tx.client.query<{ at: string }>('SELECT clock_timestamp() AS at');
  const at = clock[0]!.at;
  return {
    about: { what: 'supposed', runId: null, runKind: null, sourceId, at },
    touched: { fact: 'bars', sourceId, rows, ratePairs: [] },
    window: { before: at, since: null, knownFrom: null },
  };
}

async function tellTouched(tx: Transaction, { rows, ratePairs }: Touched) {
  const symbols = await repository.findSymbols(
    tx,
    rows.map(({ instrumentId }) => instrumentId),
  );
  const rowOf = new Map(rows.map((row) => [row.instrumentId, row]));
  const days = [...rows, ...ratePairs].flatMap(({ firstDay, lastDay }) => [firstDay, lastDay]).sort();
  return {
    rowCount: rows.reduce((sum, { rowCount }) => sum + rowCount, 0),
    instrumentCount: rows.length,
    firstDay: days[0] ?? null,
    lastDay: days.at(-1) ?? null,
    instruments: symbols.slice(0, INSTRUMENTS_MAX).map(({ id, symbol }) => ({ ...rowOf.get(id)!, symbol })),
  };
}
