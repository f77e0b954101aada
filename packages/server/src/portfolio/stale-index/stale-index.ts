import type { Dependent, StaleIndex } from '@touchstone/contracts/blast-radius';
import type { IndexDefinition } from '@touchstone/contracts/indexes';
import { dayNumber } from '@touchstone/quant/series/day';
import { CALENDAR_CODES, tradingDays } from '@touchstone/quant/series/trading-calendar';
import { sql } from 'kysely';
import {
  type BlastRadiusService,
  type Change,
  type Coverage,
  findRunsSince,
  findTouched,
  overlapOf,
  type ReadCoverage,
  type Touched,
} from '../../features/index.ts';
import type { Transaction } from '../../platform/database/database.ts';

/** Publications looked through for one answer. A staler index says at least as many. */
const CHANGES_MAX = 500;

/** Says which index runs and universes rest on changed rows, and how stale indexes are. Called once while wiring. */
export function registerPortfolioDependents(blastRadius: BlastRadiusService, readCoverage: ReadCoverage): void {
  blastRadius.registerDependents('index-run', async (tx, change) =>
    (await findAffectedRuns(tx, change)).map(({ indexId, name, runNumber, datasetSha256 }) => ({
      id: `${indexId}/${runNumber}`,
      name: `${name}, run ${runNumber}`,
      ...change.datasets.get(datasetSha256)!,
    })),
  );
  blastRadius.registerDependents('universe', findAffectedUniverses);
  blastRadius.registerStaleIndexes((tx, change) => tellStaleIndexes(tx, change, readCoverage));
}

type AffectedRun = {
  indexId: number;
  name: string;
  runNumber: number;
  datasetSha256: string;
  latestRunNumber: number;
  firstDay: string | null;
  lastDay: string | null;
};

/** Runs over datasets of the change, newest first. A private index is seen by its maker only. */
async function findAffectedRuns(tx: Transaction, { datasets }: Change): Promise<AffectedRun[]> {
  if (datasets.size === 0) return [];
  const { rows } = await sql<AffectedRun>`
    SELECT r.index_id AS "indexId", d.name, r.run_number AS "runNumber", r.dataset_sha256 AS "datasetSha256",
           (SELECT max(l.run_number) FROM index_run l WHERE l.tenant_id = r.tenant_id AND l.index_id = r.index_id) AS "latestRunNumber",
           r.summary->>'firstDay' AS "firstDay", r.summary->>'lastDay' AS "lastDay"
    FROM index_run r JOIN index_definition d ON d.id = r.index_id
    WHERE r.dataset_sha256 = ANY (${[...datasets.keys()]}::text[])
      AND (d.visibility = 'tenant' OR d.created_by IS NOT DISTINCT FROM ${tx.principal.actorId}::int)
    ORDER BY r.id DESC`.execute(tx.query);
  return rows;
}

/** Universes with changed instruments, of a source whose rows changed. */
async function findAffectedUniverses(tx: Transaction, { touched }: Change): Promise<Dependent[]> {
  const ids = touched.rows.map(({ instrumentId }) => instrumentId);
  if (ids.length === 0) return [];
  const isOfSource = touched.sourceId !== null && (touched.fact === 'bars' || touched.fact === 'suspicions');
  const { rows } = await sql<{ id: number; name: string; members: number[] }>`
    SELECT u.id, u.name, m.members FROM universe u
    CROSS JOIN LATERAL (
      SELECT array_agg(i.id) AS members FROM instrument i
      WHERE i.id = ANY (${ids}::int[]) AND CASE u.rule
        WHEN 'list' THEN EXISTS (SELECT FROM universe_member w WHERE w.universe_id = u.id AND w.instrument_id = i.id)
        ELSE i.kind <> 'index' AND i.tenant_id = u.source_tenant_id AND EXISTS
          (SELECT FROM bar_key o WHERE o.instrument_id = i.id AND o.source_id = u.source_id) END
    ) m
    WHERE m.members IS NOT NULL ${isOfSource ? sql`AND u.source_id = ${touched.sourceId}` : sql``}
      AND (u.visibility = 'tenant' OR u.created_by IS NOT DISTINCT FROM ${tx.principal.actorId}::int)
    ORDER BY u.id DESC`.execute(tx.query);
  return rows.map(({ id, name, members }) => {
    const told = touched.rows.filter(({ instrumentId }) => members.includes(instrumentId));
    const days = told.flatMap(({ firstDay, lastDay }) => [firstDay, lastDay]).sort();
    return {
      ...{ id: String(id), name, exact: true, instrumentCount: told.length },
      ...{ firstDay: days[0] ?? null, lastDay: days.at(-1) ?? null },
    };
  });
}

