import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createRandom } from '@touchstone/quant/random/random';
import { dayNumber } from '@touchstone/quant/series/day';
import fc from 'fast-check';
import { createTestDatabase, type TestDatabase } from '../../../../test/cluster.ts';
import { createDatabase, type Database } from '../../../platform/database/database.ts';
import { createPool } from '../../../platform/database/pool.ts';
import {
  BASIC_LIMITS,
  type CreditBucket,
  creditStatus,
  EMPTY_BUCKET,
  markSpent,
  takeCredits,
  WINDOW_MS,
} from './credit-bucket.ts';
import { type Credits, createCredits } from './credits.ts';
import { planCredits } from './plan-credits.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const NOON = dayNumber('2026-03-02') * DAY_MS + DAY_MS / 2;
const KEY = 'an invented key 0123456789';

let db: TestDatabase;
before(async () => {
  db = await createTestDatabase();
  await db.migrator.query(`INSERT INTO tenant (id, name) VALUES (7, 'seven'), (8, 'eight')`);
});
after(() => db.close());

type Grant = { at: number; credits: number };

/** The most credits granted in any minute, wherever it begins. */
function minuteMax(grants: readonly Grant[]): number {
  return Math.max(
    0,
    ...grants.map(({ at }) =>
      grants
        .filter((other) => other.at >= at && other.at < at + MINUTE_MS)
        .reduce((sum, { credits }) => sum + credits, 0),
    ),
  );
}

function budget(database: Database, now: () => number, tenantId = 7, key = KEY): Credits {
  return createCredits({
    ...{ database, principal: { tenantId, actorId: null }, vendor: 'twelvedata', key, limits: BASIC_LIMITS, now },
  });
}

test('three processes asking at random for 24 hours never get more than 8 a minute or 800 a day', async () => {
  const random = createRandom('credits over a day');
  let now = NOON;
  const databases = [0, 1, 2].map(() => createDatabase(createPool({ ...db.connection, max: 2 }, () => {})));
  const processes = databases.map((database) => budget(database, () => now));
  const grants: Grant[] = [];
  while (now < NOON + DAY_MS) {
    const answers = await Promise.all(
      processes
        .filter(() => random.uniform() < 0.7)
        .map((process) => process.reserve(1 + random.integer(8), random.uniform() < 0.5 ? { atLeast: 1 } : {})),
    );
    for (const { granted } of answers) if (granted > 0) grants.push({ at: now, credits: granted });
    // Busy spells use up the day, quiet ones let it rest.
    now += Math.ceil(random.exponential() * (random.uniform() < 0.1 ? 900_000 : 40_000));
  }
  for (const database of databases) await database.close();

  assert.ok(minuteMax(grants) <= 8, `most in a minute: ${minuteMax(grants)}`);
  const byDay = Map.groupBy(grants, ({ at }) => Math.floor(at / DAY_MS));
  const used = [...byDay.values()].map((ofDay) => ofDay.reduce((sum, { credits }) => sum + credits, 0));
  assert.ok(
    used.every((sum) => sum <= 800),
    `used by day: ${used}`,
  );
  assert.equal(Math.max(...used), 800, `the day was really used up: ${used}`);
});

test('credits asked for at the same moment by many are granted once', async () => {
  const credits = budget(db.database, () => NOON, 7, 'a key for a rush');
  const answers = await Promise.all(Array.from({ length: 20 }, () => credits.reserve(1)));
  assert.equal(answers.filter(({ granted }) => granted === 1).length, 8);
  assert.deepEqual(
    answers.find(({ granted }) => granted === 0),
    { granted: 0, retryAt: NOON + WINDOW_MS, limit: 'minute' },
  );
});

test('the clock is the database’s when no other is given', async () => {
  const credits = createCredits({
    ...{ database: db.database, principal: { tenantId: 7, actorId: null }, vendor: 'twelvedata' },
    ...{ key: 'a key on the real clock', limits: BASIC_LIMITS },
  });
  await credits.reserve(5);
  const { minuteLeft, minuteResetsAt } = await credits.status();
  assert.equal(minuteLeft, 3);
  assert.ok(Math.abs(minuteResetsAt - WINDOW_MS - Date.now()) < 60_000);
});

test('a key’s budget is its tenant’s own, and only its hash is stored', async () => {
  await budget(db.database, () => NOON, 7, 'a shared key').reserve(8);
  assert.equal((await budget(db.database, () => NOON, 8, 'a shared key').status()).minuteLeft, 8);
  assert.equal((await budget(db.database, () => NOON, 7, 'a shared key').status()).minuteLeft, 0);
  const { rows } = await db.migrator.query('SELECT vendor_credit::text AS row FROM vendor_credit');
  assert.ok(rows.length > 0);
  for (const { row } of rows) assert.ok(!row.includes('shared') && !row.includes('invented'), row);
});

test('what a vendor says is spent is spent, until the minute or the day is over', async () => {
  let now = NOON;
  const credits = budget(db.database, () => now, 7, 'a key others use too');
  await credits.markSpent('minute');
  assert.deepEqual(await credits.reserve(1), { granted: 0, retryAt: NOON + WINDOW_MS, limit: 'minute' });
  now += WINDOW_MS;
  assert.deepEqual(await credits.reserve(8), { granted: 8 });
  await credits.markSpent('day');
  const midnight = NOON + DAY_MS / 2;
  assert.deepEqual(await credits.reserve(1), { granted: 0, retryAt: midnight, limit: 'day' });
  now = midnight;
  assert.deepEqual(await credits.reserve(8), { granted: 8 });
});

