import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { scopesOf } from '@touchstone/contracts/policy';
import { dayNumber } from '@touchstone/quant/series/day';
import { closeInstant, isTradingDay } from '@touchstone/quant/series/trading-calendar';
import fc from 'fast-check';
import { PgBoss } from 'pg-boss';
import { createTestDatabase, type TestDatabase } from '../../../test/cluster.ts';
import { sessionTimes } from '../../market-data/index.ts';
import type { Clock } from '../clock/clock.ts';
import { ProblemError } from '../problem-error.ts';
import { createScheduleService } from './schedule.service.ts';
import { nextInstants, type Timing } from './schedule-times.ts';
import { createTaskEngine, type TaskEngine } from './task-engine.ts';

// Engines that take no work: only their timers are asked, so nothing here depends on how fast anything is.

const KIND = 'test.schedule.run';
const silent = { info() {}, warn() {}, error() {} };
const owner = { tenantId: 7, actorId: null, scopes: scopesOf('owner', true) };
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

let db: TestDatabase;
before(async () => {
  db = await createTestDatabase();
  await db.migrator.query(`INSERT INTO tenant (id, name) VALUES (7, 'seven')`);
});
after(() => db.close());

function engine(clock: Clock, isAble = true): TaskEngine {
  const tasks = createTaskEngine({ database: db.database, connection: db.connection, clock, log: silent });
  tasks.registerSessionTimes(sessionTimes);
  if (isAble) tasks.register(KIND, async () => ({}));
  tasks.registerSchedule('verify', (input) => ({ kind: KIND, title: 'Scheduled', input }));
  return tasks;
}

const at = (text: string) => Date.parse(text);
const times = (timing: Timing, from: string, count: number) =>
  db.database
    .transaction(owner, (tx) => nextInstants(tx, timing, at(from), count, sessionTimes))
    .then((instants) => instants.map((instant) => new Date(instant).toISOString()));

/** A schedule made at a moment, engines that share it, and a clock to move. */
async function scheduled(from: string, body: { cron?: string; afterClose?: { calendar: string; minutes: number } }) {
  await db.migrator.query(`UPDATE schedule SET enabled = false, deleted_at = now()`);
  const clock = { at: at(from), now: () => clock.at };
  const engines = [engine(clock), engine(clock), engine(clock)];
  const schedules = createScheduleService(db.database, engines[0]!);
  const made = await schedules.create(owner, { kind: 'verify', title: 'It', input: {}, enabled: true, ...body });
  return {
    clock,
    engines,
    schedules,
    made,
    /** Every engine looks, all at the same moment. */
    look: async () => (await Promise.all(engines.map((each) => each.schedules.tick()))).reduce((a, b) => a + b),
    stop: () => Promise.all(engines.map((each) => each.stop())),
  };
}

test('minutes after the close follow holidays, early closes and daylight saving', async () => {
  const timing: Timing = { kind: 'after-close', calendar: 'XNYS', minutes: 75 };
  // Thanksgiving 2026 is 26 November; the Friday after it closes at 13:00.
  assert.deepEqual(await times(timing, '2026-11-25T00:00:00Z', 3), [
    '2026-11-25T22:15:00.000Z',
    '2026-11-27T19:15:00.000Z',
    '2026-11-30T22:15:00.000Z',
  ]);
  // Clocks in New York go forward on 8 March 2026.
  assert.deepEqual(await times(timing, '2026-03-06T00:00:00Z', 2), [
    '2026-03-06T22:15:00.000Z',
    '2026-03-09T21:15:00.000Z',
  ]);
  assert.deepEqual(await times({ kind: 'after-close', calendar: 'EVERY_DAY', minutes: 0 }, '2026-03-06T00:00:00Z', 2), [
    '2026-03-07T00:00:00.000Z',
    '2026-03-08T00:00:00.000Z',
  ]);
});

test('cron on trading days only leaves out weekends and holidays by the local day of the exchange', async () => {
  const timing: Timing = { kind: 'cron', cron: '0 1 * * *', tradingDaysOnly: 'XNYS' };
  // One in the morning in UTC is the evening before in New York: Saturday's belongs to Friday's session.
  assert.deepEqual(await times(timing, '2026-11-24T12:00:00Z', 4), [
    '2026-11-25T01:00:00.000Z',
    '2026-11-26T01:00:00.000Z',
    '2026-11-28T01:00:00.000Z',
    '2026-12-01T01:00:00.000Z',
  ]);
});

test('every instant after a close lies the same minutes after the close of a trading day, and none is left out', async () => {
  const days = fc.integer({ min: dayNumber('2015-01-01'), max: dayNumber('2030-01-01') });
  await fc.assert(
    fc.asyncProperty(days, fc.integer({ min: 0, max: 1440 }), async (day, minutes) => {
      const timing: Timing = { kind: 'after-close', calendar: 'XNYS', minutes };
      const told = await db.database.transaction(owner, (tx) => nextInstants(tx, timing, day * DAY, 6, sessionTimes));
      const wanted: number[] = [];
      for (let d = day - 3; wanted.length < 6; d++) {
        if (!isTradingDay('XNYS', d)) continue;
        const instant = closeInstant('XNYS', d) + minutes * MINUTE;
        if (instant > day * DAY) wanted.push(instant);
      }
      assert.deepEqual(told, wanted);
    }),
    { numRuns: 30 },
  );
});

