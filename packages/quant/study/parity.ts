import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { runParityGarch } from './_parity-garch.ts';
import type { StudyResult } from './_volatility-study.ts';

/** The part of the regimes lies beside this one and is found by its name. */
const REGIMES = join(import.meta.dirname, '_parity-regimes.ts');

export async function run(): Promise<StudyResult[]> {
  const results = [...runParityGarch(), ...(await regimes())];
  for (const { name, figure, goal, verdict } of results)
    console.log(`${name}: ${Number(figure.toPrecision(9))}, ${goal}: ${verdict}`);
  return results;
}

async function regimes(): Promise<StudyResult[]> {
  if (!existsSync(REGIMES)) return [];
  const part: unknown = await import(pathToFileURL(REGIMES).href);
  if (!hasParity(part)) throw new Error('_parity-regimes.ts must export parityOfRegimes()');
  const figures = part.parityOfRegimes();
  if (figures === null) throw new Error('the golden files of the regimes are absent; set TOUCHSTONE_DATA');
  return figures.map((one) => ({
    ...one,
    unit: 'as named',
    interval: [one.figure, one.figure],
    target: one.peerFigure,
    goal: `within ${one.tolerance} of ${one.peerFigure}`,
    verdict: one.met ? 'met' : 'not met',
    input: {},
    settings: { tolerance: one.tolerance },
    trials: 1,
    detail: { difference: one.difference },
  }));
}

type Figure = Pick<StudyResult, 'name' | 'figure' | 'met'> & Record<'peerFigure' | 'difference' | 'tolerance', number>;

function hasParity(part: unknown): part is { parityOfRegimes(): Figure[] | null } {
  return typeof part === 'object' && part !== null && 'parityOfRegimes' in part;
}

if (import.meta.main) await run();
