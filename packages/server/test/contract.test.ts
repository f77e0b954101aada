import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { ALL_ROUTES } from '@touchstone/contracts/routes';
import { buildOpenApi } from '../src/platform/http/open-api.ts';
import { findBreakingChanges, promiseOf } from './contract-changes.ts';

const SNAPSHOT = path.join(import.meta.dirname, '../../contracts/snapshot.json');
const now = () => promiseOf(buildOpenApi(ALL_ROUTES, '1'));

test('the API still keeps everything it promised', async () => {
  const before = JSON.parse(await readFile(SNAPSHOT, 'utf8'));
  assert.deepEqual(findBreakingChanges(before, now()), []);
});

test('the snapshot of the contract is the present one', async () => {
  const stored = JSON.stringify(JSON.parse(await readFile(SNAPSHOT, 'utf8')));
  // Not compared by deepEqual: the difference of two whole documents fills the screen and tells nothing.
  assert.ok(stored === JSON.stringify(now()), 'Renew it: node scripts/update-contract-snapshot.ts');
});

/** The document with one place replaced, found by its path of keys. */
function changed(keys: string[], change: (node: Record<string, unknown>) => void): unknown {
  const copy = JSON.parse(JSON.stringify(now()));
  let node = copy.paths;
  for (const key of keys) node = node[key];
  change(node);
  return copy;
}

test('taking something away, or newly demanding something, is noticed', () => {
  const body = ['/api/v1/universes', 'post', 'requestBody', 'content', 'application/json', 'schema'];
  const answer = ['/api/v1/tasks/{taskId}', 'get', 'responses', '200', 'content', 'application/json', 'schema'];
  const cases: [unknown, RegExp][] = [
    [changed([], (paths) => delete paths['/api/v1/tasks']), /GET \/api\/v1\/tasks was removed/],
    [changed([...body, 'properties'], (fields) => delete fields.name), /body\.name was removed/],
    [
      changed(body, (schema) => Object.assign(schema, { required: ['name', 'rule', 'sourceId', 'description'] })),
      /body\.description is required now/,
    ],
    [
      changed([...body, 'properties', 'rule'], (rule) => Object.assign(rule, { enum: ['list'] })),
      /lost the value all_of_source/,
    ],
    [changed([...answer, 'properties'], (fields) => delete fields.state), /200\.state was removed/],
    [
      changed([...answer, 'properties', 'title'], (title) => Object.assign(title, { type: 'number' })),
      /200\.title has another type/,
    ],
    [
      changed(['/api/v1/tasks', 'get'], (operation) => Object.assign(operation, { parameters: [] })),
      /parameter query limit was removed/,
    ],
  ];
  for (const [after, sentence] of cases) assert.match(findBreakingChanges(now(), after).join('\n'), sentence);
});

test('adding something is fine', () => {
  const answer = [
    '/api/v1/tasks/{taskId}',
    'get',
    'responses',
    '200',
    'content',
    'application/json',
    'schema',
    'properties',
  ];
  assert.deepEqual(
    findBreakingChanges(
      now(),
      changed(answer, (fields) => Object.assign(fields, { more: { type: 'string' } })),
    ),
    [],
  );
});
