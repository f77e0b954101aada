import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { renderNotices } from '../../scripts/write-notices.ts';

test('the notices name every package that is installed to run the product', () => {
  const cells = (text: string) => text.replaceAll(/[ -]{2,}/g, ' ').replaceAll(/ ?\| ?/g, '|');
  const written = readFileSync(path.join(import.meta.dirname, '../../NOTICE.md'), 'utf8');
  assert.ok(cells(written) === cells(renderNotices()), 'Renew them: node scripts/write-notices.ts, then npm run fix');
});
