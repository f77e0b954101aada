import { checkExpression, type ExpressionBadges, testBars } from '@touchstone/quant/evaluation/expression-check';
import { compileExpression, type Expression } from '@touchstone/quant/expressions/compile-expression';
import type { Bars } from '@touchstone/quant/series/bars';
import { CATALOGUE } from '../catalogue/catalogue.ts';

/** Values of features at some bars of one pass. */
export type FeatureJob = { bars: Bars; at: Int32Array };
export type FeatureWork = { expressions: readonly string[]; jobs: readonly FeatureJob[] };
export type FeatureValues = {
  /** For each job: row-major, a row for each bar wanted, NaN where undefined. */
  values: Float64Array[];
  /** Positions of expressions that threw, with what they said. */
  failures: Record<number, string>;
};

export type ExpressionReport = { badges: ExpressionBadges; milliseconds: number };

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
  const width = programs.length;
  const values = jobs.map(({ bars, at }) => {
    const out = new Float64Array(at.length * width).fill(Number.NaN);
    const scope = { bars, columns: new Map<string, Float64Array>() };
    for (const [column, program] of programs.entries()) {
      if (column in failures) continue;
      try {
        const all = program.evaluate(scope);
        for (let row = 0; row < at.length; row++) out[row * width + column] = all[at[row]!]!;
      } catch (error) {
        failures[column] = error instanceof Error ? error.message : String(error);
      }
    }
    return out;
  });
  return { values, failures };
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

function compile(text: string): Expression {
  const known = compiled.get(text);
  if (known !== undefined) return known;
  const made = compileExpression(text, CATALOGUE);
  if (!made.ok) throw new RangeError(`${text}: ${made.fault.sentence}`);
  if (compiled.size >= COMPILED_MAX) compiled.clear();
  compiled.set(text, made.expression);
  return made.expression;
}
