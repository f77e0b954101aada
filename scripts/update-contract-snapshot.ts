// Writes packages/contracts/snapshot.json, what the API promises: node scripts/update-contract-snapshot.ts [--allow-breaking]
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { ALL_ROUTES } from '@touchstone/contracts/routes';
import { buildOpenApi } from '../packages/server/src/platform/http/open-api.ts';
import { findBreakingChanges, promiseOf } from '../packages/server/test/contract-changes.ts';

const file = path.join(import.meta.dirname, '../packages/contracts/snapshot.json');
const document = promiseOf(buildOpenApi(ALL_ROUTES, '1'));
const changes = existsSync(file) ? findBreakingChanges(JSON.parse(readFileSync(file, 'utf8')), document) : [];
if (changes.length > 0 && !process.argv.includes('--allow-breaking')) {
  console.error(`This would break those who use the API:\n${changes.map((change) => `  - ${change}`).join('\n')}`);
  console.error('Give it another name instead, or repeat with --allow-breaking before the first release.');
  process.exit(1);
}
// One path a line: a change shows up as the lines it touches.
const lines = Object.entries(document.paths).map(
  ([name, operations]) => `${JSON.stringify(name)}:${JSON.stringify(operations)}`,
);
writeFileSync(file, `{"paths":{\n${lines.join(',\n')}\n}}\n`);
console.log(`${path.relative(process.cwd(), file)} is written`);
