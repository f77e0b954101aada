import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { test } from 'node:test';
import { MODULES, renderModule } from '../../scripts/build-wasm.ts';

for (const { source, target } of MODULES)
  test(`${basename(target)} holds what ${source} compiles to (else run node scripts/build-wasm.ts)`, async () => {
    assert.equal(readFileSync(target, 'utf8'), await renderModule(source));
  });
