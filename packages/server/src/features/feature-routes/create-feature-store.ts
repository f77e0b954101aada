import type { Clock } from '../../platform/clock/clock.ts';
import type { Compute } from '../../platform/compute/compute.ts';
import type { Database } from '../../platform/database/database.ts';
import type { Serve } from '../../platform/http/serve.ts';
import type { ObjectStore } from '../../platform/object-store/object-store.ts';
import type { RedisLine } from '../../platform/redis/redis.ts';
import type { TaskEngine } from '../../platform/tasks/task-engine.ts';
import type { BlastRadiusService } from '../blast-radius/blast-radius.service.ts';
import type { ReadCoverage } from '../blast-radius/coverage.ts';
import { registerFeastRoutes } from '../feast/feast.routes.ts';
import { createPushService } from '../feast/push.service.ts';
import { createFeatureComputer, type FeatureComputer } from '../feature-compute/feature-computer.ts';
import { registerFeatureDependents } from '../feature-store/feature-dependents.ts';
import { createFeatureSeriesService } from '../feature-store/feature-series.service.ts';
import { createFreezeFeaturesService } from '../feature-store/freeze-features.service.ts';
import { createHistoricalService, type ResolveUniverseBars } from '../feature-store/historical.service.ts';
import { createFeatureViewService } from '../feature-view/feature-view.service.ts';
import { createDatabaseStore } from '../online-store/database-store.ts';
import { createMaterialiseService, MATERIALISE_TASK } from '../online-store/materialise.service.ts';
import { createOnlineService } from '../online-store/online.service.ts';
import type { OnlineStore } from '../online-store/online-store.ts';
import { createProcessStore } from '../online-store/process-store.ts';
import { createRedisStore } from '../online-store/redis-store.ts';
import { createServedSamples } from '../online-store/served-samples.ts';
import type { SeriesService } from '../series/series.ts';
import { createSkewService, SKEW_TASK } from '../skew/skew.service.ts';
import { registerFeatureStoreRoutes } from './feature-store.routes.ts';
import { registerFeatureViewRoutes } from './feature-view.routes.ts';

export type OnlineStoreKind = OnlineStore['kind'];

export type FeatureStoreParts = {
  database: Database;
  objects: ObjectStore;
  tasks: TaskEngine;
  compute: Compute;
  clock: Clock;
  codeVersion: string;
  series: SeriesService;
  /** Universes live downstream. */
  universeBars: ResolveUniverseBars;
  blastRadius: BlastRadiusService;
  readCoverage: ReadCoverage;
  /** Where online values are answered from. Default: the process. */
  onlineStore?: OnlineStoreKind | undefined;
  /** Needed by the kind `redis`. */
  redis?: RedisLine | null | undefined;
  log?: { warn(fields: object, text: string): void };
  /** For tests: a computer with other limits. */
  computer?: FeatureComputer | undefined;
};

/** The whole feature store: registers its tasks, schedules and dependents on the way. */
export function createFeatureStore(parts: FeatureStoreParts) {
  const { database, objects, tasks, compute, clock, codeVersion, series, universeBars } = parts;
  const computer = parts.computer ?? createFeatureComputer(compute);
  const views = createFeatureViewService(database, computer, codeVersion);
  const historical = createHistoricalService(database, views, computer, universeBars);
  const store = createOnlineStore(parts);
  const samples = createServedSamples(database, parts.log ?? { warn: () => {} });
  const online = createOnlineService({ database, clock, views, store, samples });
  const materialise = createMaterialiseService({ database, tasks, views, historical, store, universeBars });
  const skew = createSkewService({ database, tasks, views, historical, samples });
  const freeze = createFreezeFeaturesService({ database, objects, tasks, views, historical, universeBars });
  const push = createPushService(database, views, store);

  tasks.registerSchedule('materialise', (input) => ({
    kind: MATERIALISE_TASK,
    title: 'Materialise features on schedule',
    input,
  }));
  tasks.registerScheduleCheck('materialise', materialise.checkInput);
  tasks.registerSchedule('feature-skew', (input) => ({
    kind: SKEW_TASK,
    title: 'Check served features on schedule',
    input,
  }));
  registerFeatureDependents(parts.blastRadius, parts.readCoverage);

  return {
    views,
    historical,
    online,
    materialise,
    skew,
    store,
    registerRoutes(serve: Serve): void {
      registerFeatureViewRoutes(serve, views, materialise);
      const seriesOf = createFeatureSeriesService({ database, series, views, computer });
      registerFeatureStoreRoutes(serve, {
        series: seriesOf,
        historical,
        freeze,
        online,
        materialise,
        skew,
        codeVersion,
      });
      registerFeastRoutes(serve, views, online, push);
    },
  };
}

function createOnlineStore({ database, onlineStore = 'process', redis }: FeatureStoreParts): OnlineStore {
  if (onlineStore === 'database') return createDatabaseStore(database);
  if (onlineStore === 'process') return createProcessStore(database);
  if (redis == null) throw new Error('An online store in Redis needs a connection to Redis.');
  return createRedisStore(database, redis);
}
