import { checkIndicator } from '@touchstone/quant/evaluation/check-indicator';
import { checkExpression, type ExpressionBadges, testBars } from '@touchstone/quant/evaluation/expression-check';
import { compileExpression, type Expression, type Scope } from '@touchstone/quant/expressions/compile-expression';
import type { BarColumn } from '@touchstone/quant/indicators/indicator';
import { createRandom } from '@touchstone/quant/random/random';
import type { Bars } from '@touchstone/quant/series/bars';
import { ALL_INDICATORS, CATALOGUE } from '../catalogue/catalogue.ts';
import { reasonByte } from './reasons.ts';

/** Values of features at some bars of one pass. */
export type FeatureJob = { bars: Bars; at: Int32Array };
export type FeatureWork = { expressions: readonly string[]; jobs: readonly FeatureJob[] };
export type FeatureValues = {
  /** For each job: row-major, a row for each bar wanted, NaN where undefined. */
  values: Float64Array[];
  /** For each value why there is none, as a byte of `REASON_CODES`; 0 where there is one. */
  reasons: Uint8Array[];
  /** Positions of expressions that threw, with what they said. */
  failures: Record<number, string>;
};

export type ExpressionReport = { badges: ExpressionBadges; milliseconds: number };

const SEED = 20_261_122;
const FAILED = reasonByte('failed');
const compiled = new Map<string, Expression>();
const COMPILED_MAX = 5_000;

/**
 * Computes features in a thread of its own. One that throws has no values; the others are not touched by it.
 *
 * @public Called by its name from another thread.
 */
export function computeFeatures({ expressions, jobs }: FeatureWork): FeatureValues {
  const failures: Record<number, string> = {};
  const programs = expressions.map((text) => compile(text));
  const done = jobs.map((job) => computeJob(programs, job, failures));
  return { values: done.map(({ values }) => values), reasons: done.map(({ reasons }) => reasons), failures };
}

function computeJob(programs: readonly Expression[], { bars, at }: FeatureJob, failures: Record<number, string>) {
  const width = programs.length;
  const values = new Float64Array(at.length * width).fill(Number.NaN);
  const reasons = new Uint8Array(at.length * width);
  const room = createRoom(bars.day.length);
  const scope = { bars, columns: new Map<string, Float64Array>(), room: room.take };
  for (const [column, program] of programs.entries()) {
    if (scope.columns.size > COLUMNS_MAX) scope.columns.clear();
    const all = tryToEvaluate(program, scope, column, failures);
    for (let row = 0; row < at.length; row++) {
      const cell = row * width + column;
      if (all !== null) values[cell] = all[at[row]!]!;
      if (Number.isNaN(values[cell]!))
        reasons[cell] = all === null ? FAILED : reasonByte(whyMissing(program, bars, at[row]!));
    }
  }
  room.giveBack();
  return { values, reasons };
}

/** Memory of columns, used again by the next job: fresh memory for every column took longer than computing it. */
const spare: Float64Array[] = [];
const SPARE_BYTES_MAX = 64 * 1024 * 1024;
/** Parts of expressions kept within a job; beyond it they are computed again where they are needed again. */
const COLUMNS_MAX = 3_000;

function createRoom(length: number) {
  const taken: Float64Array[] = [];
  return {
    take(): Float64Array {
      const last = spare.pop();
      const column = last !== undefined && last.length >= length ? last : new Float64Array(Math.ceil(length * 1.1));
      taken.push(column);
      return column.length === length ? column : column.subarray(0, length);
    },
    /** Nothing of the job is looked at any more. */
    giveBack(): void {
      spare.push(...taken);
      const countMax = SPARE_BYTES_MAX / 8 / Math.max(length, 1);
      if (spare.length > countMax) spare.length = Math.floor(countMax);
    },
  };
}

function tryToEvaluate(program: Expression, scope: Scope, column: number, failures: Record<number, string>) {
  if (column in failures) return null;
  try {
    return program.evaluate(scope);
  } catch (error) {
    failures[column] = error instanceof Error ? error.message : String(error);
    return null;
  }
}

/** Why a feature has no value at a bar. */
function whyMissing({ inputs, warmUp }: Expression, bars: Bars, at: number) {
  if (at < warmUp) return 'too_little_history';
  const missing = inputs.filter((input) => hasGap(bars[input], at - warmUp, at));
  if (missing.length === 0) return 'not_defined';
  const isAway = (input: BarColumn) => !hasValue(bars[input], at - warmUp, at);
  if (missing.includes('volume') && isAway('volume')) return 'no_volume';
  if (missing.some((input) => input !== 'close' && input !== 'volume' && isAway(input))) return 'no_range';
  return 'gap_in_window';
}

function hasGap(column: Float64Array, from: number, to: number): boolean {
  for (let i = from; i <= to; i++) if (Number.isNaN(column[i]!)) return true;
  return false;
}

function hasValue(column: Float64Array, from: number, to: number): boolean {
  for (let i = from; i <= to; i++) if (!Number.isNaN(column[i]!)) return true;
  return false;
}

/**
 * Puts one expression through the canary and the warm-up analysis, and times one pass over ten years of bars.
 *
 * @public Called by its name from another thread.
 */
export function checkFeatures(expressions: readonly string[]): ExpressionReport[] {
  const bars = testBars(2_520);
  return expressions.map((text) => {
    const program = compile(text);
    const startedAt = performance.now();
    program.evaluate({ bars, columns: new Map() });
    const milliseconds = performance.now() - startedAt;
    return { badges: checkExpression(text, program), milliseconds };
  });
}

/**
 * The badges of every indicator of the catalogue, in its order.
 *
 * @public Called by its name from another thread.
 */
export function checkCatalogue(): ExpressionBadges[] {
  return ALL_INDICATORS.map((indicator) => {
    const { canary, warmUp } = checkIndicator(indicator, createRandom(SEED));
    const none = canary.ok ? `Bars that came later changed none of ${canary.comparedCount} values.` : canary.sentence;
    return {
      canary: { passed: canary.ok, sentence: none },
      warmUp: { passed: warmUp.ok, sentence: warmUp.sentence },
    };
  });
}

function compile(text: string): Expression {
  const known = compiled.get(text);
  if (known !== undefined) return known;
  const made = compileExpression(text, CATALOGUE);
  if (!made.ok) throw new RangeError(`${text}: ${made.fault.sentence}`);
  if (compiled.size >= COMPILED_MAX) compiled.clear();
  compiled.set(text, made.expression);
  return made.expression;
}
