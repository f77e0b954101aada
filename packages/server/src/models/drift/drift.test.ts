import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { biasGroup, driftCheck, driftFinding, leaderboardRow } from '@touchstone/contracts/drift';
import type { ModelManifest } from '@touchstone/contracts/model-manifest';
import { createRandom } from '@touchstone/quant/random/random';
import { dayNumber, dayText } from '@touchstone/quant/series/day';
import { tradingDays } from '@touchstone/quant/series/trading-calendar';
import pg from 'pg';
import { createTestDatabase, type TestDatabase } from '../../../test/cluster.ts';
import { addBars, addInstrument, addSource } from '../../../test/facts.ts';
import { inlineCompute } from '../../../test/inline-compute.ts';
import { testManifest } from '../../../test/models/manifest.ts';
import { addScored } from '../../../test/models/scored-predictions.ts';
import { makeForecaster, promote, registerModel, walk } from '../../../test/models/served-model.ts';
import { startTestServer, type TestServer } from '../../../test/test-server.ts';
import { createSeriesService } from '../../features/index.ts';
import { systemClock } from '../../platform/clock/clock.ts';
import type { Principal } from '../../platform/database/database.ts';
import { createRegistry, createServing, createWatching, type Registry } from '../index.ts';

const TENANT: Principal = { tenantId: 5, actorId: null };
const DAYS = Array.from(tradingDays('XNYS', dayNumber('2021-01-04'), dayNumber('2024-12-31')), dayText);
const LATER = Array.from(tradingDays('XNYS', dayNumber('2031-01-02'), dayNumber('2031-12-30')), dayText);
const QUIET = 1;
const WILD = 2;

let db: TestDatabase;
let server: TestServer;
let registry: Registry;
let analyst: string;
let viewer: string;
let stranger: string;
let instruments: number[];
let wild: number[];

before(async () => {
  db = await createTestDatabase();
  server = await startTestServer(db, {
    runTasks: true,
    wire: ({ serve, database, objects, tasks }) => {
      const universeBars = async (_: unknown, id: number) => ({
        ...{ name: 'all', sourceId: 1, instrumentIds: id === WILD ? wild : instruments },
      });
      const series = createSeriesService(database, universeBars);
      registry = createRegistry({ database, objects, codeVersion: 'test' });
      const parts = { database, registry, series, tasks, universeBars, compute: inlineCompute, codeVersion: 'test' };
      const watching = createWatching(parts);
      watching.registerRoutes(serve);
      createServing({ ...parts, clock: systemClock, answering: watching.answering }).registerRoutes(serve);
    },
  });
  analyst = await server.tokenFor('analyst', TENANT.tenantId);
  viewer = await server.tokenFor('viewer', TENANT.tenantId);
  stranger = await server.tokenFor('owner', 6);
  await db.database.transaction(TENANT, async (tx) => {
    const source = await addSource(tx, 'prices', 'total_return');
    const add = async (symbol: string, seed: number, change: (bars: ReturnType<typeof walk>) => typeof bars) => {
      const id = await addInstrument(tx, symbol);
      await addBars(tx, source, change(walk(id, DAYS, seed)));
      return id;
    };
    instruments = [await add('ONE', 1, (x) => x), await add('TWO', 2, (x) => x), await add('THREE', 3, (x) => x)];
    // The last 21 sessions swing by several per cent, day by day.
    const swing = (bars: ReturnType<typeof walk>) =>
      bars.map((bar, t) => {
        const factor = t < bars.length - 21 ? 1 : t % 2 === 0 ? 1.12 : 0.9;
        const { open = 0, high = 0, low = 0 } = bar;
        return { ...bar, open: open * factor, high: high * factor, low: low * factor, close: bar.close * factor };
      });
    wild = [await add('WILD', 4, swing), await add('WILDER', 5, swing)];
  });
});
after(async () => {
  await server.close();
  await db.close();
});

async function champion(
  name: string,
  target: 'volatility_direction' | 'forward_volatility',
  manifest: Partial<ModelManifest>,
): Promise<number> {
  const { modelId, version } = await db.database.transaction(TENANT, (tx) =>
    registerModel(tx, registry, name, makeForecaster({ target }), { manifest }),
  );
  await promote(db.database, TENANT, registry, { model: name, version, expected: version === 1 ? null : version - 1 });
  return modelId;
}

