import * as alerts from './alerts.ts';
import * as anomalies from './anomalies.ts';
import * as auth from './auth.ts';
import * as automl from './automl.ts';
import * as blastRadius from './blast-radius.ts';
import * as data from './data.ts';
import * as datasets from './datasets.ts';
import * as dependence from './dependence.ts';
import * as diagnostics from './diagnostics.ts';
import * as drift from './drift.ts';
import * as experiments from './experiments.ts';
import * as factors from './factors.ts';
import * as feast from './feast.ts';
import * as features from './features.ts';
import * as feeds from './feeds.ts';
import * as foreign from './foreign.ts';
import * as indexes from './indexes.ts';
import * as keeping from './keeping.ts';
import * as limits from './limits.ts';
import * as models from './models.ts';
import * as patterns from './patterns.ts';
import * as people from './people.ts';
import * as predictions from './predictions.ts';
import * as regimes from './regimes.ts';
import type { Route } from './route.ts';
import * as tasks from './tasks.ts';
import * as training from './training.ts';
import * as universes from './universes.ts';
import * as volatility from './volatility.ts';

/** Every operation of the API, in the order of the document. */
export const ALL_ROUTES: readonly Route[] = [
  auth,
  people,
  data,
  feeds,
  blastRadius,
  regimes,
  anomalies,
  datasets,
  features,
  feast,
  universes,
  indexes,
  patterns,
  dependence,
  factors,
  volatility,
  predictions,
  models,
  training,
  automl,
  foreign,
  drift,
  experiments,
  tasks,
  alerts,
  diagnostics,
  limits,
  keeping,
].flatMap((module) => Object.values(module).filter(isRoute));

function isRoute(value: unknown): value is Route {
  return typeof value === 'object' && value !== null && 'path' in value && 'scope' in value && 'summary' in value;
}
