import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { findDataFile } from '../../study/_daily-panel.ts';
import { createRandom } from '../random/random.ts';
import { gridReturns, realisedMeasures, subsampledVariance } from './realised-measures.ts';

const FILE = 'intraday/us_equity_minute_trades_lean.csv.gz';

test('six returns written out', () => {
  const returns = Float64Array.of(0.01, -0.02, 0.01, 0, 0.03, -0.01);
  const measures = realisedMeasures(returns);
  assert.ok(measures);
  const near = (actual: number, expected: number) => assert.ok(Math.abs(actual - expected) < 1e-15, `${actual}`);
  near(measures.realisedVariance, 0.0001 + 0.0004 + 0.0001 + 0.0009 + 0.0001);
  near(measures.semivarianceDown, 0.0004 + 0.0001);
  near(measures.semivarianceUp, 0.0001 + 0.0001 + 0.0009);
  near(measures.bipowerVariation, (Math.PI / 2) * (0.0002 + 0.0002 + 0.0003) * (6 / 5));
  near(measures.jumpVariation, Math.max(0, measures.realisedVariance - measures.bipowerVariation));
});

test('without jumps bipower is the variance and the test refuses about one in twenty; a jump is found in the bipower’s gap', () => {
  const random = createRandom(40);
  let refused = 0;
  let ratio = 0;
  for (let day = 0; day < 400; day++) {
    const returns = Float64Array.from({ length: 78 }, () => 0.001 * random.normal());
    const calm = realisedMeasures(returns)!;
    ratio += calm.bipowerVariation / calm.realisedVariance / 400;
    if (calm.noJumpP < 0.05) refused++;
    returns[40]! += 0.02;
    const jumped = realisedMeasures(returns)!;
    assert.ok(jumped.noJumpP < 0.001);
    assert.ok(Math.abs(jumped.jumpVariation / 0.0004 - 1) < 0.6);
  }
  assert.ok(Math.abs(ratio - 1) < 0.05, `${ratio}`);
  assert.ok(refused >= 8 && refused <= 50, `${refused}`);
});

test('a grid takes the last price there was, never a later one', () => {
  const minute = Float64Array.of(0, 4, 6, 11, 15);
  const price = Float64Array.of(100, 101, 102, 103, 104);
  const logs = (...prices: number[]) => prices.slice(1).map((p, k) => Math.log(p / prices[k]!));
  assert.deepEqual([...gridReturns(minute, price, 5)], logs(100, 101, 102, 104));
  assert.deepEqual([...gridReturns(minute, price, 5, 1)], logs(100, 102, 103));
  assert.equal(gridReturns(new Float64Array(0), new Float64Array(0), 5).length, 0);
  assert.equal(realisedMeasures(new Float64Array(4)), null);
  assert.ok(Number.isNaN(realisedMeasures(new Float64Array(20))!.noJumpP));
  assert.throws(() => gridReturns(minute, price, 5, 5), /offset must be in 0..4/);
});

test('on real minutes the parts add up, the grids agree and the numbers are of the right size', (t) => {
  const path = findDataFile(FILE);
  if (path === undefined) return t.skip('the data folder is absent (TOUCHSTONE_DATA)');
  const sessions = readSessions(path);
  let checked = 0;
  for (const [name, { minute, price }] of sessions) {
    if (minute.length < 300) continue;
    const measures = realisedMeasures(gridReturns(minute, price, 5));
    assert.ok(measures, name);
    const { realisedVariance, semivarianceDown, semivarianceUp, jumpVariation, noJumpP } = measures;
    assert.ok(Math.abs(semivarianceDown + semivarianceUp - realisedVariance) < 1e-15);
    assert.ok(jumpVariation >= 0 && jumpVariation <= realisedVariance);
    assert.ok(noJumpP >= 0 && noJumpP <= 1);
    const averaged = subsampledVariance(minute, price, 5);
    assert.ok(averaged / realisedVariance > 0.3 && averaged / realisedVariance < 2, name);
    const annual = Math.sqrt(252 * realisedVariance);
    // A short bond fund moves by a hundredth of what a share does.
    assert.ok(annual > 0.001 && annual < 1, `${name} ${annual}`);
    checked++;
  }
  assert.ok(checked >= 30, `${checked}`);
});

/** Regular hours only, as minutes from 09:30. */
function readSessions(path: string): Map<string, { minute: Float64Array; price: Float64Array }> {
  const rows = new Map<string, [number, number][]>();
  for (const line of gunzipSync(readFileSync(path)).toString('latin1').trim().split('\n').slice(1)) {
    const [stamp, symbol, , , , close] = line.split(',');
    const minute = 60 * Number(stamp!.slice(11, 13)) + Number(stamp!.slice(14, 16)) - 570;
    if (minute < 0 || minute >= 390) continue;
    const name = `${symbol} ${stamp!.slice(0, 10)}`;
    const session = rows.get(name) ?? [];
    session.push([minute, Number(close)]);
    rows.set(name, session);
  }
  return new Map(
    [...rows].map(([name, session]) => [
      name,
      { minute: Float64Array.from(session, ([m]) => m), price: Float64Array.from(session, ([, p]) => p) },
    ]),
  );
}
