import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { fitPart, type PartSpec, saveResult } from '@touchstone/quant/evaluation/forecast-training/fit-part';
import {
  buildTable,
  saveTable,
  type TrainingTable,
} from '@touchstone/quant/evaluation/forecast-training/training-table';
import { FORECAST_FEATURES } from '@touchstone/quant/evaluation/targets/features';
import { targetNamed } from '@touchstone/quant/evaluation/targets/targets';
import { compileExpression } from '@touchstone/quant/expressions/compile-expression';
import { createRandom } from '@touchstone/quant/random/random';
import type { Bars } from '@touchstone/quant/series/bars';
import { dayNumber } from '@touchstone/quant/series/day';
import { swingingBars, WORLD_DAYS } from '../../../test/training-world.ts';
import { CATALOGUE } from '../../features/catalogue/catalogue.ts';
import { packPart } from './pack-part.ts';
import { recommendedOf } from './register-models.ts';
import { checkTable } from './table-canary.ts';
import { featureHashOf, listTargetDefinitions } from './targets.ts';

function barsOf(seed: number): Bars {
  const told = swingingBars(seed, WORLD_DAYS, seed);
  const column = (of: (bar: (typeof told)[number]) => number) => Float64Array.from(told, of);
  return {
    day: Int32Array.from(told, ({ day }) => dayNumber(day)),
    ...{ open: column((bar) => bar.open!), high: column((bar) => bar.high!), low: column((bar) => bar.low!) },
    ...{ close: column((bar) => bar.close), volume: column(() => 1_000) },
  };
}

function featuresOf(target: string, bars: Bars): Float64Array {
  const { features } = targetNamed(target);
  const values = new Float64Array(bars.day.length * features.length);
  const scope = { bars, columns: new Map<string, Float64Array>() };
  features.forEach(({ expression }, j) => {
    const made = compileExpression(expression, CATALOGUE);
    assert.ok(made.ok, expression);
    made.expression.evaluate(scope).forEach((value, row) => {
      values[row * features.length + j] = value;
    });
  });
  return values;
}

const build = async (target: string, bars: Bars, change = (values: Float64Array) => values): Promise<TrainingTable> =>
  buildTable(targetNamed(target), [{ asset: 1, bars, values: change(featuresOf(target, bars)) }]);

test('rewriting all later bars changes no row of any target', async () => {
  for (const target of ['volatility_direction', 'forward_volatility', 'drawdown_touch', 'return_direction']) {
    const verdict = await checkTable((bars) => build(target, bars), barsOf(1), createRandom(1));
    assert.equal(verdict.passed, true, verdict.sentence);
    assert.match(verdict.sentence, /changed none of \d+ values/);
  }
});

test('a planted feature of the future is refused by name', async () => {
  const width = targetNamed('drawdown_touch').features.length;
  const peeking = (bars: Bars) =>
    build('drawdown_touch', bars, (values) => {
      // Tomorrow's value in today's row.
      for (let at = 2; at + width < values.length; at += width) values[at] = values[at + width]!;
      return values;
    });
  const verdict = await checkTable(peeking, barsOf(1), createRandom(1));
  assert.equal(verdict.passed, false);
  assert.match(verdict.sentence, /drawdown_touch looks ahead: feature variance_month of row \d+ changes/);
});

test('every feature of the targets is of the view that serves them, and compiles', () => {
  for (const { features } of listTargetDefinitions()) {
    assert.ok(features.length >= 15 && features.length <= 60);
    for (const { name, expression } of features) {
      assert.ok(FORECAST_FEATURES.some((feature) => name === `forecast:${feature.name}`));
      assert.ok(compileExpression(expression, CATALOGUE).ok);
    }
  }
  assert.notEqual(featureHashOf(targetNamed('return_rank')), featureHashOf(targetNamed('drawdown_touch')));
});

test('a part done from a file gives the bytes of a part done here, and a broken file is told', async () => {
  const folder = await mkdtemp('/tmp/touchstone-part-');
  try {
    const table = await build('volatility_direction', barsOf(2));
    const spec: PartSpec = {
      ...{ family: 'linear', learner: 'logistic', settings: { penalty: 10 }, seed: 1, stepCount: 1, rowsMax: null },
      ...{ walk: { foldCount: 3, firstShare: 0.35, embargoDays: 0 }, fold: 1 },
    };
    const [input, output] = [path.join(folder, 'in'), path.join(folder, 'out')];
    await writeFile(input, packPart(saveTable(table), spec));
    const run = (...args: string[]) =>
      spawnSync(process.execPath, [path.join(import.meta.dirname, 'run-subtask.ts'), ...args], { encoding: 'utf8' });
    const done = run(input, output);
    assert.equal(done.status, 0, done.stderr);
    assert.deepEqual(new Uint8Array(await readFile(output)), saveResult(fitPart(table, spec)));
    await writeFile(input, 'no part at all');
    const broken = run(input, output);
    assert.deepEqual([broken.status, broken.stderr], [1, 'this is no model artefact: its first bytes are others\n']);
    assert.equal(run().status, 2);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test('the ensemble is recommended only where it passes, else the simplest that does', () => {
  const verdicts = (passed: Record<string, boolean>) =>
    Object.entries(passed).map(([family, isPassed]) => ({
      family,
      // Only the verdict is looked at.
      evaluation: { verdict: { passed: isPassed } } as Parameters<typeof recommendedOf>[0][number]['evaluation'],
    }));
  assert.equal(recommendedOf(verdicts({ linear: true, lstm: true, ensemble: true })), 'ensemble');
  assert.equal(recommendedOf(verdicts({ linear: true, lstm: true, ensemble: false })), 'linear');
  assert.equal(recommendedOf(verdicts({ linear: false, ensemble: false })), null);
});
