// `npm run check`: everything a change must pass. All steps run, so that one run shows all that is wrong.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { bootstrap, listPackages, root, runNode } from './bootstrap.mjs';

await bootstrap({ pages: false });

const tsc = 'node_modules/typescript/bin/tsc';
const webProject = join(root, 'packages', 'web', 'tsconfig.json');
const steps = [
  { name: 'types', args: [tsc, '-p', 'tsconfig.json'] },
  ...(existsSync(webProject) ? [{ name: 'types of the pages', args: [tsc, '-p', webProject] }] : []),
  { name: 'import walls', args: ['scripts/check-imports.mjs'] },
  { name: 'lint', args: ['node_modules/@biomejs/biome/bin/biome', 'check', '.'] },
  { name: 'unused code', args: ['node_modules/knip/bin/knip.js'] },
  { name: 'copied code', args: ['scripts/check-copies.mjs'] },
  { name: 'tests', args: ['scripts/test.mjs'] },
];

const results = [];
for (const { name, args } of steps) {
  console.log(`\n── ${name}`);
  const startedAt = Date.now();
  const code = await runNode(args);
  results.push({ name, code, seconds: (Date.now() - startedAt) / 1000 });
}

console.log(`\nChecked ${listPackages().length} packages:`);
for (const { name, code, seconds } of results) {
  console.log(`  ${code === 0 ? 'passed' : 'FAILED'}  ${seconds.toFixed(1).padStart(6)} s  ${name}`);
}
process.exitCode = results.some(({ code }) => code !== 0) ? 1 : 0;
