import { z } from 'zod';

/** Every problem the API can tell, with its HTTP status. Codes are public and keep their meaning for good. */
export const PROBLEMS = {
  INVALID_REQUEST: { status: 400, title: 'The request does not fit its description', retryable: false },
  FILE_REFUSED: { status: 422, title: 'The file cannot be used', retryable: false },
  NOT_SIGNED_IN: { status: 401, title: 'Sign in first', retryable: false },
  SIGN_IN_FAILED: { status: 401, title: 'E-mail or password is wrong', retryable: false },
  SECOND_FACTOR_NEEDED: { status: 401, title: 'A code of the second factor is needed', retryable: false },
  SESSION_ENDED: { status: 401, title: 'The session has ended', retryable: false },
  FORBIDDEN: { status: 403, title: 'Your role may not do this', retryable: false },
  CSRF: { status: 403, title: 'The request did not come from our own page', retryable: false },
  NOT_FOUND: { status: 404, title: 'There is no such thing here', retryable: false },
  CONFLICT: { status: 409, title: 'Somebody was faster', retryable: false },
  ALREADY_EXISTS: { status: 409, title: 'It exists already', retryable: false },
  NOT_POSSIBLE_NOW: { status: 409, title: 'This cannot be done in the present state', retryable: false },
  NOT_ENOUGH_HISTORY: { status: 422, title: 'There is too little history', retryable: false },
  UNDERPOWERED: { status: 422, title: 'This test could not find what it looks for', retryable: false },
  SYNTHETIC_REFUSED: { status: 422, title: 'Made-up data proves nothing here', retryable: false },
  GATE_NOT_PASSED: { status: 422, title: 'The gate was not passed', retryable: false },
  CHECKLIST_OPEN: { status: 422, title: 'The check list is not signed', retryable: false },
  ARTEFACT_DAMAGED: { status: 500, title: 'A stored file is damaged or gone', retryable: false },
  LINK_ENDED: { status: 410, title: 'This link is no longer good', retryable: false },
  TOO_LARGE: { status: 413, title: 'That is too much at once', retryable: false },
  TOO_SLOW: { status: 408, title: 'The request did not arrive in time', retryable: true },
  TOO_MANY_TRIES: { status: 429, title: 'Too many tries', retryable: true },
  SIGN_IN_PROVIDER_AWAY: { status: 503, title: 'The sign-in provider does not answer', retryable: true },
  TOO_MANY_REQUESTS: { status: 429, title: 'Too many requests', retryable: true },
  KEY_REUSED: { status: 422, title: 'This idempotency key was sent with another request', retryable: false },
  KEY_IN_USE: { status: 409, title: 'The first request with this idempotency key still runs', retryable: true },
  ANSWER_LOST: { status: 409, title: 'It was done, but its answer is lost', retryable: false },
  LIMITS_AWAY: { status: 503, title: 'The store of the limits does not answer', retryable: true },
  OBJECTS_AWAY: { status: 503, title: 'The object store does not answer', retryable: true },
  DISK_FULL: { status: 507, title: 'The disk is full', retryable: true },
  DATABASE_AWAY: { status: 503, title: 'The database does not answer', retryable: true },
  UNEXPECTED: { status: 500, title: 'Something went wrong on our side', retryable: true },
} as const;

export type ProblemCode = keyof typeof PROBLEMS;

/** RFC 9457 problem document. */
export const problem = z.object({
  type: z.string().meta({ description: 'Where the code is explained.', example: '/problems#NOT_FOUND' }),
  title: z
    .string()
    .meta({ description: 'The problem, the same for every case of the code.', example: 'There is no such thing here' }),
  status: z.int().meta({ description: 'HTTP status.', example: 404 }),
  detail: z.string().meta({ description: 'This case, and what to do.', example: 'There is no index 12.' }),
  code: z.string().meta({ description: 'Code from the catalogue of problems.', example: 'NOT_FOUND' }),
  requestId: z.string().meta({ description: 'Quote this when asking for help.', example: '01J9ZP4W7M' }),
  retryable: z.boolean().meta({ description: 'True when the same request may succeed later.', example: false }),
  details: z
    .array(
      z.object({
        path: z.string().meta({ description: 'Field, or file, line and column.', example: 'body.name' }),
        rule: z.string().meta({ description: 'The rule that was broken.', example: 'Must not be empty.' }),
      }),
    )
    .meta({ description: 'Each broken rule; empty when there is only one.' }),
  challenge: z.string().optional().meta({
    description: 'Only with SECOND_FACTOR_NEEDED: proves for five minutes that the first step succeeded.',
    example: 'eyJ1IjoxMn0.x',
  }),
});
export type Problem = z.infer<typeof problem>;
