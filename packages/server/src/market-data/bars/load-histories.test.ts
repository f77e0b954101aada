import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createRandom } from '@touchstone/quant/random/random';
import { dayNumber, dayText } from '@touchstone/quant/series/day';
import { tradingDays } from '@touchstone/quant/series/trading-calendar';
import { createTestDatabase, type TestDatabase } from '../../../test/cluster.ts';
import { addBars, addInstrument, addRun, addSource, addTenant, publish } from '../../../test/facts.ts';
import type { Principal } from '../../platform/database/database.ts';
import { resolveTime } from '../facts/read-time.ts';
import { loadBars } from './load-bars.ts';
import { barsAsKnown, type History, lastDayKnown, loadHistories, revisionTimes } from './load-histories.ts';

const DAYS = Array.from(tradingDays('XNYS', dayNumber('2024-01-02'), dayNumber('2024-04-30')), dayText);
const SEED = 11;

let db: TestDatabase;
let who: Principal;
let id: number;
let recordedAt: string;
before(async () => {
  db = await createTestDatabase();
  who = await addTenant(db.migrator, 5);
  await db.database.transaction(who, async (tx) => {
    const source = await addSource(tx, 'raw-prices');
    id = await addInstrument(tx, 'AAA');
    const random = createRandom(SEED);
    const bar = (at: number, knownAt?: string | null) => ({
      ...{ instrumentId: id, day: DAYS[at]!, close: 50 + 10 * random.uniform() },
      ...(knownAt === undefined ? {} : { knownAt }),
    });
    await addBars(
      tx,
      source,
      DAYS.map((_, at) => bar(at)).filter((_, at) => at % 9 !== 4),
    );
    // Told late, told again, told again with the time of our own clock, and taken back.
    await addBars(tx, source, [bar(4, `${DAYS[12]}T22:00:00.000Z`), bar(22, `${DAYS[20]}T10:00:00.000Z`)]);
    await addBars(tx, source, [bar(30, `${DAYS[40]}T22:00:00.000Z`), bar(31, `${DAYS[40]}T22:00:00.000Z`)]);
    await addBars(tx, source, [bar(10, null), bar(49, null)]);
    await publish(tx, await addBars(tx, source, [bar(33, null)]), undefined, 'retract');
    await publish(tx, await addBars(tx, source, [bar(35, `${DAYS[36]}T22:00:00.000Z`)]), undefined, 'retract');
    const run = await addRun(tx, source, 'corporate_actions');
    const action = { tenant_id: 5, instrument_id: id, source_id: source, run_id: run };
    await tx.query
      .insertInto('corporate_action')
      .values([
        { ...action, kind: 'split', value: 2, day: DAYS[25]!, known_at: `${DAYS[24]}T12:00:00.000Z` },
        { ...action, kind: 'dividend', value: 0.5, day: DAYS[45]!, known_at: `${DAYS[50]}T12:00:00.000Z` },
      ])
      .execute();
    await publish(tx, run, { min: `${DAYS[24]}T12:00:00Z`, max: `${DAYS[50]}T12:00:00Z` });
    recordedAt = (await resolveTime(tx, {})).recordedAt;
  });
});
after(() => db.close());

/** Days on and around which something became known, and the present with its tellings by our own clock. */
function moments(): { asOf: string; knownAt: string }[] {
  const random = createRandom(SEED).split('moments');
  const now = new Date(Date.parse(recordedAt) + 1).toISOString();
  const pairs = Array.from({ length: 40 }, () => {
    const at = random.integer(DAYS.length);
    const known = DAYS[Math.min(DAYS.length - 1, at + random.integer(12))]!;
    return { asOf: DAYS[at]!, knownAt: `${known}T${random.uniform() < 0.5 ? '15' : '22'}:00:00.000Z` };
  });
  return [...pairs, ...[5, 33, 36, 60].map((at) => ({ asOf: DAYS[at]!, knownAt: now }))];
}

test('a history says at every moment what reading the bars of that moment says, bit for bit', async () => {
  await db.database.transaction(who, async (tx) => {
    const history = (await loadHistories(tx, { instrumentIds: [id], to: DAYS.at(-1)!, recordedAt })).get(id)!;
    for (const { asOf, knownAt } of moments()) {
      const time = { asOf, knownAt, recordedAt, reconstructed: false };
      const loaded = (await loadBars(tx, { instrumentIds: [id], time })).get(id);
      const known = barsAsKnown(history, dayNumber(asOf), Date.parse(knownAt));
      assert.deepEqual(known.bars.day, loaded?.bars.day ?? new Int32Array(0), `${asOf} as known at ${knownAt}`);
      if (loaded !== undefined) assert.deepEqual(known.bars, loaded.bars, `${asOf} as known at ${knownAt}`);
      assert.equal(lastDayKnown(history, dayNumber(asOf), Date.parse(knownAt)), loaded?.bars.day.at(-1) ?? null);
    }
  });
});

test('between two revisions nothing but new last bars became known', async () => {
  const histories = await db.database.transaction(who, (tx) =>
    loadHistories(tx, { instrumentIds: [id], to: DAYS.at(-1)!, recordedAt }),
  );
  // Adjusting moves everything before an ex-day, which those who group rows look after themselves.
  const history: History = { ...histories.get(id)!, delivered: null };
  const revisions = revisionTimes(history);
  const last = dayNumber(DAYS.at(-1)!);
  let compared = 0;
  for (let at = 1; at < DAYS.length; at++) {
    const [from, to] = [Date.parse(`${DAYS[at - 1]}T22:00:00Z`), Date.parse(`${DAYS[at]}T21:30:00Z`)];
    if (revisions.some((time) => time > from && time <= to)) continue;
    const [before, later] = [barsAsKnown(history, last, from).bars, barsAsKnown(history, last, to).bars];
    assert.deepEqual(later.close.slice(0, before.close.length), before.close);
    compared++;
  }
  assert.ok(compared > 60 && revisions.length >= 5, `${compared} steps, ${revisions.length} revisions`);
});