test('three processes start a due schedule once, and once again at its next time', async () => {
  const { clock, look, schedules, made, stop } = await scheduled('2026-05-04T00:00:00Z', { cron: '0 3 * * *' });
  assert.deepEqual(made.nextRuns[0], '2026-05-04T03:00:00.000Z');
  assert.equal(await look(), 0, 'not due yet');
  for (let day = 0; day < 5; day++) {
    clock.at = at('2026-05-04T03:00:01Z') + day * DAY;
    assert.equal(await look(), 1, `day ${day}`);
    assert.equal(await look(), 0, `day ${day}, again`);
  }
  const [shown] = await schedules.list(owner);
  assert.equal(shown?.lastStartedAt, '2026-05-08T03:00:01.000Z');
  assert.equal(shown?.lastTask?.state, 'queued');
  assert.equal(shown?.version, 1, 'a start is no change of the schedule');
  await stop();
});

test('times that passed while nothing ran are made up for once', async () => {
  const { clock, look, stop } = await scheduled('2026-05-04T00:00:00Z', { cron: '0 3 * * *' });
  clock.at = at('2026-05-14T12:00:00Z');
  assert.equal(await look(), 1);
  clock.at = at('2026-05-15T02:59:00Z');
  assert.equal(await look(), 0);
  clock.at = at('2026-05-15T03:00:00Z');
  assert.equal(await look(), 1);
  await stop();
});

test('a clock that is set back starts nothing twice, and the next day is not lost', async () => {
  const { clock, look, stop } = await scheduled('2026-05-04T00:00:00Z', { cron: '0 3 * * *' });
  clock.at = at('2026-05-04T03:00:10Z');
  assert.equal(await look(), 1);
  clock.at = at('2026-05-04T01:00:00Z');
  for (let minute = 0; minute < 240; minute += 10) {
    clock.at += 10 * MINUTE;
    assert.equal(await look(), 0, new Date(clock.at).toISOString());
  }
  clock.at = at('2026-05-05T03:00:00Z');
  assert.equal(await look(), 1);
  await stop();
});

test('a clock that jumps ahead starts once, and set right again keeps the days it had jumped over', async () => {
  const { clock, look, stop } = await scheduled('2026-05-04T00:00:00Z', { cron: '0 3 * * *' });
  clock.at = at('2026-05-20T12:00:00Z');
  assert.equal(await look(), 1, 'ahead');
  clock.at = at('2026-05-04T04:00:00Z');
  assert.equal(await look(), 0, 'right again: that of the 4th was served');
  clock.at = at('2026-05-05T03:00:00Z');
  assert.equal(await look(), 1, 'the 5th');
  await stop();
});

test('whatever a clock does, no due time is served twice', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: -3 * 24, max: 3 * 24 }), { minLength: 5, maxLength: 15 }),
      async (hours) => {
        const { clock, look, made, stop } = await scheduled('2026-05-04T00:00:00Z', { cron: '0 3 * * *' });
        const served = new Set<string>();
        for (const step of hours) {
          clock.at += step * HOUR;
          if ((await look()) === 0) continue;
          const { rows } = await db.migrator.query(
            'SELECT last_due_at::text AS due FROM schedule_timer WHERE schedule_id = $1',
            [made.id],
          );
          assert.ok(!served.has(rows[0].due), `${rows[0].due} was served before`);
          served.add(rows[0].due);
        }
        await stop();
      },
    ),
    { numRuns: 8 },
  );
});

test('a day that is told to be a holiday after its time was computed starts nothing', async () => {
  const afterClose = { calendar: 'XNYS', minutes: 60 };
  const { clock, look, made, schedules, stop } = await scheduled('2026-06-01T00:00:00Z', { afterClose });
  assert.equal(made.nextRuns[0], '2026-06-01T21:00:00.000Z');
  const { rows } = await db.migrator.query(
    `WITH s AS (INSERT INTO source (tenant_id, code, name, kind) VALUES (7, 'days', 'Days', 'calendar') RETURNING id)
     INSERT INTO ingest_run (tenant_id, source_id, kind, state) SELECT 7, id, 'holidays', 'published' FROM s RETURNING id, source_id`,
  );
  const { id, source_id } = rows[0];
  await db.migrator.query(
    `INSERT INTO exchange_holiday (tenant_id, calendar, day, run_id, source_id, kind, name) VALUES
       (7, 'XNYS', '2026-06-01', ${id}, ${source_id}, 'closed', 'Mourning'), (7, 'XNYS', '2026-06-02', ${id}, ${source_id}, 'early', 'Storm')`,
  );
  await db.migrator.query(
    `INSERT INTO publication (tenant_id, run_id, kind, published_at, row_count, content_sha256, known_at_min, known_at_max)
     VALUES (7, ${id}, 'publish', now(), 2, '\\x00', now(), now())`,
  );
  clock.at = at('2026-06-01T21:00:30Z');
  assert.equal(await look(), 0, 'closed');
  const [shown] = await schedules.list(owner);
  assert.equal(shown?.nextRuns[0], '2026-06-02T18:00:00.000Z', 'three hours earlier');
  clock.at = at('2026-06-02T18:00:30Z');
  assert.equal(await look(), 1);
  await stop();
});

