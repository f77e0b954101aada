/** The door of the stage: the trials ledger, and what models say of a subject. */

export { registerAnomalyRoutes } from './anomalies/anomalies.routes.ts';
export { createAnomalyService } from './anomalies/anomalies.service.ts';
export { registerAutomlRoutes } from './automl/automl.routes.ts';
export { createAutomlService } from './automl/automl.service.ts';
export { registerDependenceRoutes } from './dependence/dependence.routes.ts';
export { createDependenceService } from './dependence/dependence.service.ts';
export { createWatching, type Watching } from './drift/create-watching.ts';
export { registerFactorsRoutes } from './factors/factors.routes.ts';
export { createFactorsService } from './factors/factors.service.ts';
export { MARKET_RECORD_TASK, registerMarketRecordTask } from './market-record/market-record.task.ts';
export { registerPatternRoutes } from './patterns/patterns.routes.ts';
export { createPatternsService } from './patterns/patterns.service.ts';
export { registerRegimeRoutes } from './regimes/regimes.routes.ts';
export { createRegimeService } from './regimes/regimes.service.ts';
export { registerModelDependents } from './registry/model-dependents.ts';
export { registerRegistryRoutes } from './registry/registry.routes.ts';
export { createRegistry } from './registry/registry.ts';
export type { Registry, ResolvedVersion } from './registry/registry.types.ts';
export { createServing, type Serving } from './serving/create-serving.ts';
export { registerTrainingRoutes } from './training/training.routes.ts';
export { createTrainingService } from './training/training.service.ts';
export { countDistinctTrials, insertTrial } from './trials/trial.repository.ts';
export { registerTrialRoutes } from './trials/trial.routes.ts';
export { registerTrialDependents } from './trials/trial-dependents.ts';
export { registerVolatilityRoutes } from './volatility/volatility.routes.ts';
export { createVolatilityService } from './volatility/volatility.service.ts';
