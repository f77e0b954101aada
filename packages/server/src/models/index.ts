/** The door of the stage: the trials ledger, and what models say of a subject. */
/** The door of the stage: the trials ledger. */

export { registerAnomalyRoutes } from './anomalies/anomalies.routes.ts';
export { createAnomalyService } from './anomalies/anomalies.service.ts';
export { MARKET_RECORD_TASK, registerMarketRecordTask } from './market-record/market-record.task.ts';
export { registerRegimeRoutes } from './regimes/regimes.routes.ts';
export { createRegimeService } from './regimes/regimes.service.ts';
export { countDistinctTrials, insertTrial } from './trials/trial.repository.ts';
export { registerTrialRoutes } from './trials/trial.routes.ts';
export { registerTrialDependents } from './trials/trial-dependents.ts';
export { registerVolatilityRoutes } from './volatility/volatility.routes.ts';
export { createVolatilityService } from './volatility/volatility.service.ts';
