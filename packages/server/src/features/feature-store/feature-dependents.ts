import type { Dependent } from '@touchstone/contracts/blast-radius';
import { sql } from 'kysely';
import type { Transaction } from '../../platform/database/database.ts';
import type { BlastRadiusService, Change } from '../blast-radius/blast-radius.service.ts';
import { overlapOf, type ReadCoverage } from '../blast-radius/coverage.ts';

/** Rows of a change about bars, dividends and splits reach features; the others do not. */
const REACHING = ['bars', 'actions', 'suspicions'];

/**
 * Says what of the feature store a changed bar touches: views with online values of the instrument, and the values
 * themselves. Frozen features are datasets and are found as such; here they are told by what they are.
 */
export function registerFeatureDependents(blastRadius: BlastRadiusService, readCoverage: ReadCoverage): void {
  blastRadius.registerDependents('feature-view', findViews);
  blastRadius.registerDependents('online-value', findValues);
  blastRadius.registerDependents('feature-dataset', async (tx, change) => findDatasets(tx, change, readCoverage));
}

type Touched = { view: string; version: number; instrumentId: number; symbol: string; eventDay: string };

/** Online values that rest on a bar on or before their event day. */
async function findTouched(tx: Transaction, { touched }: Change): Promise<(Touched & { firstDay: string })[]> {
  if (!REACHING.includes(touched.fact) || touched.rows.length === 0) return [];
  const { rows } = await sql<Touched & { firstDay: string }>`
    SELECT v.view, v.view_version AS version, v.instrument_id AS "instrumentId", i.symbol, v.event_day AS "eventDay",
      r.first AS "firstDay"
    FROM unnest(${touched.rows.map(({ instrumentId }) => instrumentId)}::int[],
      ${touched.rows.map(({ firstDay }) => firstDay)}::date[]) AS r(id, first)
    JOIN online.feature_value v ON v.tenant_id = ${tx.principal.tenantId} AND v.instrument_id = r.id AND v.event_day >= r.first
    JOIN instrument i ON i.id = v.instrument_id
    ORDER BY v.view, v.view_version DESC, i.symbol`.execute(tx.query);
  return rows;
}

async function findViews(tx: Transaction, change: Change): Promise<Dependent[]> {
  const byView = Map.groupBy(await findTouched(tx, change), ({ view, version }) => `${view}@${version}`);
  return Array.from(byView, ([id, rows]) => ({
    ...{ id, name: `Feature view ${id}`, exact: true, instrumentCount: rows.length },
    ...{
      firstDay: rows.map(({ firstDay }) => firstDay).sort()[0]!,
      lastDay: rows
        .map(({ eventDay }) => eventDay)
        .sort()
        .at(-1)!,
    },
  }));
}

async function findValues(tx: Transaction, change: Change): Promise<Dependent[]> {
  const rows = await findTouched(tx, change);
  return rows.map(({ view, version, instrumentId, symbol, firstDay, eventDay }) => ({
    ...{ id: `${view}@${version}:${instrumentId}`, name: `${view}@${version} of ${symbol}` },
    // A window may have passed the bar meanwhile: the value is named to be safe.
    ...{ exact: false, instrumentCount: 1, firstDay, lastDay: eventDay },
  }));
}

async function findDatasets(
  tx: Transaction,
  { touched, datasets }: Change,
  readCoverage: ReadCoverage,
): Promise<Dependent[]> {
  const hashes = [...datasets.keys()];
  if (hashes.length === 0) return [];
  const rows = await tx.query
    .selectFrom('dataset')
    .select(['sha256', 'row_count', 'query'])
    .where('kind', '=', 'features')
    .where('sha256', 'in', hashes)
    .orderBy('created_at', 'desc')
    .execute();
  const found: Dependent[] = [];
  for (const { sha256, row_count: rowCount } of rows) {
    const overlap = overlapOf(touched, await readCoverage(sha256));
    if (overlap !== null) found.push({ id: sha256, name: `Features, ${rowCount} rows`, ...overlap });
  }
  return found;
}
