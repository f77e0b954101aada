import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createRandom } from '@touchstone/quant/random/random';
import { dayNumber, dayText } from '@touchstone/quant/series/day';
import { tradingDays } from '@touchstone/quant/series/trading-calendar';
import { createTestDatabase, type TestDatabase } from '../../../test/cluster.ts';
import { addBars, addInstrument, addRun, addSource, publish } from '../../../test/facts.ts';
import { inlineCompute } from '../../../test/inline-compute.ts';
import { startTestServer, type TestServer } from '../../../test/test-server.ts';
import type { Principal } from '../../platform/database/database.ts';
import { createStages } from '../../stages.ts';

// The whole slice, from HTTP to SQL. Replaced: the threads that compute.

const DAYS = Array.from(tradingDays('XNYS', dayNumber('2024-01-02'), dayNumber('2024-09-30')), dayText);
const SPLIT_DAY = DAYS[60]!;
const DIVIDEND_DAY = DAYS[100]!;
const TENANT = 5;

let db: TestDatabase;
let server: TestServer;
let token: string;
let who: Principal;
let source: number;
let ids: { AAA: number; BBB: number; NONE: number };
let universeId: number;
/** Moves the clock that times to live are held against. */
let laterMs = 0;

before(async () => {
  db = await createTestDatabase();
  server = await startTestServer(db, {
    runTasks: true,
    wire: ({ serve, ...parts }) =>
      createStages({
        ...{
          ...parts,
          connection: db.connection,
          compute: inlineCompute,
          clock: { now: () => Date.now() + laterMs },
          codeVersion: 'test',
        },
      }).registerRoutes(serve),
  });
  token = await server.tokenFor('owner', TENANT);
  who = { tenantId: TENANT, actorId: null };
  await db.database.transaction(who, async (tx) => {
    source = await addSource(tx, 'raw-prices');
    ids = {
      AAA: await addInstrument(tx, 'AAA'),
      BBB: await addInstrument(tx, 'BBB'),
      NONE: await addInstrument(tx, 'NONE'),
    };
    const random = createRandom(3);
    const path = (instrumentId: number) => {
      let close = 100;
      return DAYS.map((day) => {
        close *= 1 + 0.01 * random.normal();
        return { instrumentId, day, close: instrumentId === ids.AAA && day >= SPLIT_DAY ? close / 2 : close };
      });
    };
    await addBars(tx, source, [...path(ids.AAA), ...path(ids.BBB)]);
    const run = await addRun(tx, source, 'corporate_actions');
    const action = (day: string) => ({
      ...{ tenant_id: TENANT, instrument_id: ids.AAA, source_id: source, run_id: run, day },
      known_at: `${day}T12:00:00.000Z`,
    });
    await tx.query
      .insertInto('corporate_action')
      .values([
        { ...action(SPLIT_DAY), kind: 'split', value: 2 },
        { ...action(DIVIDEND_DAY), kind: 'dividend', value: 0.5 },
      ])
      .execute();
    await publish(tx, run, { min: `${SPLIT_DAY}T12:00:00Z`, max: `${DIVIDEND_DAY}T12:00:00Z` });
  });
  const made = await server.call('POST', '/universes', {
    token,
    body: {
      ...{ name: 'Two', description: '', sourceId: source, visibility: 'tenant', rule: 'list' },
      members: [{ instrumentId: ids.AAA }, { instrumentId: ids.BBB }],
    },
  });
  assert.equal(made.status, 201, made.text);
  universeId = Number(made.json.id);
});
after(async () => {
  await server.close();
  await db.close();
});

const VIEW = {
  ...{ name: 'stretch', description: 'How far from the mean.', owner: 'research', ttlDays: null },
  features: [
    { name: 'stretch_20', expression: '(close - mean(close, 20)) / std(close, 20)' },
    { name: 'sma_7', expression: 'sma(7)' },
    { name: 'trend', expression: 'where(ema(close, 5) > ema(close, 12), 1, -1) * rank(volume, 5)' },
  ],
};
const FEATURES = ['stretch:stretch_20', 'stretch:sma_7', 'stretch:trend', 'sma_20'];

async function ask(method: string, path: string, body?: unknown, status = 200) {
  const reply = await server.call(method, path, { token, ...(body === undefined ? {} : { body }) });
  assert.equal(reply.status, status, `${method} ${path}: ${reply.text.slice(0, 800)}`);
  return reply.json;
}

