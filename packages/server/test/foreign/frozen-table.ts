import { frozenRows } from '@touchstone/quant/evaluation/forecast-training/judge-frozen';
import { saveTable, type TrainingTable } from '@touchstone/quant/evaluation/forecast-training/training-table';
import { targetNamed } from '@touchstone/quant/evaluation/targets/targets';
import { createGraph } from '@touchstone/quant/learn/onnx/graph';
import { createRandom } from '@touchstone/quant/random/random';
import { dayNumber } from '@touchstone/quant/series/day';
import { insertMissingDataset } from '../../src/features/index.ts';
import type { Database, Principal } from '../../src/platform/database/database.ts';
import { writeBundle } from '../../src/platform/object-store/bundle.ts';
import type { ObjectStore } from '../../src/platform/object-store/object-store.ts';

const TARGET = 'volatility_direction';
const FIRST = dayNumber('2018-01-01');
const DAYS = 620;
const ASSETS = 2;

/** A dataset with rows of a target, as a training freezes them. What is in them is noise. */
export async function addFrozenTable(
  { database, objects }: { database: Database; objects: ObjectStore },
  principal: Principal,
  seed = 1,
): Promise<{ datasetSha256: string; trainedUntil: string; rowCount: number }> {
  const table = noise(seed);
  const { sha256 } = await objects.put(Buffer.from(saveTable(table)));
  const about = {
    question: { kind: 'features', universe: null, tables: [{ target: TARGET, sha256, rowCount: table.rowCount }] },
  };
  const rows = Int32Array.from(table.day.keys());
  const bundle = await writeBundle(objects, about, {
    features: { rowCount: table.rowCount, columns: { row: { type: 'int32', values: rows } } },
  });
  const now = '2026-01-15T22:00:00.000Z';
  const time = { asOf: '2026-01-15', knownAt: now, recordedAt: now, reconstructed: false };
  await database.transaction(principal, (tx) =>
    insertMissingDataset(tx, 'features', { targets: [TARGET] }, bundle, time),
  );
  const trainedUntil = '2019-01-01';
  return {
    datasetSha256: bundle.sha256,
    trainedUntil,
    rowCount: frozenRows(table, dayNumber(trainedUntil)).train.length,
  };
}

function noise(seed: number): TrainingTable {
  const { features, horizonDays } = targetNamed(TARGET);
  const rowCount = ASSETS * DAYS;
  const random = createRandom(seed);
  const rows = Int32Array.from({ length: rowCount }, (_, row) => row);
  const day = rows.map((row) => FIRST + (row % DAYS));
  return {
    ...{ target: TARGET, featureNames: features.map(({ name }) => name), rowCount, day },
    asset: rows.map((row) => 1 + Math.floor(row / DAYS)),
    labelEnd: rows.map((row) => (row % DAYS < DAYS - horizonDays ? day[row]! + horizonDays : -1)),
    label: Float64Array.from(rows, (row) => (row % DAYS < DAYS - horizonDays ? random.integer(2) : Number.NaN)),
    forwardReturn: new Float64Array(rowCount).fill(Number.NaN),
    values: Float64Array.from({ length: rowCount * features.length }, () => random.normal()),
  };
}

/** The smallest file that can be registered: the odds of one feature. */
export function smallModel(name = 'small'): Uint8Array {
  const graph = createGraph(name);
  const [value] = graph.node('Sigmoid', [graph.input('features', 'double', ['rows', 1])]);
  graph.output('value', value!, 'double', ['rows', 1]);
  return graph.finish({});
}

export function smallManifest({ datasetSha256, trainedUntil }: { datasetSha256: string; trainedUntil: string }) {
  return {
    ...{ target: TARGET, horizonDays: 5, unit: 'probability', features: ['variance_week_month'], stepCount: 1 },
    ...{ input: 'features', output: 'value', datasetSha256, seed: 1, codeVersion: '1', trainer: 'by hand' },
    ...{ firstDay: '2018-01-01', trainedUntil },
  };
}
