import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forecastRows } from '../../learn/forecaster/forecast-rows.ts';
import { loadForecaster, saveForecaster } from '../../learn/forecaster/save-forecaster.ts';
import { simulatedTable } from './_simulated-table.ts';
import { assembleForecasters, type FamilyParts } from './assemble-forecasters.ts';
import { fitPart, loadResult, type PartSpec, partRows, saveResult, type Walk } from './fit-part.ts';
import { loadTable, saveTable, type TrainingTable, usableRows, windowsOf } from './training-table.ts';

const WALK: Walk = { foldCount: 4, firstShare: 0.35, embargoDays: 0 };

function partsOf(
  table: TrainingTable,
  family: string,
  learner: string,
  settings: Record<string, unknown> = {},
): FamilyParts {
  const spec: PartSpec = {
    ...{ family, learner, settings, seed: 1, stepCount: 1, rowsMax: null, walk: WALK, fold: null },
  };
  return {
    ...{ family, learner, stepCount: 1 },
    folds: Array.from({ length: WALK.foldCount }, (_, fold) => fitPart(table, { ...spec, fold })),
    final: fitPart(table, spec),
  };
}

function trained(table: TrainingTable, goal: 'binary' | 'regression') {
  const learner = goal === 'binary' ? 'logistic' : 'ridge';
  const families = [partsOf(table, 'linear', learner), partsOf(table, 'second', learner, { penalty: 2 })];
  return assembleForecasters({ table, walk: WALK, families, withEnsemble: true, trialCount: 3, seed: 1 });
}

test('planted skill passes the gate, and the ensemble is no better than the linear model and says so', () => {
  const table = simulatedTable('volatility_direction', { skill: 1.2 });
  const made = trained(table, 'binary');
  const [linear, , ensemble] = made;
  assert.equal(linear!.evaluation.verdict.passed, true, linear!.evaluation.verdict.sentence);
  assert.match(linear!.evaluation.verdict.sentence, /^Better than each of 3 baselines: .*3 trials on this data\.$/);
  assert.equal(ensemble!.evaluation.verdict.passed, false);
  assert.match(ensemble!.evaluation.verdict.sentence, /^(Not better|Worse) than the linear model/);
  const weights = Object.values(ensemble!.evaluation.weights);
  assert.ok(weights.every((weight) => weight >= 0) && Math.abs(weights.reduce((a, b) => a + b) - 1) < 1e-9);
  assert.ok(linear!.evaluation.coverage! > 0.6 && linear!.evaluation.coverage! < 0.9);
  assert.ok(linear!.evaluation.valueWhenActing! > linear!.evaluation.verdict.skill.value);
});

test('where nothing can be learnt nothing passes', () => {
  for (const name of ['volatility_direction', 'drawdown_touch', 'return_direction'])
    for (const seed of [1, 2]) {
      const table = simulatedTable(name, { skill: 0, seed, assetCount: 2, dayCount: 700 });
      for (const { family, evaluation } of trained(table, 'binary'))
        assert.equal(evaluation.verdict.passed, false, `${name}/${family}/${seed}: ${evaluation.verdict.sentence}`);
    }
});

test('the ensemble is never worse than its best member by more than the noise band', () => {
  for (const [name, goal] of [
    ['volatility_direction', 'binary'],
    ['forward_volatility', 'regression'],
    ['return_rank', 'regression'],
  ] as const)
    for (const skill of [0, 0.6]) {
      const made = trained(simulatedTable(name, { skill, assetCount: 5, dayCount: 600 }), goal);
      const { verdict } = made[2]!.evaluation;
      const width = verdict.skill.high - verdict.skill.low;
      const sign = name === 'forward_volatility' ? -1 : 1;
      for (const { evaluation } of made.slice(0, 2))
        assert.ok(sign * (verdict.skill.value - evaluation.verdict.skill.value) >= -width / 2, `${name} ${skill}`);
    }
});

test('intervals of numbers hold as many outcomes as they say, told before', () => {
  const made = trained(simulatedTable('forward_volatility', { skill: 0.8 }), 'regression');
  const { intervalCoverage, intervalLevel } = made[0]!.evaluation;
  assert.equal(intervalLevel, 0.9);
  assert.ok(Math.abs(intervalCoverage! - 0.9) < 0.03, `${intervalCoverage}`);
});

test('what was told of a row does not change when everything after its block does', () => {
  const table = simulatedTable('forward_volatility', { skill: 0.8 });
  const spec: PartSpec = {
    ...{ family: 'linear', learner: 'ridge', settings: {}, seed: 1, stepCount: 1, rowsMax: 500, walk: WALK, fold: 1 },
  };
  const before = fitPart(table, spec);
  const { test: rows } = partRows(table, WALK, 1);
  const last = table.day[rows[rows.length - 1]!]!;
  const first = table.day[rows[0]!]!;
  const changed = { ...table, label: table.label.slice(), values: table.values.slice() };
  const width = table.featureNames.length;
  for (let row = 0; row < table.rowCount; row++) {
    if (table.labelEnd[row]! > first) changed.label[row] = 9;
    if (table.day[row]! > last) changed.values.fill(7, row * width, (row + 1) * width);
  }
  assert.deepEqual(fitPart(changed, spec), before);
});

test('equal parts give equal bytes, and a table and its results are read back as they were', () => {
  const table = simulatedTable('drawdown_touch', { skill: 1, dayCount: 400 });
  table.values[3] = Number.NaN;
  const bytes = saveTable(table);
  assert.deepEqual(loadTable(bytes), table);
  assert.deepEqual(saveTable(loadTable(bytes)), bytes);
  const spec: PartSpec = {
    ...{ family: 'linear', learner: 'logistic', settings: {}, seed: 4, stepCount: 1, rowsMax: 300, walk: WALK },
    fold: 2,
  };
  const result = saveResult(fitPart(table, spec));
  assert.deepEqual(saveResult(fitPart(loadTable(bytes), spec)), result);
  assert.deepEqual(saveResult(loadResult(result)), result);
  assert.notDeepEqual(saveResult(fitPart(table, { ...spec, seed: 5 })), result);
});

test('a forecaster answers what its parts say, also after it was saved', () => {
  const table = simulatedTable('forward_volatility', { skill: 0.8, dayCount: 500 });
  const { forecaster } = trained(table, 'regression')[2]!;
  const inputs = windowsOf(table, usableRows(table).slice(-5), forecaster.stepCount);
  const told = forecastRows(forecaster, inputs);
  assert.deepEqual(forecastRows(loadForecaster(saveForecaster(forecaster)), inputs), told);
  for (const { value, lower, upper, abstained } of told)
    assert.ok(abstained === null && lower! < value! && value! < upper! && value! > 0);
});

test('rows whose features are missing are neither learnt from nor told, and no known outcome is refused', () => {
  const table = simulatedTable('volatility_direction', { dayCount: 400 });
  const width = table.featureNames.length;
  table.values.fill(Number.NaN, 200 * width, 205 * width);
  const usable = new Set(usableRows(table));
  for (let row = 200; row < 205; row++) assert.equal(usable.has(row), false);
  const nothing = { ...table, label: table.label.map(() => Number.NaN) };
  assert.throws(
    () => partsOf(nothing, 'linear', 'logistic'),
    /volatility_direction has no row with a known outcome to learn from/,
  );
  assert.throws(() => partsOf(table, 'linear', 'guess'), /there is no learner guess/);
  assert.throws(() => windowsOf(table, Int32Array.of(401), 20), /must have 19 rows of its asset before it/);
});
