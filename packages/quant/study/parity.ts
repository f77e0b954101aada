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
  if (!hasRun(part)) throw new Error('_parity-regimes.ts must export runParityRegimes()');
  return part.runParityRegimes();
}

function hasRun(part: unknown): part is { runParityRegimes(): StudyResult[] } {
  return typeof part === 'object' && part !== null && 'runParityRegimes' in part;
}

if (import.meta.main) await run();
