import {
  BrokenCircuitError,
  BulkheadRejectedError,
  bulkhead,
  ConsecutiveBreaker,
  circuitBreaker,
  handleWhen,
  retry,
  TaskCancelledError,
  TimeoutStrategy,
  timeout,
} from 'cockatiel';
import { VendorError } from './vendor-error.ts';

export type PolicyLimits = {
  /** One answer, from the question to its last byte. */
  timeoutMs: number;
  /** Times one question is asked, the first included. */
  attemptsMax: number;
  /** Failures in a row that open the breaker. */
  breakAfter: number;
  /** How long the breaker stays open before one question tries again. */
  halfOpenAfterMs: number;
  /** Questions under way at once. */
  parallelMax: number;
  queueMax: number;
};

export const POLICY_LIMITS: PolicyLimits = {
  timeoutMs: 30_000,
  attemptsMax: 4,
  breakAfter: 5,
  halfOpenAfterMs: 30_000,
  parallelMax: 4,
  queueMax: 256,
};

export type Question<T> = {
  /** Before each attempt, the first is 0: waits, takes credits. Never run while the breaker is open. */
  prepare(attempt: number): Promise<void>;
  ask(signal: AbortSignal): Promise<T>;
};

/** Retries, breaker, bulkhead and timeout around questions. One for a whole process: they are about the vendor. */
export type VendorPolicies = {
  /** @throws VendorError, or the reason of an abort. */
  run<T>(question: Question<T>, signal: AbortSignal): Promise<T>;
  state(): 'closed' | 'open' | 'half-open';
  /** EpochMs until which the open breaker asks nothing; null: it asks. */
  restsUntil(): number | null;
};

export function createVendorPolicies(limits: Partial<PolicyLimits> = {}): VendorPolicies {
  const { timeoutMs, attemptsMax, breakAfter, halfOpenAfterMs, parallelMax, queueMax } = {
    ...POLICY_LIMITS,
    ...limits,
  };
  // The pauses between attempts are the question's own (`prepare`): this library's cannot be aborted.
  const retries = retry(
    handleWhen((error) => error instanceof VendorError && error.isPassing),
    { maxAttempts: attemptsMax - 1 },
  );
  const breaker = circuitBreaker(
    handleWhen((error) => error instanceof VendorError && error.isOutage),
    { halfOpenAfter: halfOpenAfterMs, breaker: new ConsecutiveBreaker(breakAfter) },
  );
  const places = bulkhead(parallelMax, queueMax);
  const patience = timeout(timeoutMs, TimeoutStrategy.Aggressive);
  let openUntil = 0;
  let state: 'closed' | 'open' | 'half-open' = 'closed';
  breaker.onBreak(() => {
    openUntil = Date.now() + halfOpenAfterMs;
    state = 'open';
  });
  breaker.onHalfOpen(() => {
    state = 'half-open';
  });
  breaker.onReset(() => {
    state = 'closed';
  });
  const isResting = () => state === 'open' && Date.now() < openUntil;
  const brokenError = () =>
    new VendorError('unavailable', `TwelveData failed ${breakAfter} times in a row and is left alone for a while.`, {
      retryAt: openUntil,
    });

  async function askInTime<T>(question: Question<T>, signal: AbortSignal): Promise<T> {
    try {
      return await patience.execute((context) => question.ask(context.signal), signal);
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof TaskCancelledError)) throw error;
      const sentence = `TwelveData did not answer within ${timeoutMs / 1000} s.`;
      throw new VendorError('unavailable', sentence, { isPassing: true, isOutage: true });
    }
  }

  return {
    state: () => state,
    restsUntil: () => (isResting() ? openUntil : null),
    async run(question, signal) {
      try {
        return await retries.execute(async ({ attempt }) => {
          signal.throwIfAborted();
          // An open breaker costs no credits.
          if (isResting()) throw brokenError();
          await question.prepare(attempt);
          return await breaker.execute(() => places.execute(() => askInTime(question, signal), signal), signal);
        }, signal);
      } catch (error) {
        signal.throwIfAborted();
        if (error instanceof BrokenCircuitError) throw brokenError();
        if (error instanceof BulkheadRejectedError) {
          throw new VendorError('unavailable', 'Too many questions to TwelveData are waiting.', { cause: error });
        }
        throw error;
      }
    },
  };
}