test('a change keeps the due time of an unchanged time, and a paused schedule makes up for nothing', async () => {
  const { clock, look, made, schedules, stop } = await scheduled('2026-05-04T00:00:00Z', { cron: '0 3 * * *' });
  clock.at = at('2026-05-04T03:00:05Z');
  const renamed = await schedules.update(owner, made.id, { title: 'Other', version: made.version });
  assert.equal(await look(), 1, 'due before it was renamed');
  const paused = await schedules.update(owner, made.id, { enabled: false, version: renamed.version });
  assert.deepEqual(paused.nextRuns, []);
  clock.at += 10 * DAY;
  assert.equal(await look(), 0);
  await schedules.update(owner, made.id, { enabled: true, version: paused.version });
  assert.equal(await look(), 0, 'the days of the pause are gone');
  await assert.rejects(
    schedules.update(owner, made.id, { title: 'Late', version: paused.version }),
    (error) =>
      error instanceof ProblemError &&
      error.code === 'CONFLICT' &&
      /version 4 by now; your change started from version 3/.test(error.message),
  );
  await stop();
});

test('a schedule an older version made or changed is taken over: its clock in the queue goes, it starts once', async () => {
  const { clock, look, stop } = await scheduled('2026-05-04T00:00:00Z', { cron: '0 3 * * *' });
  const { rows } = await db.migrator.query(
    `INSERT INTO schedule (tenant_id, kind, title, cron) VALUES (7, 'verify', 'Old', '0 5 * * *') RETURNING id`,
  );
  const boss = new PgBoss({
    ...{ schema: 'pgboss', migrate: false, createSchema: false, supervise: false, schedule: false },
    db: { executeSql: async (text, values) => db.database.pool.query(text, values) },
  });
  await boss.start();
  await boss.createQueue('touchstone-schedules');
  await boss.schedule('touchstone-schedules', '0 5 * * *', {}, { key: `7-${rows[0].id}` });
  await boss.stop({ close: false });
  assert.equal(await look(), 0);
  assert.equal((await db.migrator.query('SELECT FROM pgboss.schedule')).rowCount, 0);
  clock.at = at('2026-05-04T05:00:00Z');
  assert.equal(await look(), 2, 'this one, and the one at three');
  await stop();
});

test('a process that cannot do the work leaves it to one that can', async () => {
  const { clock, look, stop } = await scheduled('2026-05-04T00:00:00Z', { cron: '0 3 * * *' });
  const old = engine(clock, false);
  clock.at = at('2026-05-04T03:00:00Z');
  assert.equal(await old.schedules.tick(), 0);
  assert.equal(await look(), 1);
  const schedules = createScheduleService(db.database, old);
  await assert.rejects(
    schedules.create(owner, { kind: 'verify', title: 'x', cron: '0 3 * * *', input: {}, enabled: true }),
    /This version cannot start "verify" by schedule/,
  );
  await old.stop();
  await stop();
});

test('a time that cannot be is refused in words', async () => {
  const { schedules, stop } = await scheduled('2026-05-04T00:00:00Z', { cron: '0 3 * * *' });
  const body = { kind: 'verify' as const, title: 'x', input: {}, enabled: true };
  const afterClose = { calendar: 'XNYS', minutes: 5 };
  await assert.rejects(schedules.create(owner, body), /Say the time by cron or by afterClose/);
  await assert.rejects(schedules.create(owner, { ...body, cron: '0 3 * * *', afterClose }), /not by both/);
  await assert.rejects(schedules.create(owner, { ...body, cron: '61 3 * * *' }), /cannot be used/);
  await assert.rejects(
    schedules.create(owner, { ...body, afterClose: { ...afterClose, calendar: 'MOON' } }),
    /no calendar MOON/,
  );
  await assert.rejects(
    schedules.create(owner, { ...body, cron: '0 3 * * *', tradingDaysOnly: 'MOON' }),
    /no calendar MOON/,
  );
  await assert.rejects(
    schedules.create({ ...owner, scopes: scopesOf('analyst', false) }, { ...body, kind: 'backup', cron: '0 3 * * *' }),
    /concerns the whole installation/,
  );
  await stop();
});
