import { INDICATOR_FACTORIES } from '@touchstone/quant/indicators/catalogue';
import {
  createBlastRadiusService,
  createCoverage,
  createFeatureStore,
  createSeriesService,
  type OnlineStoreKind,
} from '../src/features/index.ts';
import { systemClock } from '../src/platform/clock/clock.ts';
import type { Compute } from '../src/platform/compute/compute.ts';
import type { Transaction } from '../src/platform/database/database.ts';
import type { RedisLine } from '../src/platform/redis/redis.ts';
import { createTaskEngine } from '../src/platform/tasks/task-engine.ts';
import type { TaskHandler, TaskInput } from '../src/platform/tasks/tasks.ts';
import { createLog } from '../src/platform/telemetry/log.ts';
import { type BenchServer, TENANT } from './bench-server.ts';

const VIEW_SIZE = 500;
const STEPS_MAX = 300;

/** The feature store over a bench's database, with its tasks called by hand. The one universe is everything there is. */
export async function createBenchFeatureStore(
  { database, connection, objects }: BenchServer,
  compute: Compute,
  online: { kind?: OnlineStoreKind; redis?: RedisLine } = {},
) {
  const handlers = new Map<string, TaskHandler>();
  const engine = createTaskEngine({ database, connection, clock: systemClock, log: createLog('fatal') });
  const tasks = { ...engine, register: (kind: string, handler: TaskHandler) => void handlers.set(kind, handler) };
  const universeBars = async (tx: Transaction) => {
    const rows = await tx.query
      .selectFrom('instrument')
      .select('id')
      .where('tenant_id', '=', TENANT.tenantId)
      .execute();
    const source = await tx.query
      .selectFrom('source')
      .select('id')
      .where('tenant_id', '=', TENANT.tenantId)
      .executeTakeFirstOrThrow();
    return { name: 'everything', sourceId: source.id, instrumentIds: rows.map(({ id }) => id) };
  };
  const readCoverage = createCoverage(objects);
  const store = createFeatureStore({
    ...{ database, objects, tasks, compute, clock: systemClock, codeVersion: 'bench', universeBars, readCoverage },
    series: createSeriesService(database, universeBars),
    blastRadius: createBlastRadiusService(database, readCoverage),
    ...{ onlineStore: online.kind, redis: online.redis },
  });
  const call = (kind: string, input: TaskInput) => {
    const handler = handlers.get(kind);
    if (handler === undefined) throw new Error(`there is no task ${kind}`);
    return handler(input, { principal: TENANT, taskId: 1, signal: new AbortController().signal, progress: () => {} });
  };
  const { instrumentIds } = await database.transaction(TENANT, universeBars);
  return {
    store,
    instrumentIds,
    freeze: (input: TaskInput) => call('features.historical.freeze', input),
    materialise: (input: TaskInput) => call('features.online-store.materialise', input),
    /** Saves views of one's own with so many different features, and gives their references. */
    async saveFeatures(count: number): Promise<string[]> {
      const expressions = manyExpressions(count);
      const references: string[] = [];
      for (let from = 0; from < count; from += VIEW_SIZE) {
        const name = `bench_${from}`;
        const features = expressions
          .slice(from, from + VIEW_SIZE)
          .map((expression, i) => ({ name: `f_${i}`, expression }));
        const about = { description: '', owner: 'bench', entity: 'instrument', ttlDays: null, source: 'bars' } as const;
        await store.views.create(TENANT, { name, ...about, features });
        references.push(...features.map((feature) => `${name}:${feature.name}`));
      }
      return references;
    },
  };
}

/** Every kind of the catalogue, with parameters around its usual ones, until there are enough. */
function manyExpressions(count: number): string[] {
  const found = new Set<string>();
  for (let step = 0; found.size < count && step < STEPS_MAX; step++)
    for (const factory of INDICATOR_FACTORIES) for (const expression of atStep(factory, step)) found.add(expression);
  return [...found].slice(0, count);
}

/** The outputs of one kind with its first parameter moved; none where it does not go so far, or not with the others. */
function atStep(factory: (typeof INDICATOR_FACTORIES)[number], step: number): string[] {
  const [first] = Object.entries(factory.parameters);
  if (first === undefined) return step === 0 ? [`${factory.name}()`] : [];
  const [parameter, { initial, isWhole, max }] = first;
  const value = initial + (isWhole ? step : step / 128);
  if (value > max) return [];
  try {
    const { name, outputs } = factory.make({ [parameter]: value });
    return outputs.map(
      (output) => `${factory.name}(${value})${output === name ? '' : `.${output.slice(name.length + 1)}`}`,
    );
  } catch (error) {
    if (error instanceof RangeError) return [];
    throw error;
  }
}
