import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { mean, variance } from '../../stats/moments.ts';
import { type Examples, type Inputs, takeExamples, takeInputs } from '../examples.ts';
import type { FittedModel, LinearBody } from '../learner.ts';
import { elasticNet, lasso } from './elastic-net.ts';
import { logistic } from './logistic.ts';
import { ridge } from './ridge.ts';

type Peer = { coef: number[]; intercept: number };
type Reference = {
  n: number;
  n_train: number;
  train_mean: number[];
  train_std: number[];
  ridge_alpha10: Peer;
  'lasso_alpha2e-4': Peer;
  'elasticnet_alpha2e-4_l1r0.5': Peer;
  logistic_C1_l2: Peer & { test_logloss: number; test_brier: number; first5_prob: number[] };
};

const folder = process.env.TOUCHSTONE_DATA ?? join(import.meta.dirname, '../../../../../../shared/data');
const referencePath = join(folder, 'golden/stats_reference_dev.json');
const FEATURES = 4;
/** The peer's search for the logistic weights stops here; the regressions are compared more closely. */
const SETTLED = 1e-6;

test('on the returns of one share of 2004 to 2009, linear learners agree with scikit-learn', (t) => {
  if (!existsSync(referencePath)) {
    t.skip('no reference values: set TOUCHSTONE_DATA or put the data beside the project');
    return;
  }
  const { linear_models: wanted } = JSON.parse(readFileSync(referencePath, 'utf8')) as { linear_models: Reference };
  const { inputs, target } = examplesOf(readCloses());
  assert.equal(inputs.rowCount, wanted.n);
  const train = Int32Array.from({ length: wanted.n_train }, (_, i) => i);
  const test = Int32Array.from({ length: wanted.n - wanted.n_train }, (_, i) => wanted.n_train + i);
  const examples = (y: Float64Array) => takeExamples({ inputs, target: y, weight: null, group: null }, train);
  const regression = examples(target);
  checkPeer(ridge.fit(regression, 'regression', { penalty: 10 }, 1), wanted.ridge_alpha10, wanted);
  checkPeer(lasso.fit(regression, 'regression', { penalty: 2e-4 }, 1), wanted['lasso_alpha2e-4'], wanted);
  checkPeer(
    elasticNet.fit(regression, 'regression', { penalty: 2e-4, absoluteShare: 0.5 }, 1),
    wanted['elasticnet_alpha2e-4_l1r0.5'],
    wanted,
  );
  const rises = target.map((y) => Number(y > 0));
  const model = logistic.fit(examples(rises), 'binary', { penalty: 1 }, 1);
  checkPeer(model, wanted.logistic_C1_l2, wanted);
  const told = model.predict(takeInputs(inputs, test));
  const came = Float64Array.from(test, (row) => rises[row]!);
  near(mean(told.map((p, i) => -Math.log(came[i] === 1 ? p : 1 - p))), wanted.logistic_C1_l2.test_logloss);
  near(mean(told.map((p, i) => (p - came[i]!) ** 2)), wanted.logistic_C1_l2.test_brier);
  for (const [i, p] of wanted.logistic_C1_l2.first5_prob.entries()) near(told[i]!, p);
});

/** The reference tells weights for standardised columns. */
function checkPeer(model: FittedModel, peer: Peer, { train_mean, train_std }: Reference): void {
  const tolerance = model.goal === 'binary' ? SETTLED : 1e-9;
  const { weights, intercept } = model.body as LinearBody;
  for (const [j, wanted] of peer.coef.entries()) near(weights[j]! * train_std[j]!, wanted, tolerance);
  near(intercept + train_mean.reduce((sum, x, j) => sum + x * weights[j]!, 0), peer.intercept, tolerance);
}

/** Returns over 1, 5 and 21 days and the deviation of 21; the target is the return of the next day. */
function examplesOf(closes: Float64Array): { inputs: Inputs; target: Examples['target'] } {
  const change = (t: number, days: number) => closes[t]! / closes[t - days]! - 1;
  const rows: number[] = [];
  const target: number[] = [];
  for (let t = 21; t + 1 < closes.length; t++) {
    const month = Float64Array.from({ length: 21 }, (_, k) => change(t - k, 1));
    rows.push(change(t, 1), change(t, 5), change(t, 21), Math.sqrt(variance(month)));
    target.push(change(t + 1, 1));
  }
  const inputs = { rowCount: target.length, stepCount: 1, featureCount: FEATURES, values: Float64Array.from(rows) };
  return { inputs, target: Float64Array.from(target) };
}

function readCloses(): Float64Array {
  const text = gunzipSync(readFileSync(join(folder, 'equities/us_stocks_daily_1998_2017_cc0.csv.gz'))).toString(
    'latin1',
  );
  const rows = text.split('\n').map((line) => line.split(','));
  const own = rows.filter(([day = '', symbol]) => symbol === 'MSFT' && day >= '2004-01-01' && day <= '2009-12-31');
  own.sort(([a = ''], [b = '']) => (a < b ? -1 : 1));
  return Float64Array.from(own, (row) => Number(row[5]));
}

function near(actual: number, wanted: number, tolerance = SETTLED): void {
  assert.ok(Math.abs(actual - wanted) <= tolerance * Math.max(1, Math.abs(wanted)), `${actual} is not ${wanted}`);
}
