import type { FeatureBadges } from '@touchstone/contracts/features';
import type { Compute } from '../../platform/compute/compute.ts';
import type { ExpressionReport, FeatureJob, FeatureValues, FeatureWork } from './features.worker.ts';
import { reasonByte } from './reasons.ts';

/** Why a feature has no value anywhere, and what it said. */
export type Failure = { code: 'failed' | 'took_too_long'; sentence: string };
export type ComputedFeatures = {
  /** For each job: row-major, NaN where undefined or failed. */
  values: Float64Array[];
  /** For each value why there is none, as a byte; 0 where there is one. */
  reasons: Uint8Array[];
  failures: Map<number, Failure>;
};

export type FeatureComputer = ReturnType<typeof createFeatureComputer>;

const WORKER = new URL('./features.worker.ts', import.meta.url);
/** Of one call: far above what the widest window over fifty years takes, far below anybody's patience. */
const CALL_LIMIT_MS = 30_000;
const CHECK_LIMIT_MS = 15_000;

class TookTooLong extends Error {}

/**
 * Computes features in worker threads, so that one which throws or never ends harms neither the server nor the others.
 *
 * A thread beyond its time is ended; its features are then computed in halves, so that in the end only the guilty one is
 * without values.
 *
 * @param worker A module with `computeFeatures` and `checkFeatures`, for tests.
 */
export function createFeatureComputer(
  compute: Compute,
  { worker = WORKER, limitMs = CALL_LIMIT_MS }: { worker?: URL; limitMs?: number } = {},
) {
  async function limited<T>(name: string, payload: unknown, ms: number, signal?: AbortSignal): Promise<T> {
    const over = new AbortController();
    const timer = setTimeout(() => over.abort(new TookTooLong(`It took more than ${ms / 1000} s.`)), ms);
    const either = signal === undefined ? over.signal : AbortSignal.any([over.signal, signal]);
    try {
      return await compute.run<T>(worker, name, payload, { signal: either });
    } finally {
      clearTimeout(timer);
    }
  }

  async function run(
    expressions: readonly string[],
    jobs: readonly FeatureJob[],
    signal?: AbortSignal,
  ): Promise<ComputedFeatures> {
    const work: FeatureWork = { expressions, jobs };
    try {
      const { values, reasons, failures } = await limited<FeatureValues>('computeFeatures', work, limitMs, signal);
      const told = Object.entries(failures).map(
        ([column, sentence]) => [Number(column), { code: 'failed', sentence }] as const,
      );
      return { values, reasons, failures: new Map<number, Failure>(told) };
    } catch (error) {
      signal?.throwIfAborted();
      const isLate = error instanceof TookTooLong;
      if (expressions.length === 1) {
        const sentence = error instanceof Error ? error.message : String(error);
        const code = isLate ? 'took_too_long' : 'failed';
        return {
          values: jobs.map(({ at }) => new Float64Array(at.length).fill(Number.NaN)),
          reasons: jobs.map(({ at }) => new Uint8Array(at.length).fill(reasonByte(code))),
          failures: new Map([[0, { code, sentence }]]),
        };
      }
      const half = Math.ceil(expressions.length / 2);
      const left = await run(expressions.slice(0, half), jobs, signal);
      const right = await run(expressions.slice(half), jobs, signal);
      return join(left, right, half, expressions.length - half);
    }
  }

  return {
    /** @returns for each job its values row-major, NaN where undefined or failed. @throws the signal's reason. */
    compute: run,
    /** The badges of every indicator of the catalogue, in its order. */
    checkCatalogue: () => compute.run<FeatureBadges[]>(worker, 'checkCatalogue', undefined),
    /** The badges of some expressions that compile. */
    async check(expressions: readonly string[]): Promise<(ExpressionReport | Failure)[]> {
      const reports: (ExpressionReport | Failure)[] = [];
      if (expressions.length > 1) {
        try {
          return await limited<ExpressionReport[]>('checkFeatures', expressions, CHECK_LIMIT_MS);
        } catch {
          // One of them is to blame; which, is found one by one.
        }
      }
      for (const text of expressions) {
        try {
          const [report] = await limited<ExpressionReport[]>('checkFeatures', [text], CHECK_LIMIT_MS);
          reports.push(report!);
        } catch (error) {
          const code = error instanceof TookTooLong ? 'took_too_long' : 'failed';
          reports.push({ code, sentence: error instanceof Error ? error.message : String(error) });
        }
      }
      return reports;
    },
  };
}

function join(left: ComputedFeatures, right: ComputedFeatures, a: number, b: number): ComputedFeatures {
  const moved = Array.from(right.failures, ([column, failure]) => [column + a, failure] as const);
  return {
    values: left.values.map((values, job) => besides(values, right.values[job]!, a, b, Float64Array)),
    reasons: left.reasons.map((reasons, job) => besides(reasons, right.reasons[job]!, a, b, Uint8Array)),
    failures: new Map([...left.failures, ...moved]),
  };
}

/** Two row-major tables of equally many rows, of a and b columns, side by side. */
function besides<T extends Float64Array | Uint8Array>(
  left: T,
  right: T,
  a: number,
  b: number,
  Made: new (length: number) => T,
): T {
  const rowCount = left.length / a;
  const out = new Made(rowCount * (a + b));
  for (let row = 0; row < rowCount; row++) {
    out.set(left.subarray(row * a, (row + 1) * a), row * (a + b));
    out.set(right.subarray(row * b, (row + 1) * b), row * (a + b) + a);
  }
  return out;
}
