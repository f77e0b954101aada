/** The door of the stage: the trials ledger. */
export { countDistinctTrials, insertTrial } from './trials/trial.repository.ts';
export { registerTrialRoutes } from './trials/trial.routes.ts';
export { registerTrialDependents } from './trials/trial-dependents.ts';
