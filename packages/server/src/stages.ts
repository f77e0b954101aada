import path from 'node:path';
import type { PoolConfig } from 'pg';
import {
  createAugmentService,
  createBlastRadiusService,
  createCoverage,
  createDatasetService,
  createFeatureComputer,
  createFeatureStore,
  createSeriesService,
  type OnlineStoreKind,
  registerBlastRadiusRoutes,
  registerDatasetRoutes,
} from './features/index.ts';
import {
  createCourtService,
  createMarketData,
  loadSimulatedMarket,
  type MarketDataDeps,
  registerCourtRoutes,
  registerMarketDataRoutes,
  sessionTimes,
} from './market-data/index.ts';
import {
  createAnomalyService,
  createAutomlService,
  createDependenceService,
  createFactorsService,
  createForeignService,
  createMlflowWire,
  createPatternsService,
  createRayRunner,
  createRegimeService,
  createRegistry,
  createServing,
  createThreadRunner,
  createTrainingService,
  createTrainingTableService,
  createVolatilityService,
  createWatching,
  type RaySettings,
  registerAnomalyRoutes,
  registerAutomlRoutes,
  registerDependenceRoutes,
  registerFactorsRoutes,
  registerForeignRoutes,
  registerMarketRecordTask,
  registerModelDependents,
  registerPatternRoutes,
  registerRegimeRoutes,
  registerRegistryRoutes,
  registerTrainingRoutes,
  registerTrialDependents,
  registerTrialRoutes,
  registerVolatilityRoutes,
} from './models/index.ts';
import { type KeepingParts, registerKeepingRoutes, registerKeepingTasks } from './operate/keeping.ts';
import { registerVerifyRoutes, registerVerifyTask } from './operate/verify.routes.ts';
import { createWatch } from './operate/watch/watch.ts';
import type { SecretBox } from './platform/auth/secret-box.ts';
import type { Clock } from './platform/clock/clock.ts';
import type { Compute } from './platform/compute/compute.ts';
import type { Database } from './platform/database/database.ts';
import type { Serve } from './platform/http/serve.ts';
import type { ServeWire } from './platform/http/serve-wire.ts';
import type { ObjectStore } from './platform/object-store/object-store.ts';
import type { RedisLine } from './platform/redis/redis.ts';
import { createScheduleService } from './platform/tasks/schedule.service.ts';
import type { TaskEngine } from './platform/tasks/task-engine.ts';
import {
  createIndexRunService,
  createIndexService,
  createKeepCurrentService,
  createUniverseService,
  ensureSimulatedIndex,
  INDEX_RUN_TASK,
  registerIndexRoutes,
  registerIndexRunRoutes,
  registerKeepCurrentRoutes,
  registerPortfolioDependents,
  registerScheduleKinds,
  registerStrategyRoutes,
  registerUniverseRoutes,
  universeBars,
  universeOf,
  universeQuestion,
} from './portfolio/index.ts';

export type StageParts = {
  database: Database;
  /** How worker threads reach the database as the application. */
  connection: PoolConfig;
  home: string;
  objects: ObjectStore;
  tasks: TaskEngine;
  compute: Compute;
  /** Threads of their own for trainings. Left out: the others. */
  trainingCompute?: Compute;
  clock: Clock;
  codeVersion: string;
  /** Seals the keys of vendors. */
  secretBox: SecretBox;
  /** Where TwelveData is asked. */
  twelveDataUrl?: string;
  /** How vendors are reached, for tests. */
  feedOptions?: MarketDataDeps['feedOptions'];
  /** Where online features are answered from. Left out: from the process. */
  onlineStore?: OnlineStoreKind;
  /** For an online store in Redis. */
  redis?: RedisLine | null;
  /** A cluster that does the fits of trainings. Left out: own threads do. */
  ray?: RaySettings | null;
  /** How backups reach the whole database. Left out: the server cannot make any. */
  keeping?: Pick<KeepingParts, 'backupFolder' | 'reachOwner' | 'config'>;
  log?: { warn(fields: object, text: string): void };
};

/** A start on existing data is quicker than this and has nothing to tell. */
const SLOW_MS = 1_500;