test('deleting the row of a budget gives nothing back', async () => {
  const credits = budget(db.database, () => NOON, 7, 'a key whose row is deleted');
  await credits.reserve(8);
  await db.migrator.query('UPDATE vendor_credit SET deleted_at = now()');
  assert.equal((await credits.status()).minuteLeft, 0);
  assert.equal((await credits.reserve(1)).granted, 0);
});

test('a question larger than the plan is refused for good, and part of one is granted when that is enough', () => {
  const take = (wanted: number, atLeast: number, bucket: CreditBucket = EMPTY_BUCKET) =>
    takeCredits(bucket, NOON, { wanted, atLeast }, BASIC_LIMITS);
  assert.deepEqual(take(20, 20).answer, { granted: 0, retryAt: null, limit: 'plan' });
  const first = take(13, 1);
  assert.deepEqual(first.answer, { granted: 8 });
  assert.deepEqual(take(5, 1, first.bucket).answer, { granted: 0, retryAt: NOON + WINDOW_MS, limit: 'minute' });
  assert.throws(() => take(1, 2), RangeError);
  assert.throws(() => take(0, 0), RangeError);
});

test('credits taken just before midnight count for both days', () => {
  const midnight = NOON + DAY_MS / 2;
  const limits = { minuteLimit: 8, dayLimit: 10 };
  const { bucket } = takeCredits(EMPTY_BUCKET, midnight - 1000, { wanted: 8, atLeast: 8 }, limits);
  assert.equal(creditStatus(bucket, midnight + WINDOW_MS, limits).dayLeft, 10);
  assert.equal(creditStatus(bucket, midnight, limits).dayLeft, 2);
});

/** Waits (ms, negative: the clock is set back) and questions. */
const steps = fc.array(
  fc.record({
    waitMs: fc.oneof(fc.integer({ min: 0, max: 90_000 }), fc.integer({ min: 0, max: 3 * 3_600_000 })),
    setBackMs: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, fc.integer({ min: 0, max: 20 * 3_600_000 })),
    wanted: fc.integer({ min: 1, max: 8 }),
    spent: fc.constantFrom('minute', 'day', null, null, null, null, null, null),
  }),
  { maxLength: 120 },
);

test('a clock that is set back never grants more: no true minute has more than 8, no counted day more than 800', () => {
  fc.assert(
    fc.property(steps, (all) => {
      const limits = { minuteLimit: 8, dayLimit: 40 };
      let bucket: CreditBucket = EMPTY_BUCKET;
      let trueTime = NOON;
      let setBack = 0;
      const grants: (Grant & { day: number })[] = [];
      for (const { waitMs, setBackMs, wanted, spent } of all) {
        trueTime += waitMs;
        setBack += setBackMs;
        const now = trueTime - setBack;
        if (spent !== null) bucket = markSpent(bucket, now, spent, limits);
        const taken = takeCredits(bucket, now, { wanted, atLeast: wanted }, limits);
        bucket = taken.bucket;
        if (taken.answer.granted > 0) {
          grants.push({ at: trueTime, credits: taken.answer.granted, day: bucket.day });
        } else if ('retryAt' in taken.answer && taken.answer.retryAt !== null) {
          assert.ok(taken.answer.retryAt > now, 'asking again makes sense later only');
          assert.equal(taken.bucket.recent.length <= 62, true);
          const later = takeCredits(bucket, taken.answer.retryAt, { wanted, atLeast: wanted }, limits);
          if (taken.answer.limit === 'minute' && creditStatus(bucket, taken.answer.retryAt, limits).dayLeft >= wanted) {
            assert.equal(later.answer.granted, wanted, 'at the time told, the credits are there');
          }
        }
      }
      assert.ok(minuteMax(grants) <= 8);
      for (const ofDay of Map.groupBy(grants, ({ day }) => day).values()) {
        assert.ok(ofDay.reduce((sum, { credits }) => sum + credits, 0) <= 40);
      }
    }),
    { numRuns: 300 },
  );
});

test('a clock that was years ahead does not lock the budget for years', () => {
  const future = NOON + 4000 * DAY_MS;
  const { bucket } = takeCredits(EMPTY_BUCKET, future, { wanted: 8, atLeast: 8 }, BASIC_LIMITS);
  const status = creditStatus(bucket, NOON, BASIC_LIMITS);
  assert.deepEqual([status.minuteLeft, status.dayLeft], [0, 792]);
  assert.equal(status.minuteResetsAt, NOON + WINDOW_MS);
  assert.equal(status.dayResetsAt, NOON + DAY_MS / 2);
});

test('the plan tells credits, minutes and days before anything is asked', () => {
  const fresh = { ...BASIC_LIMITS, minuteLeft: 8, dayLeft: 800 };
  assert.deepEqual(planCredits(13, fresh), {
    ...{ credits: 13, minutes: 2, days: 1, sentence: '13 symbols = 13 credits, 2 minutes' },
  });
  assert.equal(planCredits(1, fresh).sentence, '1 symbol = 1 credit, 1 minute');
  assert.equal(planCredits(0, fresh).minutes, 0);
  assert.equal(planCredits(13, { ...fresh, minuteLeft: 0 }).minutes, 3);
  const large = planCredits(2000, { ...fresh, dayLeft: 500 });
  assert.deepEqual([large.days, large.sentence], [3, '2,000 symbols = 2,000 credits, 3 days: 500 of them today']);
  assert.equal(planCredits(2, { ...fresh, dayLeft: 0 }).sentence, '2 symbols = 2 credits, 2 days: none left today');
  assert.equal(planCredits(3, fresh, 20).credits, 60);
});
