/** The door of the stage: the trials ledger, and what is told of a subject. */
export { registerPatternRoutes } from './patterns/patterns.routes.ts';
export { createPatternsService } from './patterns/patterns.service.ts';
export { countDistinctTrials, insertTrial } from './trials/trial.repository.ts';
export { registerTrialRoutes } from './trials/trial.routes.ts';
export { registerTrialDependents } from './trials/trial-dependents.ts';