/** The stages, upstream first, each given exactly what it needs. */
export function createStages(parts: StageParts) {
  const { database, connection, objects, tasks, compute, clock, codeVersion } = parts;
  const market = createMarketData({
    reachOwner: parts.keeping?.reachOwner,
    ...{ database, connection, objects, tasks, clock, secretBox: parts.secretBox },
    ...(parts.twelveDataUrl === undefined ? {} : { twelveDataUrl: parts.twelveDataUrl }),
    ...(parts.feedOptions === undefined ? {} : { feedOptions: parts.feedOptions }),
  });
  const datasets = createDatasetService(database, objects, universeQuestion);
  const augmentation = createAugmentService(database, objects, compute);
  const readCoverage = createCoverage(objects);
  const blastRadius = createBlastRadiusService(database, readCoverage);
  registerPortfolioDependents(blastRadius, readCoverage);
  registerTrialDependents(blastRadius);
  registerModelDependents(blastRadius);
  const universes = createUniverseService(database);
  const series = createSeriesService(database, universeBars);
  const registry = createRegistry({ database, objects, codeVersion });
  const regimes = createRegimeService({ database, series, compute, codeVersion });
  const anomalies = createAnomalyService({ database, series, compute, codeVersion });
  const featureStore = createFeatureStore({
    ...{ database, objects, tasks, compute, clock, codeVersion, series, universeBars, blastRadius, readCoverage },
    ...{ onlineStore: parts.onlineStore, redis: parts.redis },
    ...(parts.log === undefined ? {} : { log: parts.log }),
  });
  const watching = createWatching({
    ...{ database, registry, series, tasks, compute, codeVersion, universeBars },
    ...(parts.log === undefined ? {} : { log: parts.log }),
  });
  const serving = createServing({
    ...{ database, registry, series, tasks, compute, clock, codeVersion, universeBars },
    answering: watching.answering,
    ...(parts.log === undefined ? {} : { log: parts.log }),
  });
  const runner =
    parts.ray == null ? {} : { runner: createRayRunner(parts.ray, createThreadRunner(compute), parts.log) };
  const training = createTrainingService({
    ...{ database, objects, tasks, compute, series, registry, universeBars, codeVersion, ...runner },
    computer: createFeatureComputer(compute),
  });
  const automl = createAutomlService({
    ...{ database, objects, tasks, compute, series, registry, universeBars, codeVersion, ...runner },
    ...{ database, objects, tasks, series, registry, universeBars, codeVersion },
    compute: parts.trainingCompute ?? compute,
    computer: createFeatureComputer(parts.trainingCompute ?? compute),
  });
  const foreign = createForeignService({ database, objects, compute, registry });
  const trainingTables = createTrainingTableService({
    ...{ database, objects, tasks, compute, series, universeBars },
    computer: createFeatureComputer(compute),
  });
  registerMarketRecordTask({ database, tasks, regimes, anomalies, universeBars });
  const indexes = createIndexService(database, readCoverage);
  const objectsFolder = path.join(parts.home, 'objects');
  const indexRuns = createIndexRunService({
    database,
    objects,
    objectsFolder,
    connection,
    compute,
    tasks,
    codeVersion,
  });
  series.registerSubject('index', indexRuns.readSeries);
  const patterns = createPatternsService({ database, series, universeOf, compute, codeVersion });
  const reading = { database, series, compute, codeVersion };
  const dependence = createDependenceService(reading);
  const factors = createFactorsService({
    ...{ ...reading, universeOf },
    holdingsOf: async (principal, indexId, time) => (await indexRuns.holdings(principal, indexId, time)).items,
  });
  tasks.register(INDEX_RUN_TASK, indexRuns.run);
  tasks.registerSessionTimes(sessionTimes);
  const court = createCourtService({
    ...{ database, connection, compute, tasks, universeBars },
  });
  registerScheduleKinds(tasks, court.check);
  const keepCurrent = createKeepCurrentService(database, createScheduleService(database, tasks));

  registerVerifyTask({ database, objects, tasks });
  const { home } = parts;
  const keeping: KeepingParts = {
    ...{ database, tasks, clock, home, backupFolder: path.join(home, 'backups'), reachOwner: null, config: null },
    ...parts.keeping,
  };
  registerKeepingTasks(keeping);
  const watch = createWatch({
    ...{ database, clock, home: parts.home, log: parts.log ?? { warn: () => {} } },
    feeds: market.feeds,
    indexes: { list: indexes.list, levels: (principal, indexId) => indexRuns.levels(principal, indexId, {}) },
  });

  return {
    watch,

    registerRoutes(serve: Serve): void {
      registerMarketDataRoutes(serve, market);
      featureStore.registerRoutes(serve);
      registerBlastRadiusRoutes(serve, blastRadius);
      registerTrialRoutes(serve, database);
      registerVolatilityRoutes(serve, createVolatilityService({ series, compute, codeVersion }));
      registerRegimeRoutes(serve, regimes);
      registerRegistryRoutes(serve, database, registry);
      serving.registerRoutes(serve);
      watching.registerRoutes(serve);
      registerTrainingRoutes(serve, training);
      registerAutomlRoutes(serve, automl);
      registerForeignRoutes(serve, foreign, trainingTables);
      registerAnomalyRoutes(serve, anomalies);
      registerDatasetRoutes(serve, datasets, augmentation);
      registerPatternRoutes(serve, patterns);
      registerUniverseRoutes(serve, universes);
      registerIndexRoutes(serve, indexes);
      registerIndexRunRoutes(serve, indexRuns);
      registerKeepCurrentRoutes(serve, keepCurrent);
      registerCourtRoutes(serve, court);
      registerStrategyRoutes(serve, compute);
      registerDependenceRoutes(serve, dependence);
      registerFactorsRoutes(serve, factors);
      registerVerifyRoutes(serve, { database, objects, tasks });
      registerKeepingRoutes(serve, keeping);
    },

    registerWires(serveWire: ServeWire): void {
      serveWire(createMlflowWire({ database, objects, registry }));
    },

    /** What the first page shows on an empty installation. Safe to run at every start and to stop halfway. */
    async ensureFirstPage(tell: (line: string) => void): Promise<void> {
      const startedAt = clock.now();
      const slow = setTimeout(
        () => tell('Loading the simulated market; this happens once and takes some seconds …'),
        SLOW_MS,
      );
      const { loaded } = await loadSimulatedMarket({ database, connection, objectsFolder });
      if (loaded.length > 0)
        tell(`Simulated market loaded in ${((clock.now() - startedAt) / 1000).toFixed(1)} s; computing its index …`);
      clearTimeout(slow);
      await ensureSimulatedIndex(database, indexes, indexRuns, {
        universeName: 'Simulated market',
        benchmarkSymbol: 'SIMTR',
      });
    },
  };
}
