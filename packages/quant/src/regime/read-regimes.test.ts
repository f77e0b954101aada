import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { before, test } from 'node:test';
import { checkNoLookAhead } from '../evaluation/look-ahead-canary.ts';
import { createRandom } from '../random/random.ts';
import { simulateRegimePath } from '../simulate/regime-simulator.ts';
import { NO_STATE } from './confirm-states.ts';
import { fitHmm } from './gaussian-hmm.ts';
import { filterSwitchingAutoregression } from './hamilton-autoregression.ts';
import { type RegimeReading, readRegimes, refuseRegimes } from './read-regimes.ts';
import { REGIME_SETTINGS, type RegimeSettings } from './regime-settings.ts';

const GOLDEN = join(
  resolve(import.meta.dirname, '../../../..', process.env.TOUCHSTONE_DATA ?? '../shared/data'),
  'golden',
);

/** Small windows, so that several refits fit into a test. */
const QUICK: RegimeSettings = {
  ...REGIME_SETTINGS,
  ...{
    trainingRowsMin: 260,
    trainingRowsMax: 400,
    refitEveryRows: 120,
    restarts: 1,
    refitRestarts: 0,
    tolerance: 1e-2,
  },
};

const path = simulateRegimePath(1001, 'gaussian', 1500);
let reading: RegimeReading;
before(() => {
  reading = readRegimes(path.logReturn, createRandom(1));
});

test('a reading has probabilities that sum to one from the first fit on, and says nothing before', () => {
  const { probability, band, fits, jumpState, ruleState } = reading;
  const first = REGIME_SETTINGS.trainingRowsMin;
  assert.equal(fits[0]!.readFrom, first);
  for (let t = 0; t < path.logReturn.length; t++) {
    const sum = probability[3 * t]! + probability[3 * t + 1]! + probability[3 * t + 2]!;
    if (t < first) assert.ok(Number.isNaN(sum) && band[t] === NO_STATE && jumpState[t] === NO_STATE);
    else assert.ok(Math.abs(sum - 1) < 1e-12 && band[t]! < 3 && jumpState[t]! < 3 && ruleState[t]! < 3);
  }
});

test('each fit reads only rows after its training window; its calmest state is called bull', () => {
  let next = reading.fits[0]!.readFrom;
  for (const fit of reading.fits) {
    assert.equal(fit.readFrom, next);
    assert.ok(fit.trainedTo <= fit.readFrom);
    assert.ok(fit.model.sd[0]! < fit.model.sd[2]!);
    next = fit.readTo;
  }
  assert.equal(next, path.logReturn.length);
});

test('most days of a simulated market are named rightly, though nothing was ever matched to the truth', () => {
  let [right, all] = [0, 0];
  for (let t = REGIME_SETTINGS.trainingRowsMin; t < path.regime.length; t++) {
    all += 1;
    if (reading.band[t] === path.regime[t]) right += 1;
  }
  assert.ok(right / all > 0.75, `${right} of ${all}`);
});

test('does not look ahead: no future, however wild, changes a probability, a band or a change point of the past', () => {
  const verdict = checkNoLookAhead({
    name: 'regimes',
    input: { logReturn: path.logReturn.slice(0, 700) },
    rowCount: 700,
    random: createRandom(9),
    probeRows: [430, 560],
    compute: ({ logReturn }) => {
      const { probability, band, jumpState, ruleState, changePoint } = readRegimes(logReturn, createRandom(1), QUICK);
      return Float64Array.from({ length: logReturn.length * 7 }, (_, at) => {
        const t = Math.floor(at / 7);
        const column = at % 7;
        if (column < 3) return probability[3 * t + column]!;
        return [band, jumpState, ruleState, changePoint][column - 3]![t]!;
      });
    },
  });
  assert.ok(verdict.ok, verdict.ok ? '' : verdict.sentence);
  assert.ok(verdict.isSensitive);
});

test('a filter that smooths would be caught: the canary sings on the training path of the states', () => {
  const verdict = checkNoLookAhead({
    name: 'centred volatility',
    input: { logReturn: path.logReturn.slice(0, 300) },
    rowCount: 300,
    random: createRandom(9),
    probeRows: [150],
    compute: ({ logReturn }) => logReturn.map((value, t) => value ** 2 + (logReturn[t + 1] ?? 0) ** 2),
  });
  assert.ok(!verdict.ok);
});

test('what has no regime says why', () => {
  assert.equal(refuseRegimes(path.logReturn), null);
  assert.equal(refuseRegimes(new Float64Array(0)), 'too little history');
  assert.equal(refuseRegimes(path.logReturn.slice(0, 756)), 'too little history');
  assert.equal(refuseRegimes(new Float64Array(2000)), 'constant values');
  assert.equal(refuseRegimes(new Float64Array(2000).fill(Number.NaN)), 'all missing');
  for (const empty of [new Float64Array(0), new Float64Array(900), new Float64Array(900).fill(Number.NaN)]) {
    const { band, fits } = readRegimes(empty, createRandom(1));
    assert.equal(fits.length, 0);
    assert.ok(band.every((state) => state === NO_STATE));
  }
});

test('days without a return keep their place and their band', () => {
  const holes = path.logReturn.slice(0, 700);
  for (let t = 5; t < holes.length; t += 9) holes[t] = Number.NaN;
  const { probability, band } = readRegimes(holes, createRandom(1), QUICK);
  assert.ok(probability.subarray(3 * QUICK.trainingRowsMin).every((value) => value >= 0 && value <= 1));
  assert.ok(band.subarray(QUICK.trainingRowsMin).every((state) => state < 3));
});

const absent = existsSync(GOLDEN) ? false : `no reference data at ${GOLDEN}; set TOUCHSTONE_DATA`;

test("Hamilton's 1989 model has its published likelihood and probabilities", { skip: absent }, () => {
  const golden = JSON.parse(readFileSync(join(GOLDEN, 'regime_hamilton1989_gnp_dev.json'), 'utf8'));
  const { p00, p10, mu0, mu1, sigma2, ar } = golden.params_stata;
  const { filtered, logLikelihood } = filterSwitchingAutoregression(Float64Array.from(golden.rgnp), {
    stateCount: 2,
    transition: Float64Array.of(p00, 1 - p00, p10, 1 - p10),
    mean: Float64Array.of(mu0, mu1),
    autoregression: Float64Array.from(ar),
    variance: sigma2,
  });
  assert.ok(Math.abs(logLikelihood - -181.26339) < 1e-4);
  for (const k of [0, 1]) assert.ok(Math.abs(filtered[k]! - golden.filtered_prob_regime0[k]) < 1e-9);
});

test('two states on weekly returns are at least as likely as the reference found', { skip: absent }, () => {
  const [two] = JSON.parse(readFileSync(join(GOLDEN, 'regime_hmm_sp500_weekly_dev.json'), 'utf8'));
  const fit = fitHmm(Float64Array.from(two.y), createRandom(1), { stateCount: 2, restarts: 5, tolerance: 1e-9 });
  assert.ok(fit.status === 'fitted' && fit.logLikelihood >= two.loglik - 1e-4);
});
