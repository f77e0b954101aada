import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { findDataFile } from '../../study/_daily-panel.ts';
import { checkNoLookAhead } from '../evaluation/look-ahead-canary.ts';
import { createRandom } from '../random/random.ts';
import { digamma } from './digamma.ts';
import {
  fitGarch,
  type GarchParameters,
  garchLikelihood,
  garchMeanAhead,
  garchPersistence,
  garchStep,
} from './garch.ts';
import { garchWalk, garchWalkAhead } from './garch-walk.ts';
import { minimise } from './minimise.ts';

type Fit = {
  leverage: boolean;
  distribution: 'normal' | 'student_t';
  parameters: GarchParameters;
  logLikelihood: number;
};
const golden: { synthetic: { returns: number[]; fits: Fit[] } } = JSON.parse(
  readFileSync(new URL('../../golden/garch-golden.json', import.meta.url), 'utf8'),
);
const special: { digamma: [number, number][] } = JSON.parse(
  readFileSync(new URL('../../golden/volatility-golden.json', import.meta.url), 'utf8'),
);
const returns = Float64Array.from(golden.synthetic.returns);

test('at the parameters of arch the log-likelihood is the same, and the own optimum is no worse', () => {
  for (const { leverage, distribution, parameters, logLikelihood } of golden.synthetic.fits) {
    const at = garchLikelihood(returns, parameters);
    assert.ok(Math.abs(at.logLikelihood - logLikelihood) < 1e-7, `${at.logLikelihood} ${logLikelihood}`);
    const fit = fitGarch(returns, { leverage, distribution });
    assert.equal(fit.status, 'ok');
    if (fit.status !== 'ok') return;
    assert.ok(fit.logLikelihood >= logLikelihood - 1e-6, `${fit.logLikelihood} ${logLikelihood}`);
    assert.ok(Math.abs(garchLikelihood(returns, fit.parameters).logLikelihood - fit.logLikelihood) < 1e-7);
    const { alpha, gamma, beta, omega, nu } = fit.parameters;
    assert.ok(omega > 0 && alpha >= 0 && alpha + gamma >= -1e-15 && beta >= 0 && garchPersistence(fit.parameters) < 1);
    assert.equal(nu !== null, distribution === 'student_t');
  }
});

test('the published benchmark of Fiorentini, Calzolari and Panattoni is met to 1e-5', (t) => {
  const path = findDataFile('golden/garch_dem2gbp_dev.csv');
  if (path === undefined) return t.skip('the data folder is absent (TOUCHSTONE_DATA)');
  const marks = Float64Array.from(readFileSync(path, 'utf8').trim().split('\n').slice(1), Number);
  const fit = fitGarch(marks, { leverage: false, distribution: 'normal' }, 'mean_square');
  assert.equal(fit.status, 'ok');
  if (fit.status !== 'ok') return;
  const published = { mu: -0.00619041, omega: 0.0107613, alpha: 0.153134, beta: 0.805974 };
  for (const [name, value] of Object.entries(published))
    assert.ok(Math.abs(fit.parameters[name as keyof typeof published] - value) < 1e-5, name);
  assert.ok(Math.abs(fit.logLikelihood - -1106.6078810412887) < 1e-6);
});

test('percent or fraction is the same fit, and a restart from the optimum stays there', () => {
  const model = { leverage: true, distribution: 'student_t' } as const;
  const one = fitGarch(returns, model);
  const other = fitGarch(
    returns.map((r) => r / 100),
    model,
  );
  const again = fitGarch(returns, model, 'backcast', one.status === 'ok' ? one.parameters : undefined);
  if (one.status !== 'ok' || other.status !== 'ok' || again.status !== 'ok') return assert.fail('did not settle');
  assert.ok(Math.abs(one.parameters.beta - other.parameters.beta) < 1e-6);
  assert.ok(Math.abs(one.parameters.omega / other.parameters.omega - 1e4) < 0.1);
  assert.ok(Math.abs(one.logLikelihood - (other.logLikelihood - returns.length * Math.log(100))) < 1e-6);
  assert.ok(again.logLikelihood >= one.logLikelihood - 1e-9);
  assert.deepEqual(fitGarch(returns, model), one);
});

test('the mean ahead is the mean of the recursion without news', () => {
  const parameters = { mu: 0, omega: 0.02, alpha: 0.03, gamma: 0.1, beta: 0.88, nu: null };
  let h = 3;
  let sum = 0;
  for (let k = 1; k <= 21; k++) {
    sum += h;
    assert.ok(Math.abs(garchMeanAhead(parameters, 3, k) - sum / k) < 1e-12);
    // A residual is expected to square to h, and to be a fall half of the time.
    h = 0.5 * (garchStep(parameters, Math.sqrt(h), h) + garchStep(parameters, -Math.sqrt(h), h));
  }
});

test('a walk refits from the past only', () => {
  const input = { r: returns.slice(0, 420) };
  input.r[300] = Number.NaN;
  const model = { leverage: true, distribution: 'student_t' } as const;
  const verdict = checkNoLookAhead({
    name: 'gjr walk',
    input,
    rowCount: 420,
    compute: ({ r }) => garchWalkAhead(garchWalk(r, { model, windowMin: 250, windowMax: 300, refitEvery: 60 }), 5),
    probeRows: [260, 330, 400],
    kinds: ['truncated', 'missing', 'noise'],
    random: createRandom(3),
  });
  assert.ok(verdict.ok, verdict.ok ? '' : verdict.sentence);
  assert.ok(verdict.isSensitive);
});

test('too few returns and returns that do not vary are failures with a reason', () => {
  const model = { leverage: false, distribution: 'normal' } as const;
  assert.deepEqual(fitGarch(returns.slice(0, 10), model), {
    status: 'failed',
    reason: '250 returns are needed, had 10',
  });
  assert.deepEqual(fitGarch(new Float64Array(300), model), { status: 'failed', reason: 'the returns do not vary' });
  const walk = garchWalk(new Float64Array(600), { model });
  assert.equal(walk.failedCount, 1);
  assert.ok(walk.nextVariance.every((h) => Number.isNaN(h)));
  assert.ok(garchWalk(new Float64Array(600).fill(Number.NaN), { model }).nextVariance.every((h) => Number.isNaN(h)));
  assert.throws(
    () =>
      fitGarch(
        returns.map(() => Number.NaN),
        model,
      ),
    /finite/,
  );
});

test('the search finds the minimum of Rosenbrock’s valley, and a quadratic at once', () => {
  const rosenbrock = minimise(
    ([x, y], gradient) => {
      gradient[0] = -400 * x! * (y! - x! * x!) - 2 * (1 - x!);
      gradient[1] = 200 * (y! - x! * x!);
      return 100 * (y! - x! * x!) ** 2 + (1 - x!) ** 2;
    },
    Float64Array.of(-1.2, 1),
  );
  assert.ok(rosenbrock.converged);
  assert.ok(Math.abs(rosenbrock.point[0]! - 1) < 1e-6 && Math.abs(rosenbrock.point[1]! - 1) < 1e-6);
});

test('digamma agrees with scipy', () => {
  for (const [x, value] of special.digamma) assert.ok(Math.abs(digamma(x) - value) < 1e-12 * Math.max(1, -value));
  assert.throws(() => digamma(0), /must be positive/);
});