async function check(name: string) {
  const begun = await server.call('POST', `/models/${name}/drift`, { token: analyst });
  assert.equal(begun.status, 202, begun.text);
  const { id } = Object(begun.json.task);
  for (let tries = 0; tries < 600; tries++) {
    const task = (await server.call('GET', `/tasks/${id}`, { token: analyst })).json;
    assert.notEqual(task.state, 'failed', JSON.stringify(task));
    if (task.state === 'done') return read(name);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error('the task did not end');
}

async function read(name: string, query = '') {
  const reply = await server.call('GET', `/models/${name}/drift${query}`, { token: viewer });
  assert.equal(reply.status, 200, reply.text);
  const { json } = reply;
  return {
    check: json.check === null ? null : driftCheck.parse(json.check),
    findings: driftFinding.array().parse(json.findings),
    items: driftCheck.array().parse(json.items),
    budget: Object(json.budget),
  };
}

const openAlerts = async (model: string) =>
  (
    await db.migrator.query(
      `SELECT severity, title, detail FROM alert WHERE tenant_id = 5 AND kind = 'model.drift' AND resolved_at IS NULL AND title LIKE $1`,
      [`${model} %`],
    )
  ).rows;

test('a check looks at every feature, the outputs and the losses, and puts all of it on record', async () => {
  await champion('calm', 'volatility_direction', { universeId: QUIET });
  assert.equal((await read('calm')).check, null);
  const told = await check('calm');
  assert.equal(told.check?.version, 1);
  assert.equal(told.check?.asOf, DAYS.at(-1));
  assert.equal(told.check?.findingCount, told.findings.length);
  assert.deepEqual(
    told.findings.map(({ rank }) => rank),
    told.findings.map((_, k) => k + 1),
  );
  const features = new Set(told.findings.flatMap(({ feature }) => feature ?? []));
  assert.equal(features.size, 6);
  for (const rule of ['level', 'step', 'spread', 'missing', 'distribution', 'estimated_loss', 'loss', 'stream'])
    assert.ok(
      told.findings.some((finding) => finding.rule === rule),
      rule,
    );
  // Losses are not known yet, and no prediction is there to be held against the bars: said so, not guessed.
  for (const finding of told.findings.filter(({ statistic }) => statistic === null))
    assert.equal(finding.reason?.code, 'not_known_yet', finding.sentence);
  for (const { rule, alarmsPerYearExpected } of told.findings.filter(({ area }) => area === 'feature'))
    assert.ok(alarmsPerYearExpected! < 6 / 8, rule);
  assert.match(
    told.budget.sentence,
    /Each of 6 features, the outputs and the expected loss may raise 0\.75 false alarms/,
  );
  const { rows } = await db.migrator.query(
    `SELECT count(*)::integer AS n FROM evidence WHERE tenant_id = 5 AND kind = 'drift.checked'`,
  );
  assert.equal(rows[0].n, 1);
  const again = await check('calm');
  assert.deepEqual(
    again.findings.map(({ id: _, checkId: _c, ...rest }) => rest),
    told.findings.map(({ id: _, checkId: _c, ...rest }) => rest),
    'the same data give the same findings',
  );
  assert.equal(again.items.length, 2);
  assert.equal((await read('calm', `?checkId=${told.check!.id}`)).check?.id, told.check!.id);
  for (const table of ['drift_check', 'drift_finding', 'ab_test', 'ab_test_end'])
    await assert.rejects(
      db.database.transaction(TENANT, ({ client }) => client.query(`DELETE FROM ${table}`)),
      (error) => error instanceof pg.DatabaseError && error.code === '42501',
      table,
    );
});

test('a market gone wild is told by what it does to the predictions, and people are alerted', async () => {
  await champion('stormy', 'forward_volatility', { universeId: WILD });
  const { findings, check: made } = await check('stormy');
  assert.ok(made!.alarmCount > 0);
  const alarms = findings.filter(({ alarm }) => alarm);
  assert.deepEqual(findings.slice(0, alarms.length), alarms, 'alarms come first');
  const [first] = alarms;
  assert.ok(first!.effect! > 0.05, `${first!.sentence}`);
  assert.match(first!.sentence, /moves the mean prediction by \+/);
  const sizes = alarms.map(({ effect }) => Math.abs(effect ?? 0));
  assert.deepEqual(
    sizes,
    sizes.toSorted((a, b) => b - a),
    'ranked by effect',
  );
  assert.ok(alarms.some(({ feature }) => feature?.startsWith('variance')));
  const [alert] = await openAlerts('stormy');
  assert.match(alert.severity, /warning|critical/);
  assert.match(alert.title, /stormy v1: \d+ drifts, /);
  const only = await read('stormy', '?alarmsOnly=true');
  assert.equal(only.findings.length, alarms.length);
});

test('inputs that were served otherwise than the bars say are found', async () => {
  const modelId = await champion('served', 'forward_volatility', { universeId: QUIET });
  for (const asOf of DAYS.slice(-4)) {
    const told = await server.call('POST', '/predict/served', { token: analyst, body: { symbol: 'ONE', asOf } });
    assert.equal(told.status, 200, told.text);
  }
  const clean = await check('served');
  assert.ok(!clean.findings.some(({ rule, alarm }) => rule === 'other_value' && alarm));
  // A later correction of the last bar: what was served is not what the bars say now.
  await db.database.transaction(TENANT, async (tx) => {
    const source = await addSource(tx, 'corrected', 'total_return');
    const { rows } = await db.migrator.query(
      'SELECT source_id FROM price_observation WHERE instrument_id = $1 LIMIT 1',
      [instruments[0]],
    );
    assert.ok(source > 0);
    await addBars(tx, rows[0].source_id, [
      { instrumentId: instruments[0]!, day: DAYS.at(-1)!, open: 40, high: 90, low: 30, close: 61 },
    ]);
  });
  const { findings } = await check('served');
  const alarm = findings.find(({ rule, alarm }) => alarm && rule === 'other_value');
  assert.equal(alarm?.instrumentId, instruments[0]);
  assert.match(alarm?.sentence ?? '', /arrives with another value than its bars give/);
  assert.equal((await openAlerts('served'))[0].severity, 'critical');
  assert.ok(modelId > 0);
});

test('a model that has become worse than its baseline and than it was is told from its outcomes', async () => {
  const skill = testManifest().skill!;
  const modelId = await champion('worn', 'volatility_direction', {
    universeId: QUIET,
    skill: { ...skill, metric: 'brier', higherIsBetter: false, value: 0.2, low: 0.19, high: 0.21 },
  });
  const random = createRandom(4);
  const outcomes = LATER.slice(0, 120).flatMap((eventDay) =>
    instruments.map((instrumentId) => {
      const outcome = Number(random.uniform() < 0.5);
      const value = 0.5 + (outcome === 1 ? -0.25 : 0.25) * random.uniform();
      return { version: 1, instrumentId, eventDay, value, outcome, volatility: 0.01 * (1 + (instrumentId % 3)) };
    }),
  );
  await addScored(db.database, TENANT, modelId, outcomes);
  const { findings } = await check('worn');
  const losses = findings.filter(({ rule }) => rule === 'loss');
  assert.equal(losses.length, 2);
  assert.ok(
    losses.every(({ alarm, area }) => alarm && area === 'performance'),
    JSON.stringify(losses),
  );
  assert.equal(findings[0]!.area, 'performance');
  assert.match(
    losses.map(({ sentence }) => sentence).join(' '),
    /worse than when it was judged.*|worse than its baseline/,
  );
  assert.equal((await openAlerts('worn'))[0].severity, 'critical');

  const bias = await server.call('GET', '/models/worn/bias', { token: viewer });
  assert.equal(bias.status, 200, bias.text);
  const groups = biasGroup.array().parse(bias.json.groups);
  assert.equal(bias.json.sampleCount, 360);
  const thirds = groups.filter(({ dimension }) => dimension === 'volatility').map(({ group }) => group);
  assert.deepEqual(thirds.sort(), ['high', 'low', 'middle']);
  assert.match(String(bias.json.survivorship), /never asked about/);
  for (const { isTold, adjustedP, pValue, sampleCount } of groups) {
    assert.ok(adjustedP! >= pValue!);
    assert.equal(isTold, adjustedP! <= 0.05);
    assert.ok(sampleCount > 0);
  }
});

test('a model that is bad at one part of its questions only is told with that part', async () => {
  const modelId = await champion('lopsided', 'volatility_direction', { universeId: QUIET });
  await db.migrator.query(
    `UPDATE instrument SET sector = CASE WHEN id = $1 THEN 'Energy' ELSE 'Banks' END WHERE tenant_id = 5`,
    [instruments[0]],
  );
  const random = createRandom(9);
  await addScored(
    db.database,
    TENANT,
    modelId,
    LATER.slice(0, 100).flatMap((eventDay) =>
      instruments.map((instrumentId) => {
        const outcome = Number(random.uniform() < 0.5);
        const off = instrumentId === instruments[0] ? 0.6 : 0.3 + 0.2 * random.uniform();
        return { version: 1, instrumentId, eventDay, value: outcome === 1 ? 1 - off : off, outcome };
      }),
    ),
  );
  const { json } = await server.call('GET', '/models/lopsided/bias?version=1', { token: viewer });
  const groups = biasGroup.array().parse(json.groups);
  const energy = groups.find(({ group }) => group === 'Energy')!;
  assert.ok(energy.isTold && energy.difference! > 0.1, energy.sentence);
  assert.match(energy.sentence, /sector Energy: loss 0\.36\d? against 0\.1\d+ elsewhere .*: worse\./);
  assert.equal(energy.instrumentCount, 1);
  const none = await server.call('GET', '/models/calm/bias', { token: viewer });
  assert.equal(Object(none.json.reason).code, 'not_known_yet');
  assert.deepEqual(none.json.groups, []);
});

test('the leaderboard holds models and baselines together, by the worse end of the interval', async () => {
  const skill = testManifest().skill!;
  const told = (value: number, low: number) => ({ skill: { ...skill, value, low, high: value + 0.01 } });
  await champion('lucky', 'volatility_direction', { universeId: QUIET, ...told(0.75, 0.5) });
  await champion('steady', 'volatility_direction', { universeId: QUIET, ...told(0.66, 0.64) });
  const reply = await server.call('GET', '/leaderboard?target=volatility_direction', { token: viewer });
  assert.equal(reply.status, 200, reply.text);
  const boards = Object(reply.json.boards) as { metric: string; rows: unknown[] }[];
  const rows = leaderboardRow.array().parse(boards.find(({ metric }) => metric === 'balanced_accuracy')!.rows);
  const names = rows.map(({ name }) => name);
  assert.deepEqual(names.slice(0, 1), ['steady']);
  assert.ok(names.indexOf('lucky') > names.indexOf('5-day above 22-day mean'), names.join());
  const bounds = rows.map(({ lowerBound }) => lowerBound!);
  assert.deepEqual(
    bounds,
    bounds.toSorted((a, b) => b - a),
  );
  assert.equal(rows.find(({ kind }) => kind === 'baseline')?.boundBasis, 'borrowed');
  assert.deepEqual(rows[0]!.aliases, ['champion']);
  const brier = leaderboardRow.array().parse(boards.find(({ metric }) => metric === 'brier')!.rows);
  const worn = brier.find(({ name }) => name === 'worn')!;
  assert.equal(worn.lowerBound, 0.21, 'where less is better the upper end is the worse one');
  assert.equal(worn.live?.sampleCount, 360);
  assert.ok(worn.live!.low! < worn.live!.loss! && worn.live!.loss! < worn.live!.high!);
  const theirs = await server.call('GET', '/leaderboard', { token: stranger });
  assert.deepEqual(theirs.json.boards, []);
});

test('what is not served is not checked, and another tenant sees nothing', async () => {
  await db.database.transaction(TENANT, (tx) => registerModel(tx, registry, 'waiting', makeForecaster()));
  const refused = await server.call('POST', '/models/waiting/drift', { token: analyst });
  assert.equal(refused.json.code, 'NOT_POSSIBLE_NOW');
  assert.match(String(refused.json.detail), /waiting has no champion/);
  assert.equal((await server.call('POST', '/models/nobody/drift', { token: analyst })).status, 404);
  const schedule = (input: object) =>
    server.call('POST', '/schedules', {
      ...{ token: analyst, body: { kind: 'drift', title: 'Drift', cron: '0 3 * * *', input, enabled: false } },
    });
  assert.equal((await schedule({})).status, 201);
  assert.equal((await schedule({ universeId: 1 })).status, 400);
  assert.equal((await server.call('POST', '/models/calm/drift', { token: viewer })).status, 403);
  assert.equal((await server.call('GET', '/models/calm/drift?checkId=999999', { token: viewer })).status, 404);
  for (const path of ['/models/calm/drift', '/models/calm/bias'])
    assert.equal((await server.call('GET', path, { token: stranger })).status, 404, path);
});
