import { PROBLEMS, type Problem, type ProblemCode } from '@touchstone/contracts/problems';

type ProblemOptions = {
  details?: Problem['details'];
  challenge?: string;
  retryAfterSeconds?: number;
  cause?: unknown;
};

/** Something the user of the API is told. Anything else that is thrown is a bug and answered as UNEXPECTED. */
export class ProblemError extends Error {
  readonly code: ProblemCode;
  readonly details: Problem['details'];
  /** Only with SECOND_FACTOR_NEEDED. */
  readonly challenge: string | undefined;
  /** When trying again makes sense; told as Retry-After. */
  readonly retryAfterSeconds: number | undefined;

  constructor(code: ProblemCode, detail: string, options: ProblemOptions = {}) {
    super(detail, { cause: options.cause });
    this.name = 'ProblemError';
    this.code = code;
    this.details = options.details ?? [];
    this.challenge = options.challenge;
    this.retryAfterSeconds = options.retryAfterSeconds;
  }

  get status(): number {
    return PROBLEMS[this.code].status;
  }
}

/** Returns the value, or throws NOT_FOUND with a sentence. */
export function found<T>(value: T | undefined | null, sentence: string): T {
  if (value === undefined || value === null) throw new ProblemError('NOT_FOUND', sentence);
  return value;
}
