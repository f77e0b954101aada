import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { test } from 'node:test';
import { MODULES, renderModule } from '../../scripts/build-wasm.ts';

for (const module of MODULES)
  test(`${basename(module.target)} holds what ${module.source} compiles to (else run node scripts/build-wasm.ts)`, async () => {
    assert.equal(readFileSync(module.target, 'utf8'), await renderModule(module));
  });
