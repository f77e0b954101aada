import type { Wire } from '../../platform/http/serve-wire.ts';
import { artefactEndpoints } from './artefact-endpoints.ts';
import type { MlflowParts } from './endpoint.ts';
import { loggedModelEndpoints } from './logged-model-endpoints.ts';
import { tellMlflow } from './mlflow-error.ts';
import { modelEndpoints } from './model-endpoints.ts';
import { runEndpoints } from './run-endpoints.ts';

/** The REST of MLflow over our registry: `MLFLOW_TRACKING_URI=…/mlflow`, an API key as MLFLOW_TRACKING_TOKEN. */
export function createMlflowWire(parts: MlflowParts): Wire {
  return {
    prefix: '/mlflow',
    routes: [
      ...runEndpoints(parts),
      ...loggedModelEndpoints(parts),
      ...modelEndpoints(parts),
      ...artefactEndpoints(parts),
    ],
    tell: tellMlflow,
  };
}
