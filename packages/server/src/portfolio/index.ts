/** The door of the stage: universes, indexes and what they computed. */
export { registerIndexRoutes } from './index/index.routes.ts';
export { createIndexService } from './index/index.service.ts';
export { registerIndexRunRoutes } from './index-run/index-run.routes.ts';
export {
  createIndexRunService,
  INDEX_RUN_TASK,
  universeQuestion,
} from './index-run/index-run.service.ts';
export { ensureSimulatedIndex } from './simulated-index/ensure-simulated-index.ts';
export { registerStrategyRoutes } from './strategy/strategy.routes.ts';
export { registerUniverseRoutes } from './universe/universe.routes.ts';
export { createUniverseService } from './universe/universe.service.ts';
