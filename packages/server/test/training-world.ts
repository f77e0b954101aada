import { mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';
import { createRandom } from '@touchstone/quant/random/random';
import { dayNumber, dayText } from '@touchstone/quant/series/day';
import { tradingDays } from '@touchstone/quant/series/trading-calendar';
import type { ClientConfig } from 'pg';
import { createFeatureComputer, createSeriesService } from '../src/features/index.ts';
import { createRegistry } from '../src/models/index.ts';
import { createTrainingService, type TrainingParts } from '../src/models/training/training.service.ts';
import { type Compute, createCompute } from '../src/platform/compute/compute.ts';
import type { Database, Principal } from '../src/platform/database/database.ts';
import { createFolderStore } from '../src/platform/object-store/object-store.ts';
import { createTaskEngine, type TaskEngine } from '../src/platform/tasks/task-engine.ts';
import { universeBars } from '../src/portfolio/index.ts';
import type { TestDatabase } from './cluster.ts';
import { addBars, addInstrument, addSource, type TestBar } from './facts.ts';

export const TENANT: Principal = { tenantId: 7, actorId: null };
export const WORLD_DAYS = Array.from(tradingDays('XNYS', dayNumber('2019-01-02'), dayNumber('2022-06-30')), dayText);

/** Moves within a day. */
const STEPS = 8;

/** Bars whose volatility swings slowly about a mean, so that its direction can be told. */
export function swingingBars(instrumentId: number, days: readonly string[], seed: number): TestBar[] {
  const random = createRandom(seed);
  let [state, close] = [0, 50 + seed];
  return days.map((day) => {
    state = 0.93 * state + 0.25 * random.normal();
    const volatility = 0.012 * Math.exp(state);
    const open = close * Math.exp(0.2 * volatility * random.normal());
    close = open;
    let [high, low] = [open, open];
    for (let step = 0; step < STEPS; step++) {
      close *= Math.exp((volatility / Math.sqrt(STEPS)) * random.normal());
      high = Math.max(high, close);
      low = Math.min(low, close);
    }
    return { instrumentId, day, open, close, high, low };
  });
}

/** A tenant with a universe of instruments, in a fresh database. */
export async function addWorld(db: TestDatabase, memberCount = 5): Promise<{ universeId: number }> {
  await db.migrator.query(`INSERT INTO tenant (id, name) VALUES (7, 'seven')`);
  return addUniverse(db, memberCount, WORLD_DAYS);
}

/** A universe of instruments that swing, of tenant 7. */
export async function addUniverse(
  db: { database: Database },
  memberCount: number,
  days: readonly string[],
): Promise<{ universeId: number }> {
  const universeId = await db.database.transaction(TENANT, async (tx) => {
    const sourceId = await addSource(tx, 'swinging', 'total_return');
    const bars: TestBar[] = [];
    for (let k = 0; k < memberCount; k++) bars.push(...swingingBars(await addInstrument(tx, `SWING${k}`), days, k + 1));
    await addBars(tx, sourceId, bars);
    const { id } = await tx.query
      .insertInto('universe')
      .values({ tenant_id: 7, name: 'Swinging', rule: 'all_of_source', source_tenant_id: 7, source_id: sourceId })
      .returning('id')
      .executeTakeFirstOrThrow();
    return id;
  });
  return { universeId };
}

export type Trainer = {
  tasks: TaskEngine;
  training: ReturnType<typeof createTrainingService>;
  registry: ReturnType<typeof createRegistry>;
  objects: ReturnType<typeof createFolderStore>;
  home: string;
  close(): Promise<void>;
};

export type Gate = { open(count: number): void; pass(): Promise<void> };

/** Lets so many parts through as it was opened for. */
export function createGate(): Gate {
  let free = 0;
  const waiting: (() => void)[] = [];
  return {
    open(count) {
      free += count;
      while (free > 0 && waiting.length > 0) {
        free -= 1;
        waiting.shift()!();
      }
    },
    pass: () =>
      new Promise((resolve) => {
        if (free > 0) {
          free -= 1;
          resolve();
        } else waiting.push(resolve);
      }),
  };
}

/** Threads whose parts wait at a gate. */
function behind(gate: Gate, compute: Compute): Compute {
  return {
    async run(file, name, payload, options) {
      if (name === 'runPart') {
        const stopped = new Promise<never>((_, reject) =>
          options?.signal?.addEventListener('abort', () => reject(options.signal?.reason)),
        );
        await Promise.race([gate.pass(), stopped]);
      }
      return compute.run(file, name, payload, options);
    },
  };
}

/** A process that trains, as `stages.ts` wires it. */
export async function startTrainer(
  db: { database: Database; connection: ClientConfig },
  change: Partial<TrainingParts> & { threads?: number; home?: string; gate?: Gate } = {},
): Promise<Trainer> {
  const { threads = 1, home = await mkdtemp('/tmp/touchstone-training-'), gate, ...also } = change;
  const { database, connection } = db;
  const log = { info() {}, warn() {}, error() {} };
  const tasks = createTaskEngine({ database, connection, clock: { now: Date.now }, log });
  const objects = createFolderStore(path.join(home, 'objects'));
  const own = createCompute(threads);
  const compute = gate === undefined ? own : behind(gate, own);
  const registry = createRegistry({ database, objects, codeVersion: 'test' });
  const training = createTrainingService({
    ...{ database, objects, tasks, compute, registry, universeBars, codeVersion: 'test', lanes: threads },
    ...{ series: createSeriesService(database, universeBars), computer: createFeatureComputer(compute) },
    ...also,
  });
  await tasks.run();
  return {
    ...{ tasks, training, registry, objects, home },
    async close() {
      await tasks.stop();
      await own.close();
      if (change.home === undefined) await rm(home, { recursive: true, force: true });
    },
  };
}
