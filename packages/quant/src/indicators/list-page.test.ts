import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { indicatorList } from './list-page.ts';

test('the list of indicators in the docs is the one of the catalogue', () => {
  const page = readFileSync(join(import.meta.dirname, '../../../../docs/methods/indicators.md'), 'utf8');
  assert.ok(page.includes(indicatorList()), 'run node scripts/write-indicator-list.ts');
});
