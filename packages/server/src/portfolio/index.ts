/** The door of the stage: universes, indexes and what they computed. */
export { registerIndexRoutes } from './index/index.routes.ts';
export { createIndexService } from './index/index.service.ts';
export { registerIndexRunRoutes } from './index-run/index-run.routes.ts';
export {
  createIndexRunService,
  INDEX_RUN_TASK,
  universeQuestion,
} from './index-run/index-run.service.ts';
export { registerKeepCurrentRoutes } from './keep-current/keep-current.routes.ts';
export { createKeepCurrentService } from './keep-current/keep-current.service.ts';
export { BACKUP_TASK, registerScheduleKinds } from './keep-current/schedule-kinds.ts';
export { ensureSimulatedIndex } from './simulated-index/ensure-simulated-index.ts';
export { registerPortfolioDependents } from './stale-index/stale-index.ts';
export { registerStrategyRoutes } from './strategy/strategy.routes.ts';
export { registerUniverseRoutes } from './universe/universe.routes.ts';
export { createUniverseService, universeBars, universeOf } from './universe/universe.service.ts';