async function tellStaleIndexes(tx: Transaction, change: Change, readCoverage: ReadCoverage): Promise<StaleIndex[]> {
  const byIndex = Map.groupBy(await findAffectedRuns(tx, change), ({ indexId }) => indexId);
  const indexes: StaleIndex[] = [];
  for (const [indexId, runs] of byIndex) {
    const newest = runs.reduce((a, b) => (b.runNumber > a.runNumber ? b : a));
    const isStale = newest.runNumber === newest.latestRunNumber;
    const touchedFrom = change.datasets.get(newest.datasetSha256)?.firstDay ?? null;
    const counted = await countDays(newest, isStale ? touchedFrom : null, readCoverage);
    indexes.push({
      ...{ indexId, name: newest.name, latestRunNumber: newest.latestRunNumber, isStale },
      runNumbers: runs.map(({ runNumber }) => runNumber).sort((a, b) => a - b),
      ...counted,
    });
  }
  return indexes.sort((a, b) => a.indexId - b.indexId);
}

/** Trading days of a run, and those from the first changed day on: every later level is chained to it. */
async function countDays(run: AffectedRun, from: string | null, readCoverage: ReadCoverage) {
  const nothing = { staleFrom: null, staleDayCount: 0, dayCount: 0 };
  if (run.firstDay === null || run.lastDay === null) return nothing;
  const { calendar } = await readCoverage(run.datasetSha256);
  const code = CALENDAR_CODES.find((known) => known === calendar);
  if (code === undefined) return nothing;
  const [first, last] = [dayNumber(run.firstDay), dayNumber(run.lastDay)];
  const dayCount = tradingDays(code, first, last).length;
  if (from === null) return { ...nothing, dayCount };
  // A row before the first level still moves what the first weights were made of.
  const staleFrom = from < run.firstDay ? run.firstDay : from;
  return { staleFrom, staleDayCount: tradingDays(code, dayNumber(staleFrom), last).length, dayCount };
}

/**
 * Which of these indexes rest on facts that have changed since their newest version, also by new days. Three statements
 * for any number of indexes, and one for each publication since.
 */
export async function findStale(
  tx: Transaction,
  indexes: readonly { id: number; datasetSha256: string | null; recordedAt: string | null }[],
  readCoverage: ReadCoverage,
): Promise<Map<number, NonNullable<IndexDefinition['stale']>>> {
  const stale = new Map<number, NonNullable<IndexDefinition['stale']>>();
  const computed = indexes.flatMap(({ id, datasetSha256, recordedAt }) =>
    datasetSha256 === null || recordedAt === null ? [] : [{ id, datasetSha256, recordedAt }],
  );
  if (computed.length === 0) return stale;
  const oldest = computed.map(({ recordedAt }) => recordedAt).sort()[0]!;
  const runs = await findRunsSince(tx, oldest, CHANGES_MAX);
  if (runs.length === 0) return stale;
  const changes = runs.map((run) => ({ ...run, touched: touchedRoughly(run) }));
  for (const run of changes)
    if (run.rowCount === 0 || run.kind === 'exchange_rates') run.touched = await findTouched(tx, run);
  for (const { id, datasetSha256, recordedAt } of computed) {
    const coverage = await readCoverage(datasetSha256).catch(() => null);
    const told = coverage === null ? null : staleSince(changes, recordedAt, coverage);
    if (told !== null) stale.set(id, told);
  }
  return stale;
}

type ToldChange = Awaited<ReturnType<typeof findRunsSince>>[number] & { touched: Touched };

function staleSince(
  changes: readonly ToldChange[],
  recordedAt: string,
  coverage: Coverage,
): NonNullable<IndexDefinition['stale']> | null {
  const told = changes.flatMap(({ publishedAt, retractedAt, touched }) => {
    const isPublishedSince = publishedAt > recordedAt;
    const isRetractedSince = retractedAt !== null && retractedAt > recordedAt;
    // Published and taken back since: it was never part of the index.
    if (isPublishedSince === isRetractedSince) return [];
    const overlap = overlapOf(touched, coverage, true);
    return overlap === null ? [] : [{ at: isPublishedSince ? publishedAt : retractedAt!, firstDay: overlap.firstDay }];
  });
  if (told.length === 0) return null;
  return {
    since: told.map(({ at }) => at).sort()[0]!,
    changeCount: told.length,
    firstDay: told.flatMap(({ firstDay }) => firstDay ?? []).sort()[0] ?? null,
  };
}

const FACT_OF: Record<string, Touched['fact']> = {
  ...{ prices: 'bars', correction: 'bars', release: 'bars' },
  ...{ corporate_actions: 'actions', market_caps: 'caps' },
};

/** What a run touches by its own account: its instruments, each over all of its days. Enough to say that something is stale. */
function touchedRoughly(run: Awaited<ReturnType<typeof findRunsSince>>[number]): Touched {
  const { firstDay, lastDay, sourceId, kind, instrumentIds } = run;
  const isTold = firstDay !== null && lastDay !== null;
  return {
    ...{ fact: FACT_OF[kind] ?? 'none', sourceId, ratePairs: [] },
    rows: isTold ? (instrumentIds ?? []).map((instrumentId) => ({ instrumentId, rowCount: 0, firstDay, lastDay })) : [],
  };
}
