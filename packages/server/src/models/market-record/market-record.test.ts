import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { dayNumber, dayText } from '@touchstone/quant/series/day';
import { tradingDays } from '@touchstone/quant/series/trading-calendar';
import { simulateRegimePath } from '@touchstone/quant/simulate/regime-simulator';
import { createTestDatabase, type TestDatabase } from '../../../test/cluster.ts';
import { addBars, addInstrument, addSource, addTenant } from '../../../test/facts.ts';
import { inlineCompute } from '../../../test/inline-compute.ts';
import { createSeriesService } from '../../features/index.ts';
import type { Principal } from '../../platform/database/database.ts';
import type { TaskHandler } from '../../platform/tasks/tasks.ts';
import { createAnomalyService, createRegimeService, MARKET_RECORD_TASK, registerMarketRecordTask } from '../index.ts';

const DAYS = Array.from(tradingDays('XNYS', dayNumber('2019-01-02'), dayNumber('2022-12-30')), dayText).slice(0, 850);

let db: TestDatabase;
let who: Principal;
let members: number[];
let run: TaskHandler;
before(async () => {
  db = await createTestDatabase();
  who = await addTenant(db.migrator, 5);
  members = await db.database.transaction(who, async (tx) => {
    const source = await addSource(tx, 'prices', 'total_return');
    const ids = [await addInstrument(tx, 'ONE'), await addInstrument(tx, 'TWO'), await addInstrument(tx, 'YOUNG')];
    for (const [k, instrumentId] of ids.entries()) {
      const { close } = simulateRegimePath(1001 + k, 't5', k === 2 ? 100 : DAYS.length);
      // The last day of the first falls by a fifth.
      const last = (t: number) => (k === 0 && t === DAYS.length - 1 ? 0.8 : 1);
      await addBars(
        tx,
        source,
        Array.from(close, (price, t) => ({ instrumentId, day: DAYS[t]!, close: price * last(t) })),
      );
    }
    return ids;
  });
  const { database } = db;
  const universeBars = async () => ({ name: 'all', sourceId: 1, instrumentIds: members });
  const series = createSeriesService(database, universeBars);
  const shared = { database, series, compute: inlineCompute, codeVersion: 'test' };
  const tasks = {
    register: (kind: string, handler: TaskHandler) => {
      assert.equal(kind, MARKET_RECORD_TASK);
      run = handler;
    },
    start: () => Promise.reject(new Error('starts nothing')),
  };
  registerMarketRecordTask({
    ...{ database, tasks, universeBars },
    regimes: createRegimeService(shared),
    anomalies: createAnomalyService(shared),
  });
});
after(() => db.close());

const context = (signal = new AbortController().signal) => ({ principal: who, taskId: 1, signal, progress: () => {} });

test('every member is put on record once, and one without history stops nobody', async () => {
  const first = await run({ universeId: 1 }, context());
  assert.deepEqual(first, {
    ...{ universeId: 1, memberCount: 3, regimesSealed: 2, regimesKnown: 0, withoutHistory: 1 },
    casesOpened: first.casesOpened,
  });
  assert.ok(Number(first.casesOpened) >= 3, String(first.casesOpened));
  const again = await run({ universeId: 1 }, context());
  assert.deepEqual(again, {
    ...{ universeId: 1, memberCount: 3, regimesSealed: 0, regimesKnown: 2, withoutHistory: 1, casesOpened: 0 },
  });
});

test('it stops when it is asked to', async () => {
  await assert.rejects(run({ universeId: 1 }, context(AbortSignal.abort(new Error('enough')))), /enough/);
});
