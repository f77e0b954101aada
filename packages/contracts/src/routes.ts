import * as alerts from './alerts.ts';
import * as auth from './auth.ts';
import * as blastRadius from './blast-radius.ts';
import * as data from './data.ts';
import * as datasets from './datasets.ts';
import * as diagnostics from './diagnostics.ts';
import * as feeds from './feeds.ts';
import * as indexes from './indexes.ts';
import * as keeping from './keeping.ts';
import * as limits from './limits.ts';
import * as people from './people.ts';
import type { Route } from './route.ts';
import * as tasks from './tasks.ts';
import * as universes from './universes.ts';
import * as volatility from './volatility.ts';

/** Every operation of the API, in the order of the document. */
export const ALL_ROUTES: readonly Route[] = [
  auth,
  people,
  data,
  feeds,
  blastRadius,
  datasets,
  universes,
  indexes,
  volatility,
  tasks,
  alerts,
  diagnostics,
  limits,
  keeping,
].flatMap((module) => Object.values(module).filter(isRoute));

function isRoute(value: unknown): value is Route {
  return typeof value === 'object' && value !== null && 'path' in value && 'scope' in value && 'summary' in value;
}
