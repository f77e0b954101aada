import type { Problem } from '@touchstone/contracts/problems';

/** Our problems in MLflow's words. What is not here is told by its status. */
const CODES: Readonly<Record<string, { code: string; status?: number }>> = {
  NOT_FOUND: { code: 'RESOURCE_DOES_NOT_EXIST' },
  INVALID_REQUEST: { code: 'INVALID_PARAMETER_VALUE' },
  ALREADY_EXISTS: { code: 'RESOURCE_ALREADY_EXISTS', status: 400 },
  // Its clients ask again after a 409 or 500, which would never help.
  CONFLICT: { code: 'INVALID_PARAMETER_VALUE', status: 400 },
  NOT_POSSIBLE_NOW: { code: 'INVALID_STATE', status: 400 },
  SYNTHETIC_REFUSED: { code: 'INVALID_STATE', status: 400 },
  TOO_LARGE: { code: 'INVALID_PARAMETER_VALUE' },
  NOT_SIGNED_IN: { code: 'UNAUTHENTICATED' },
  FORBIDDEN: { code: 'PERMISSION_DENIED' },
  TOO_MANY_REQUESTS: { code: 'REQUEST_LIMIT_EXCEEDED' },
  ARTEFACT_DAMAGED: { code: 'DATA_LOSS' },
};

export function tellMlflow(problem: Problem): { status: number; body: unknown } {
  const known = CODES[problem.code];
  const status = known?.status ?? problem.status;
  const code =
    known?.code ?? (status === 503 ? 'TEMPORARILY_UNAVAILABLE' : status >= 500 ? 'INTERNAL_ERROR' : 'BAD_REQUEST');
  return { status, body: { error_code: code, message: problem.detail === '' ? problem.title : problem.detail } };
}
