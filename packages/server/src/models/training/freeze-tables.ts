import { setImmediate as nextTurn } from 'node:timers/promises';
import type { TargetName } from '@touchstone/contracts/model-manifest';
import type { AssetRows, TrainingTable } from '@touchstone/quant/evaluation/forecast-training/training-table';
import { FORECAST_FEATURES } from '@touchstone/quant/evaluation/targets/features';
import { targetNamed } from '@touchstone/quant/evaluation/targets/targets';
import { createRandom } from '@touchstone/quant/random/random';
import type { Bars } from '@touchstone/quant/series/bars';
import type { FeatureComputer, SeriesService, UniverseSeries } from '../../features/index.ts';
import { hashOfFeature, insertMissingDataset } from '../../features/index.ts';
import type { Compute } from '../../platform/compute/compute.ts';
import type { Database, Principal } from '../../platform/database/database.ts';
import { appendEvidence } from '../../platform/evidence/evidence.ts';
import { type BundleTable, writeBundle } from '../../platform/object-store/bundle.ts';
import type { ObjectStore } from '../../platform/object-store/object-store.ts';
import { ProblemError } from '../../platform/problem-error.ts';
import { checkTable, type TableVerdict } from './table-canary.ts';
import { FORECAST_VIEW, referenceOf } from './targets.ts';
import type { BuiltTable } from './training.worker.ts';

export type FreezeParts = {
  database: Database;
  objects: ObjectStore;
  compute: Compute;
  series: SeriesService;
  computer: FeatureComputer;
};

export type FrozenTables = {
  datasetSha256: string;
  tables: { target: TargetName; sha256: string; rowCount: number; firstDay: string | null; canary: TableVerdict }[];
  /** Learnt from, and of those with enough history. */
  memberCount: number;
  candidateCount: number;
};

export type FreezeQuestion = {
  universeId: number;
  targets: readonly TargetName[];
  asOf: string;
  knownAt: string;
  recordedAt: string;
  from: string | undefined;
  seed: number;
};

const WORKER = new URL('./training.worker.ts', import.meta.url);
/** Instruments whose features are computed at a time. */
const BATCH = 8;
/** More teach the same again, and a table of all of them would not fit beside the others: so many are drawn by the seed. */
const MEMBERS_MAX = 60;
/** A year to warm up and a year to learn from. */
const BARS_LEAST = 504;

/**
 * Freezes what is learnt from: features of the feature store day by day and what came after, as known at one moment, under the
 * hash of its content. The same question gives the same bytes. One member is put through the canary for every target.
 *
 * @throws ProblemError NOT_ENOUGH_HISTORY; NOT_POSSIBLE_NOW naming a feature that looks ahead.
 */
export async function freezeTables(
  parts: FreezeParts,
  principal: Principal,
  question: FreezeQuestion,
  { signal, onProgress }: { signal: AbortSignal; onProgress(fraction: number, note: string): void },
): Promise<FrozenTables> {
  const { compute, series, objects, database } = parts;
  const { universeId, targets, asOf, knownAt, recordedAt, from, seed } = question;
  onProgress(0, 'Reads the bars');
  const universe = await series.readUniverse(principal, universeId, { asOf, knownAt, recordedAt, from });
  const candidates = universe.members.filter(({ bars }) => bars.day.length >= BARS_LEAST);
  if (candidates.length === 0)
    throw new ProblemError(
      'NOT_ENOUGH_HISTORY',
      `No member of the universe has ${BARS_LEAST} sessions by then; the longest has ${Math.max(0, ...universe.members.map(({ bars }) => bars.day.length))}.`,
    );
  const members = draw(candidates, seed);
  const computed = await computeFeatures(
    parts,
    members.map(({ bars }) => bars),
    signal,
    (k) => onProgress(0.6 * (k / members.length), `Features of member ${k} of ${members.length}`),
  );
  const assets = members.map(({ subject, bars }, k) => ({ asset: subject.id, bars, values: computed[k]! }));
  const tables: FrozenTables['tables'] = [];
  for (const [k, target] of targets.entries()) {
    signal.throwIfAborted();
    onProgress(0.6 + (0.3 * k) / targets.length, `Rows of ${target}`);
    const canary = await canaryOf(parts, target, members[0]!.bars, seed, signal);
    if (!canary.passed)
      throw new ProblemError('NOT_POSSIBLE_NOW', `Nothing is trained on rows that know the future: ${canary.sentence}`);
    const built = await compute.run<BuiltTable>(
      WORKER,
      'buildTableBytes',
      { target, assets: await pickAll(assets, target) },
      { signal },
    );
    const { sha256 } = await objects.put(Buffer.from(built.bytes));
    tables.push({ target, sha256, rowCount: built.rowCount, firstDay: built.firstDay, canary });
  }
  onProgress(0.92, 'Writes the dataset');
  const bundle = await writeBundle(
    objects,
    aboutOf(
      universe,
      members.map(({ subject }) => subject.id),
      tables,
    ),
    {
      features: await toBundleTable(assets),
    },
  );
  await database.transaction(principal, async (tx) => {
    const query = { universe: universeId, targets, from: from ?? null, features: FORECAST_FEATURES.length };
    await insertMissingDataset(tx, 'features', query, bundle, universe.time);
    await appendEvidence(tx, {
      ...{ kind: 'dataset.frozen', subjectKind: 'dataset', subjectId: bundle.sha256 },
      body: { rowCount: bundle.parts[0]!.rowCount, tables: tables.map(({ target, sha256 }) => ({ target, sha256 })) },
    });
  });
  return { datasetSha256: bundle.sha256, tables, memberCount: members.length, candidateCount: candidates.length };
}