async function finished(path: string, body: unknown): Promise<Record<string, unknown>> {
  const { task } = (await ask('POST', path, body, 202)) as { task: { id: number } };
  for (let tries = 0; tries < 200; tries++) {
    const told = (await ask('GET', `/tasks/${task.id}`)) as {
      state: string;
      result: Record<string, unknown>;
      problem: unknown;
    };
    if (told.state === 'done') return told.result;
    assert.ok(['queued', 'running'].includes(told.state), JSON.stringify(told.problem));
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('the task did not end');
}

type Row = {
  values: (number | null)[];
  missing: Record<string, string>;
  eventDay: string | null;
  knownAt: string | null;
};
async function historical(rows: object[], features = FEATURES): Promise<Row[]> {
  const answer = await ask('POST', '/features/historical', { rows, features });
  return answer.rows as Row[];
}

test('a view that looks ahead is refused, with the part that does', async () => {
  for (const [expression, part, reason] of [
    ['close / lead(close, 1)', 'lead(close, 1)', 'look_ahead'],
    ['mean(lag(close, -3), 5)', 'lag(close, -3)', 'look_ahead'],
    ['clsoe * 2', 'clsoe', 'unknown_name'],
    ['process + 1', 'process', 'unknown_name'],
    ['mean(close, 99999)', '99999', 'wrong_arguments'],
    ['close +', '', 'syntax'],
  ] as const) {
    const body = { ...VIEW, features: [{ name: 'bad', expression }] };
    const check = (await ask('POST', '/feature-views/check', body)) as {
      accepted: boolean;
      problems: { part: string; reason: string }[];
    };
    assert.equal(check.accepted, false);
    assert.deepEqual(
      check.problems.map((problem) => [problem.part, problem.reason]),
      [[part, reason]],
    );
    await ask('POST', '/feature-views', body, 400);
  }
});

test('a view is saved with the badges of its features, and a change is a new version', async () => {
  const made = await ask('POST', '/feature-views', VIEW, 201);
  assert.equal(made.version, 1);
  const features = made.features as {
    warmUp: number;
    badges: { canary: { passed: boolean }; warmUp: { passed: boolean } };
  }[];
  assert.deepEqual(
    features.map(({ warmUp }) => warmUp),
    [19, 6, 11],
  );
  for (const { badges } of features) assert.ok(badges.canary.passed && badges.warmUp.passed);
  await ask('POST', '/feature-views', VIEW, 409);

  const changed = await ask('PATCH', '/feature-views/stretch', { version: 1, description: 'How far from its mean.' });
  assert.equal(changed.version, 2);
  await ask('PATCH', '/feature-views/stretch', { version: 1, description: 'Else.' }, 409);
  const first = await ask('GET', '/feature-views/stretch?version=1');
  assert.equal(first.description, 'How far from the mean.');
  await ask('GET', '/feature-views/stretch?version=9', undefined, 404);
  await ask('PATCH', '/feature-views/trend', { version: 1, owner: 'me' }, 409);
  const { items } = (await ask('GET', '/feature-views')) as { items: { name: string; checksPassed: boolean }[] };
  assert.ok(items.some(({ name }) => name === 'trend'));
  assert.ok(items.every(({ checksPassed }) => checksPassed));
});

test('features of the past are as known then: corrections told later change no earlier answer', async () => {
  const rows = [40, 59, 60, 99, 100, 120].flatMap((at) => [
    { instrument: 'AAA', asOf: DAYS[at]! },
    { instrument: ids.BBB, asOf: DAYS[at]! },
  ]);
  const before = await historical(rows);
  assert.ok(before.every(({ values }) => values.every((value) => value !== null)));
  assert.equal(before[0]!.knownAt, `${DAYS[40]}T21:00:00.000Z`);

  const at = `${DAYS[130]}T22:00:00.000Z`;
  await db.database.transaction(who, (tx) =>
    addBars(tx, source, [
      { instrumentId: ids.BBB, day: DAYS[30]!, close: 500, knownAt: at },
      { instrumentId: ids.AAA, day: DAYS[55]!, close: 1, knownAt: at },
    ]),
  );
  assert.deepEqual(await historical(rows), before);
  // Asked as known after the correction, the windows that hold the corrected bar differ.
  const later = await historical(rows.map((row) => ({ ...row, knownAt: at })));
  assert.notDeepEqual(later[1]!.values, before[1]!.values);
});

test('every answer of the past equals the series read at its moment, bit for bit', async () => {
  const rows = [20, 45, 60, 61, 100, 101, 129, 130, 140].map((at) => ({
    ...{
      instrument: 'AAA',
      asOf: DAYS[at]!,
      knownAt: `${DAYS[Math.min(at + (at % 3), DAYS.length - 1)]}T22:00:00.000Z`,
    },
  }));
  const told = await historical(rows);
  for (const [i, { asOf, knownAt }] of rows.entries()) {
    const series = (await ask(
      'GET',
      `/features/series?instrument=AAA&features=${FEATURES.join(',')}&asOf=${asOf}&knownAt=${knownAt}`,
    )) as {
      days: string[];
      columns: { values: (number | null)[] }[];
    };
    assert.equal(series.days.at(-1), told[i]!.eventDay);
    assert.deepEqual(
      series.columns.map(({ values }) => values.at(-1)),
      told[i]!.values,
    );
  }
});

test('what cannot be told is null with its reason, and harms nothing beside it', async () => {
  const rows = [
    { instrument: 'BBB', asOf: DAYS[50]! },
    { instrument: 'BBB', asOf: DAYS[10]! },
    { instrument: 'BBB', asOf: DAYS[50]!, knownAt: `${DAYS[40]}T00:00:00.000Z` },
    { instrument: 'NONE', asOf: DAYS[50]! },
    { instrument: 'ZZZ', asOf: DAYS[50]! },
  ];
  const answer = (await ask('POST', '/features/historical', { rows, features: ['sma_20', 'stretch:strech_20'] })) as {
    rows: Row[];
    problems: { suggestion: string }[];
    reasons: { code: string }[];
  };
  const unknown = { 'stretch:strech_20': 'unknown_feature' };
  assert.equal(answer.problems[0]!.suggestion, 'stretch:stretch_20');
  assert.deepEqual(
    answer.rows.map(({ missing }) => missing),
    [
      unknown,
      { ...unknown, sma_20: 'too_little_history' },
      { ...unknown, sma_20: 'not_known_yet' },
      { ...unknown, sma_20: 'not_known_yet' },
      { ...unknown, sma_20: 'unknown_entity' },
    ],
  );
  assert.ok(answer.rows[0]!.values[0] !== null);
  assert.ok(answer.reasons.some(({ code }) => code === 'unknown_entity'));
  await ask('POST', '/features/historical', { features: ['sma_20'] }, 400);
});

test('the online store gives what the past gives at the same moment, bit for bit, and computes only what changed', async () => {
  const first = await finished('/features/materialise', { universeId, views: ['stretch', 'trend'] });
  assert.equal(first.computedCount, 4);
  const again = await finished('/features/materialise', { universeId, views: ['stretch', 'trend'] });
  assert.equal(again.computedCount, 0);

  const body = { features: FEATURES, instruments: ['AAA', ids.BBB, 'NONE', 'ZZZ'] };
  const online = (await ask('POST', '/features/online', body)) as {
    entities: {
      values: (number | null)[];
      reasons: (string | null)[];
      known: ({ eventDay: string; knownAt: string; version: number } | null)[];
    }[];
    views: { view: string; version: number }[];
  };
  assert.deepEqual(
    online.views.map(({ view, version }) => [view, version]),
    [
      ['stretch', 2],
      ['trend', 1],
    ],
  );
  const { eventDay, knownAt } = online.entities[0]!.known[0]!;
  assert.equal(eventDay, DAYS.at(-1));
  const past = await historical(
    ['AAA', 'BBB'].map((instrument) => ({ instrument, asOf: eventDay, knownAt })),
    FEATURES.slice(0, 3),
  );
  assert.deepEqual(
    online.entities.slice(0, 2).map(({ values }) => values.slice(0, 3)),
    past.map(({ values }) => values),
  );
  assert.deepEqual(online.entities[2]!.reasons, Array(4).fill('not_materialised'));
  assert.deepEqual(online.entities[3]!.reasons, Array(4).fill('unknown_entity'));

  await db.database.transaction(who, (tx) =>
    addBars(tx, source, [{ instrumentId: ids.BBB, day: '2024-10-01', close: 77 }]),
  );
  const next = await finished('/features/materialise', { universeId, views: ['stretch', 'trend'] });
  assert.equal(next.computedCount, 2);
  const renewed = (await ask('POST', '/features/online', body)) as typeof online;
  assert.equal(renewed.entities[1]!.known[0]!.eventDay, '2024-10-01');
  assert.deepEqual(renewed.entities[0], online.entities[0]);
});

test('another tenant sees neither views nor values nor instruments', async () => {
  const other = await server.tokenFor('owner', 6);
  const body = { features: ['stretch:sma_7', 'trend:sma_20'], instruments: ['AAA', ids.BBB] };
  const { json } = await server.call('POST', '/features/online', { token: other, body });
  const { entities } = json as { entities: { values: unknown[]; reasons: string[] }[] };
  for (const { values, reasons } of entities) {
    assert.deepEqual(values, [null, null]);
    assert.deepEqual(reasons, ['unknown_feature', 'unknown_entity']);
  }
});

test('a materialisation that was stopped goes on where it was, with the moment it began with', async () => {
  await db.migrator.query(
    `UPDATE online.materialisation SET complete = false, since = NULL, last_instrument_id = $1
     WHERE tenant_id = $2 AND view = 'stretch'`,
    [ids.AAA, TENANT],
  );
  const { items } = (await ask('GET', '/features/materialisations')) as {
    items: { view: string; recordedAt: string; complete: boolean }[];
  };
  const before = items.find(({ view }) => view === 'stretch')!;
  assert.equal(before.complete, false);
  await db.database.transaction(who, (tx) =>
    addBars(tx, source, [{ instrumentId: ids.BBB, day: '2024-10-02', close: 78 }]),
  );
  const resumed = await finished('/features/materialise', { universeId, views: ['stretch'] });
  assert.equal(resumed.computedCount, 1);
  const after = ((await ask('GET', '/features/materialisations')) as { items: (typeof items)[number][] }).items;
  assert.deepEqual(after.find(({ view }) => view === 'stretch')!.recordedAt, before.recordedAt);
  // What came meanwhile is for the next one.
  assert.equal((await finished('/features/materialise', { universeId, views: ['stretch'] })).computedCount, 1);
});

test('a comparison of what was served finds nothing, and an alert comes when a stored value was changed', async () => {
  const clean = await finished('/features/skew', undefined);
  assert.ok(Number(clean.valueCount) > 0);
  assert.equal(clean.mismatchCount, 0);
  await db.migrator.query(
    `UPDATE online.feature_value SET packed = set_byte(packed, 34, (get_byte(packed, 34) + 1) % 256)
     WHERE tenant_id = ${TENANT} AND view = 'stretch' AND instrument_id = ${ids.AAA}`,
  );
  await db.migrator.query(
    `INSERT INTO online.served_sample (tenant_id, view, view_version, instrument_id, packed)
     SELECT tenant_id, view, view_version, instrument_id, packed FROM online.feature_value WHERE view = 'stretch'`,
  );
  const dirty = await finished('/features/skew', undefined);
  assert.equal(dirty.mismatchCount, 1);
  const { latest } = (await ask('GET', '/features/skew')) as { latest: { examples: { feature: string }[] } };
  assert.equal(latest.examples[0]!.feature, 'stretch@2:stretch_20');
  const alerts = (await ask('GET', '/alerts')) as { items: { kind: string }[] };
  assert.ok(alerts.items.some(({ kind }) => kind === 'features.skew'));
});

test('features of a universe are frozen under the hash of their content, and a correction names the dataset', async () => {
  const question = {
    universe: { universeId, from: DAYS[80]!, to: DAYS[90]!, everyDays: 5 },
    features: ['sma_20', 'stretch:stretch_20'],
  };
  const frozen = await finished('/features/historical/dataset', question);
  assert.equal(frozen.rowCount, 6);
  assert.equal((await finished('/features/historical/dataset', question)).datasetSha256, frozen.datasetSha256);
  const sha256 = String(frozen.datasetSha256);
  assert.equal((await ask('GET', `/datasets/${sha256}`)).kind, 'features');
  const csv = await server.call('GET', `/datasets/${sha256}/file?format=csv`, { token });
  assert.match(csv.text.split('\n')[0]!, /^instrument,day,known_at_ms,event_day,sma_20,stretch:stretch_20$/);
  assert.equal(csv.text.trim().split('\n').length, 7);

  const later = await finished('/features/historical/dataset', { ...question, features: ['sma_20', 'sma(3)'] });
  const diff = await ask('GET', `/datasets/${sha256}/diff/${later.datasetSha256}`);
  assert.deepEqual([diff.added, diff.removed, diff.changed], [0, 0, 0]);

  const radius = (await ask('GET', `/data/blast-radius?instrumentId=${ids.BBB}&from=${DAYS[20]}&to=${DAYS[20]}`)) as {
    dependents: { kind: string; count: number; items: { id: string }[] }[];
  };
  const countOf = (kind: string) => radius.dependents.find((dependent) => dependent.kind === kind)!;
  assert.ok(countOf('feature-dataset').items.some(({ id }) => id === sha256));
  assert.deepEqual(
    countOf('feature-view').items.map(({ id }) => id),
    ['stretch@2', 'trend@1'],
  );
  assert.equal(countOf('online-value').count, 2);
});

test('values from outside are pushed on the wire of Feast, served by it, and known from when they came', async () => {
  const view = {
    name: 'news',
    description: 'Tone.',
    owner: 'desk',
    ttlDays: 5_000,
    source: 'push',
    features: [{ name: 'tone' }],
  };
  await ask('POST', '/feature-views', view, 201);
  const push = (df: object, status = 200) => ask('POST', '/feast/push', { push_source_name: 'news', df }, status);
  await push({
    instrument: ['AAA', 'BBB'],
    event_timestamp: ['2024-09-30T20:00:00', '2024-09-30T20:00:00'],
    tone: [0.25, null],
  });
  await push({ instrument: ['AAA'], event_timestamp: ['2024-09-29T20:00:00'], tone: [0.75] });
  await push({ instrument: ['AAA'], event_timestamp: ['2024-09-29T20:00:00'], mood: [1] }, 400);
  await push({ instrument: ['ZZZ'], event_timestamp: ['2024-09-29T20:00:00'], tone: [1] }, 400);
  await ask('POST', '/feast/push', { push_source_name: 'stretch', df: {} }, 409);
  const answer = (await ask('POST', '/feast/get-online-features', {
    ...{
      features: ['news:tone', 'stretch:sma_7'],
      entities: { instrument: ['AAA', 'BBB', 'ZZZ'] },
      full_feature_names: true,
    },
  })) as { metadata: { feature_names: string[] }; results: { values: unknown[]; statuses: string[] }[] };
  assert.deepEqual(answer.metadata.feature_names, ['instrument', 'news__tone', 'stretch__sma_7']);
  assert.deepEqual(
    answer.results.map(({ statuses }) => statuses),
    [
      ['PRESENT', 'PRESENT', 'PRESENT'],
      ['PRESENT', 'NULL_VALUE', 'NOT_FOUND'],
      ['PRESENT', 'PRESENT', 'NOT_FOUND'],
    ],
  );
  assert.equal(answer.results[1]!.values[0], 0.25);
  const now = new Date().toISOString();
  const rows = [
    { instrument: 'AAA', asOf: '2024-09-30', knownAt: now },
    { instrument: 'AAA', asOf: '2024-09-30', knownAt: '2024-10-01T00:00:00.000Z' },
    { instrument: 'AAA', asOf: '2024-09-29', knownAt: now },
  ];
  assert.deepEqual(
    (await historical(rows, ['news:tone'])).map(({ values }) => values[0]),
    [0.25, null, 0.75],
  );

  laterMs = 6_000 * 86_400_000;
  const late = (await ask('POST', '/feast/get-online-features', {
    ...{ features: ['news:tone'], entities: { instrument: ['AAA'] } },
  })) as typeof answer;
  assert.deepEqual(late.results[1], { ...late.results[1], values: [null], statuses: ['OUTSIDE_MAX_AGE'] });
  await ask('DELETE', '/feature-views/news', undefined, 204);
  await ask('GET', '/feature-views/news', undefined, 404);
  assert.equal((await ask('POST', '/feature-views', view, 201)).version, 2);
});
