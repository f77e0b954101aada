import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createRandom } from '@touchstone/quant/random/random';
import { dayNumber, dayText } from '@touchstone/quant/series/day';
import { tradingDays } from '@touchstone/quant/series/trading-calendar';
import { createTestDatabase, type TestDatabase } from '../../../test/cluster.ts';
import { addBars, addInstrument, addRun, addSource, addTenant, publish } from '../../../test/facts.ts';
import { createBarsService } from '../../market-data/bars/bars.service.ts';
import type { Principal } from '../../platform/database/database.ts';
import { createSeriesService } from './series.ts';

const DAYS = Array.from(tradingDays('XNYS', dayNumber('2024-01-02'), dayNumber('2024-03-28')), dayText);
const SPLIT_DAY = DAYS[20]!;
const DIVIDEND_DAY = DAYS[40]!;

let db: TestDatabase;
let who: Principal;
let other: Principal;
let first: number;
let second: number;
let empty: number;
before(async () => {
  db = await createTestDatabase();
  who = await addTenant(db.migrator, 5);
  other = await addTenant(db.migrator, 6);
  await db.database.transaction(who, async (tx) => {
    const source = await addSource(tx, 'raw-prices');
    first = await addInstrument(tx, 'BBB');
    second = await addInstrument(tx, 'AAA');
    empty = await addInstrument(tx, 'NONE');
    const random = createRandom(3);
    const path = (instrumentId: number) => {
      let close = 100;
      return DAYS.map((day) => {
        close *= 1 + 0.01 * random.normal();
        const isAfter = instrumentId === first && day >= SPLIT_DAY;
        return { instrumentId, day, close: isAfter ? close / 2 : close };
      });
    };
    await addBars(tx, source, [...path(first), ...path(second)]);
    const run = await addRun(tx, source, 'corporate_actions');
    await tx.query
      .insertInto('corporate_action')
      .values([
        { ...actionOf(source, run, SPLIT_DAY), kind: 'split', value: 2 },
        { ...actionOf(source, run, DIVIDEND_DAY), kind: 'dividend', value: 0.5 },
      ])
      .execute();
    await publish(tx, run, { min: `${SPLIT_DAY}T12:00:00Z`, max: `${DIVIDEND_DAY}T12:00:00Z` });
    // What was wrong on one day is told anew at the end.
    const correction = { instrumentId: second, day: DAYS[5]!, close: 500, knownAt: `${DAYS.at(-1)}T22:00:00.000Z` };
    await addBars(tx, source, [correction]);
  });
});
after(() => db.close());

function actionOf(sourceId: number, runId: number, day: string) {
  return {
    ...{ tenant_id: who.tenantId, instrument_id: first, source_id: sourceId, run_id: runId },
    ...{ day, known_at: `${day}T12:00:00.000Z` },
  };
}

function service() {
  return createSeriesService(db.database, async () => ({
    name: 'both',
    sourceId: sourceIdOf,
    instrumentIds: [first, second, empty],
  }));
}
let sourceIdOf = 0;

test('a series is what the bars of the same moment are, adjusted for splits and dividends', async () => {
  const series = await service().read(who, { kind: 'instrument', id: first }, {});
  const bars = await createBarsService(db.database).list(who, first, { basis: 'total_return' });
  assert.equal(series.basis, 'total_return');
  assert.deepEqual(
    Array.from(series.bars.day, dayText),
    bars.items.map(({ day }) => day),
  );
  assert.deepEqual(
    [...series.bars.close],
    bars.items.map(({ close }) => close),
  );
});

test('what became known later does not show before, and every moment has its own hash', async () => {
  const before = { knownAt: `${DAYS[30]}T22:00:00.000Z` };
  const then = await service().read(who, { kind: 'instrument', id: second }, before);
  const now = await service().read(who, { kind: 'instrument', id: second }, {});
  assert.equal(dayText(then.bars.day.at(-1)!), DAYS[30]);
  assert.notEqual(then.bars.close[5], 500);
  assert.equal(now.bars.close[5], 500);
  assert.notEqual(then.dataSha256, now.dataSha256);
  const again = await service().read(who, { kind: 'instrument', id: second }, before);
  assert.equal(again.dataSha256, then.dataSha256);
  // A dividend of day 40 moves no price that was known on day 30.
  const early = await service().read(who, { kind: 'instrument', id: first }, before);
  const untilThen = await createBarsService(db.database).list(who, first, { ...before, basis: 'total_return' });
  assert.deepEqual(
    [...early.bars.close],
    untilThen.items.map(({ close }) => close),
  );
});

test('a universe comes in one answer, by symbol, without the members that have no bar', async () => {
  const one = await createBarsService(db.database).list(who, first, {});
  sourceIdOf = one.sourceId!;
  const { members, time } = await service().readUniverse(who, 1, {});
  assert.deepEqual(
    members.map(({ subject }) => subject.symbol),
    ['AAA', 'BBB'],
  );
  const alone = await service().read(who, { kind: 'instrument', id: second }, time);
  assert.equal(members[0]!.dataSha256, alone.dataSha256);
});

test('an instrument without bars has an empty series; one of another tenant does not exist', async () => {
  const { bars, hasRange } = await service().read(who, { kind: 'instrument', id: empty }, {});
  assert.equal(bars.day.length, 0);
  assert.equal(hasRange, false);
  for (const id of [first, 2_000_000_000])
    await assert.rejects(service().read(other, { kind: 'instrument', id }, {}), { code: 'NOT_FOUND' });
  await assert.rejects(service().readMany(who, [first, 2_000_000_000], {}), { code: 'NOT_FOUND' });
});