/** In their order. */
function draw<T>(members: readonly T[], seed: number): T[] {
  if (members.length <= MEMBERS_MAX) return [...members];
  const random = createRandom(seed).split('members');
  const keys = members.map(() => random.uniform());
  const last = keys.toSorted((a, b) => a - b)[MEMBERS_MAX - 1]!;
  return members.filter((_, k) => keys[k]! <= last);
}

const EXPRESSIONS = FORECAST_FEATURES.map(({ expression }) => expression);

/** All features of each, row-major bars × features, by the same computer as the feature store. */
async function computeFeatures(
  { computer }: Pick<FreezeParts, 'computer'>,
  bars: readonly Bars[],
  signal: AbortSignal,
  onProgress: (done: number) => void,
): Promise<Float64Array[]> {
  const values: Float64Array[] = [];
  for (let from = 0; from < bars.length; from += BATCH) {
    onProgress(from);
    const jobs = bars.slice(from, from + BATCH).map((one) => ({ bars: one, at: Int32Array.from(one.day.keys()) }));
    const made = await computer.compute(EXPRESSIONS, jobs, signal);
    const [failed] = made.failures;
    if (failed !== undefined)
      throw new ProblemError(
        'NOT_POSSIBLE_NOW',
        `The feature ${FORECAST_FEATURES[failed[0]]!.name} could not be computed: ${failed[1].sentence}`,
      );
    values.push(...made.values);
  }
  return values;
}

/** One asset at a time: requests are answered in between. */
async function pickAll(assets: readonly AssetRows[], target: TargetName): Promise<AssetRows[]> {
  const picked: AssetRows[] = [];
  for (const asset of assets) {
    picked.push(pick(asset, target));
    await nextTurn();
  }
  return picked;
}

/** The columns of one target out of all. */
function pick({ asset, bars, values }: AssetRows, target: TargetName): AssetRows {
  const { features } = targetNamed(target);
  const columns = features.map(({ name }) => FORECAST_FEATURES.findIndex((feature) => feature.name === name));
  const width = FORECAST_FEATURES.length;
  const picked = new Float64Array(bars.day.length * columns.length);
  for (let row = 0; row < bars.day.length; row++)
    for (let j = 0; j < columns.length; j++) picked[row * columns.length + j] = values[row * width + columns[j]!]!;
  return { asset, bars, values: picked };
}

async function canaryOf(
  parts: FreezeParts,
  target: TargetName,
  bars: Bars,
  seed: number,
  signal: AbortSignal,
): Promise<TableVerdict> {
  const build = async (given: Bars) => {
    const [values] = await computeFeatures(parts, [given], signal, () => {});
    const assets = [pick({ asset: 1, bars: given, values: values! }, target)];
    return parts.compute.run<TrainingTable>(WORKER, 'buildOneTable', { target, assets }, { signal });
  };
  return checkTable(build, bars, createRandom(seed).split(target));
}

function aboutOf(
  universe: UniverseSeries,
  ids: readonly number[],
  tables: FrozenTables['tables'],
): Record<string, unknown> {
  const { asOf, knownAt, recordedAt } = universe.time;
  return {
    question: {
      ...{
        kind: 'features',
        sourceId: null,
        priceBasis: 'total_return',
        calendar: '',
        currency: null,
        benchmark: null,
      },
      instruments: ids.map((id) => ({ id })),
      ...{ from: null, to: asOf, universe: universe.universe.id },
      features: FORECAST_FEATURES.map(({ name, expression }) => ({
        ...{ feature: referenceOf(name), view: FORECAST_VIEW, version: 1 },
        definitionSha256: hashOfFeature(expression, ''),
      })),
      dataSha256: universe.dataSha256,
      tables: tables.map(({ target, sha256, rowCount }) => ({ target, sha256, rowCount })),
    },
    time: { asOf, knownAt, recordedAt },
  };
}

async function toBundleTable(assets: readonly AssetRows[]): Promise<BundleTable> {
  const rowCount = assets.reduce((sum, { bars }) => sum + bars.day.length, 0);
  const instrument = new Int32Array(rowCount);
  const day = new Int32Array(rowCount);
  const columns = FORECAST_FEATURES.map(() => new Float64Array(rowCount));
  const width = FORECAST_FEATURES.length;
  let at = 0;
  for (const { asset, bars, values } of assets) {
    instrument.fill(asset, at, at + bars.day.length);
    day.set(bars.day, at);
    for (let row = 0; row < bars.day.length; row++)
      for (let j = 0; j < width; j++) columns[j]![at + row] = values[row * width + j]!;
    at += bars.day.length;
    await nextTurn();
  }
  return {
    rowCount,
    columns: {
      instrument: { type: 'int32', values: instrument },
      day: { type: 'date', values: day },
      ...Object.fromEntries(
        FORECAST_FEATURES.map(({ name }, j) => [referenceOf(name), { type: 'float64' as const, values: columns[j]! }]),
      ),
    },
  };
}
