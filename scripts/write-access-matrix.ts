// Writes docs/operate/access-matrix.md from the contracts: node scripts/write-access-matrix.ts
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { describeAccess } from '../packages/server/test/access-matrix.ts';

const file = path.join(import.meta.dirname, '../docs/operate/access-matrix.md');
writeFileSync(file, describeAccess());
console.log(`${path.relative(process.cwd(), file)} is written`);
