import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const SIMULATOR = 'simulate/regime-simulator.ts';

/** Hash of the kernels, the simulator and the study itself: another hash, another figure. */
export function regimeCodeHash(study: string, floor: 'anomaly' | 'regime'): string {
  const hash = createHash('sha256');
  const source = join(import.meta.dirname, '../src');
  for (const name of readdirSync(join(source, floor)).sort())
    if (name.endsWith('.ts') && !name.endsWith('.test.ts')) hash.update(readFileSync(join(source, floor, name)));
  hash.update(readFileSync(join(source, SIMULATOR)));
  for (const name of ['_regime-code', study]) hash.update(readFileSync(join(import.meta.dirname, `${name}.ts`)));
  return hash.digest('hex');
}
