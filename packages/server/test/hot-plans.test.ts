import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, test } from 'node:test';
import {
  FACT_TABLES,
  fillHotData,
  type HotQuery,
  hotQueries,
  planOf,
  SMALL,
  statementsOf,
} from '../bench/hot-queries.ts';
import { createTestDatabase, type TestDatabase } from './cluster.ts';

// 200,000 bars: enough that the planner prefers an index where there is one. `npm run bench -- db-hot` has 5 million.
// `UPDATE_PLANS=1 node --test …` writes the snapshots anew.

const FOLDER = path.join(import.meta.dirname, 'plans');

let db: TestDatabase;
let queries: HotQuery[];
let serverVersion = 0;
before(async () => {
  db = await createTestDatabase();
  await fillHotData(db.migrator, SMALL);
  queries = await hotQueries(db.database);
  const { rows } = await db.migrator.query(`SELECT current_setting('server_version_num')::int AS version`);
  serverVersion = rows[0].version;
});
after(() => db.close());

test('the ten hottest questions are the ten that are looked at', () => {
  assert.equal(queries.length, 10);
});

test('none of them reads a table of facts or records from end to end, and their plans are the committed ones', async () => {
  const problems: string[] = [];
  for (const { name, ask } of queries) {
    // Two rounds: the evidence is asked for with and without a subject.
    const texts: string[] = [];
    for (const round of [2, 3]) {
      for (const statement of await statementsOf(db.database, () => ask(round))) {
        const { text, scans } = await planOf(db.database, statement);
        for (const table of scans.filter((scan) => FACT_TABLES.includes(scan))) {
          problems.push(`${name} reads all of ${table}:\n${statement.text}\n${text}`);
        }
        if (!texts.includes(text)) texts.push(text);
      }
    }
    const told = `${texts.join('\n\n')}\n`;
    const file = path.join(FOLDER, `${name}.txt`);
    if (process.env.UPDATE_PLANS !== undefined) {
      await mkdir(FOLDER, { recursive: true });
      await writeFile(file, told);
    }
    // The snapshots are the embedded server's; another version may choose differently, and must still not scan.
    if (serverVersion >= 180_000) {
      const kept = await readFile(file, 'utf8');
      if (kept !== told)
        problems.push(`${name} has another plan than ${path.basename(file)}:\n${told}\ninstead of\n${kept}`);
    }
  }
  assert.equal(problems.length, 0, problems.join('\n\n'));
});

test('a scan is found where there is one: the check can fail', async () => {
  const [scan] = await statementsOf(db.database, () =>
    db.database.transaction({ tenantId: 7, actorId: null }, ({ client }) =>
      client.query('SELECT count(*) FROM price_observation WHERE volume > $1', [3]),
    ),
  );
  assert.ok(scan);
  const { text, scans } = await planOf(db.database, scan);
  assert.ok(scans.includes('price_observation'), text);
});
