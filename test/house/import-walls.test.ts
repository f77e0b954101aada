import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

type Violation = { rule: string; from: string; to: string; sentence: string };
type Checker = { findViolations(root: string): Violation[] };

const house = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const { findViolations }: Checker = await import(new URL('../../scripts/check-imports.mjs', import.meta.url).href);

let root: string;
beforeEach(() => {
  root = mkdtempSync('/tmp/touchstone-walls-');
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** [rule that must be broken, importing file, what it imports] */
const broken: [string, string, string][] = [
  ['quant imports nothing', 'packages/quant/src/stats/mean.ts', 'node:fs'],
  ['quant imports nothing', 'packages/quant/src/stats/mean.ts', 'zod'],
  ['quant imports', 'packages/quant/src/stats/mean.ts', '@touchstone/contracts/prices'],
  ['quant imports', 'packages/quant/src/stats/mean.ts', '@touchstone/server/app'],
  ['quant imports', 'packages/quant/src/stats/mean.test.ts', '@touchstone/server/app'],
  ['quant floors', 'packages/quant/src/stats/mean.ts', '../quality/court.ts'],
  ['quant floors', 'packages/quant/src/quality/court.ts', '@touchstone/quant/backtest/run'],
  ['contracts import zod only', 'packages/contracts/src/prices.ts', 'pg'],
  ['contracts import zod only', 'packages/contracts/src/prices.ts', 'node:crypto'],
  ['contracts imports', 'packages/contracts/src/prices.ts', '@touchstone/quant/series/day'],
  ['way of the data', 'packages/server/src/market-data/csv/import.ts', '../../features/index.ts'],
  ['way of the data', 'packages/server/src/features/datasets/freeze.ts', '../../models/index.ts'],
  ['way of the data', 'packages/server/src/models/trials/ledger.ts', '../../portfolio/index.ts'],
  ['way of the data', 'packages/server/src/portfolio/index-run/run.ts', '../../insight/index.ts'],
  ['stage door', 'packages/server/src/portfolio/index-run/run.ts', '../../market-data/csv/import.ts'],
  ['stage door', 'test/stories/first-start.test.ts', '../../packages/server/src/market-data/csv/import.ts'],
  ['platform imports', 'packages/server/src/platform/queue/queue.ts', '../../market-data/index.ts'],
  ['platform imports', 'packages/server/src/platform/queue/queue.ts', '@touchstone/quant/stats/mean'],
  ['wiring', 'packages/server/src/market-data/csv/import.ts', '../../app.ts'],
  ['wiring', 'packages/server/src/platform/queue/queue.ts', '../../config.ts'],
  ['server imports', 'packages/server/src/market-data/csv/import.ts', '@touchstone/web/app'],
  ['server imports', 'packages/server/src/market-data/csv/import.ts', '@touchstone/cli/main'],
  ['package names', 'packages/server/src/market-data/csv/import.ts', '../../../../quant/src/stats/mean.ts'],
  ['web imports', 'packages/web/src/features/index-page/page.tsx', '@touchstone/quant/stats/mean'],
  ['web imports', 'packages/web/src/features/index-page/page.tsx', '@touchstone/server/app'],
  ['web runs in a browser', 'packages/web/src/lib/format.ts', 'node:fs'],
  ['web features', 'packages/web/src/features/index-page/page.tsx', '../data-quality/page.tsx'],
  ['web features', 'packages/web/src/components/chart.tsx', '../features/data-quality/page.tsx'],
  ['cli imports', 'packages/cli/src/commands/verify.ts', '@touchstone/server/app'],
  ['cli imports', 'packages/cli/src/commands/verify.ts', '@touchstone/quant/stats/mean'],
  ['tests are leaves', 'packages/server/src/market-data/csv/import.ts', './import.test.ts'],
  ['tests are leaves', 'packages/server/bench/read.ts', '../../../test/stories/help.ts'],
  ['tests are leaves', 'packages/server/src/app.ts', '../../../scripts/bootstrap.mjs'],
  ['tests are leaves', 'packages/server/src/app.ts', '../../../test/stories/help.ts'],
  ['scripts run bare', 'scripts/start.mjs', 'pg'],
  ['stage door', 'scripts/generate-schema.ts', '../packages/server/src/market-data/csv/import.ts'],
  ['scripts run bare', 'scripts/start.mjs', '../packages/server/src/main.ts'],
];

/** [importing file, what it imports] */
const allowed: [string, string][] = [
  ['packages/server/bench/read.ts', '../test/vendor-double/vendor-double.ts'],
  ['packages/quant/src/stats/mean.ts', '../checks/expect.ts'],
  ['packages/quant/src/backtest/run.ts', '@touchstone/quant/stats/mean'],
  ['packages/quant/src/stats/mean.test.ts', 'node:fs'],
  ['packages/quant/bench/indexes.ts', 'node:os'],
  ['packages/contracts/src/prices.ts', 'zod'],
  ['packages/server/src/portfolio/index-run/run.ts', '../../market-data/index.ts'],
  ['packages/server/src/portfolio/index-run/run.ts', '../../platform/database/database.ts'],
  ['packages/server/src/portfolio/index-run/run.ts', '@touchstone/quant/stats/mean'],
  ['packages/server/src/portfolio/index-run/run.test.ts', '../../market-data/csv/import.ts'],
  ['packages/server/src/platform/compute/pool.ts', '@touchstone/quant/stats/mean'],
  ['packages/server/src/main.ts', './market-data/csv/import.ts'],
  ['packages/server/test/schema.test.ts', '../src/market-data/csv/import.ts'],
  ['packages/web/src/app/app.tsx', '../features/data-quality/page.tsx'],
  ['packages/web/vite.config.ts', 'node:path'],
  ['packages/cli/src/commands/verify.ts', 'node:fs'],
  ['test/stories/first-start.test.ts', '../../packages/server/src/market-data/index.ts'],
  ['scripts/start.mjs', './bootstrap.mjs'],
  ['scripts/generate-schema.ts', '../packages/server/test/cluster.ts'],
];

describe('Every wall holds when it is broken on purpose', () => {
  for (const [rule, file, specifier] of broken) {
    test(`${file} may not import ${specifier} (${rule})`, () => {
      write(file, `import { x } from '${specifier}';\n`);
      assert.deepEqual(found(), [[rule, file, specifier]]);
    });
  }
  for (const [file, specifier] of allowed) {
    test(`${file} may import ${specifier}`, () => {
      write(file, `import { x } from '${specifier}';\n`);
      assert.deepEqual(found(), []);
    });
  }
});

describe('Every way to import is seen', () => {
  const file = 'packages/quant/src/stats/mean.ts';
  const forms = [
    "import 'node:fs';",
    "import fs from 'node:fs';",
    "import * as fs from 'node:fs';",
    "import type { Stats } from 'node:fs';",
    "import fs, { type Stats } from 'node:fs';",
    'import {\n  readFile, // a comment\n  writeFile,\n} from "node:fs"',
    "export * from 'node:fs';",
    "export { readFile } from 'node:fs';",
    "export type { Stats } from 'node:fs';",
    "const fs = await import('node:fs');",
    'const fs = import(`node:fs`);',
    "type Stats = import('node:fs').Stats;",
    "const fs = require('node:fs');",
    "const pattern = /[\"'`/]/g; import fs from 'node:fs';",
    "const text = `a @{`b @{'c'}`} }`; import fs from 'node:fs';".replaceAll('@', '$'),
  ];
  for (const form of forms) {
    test(form.replaceAll('\n', ' '), () => {
      write(file, form);
      assert.deepEqual(found(), [['quant imports nothing', file, 'node:fs']]);
    });
  }

  test('a file named for a worker counts as imported', () => {
    write('packages/server/src/platform/compute/pool.ts', "new URL('../../insight/work.ts', import.meta.url);");
    assert.deepEqual(
      found().map(([rule]) => rule),
      ['platform imports'],
    );
  });

  const harmless = [
    "// import fs from 'node:fs';",
    "/* export * from 'node:fs'; */",
    'const text = "import fs from \'node:fs\'";',
    "const text = `import fs from 'node:fs'`;",
    "export const from = 1; const x = 'node:fs';",
    "export type A = { from: 'node:fs' };",
    "export type Way = 'in' | 'out'; const words = ['from', 'node:fs'];",
    "reader.import('node:fs');",
    "const folder = new URL('../../../../', import.meta.url);",
  ];
  for (const text of harmless) {
    test(`no import: ${text}`, () => {
      write(file, text);
      assert.deepEqual(found(), []);
    });
  }
});

describe('Beyond single imports', () => {
  test('slices that import each other in a circle are named once', () => {
    write('packages/server/src/market-data/csv/a.ts', "import '../court/b.ts';");
    write('packages/server/src/market-data/court/b.ts', "import type { C } from '../runs/c.ts';");
    write('packages/server/src/market-data/runs/c.ts', "import '../csv/a.ts';");
    assert.deepEqual(
      findViolations(root).map(({ rule, sentence }) => [rule, sentence]),
      [
        [
          'circle',
          'Slices import each other: server/market-data/court → server/market-data/runs → server/market-data/csv → server/market-data/court.',
        ],
      ],
    );
  });

  test('files of one slice may import each other', () => {
    write('packages/server/src/market-data/csv/a.ts', "import './b.ts';");
    write('packages/server/src/market-data/csv/b.ts', "import './a.ts';");
    assert.deepEqual(found(), []);
  });

  test('quant floors of one height may not form a circle either', () => {
    write('packages/quant/src/stats/a.ts', "import '../linalg/b.ts';");
    write('packages/quant/src/linalg/b.ts', "import '../stats/a.ts';");
    assert.deepEqual(
      found().map(([rule]) => rule),
      ['circle'],
    );
  });

  test('a kernel has no clock and no chance of its own', () => {
    const impure = ['Math.random()', 'Date.now()', 'new Date()', 'performance.now()', 'process.env', 'fetch(url)'];
    for (const text of impure) {
      write('packages/quant/src/stats/a.ts', `export const x = ${text};`);
      assert.deepEqual(
        found().map(([rule]) => rule),
        ['impure kernel'],
        text,
      );
    }
    write('packages/quant/src/stats/a.ts', "// Math.random()\nexport const x = new Date(0) + 'Date.now()';");
    assert.deepEqual(found(), []);
  });

  test('a folder that is no stage and no floor has no place', () => {
    write('packages/server/src/utils/text.ts', '');
    write('packages/quant/src/helpers/text.ts', '');
    assert.deepEqual(
      found().map(([rule]) => rule),
      ['unknown room', 'unknown room'],
    );
  });

  test('the walls of this very house stand', () => {
    assert.deepEqual(findViolations(house), []);
  });
});

function write(file: string, text: string): void {
  mkdirSync(join(root, dirname(file)), { recursive: true });
  writeFileSync(join(root, file), text);
}

function found(): [string, string, string][] {
  return findViolations(root).map(({ rule, from, to }) => [rule, from, to]);
}
