import { createHash } from 'node:crypto';
import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';

const PACKAGES = path.join(import.meta.dirname, '../..');
/** What a result can depend on. Tests and tools do not count. */
const SOURCES = ['quant/src/**/*.ts', 'contracts/src/**/*.ts', 'server/src/**/*.ts', 'server/migrations/*.sql'];
const HASH_DIGITS = 12;

/**
 * The version that stands in the lineage of every result: the release and a hash of the code that ran, `0.1.0+3f2a9c71b04d`.
 * The same sources give the same version on every machine, also where there is no git.
 */
export function readCodeVersion(release: string): string {
  const hash = createHash('sha256');
  const files = globSync(SOURCES, { cwd: PACKAGES }).filter((file) => !file.endsWith('.test.ts'));
  for (const file of files.sort())
    hash.update(`${file.replaceAll(path.sep, '/')}\0`).update(readFileSync(path.join(PACKAGES, file)));
  return `${release}+${hash.digest('hex').slice(0, HASH_DIGITS)}`;
}
