import { PROBLEMS, type Problem, type ProblemCode } from '@touchstone/contracts/problems';
import { ProblemError } from '../problem-error.ts';

export const PROBLEM_TYPE = 'application/problem+json; charset=utf-8';

/** What the caller is told, and whether it is news for the operator. */
export type ToldProblem = { problem: Problem; isBug: boolean };

/** Turns anything that was thrown into a problem document. What we did not foresee tells nothing about its inside. */
export function toProblem(error: unknown, requestId: string): ToldProblem {
  if (error instanceof ProblemError) {
    const { challenge } = error;
    const told = tell(error.code, error.message, requestId, error.details);
    return challenge === undefined ? told : { ...told, problem: { ...told.problem, challenge } };
  }
  const known = fromDatabase(error) ?? fromSystem(error) ?? fromFastify(error);
  if (known !== null) return tell(known.code, known.detail, requestId);
  return { ...tell('UNEXPECTED', `Quote request ${requestId} when asking for help.`, requestId), isBug: true };
}

function tell(code: ProblemCode, detail: string, requestId: string, details: Problem['details'] = []): ToldProblem {
  const { status, title, retryable } = PROBLEMS[code];
  const type = `/problems#${code}`;
  return { problem: { type, title, status, detail, code, requestId, retryable, details }, isBug: false };
}

type Known = { code: ProblemCode; detail: string };

const DATABASE_AWAY: Known = {
  code: 'DATABASE_AWAY',
  detail: 'The database does not answer at the moment. Try again in a few seconds.',
};

/** SQLSTATE classes and codes that mean: no connection, or it was taken away. */
const AWAY_STATES = /^(08...|57P0[1-5]|53300|57014)$/;
/** What the driver says when there is no SQLSTATE. */
const AWAY_MESSAGES =
  /Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error|not queryable|Cannot use a pool after calling end/;
const AWAY_CODES = ['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EHOSTUNREACH'];

/** True when an error means that the database cannot be reached. */
export function isDatabaseAway(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = codeOf(error);
  // A missing unix socket is ENOENT of a connect call; of a file it is something else.
  if (code === 'ENOENT') return 'syscall' in error && error.syscall === 'connect';
  return AWAY_CODES.includes(code) || AWAY_STATES.test(code) || AWAY_MESSAGES.test(error.message);
}

function fromDatabase(error: unknown): Known | null {
  if (isDatabaseAway(error)) return DATABASE_AWAY;
  switch (codeOf(error)) {
    case '23505':
      return { code: 'ALREADY_EXISTS', detail: 'There is one like it already. Choose another name.' };
    case '40001':
    case '40P01':
    case '55P03':
      return {
        code: 'CONFLICT',
        detail: 'Somebody changed the same thing at the same moment. Load it again and retry.',
      };
    case '53100':
      return { code: 'DISK_FULL', detail: 'The disk of the database is full. Free some space and try again.' };
    default:
      return null;
  }
}

function fromSystem(error: unknown): Known | null {
  const code = codeOf(error);
  if (code !== 'ENOSPC' && code !== 'EDQUOT') return null;
  return { code: 'DISK_FULL', detail: 'The disk of the server is full. Free some space and try again.' };
}

function fromFastify(error: unknown): Known | null {
  if (!(error instanceof Error)) return null;
  const code = codeOf(error);
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE')
    return { code: 'TOO_LARGE', detail: 'The body of the request is too large.' };
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') {
    return { code: 'INVALID_REQUEST', detail: 'Send the body as content-type application/json.' };
  }
  if (code.startsWith('FST_ERR_CTP') || error instanceof SyntaxError) {
    return { code: 'INVALID_REQUEST', detail: 'The body is not JSON.' };
  }
  const status = 'statusCode' in error ? error.statusCode : undefined;
  if (typeof status === 'number' && status >= 400 && status < 500) {
    return { code: 'INVALID_REQUEST', detail: 'The request cannot be read.' };
  }
  return null;
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}
