/** The door of the stage: the trials ledger, and what a market or a subject in it is like. */
export { registerDependenceRoutes } from './dependence/dependence.routes.ts';
export { createDependenceService } from './dependence/dependence.service.ts';
export { registerFactorsRoutes } from './factors/factors.routes.ts';
export { createFactorsService } from './factors/factors.service.ts';
export { countDistinctTrials, insertTrial } from './trials/trial.repository.ts';
export { registerTrialRoutes } from './trials/trial.routes.ts';
export { registerTrialDependents } from './trials/trial-dependents.ts';
