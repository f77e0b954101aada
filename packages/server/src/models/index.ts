/** The door of the stage: the trials ledger, and what models say of a subject. */
export { countDistinctTrials, insertTrial } from './trials/trial.repository.ts';
export { registerTrialRoutes } from './trials/trial.routes.ts';
export { registerTrialDependents } from './trials/trial-dependents.ts';
export { registerVolatilityRoutes } from './volatility/volatility.routes.ts';
export { createVolatilityService } from './volatility/volatility.service.ts';
