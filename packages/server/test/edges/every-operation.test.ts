import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { exampleOf } from '@touchstone/contracts/example';
import type { ProblemCode } from '@touchstone/contracts/problems';
import { PROBLEMS, problem } from '@touchstone/contracts/problems';
import { defineRoute, type Route } from '@touchstone/contracts/route';
import { ALL_ROUTES } from '@touchstone/contracts/routes';
import { accepted } from '@touchstone/contracts/tasks';
import { dayNumber, dayText } from '@touchstone/quant/series/day';
import { tradingDays } from '@touchstone/quant/series/trading-calendar';
import * as OTPAuth from 'otpauth';
import { z } from 'zod';
import { loadSimulatedMarket } from '../../src/market-data/index.ts';
import { createRegistry } from '../../src/models/index.ts';
import { raiseAlert } from '../../src/platform/alerts/alerts.ts';
import { MIGRATOR_ROLE } from '../../src/platform/database/provision.ts';
import { createBucketStore } from '../../src/platform/object-store/bucket-store.ts';
import { createFolderStore } from '../../src/platform/object-store/object-store.ts';
import { createTestDatabase, type TestDatabase } from '../cluster.ts';
import { addFrozenTable, smallManifest, smallModel } from '../foreign/frozen-table.ts';
import { fillModels } from '../models/fill-models.ts';
import { SIGNED, testManifest } from '../models/manifest.ts';
import { makeForecaster, promote, registerModel } from '../models/served-model.ts';
import { Jar, type SignInProvider, startProvider, walkThrough } from '../sign-in-provider.ts';
import { type Reply, SECRET, type TestServer } from '../test-server.ts';
import { startVendorDouble, type VendorDouble } from '../vendor-double/vendor-double.ts';
import { skipsRedis, startRedis } from './redis-server.ts';
import { type Belongings, DAY, fillTenant, firstOf, must, startWholeServer, taskDone } from './whole-server.ts';

// Each operation once as it should be asked, and each code of the catalogue once as it should not.

const VENDOR_SYMBOLS = ['OAK', 'ASH'];
const PASSWORD = 'correct horse battery';
const EMAIL = 'owner@example.org';
const fault = defineRoute({
  ...{
    id: 'testFault',
    method: 'GET',
    path: '/test/fault/:what',
    group: 'data',
    summary: 'Fails',
    scope: 'market:read',
  },
  ...{ params: z.object({ what: z.string().meta({ example: 'disk' }) }), status: 204, problems: [] },
});

type World = Belongings & { server: TestServer; owner: string; family: string; userId: number; guestId: number };
type Made = {
  path: string;
  body?: unknown;
  token?: string;
  headers?: Record<string, string>;
  /** Was asked already: it cannot be asked twice, or is asked of another server. */
  reply?: Reply;
};

let db: TestDatabase;
let world: World;
let vendor: VendorDouble;
let provider: SignInProvider;
let folder: string;
/** The owner can be made once. */
let ownerMade: Reply;
const served = new Set<string>();
before(async () => {
  db = await createTestDatabase();
  vendor = await startVendorDouble({ seed: 3, symbols: VENDOR_SYMBOLS, minuteLimit: 800, firstDay: '2025-09-01' });
  provider = await startProvider();
  folder = await mkdtemp('/tmp/touchstone-every-operation-');
  const reachOwner = async () => ({ ...db.connection, user: MIGRATOR_ROLE });
  const server = await startWholeServer(db, {
    runTasks: true,
    slowQueryMs: 50,
    oidc: provider.settings,
    stages: { twelveDataUrl: vendor.url, keeping: { backupFolder: folder, reachOwner, config: null } },
    edges: { patience: { bodyMs: 500, headersMs: 500 } },
    wire: ({ serve }) =>
      serve(fault, async ({ params }) => {
        if (params.what === 'disk') throw Object.assign(new Error('no space'), { code: 'ENOSPC' });
        if (params.what === 'away') throw Object.assign(new Error('gone'), { code: '57P01' });
        if (params.what === 'provider') await Promise.reject(new Error('not here'));
        throw new Error('a bug');
      }),
  });
  const made = await server.call('POST', '/auth/owner', {
    body: { email: EMAIL, password: PASSWORD, displayName: 'Owner', tenantName: 'Home', asProgram: true },
  });
  assert.equal(made.status, 201, made.text);
  ownerMade = made;
  // A backup holds the installation's secret.
  await writeFile(path.join(server.home, 'secret'), `${SECRET}\n`, { mode: 0o600 });
  const owner = String(made.json.accessToken);
  const belongings = await fillTenant(server, owner, 'contract');
  const sessions = firstOf(await must(server, owner, 'GET', '/auth/sessions'));
  const state = await must(server, owner, 'GET', '/auth/state');
  world = {
    ...{ ...belongings, server, owner, family: String(sessions.family), guestId: 0 },
    userId: Number(Object(state.signedIn).userId),
  };
  const { json } = await server.call('GET', '/api/openapi.json');
  for (const operations of Object.values(Object(json.paths))) {
    for (const operation of Object.values(Object(operations))) served.add(String(Object(operation).operationId));
  }
});
after(async () => {
  await world.server.close();
  await provider.close();
  await vendor.close();
  await rm(folder, { recursive: true, force: true });
  await db.close();
});

/** A search that is over at once. */
const searchBody = () => ({
  ...{ universeId: world.universeId, target: 'drawdown_touch', families: ['linear'] },
  ...{ effort: 'quick', workUnits: 1 },
});

const call = (method: string, path: string, body?: unknown) => must(world.server, world.owner, method, path, body);

async function guest(): Promise<{ userId: number; token: string }> {
  const email = `guest${n++}@example.org`;
  const invited = await call('POST', '/invitations', { email, role: 'viewer' });
  const session = await must(world.server, '', 'POST', '/invitations/accept', {
    ...{ token: tokenIn(invited), displayName: 'Guest', password: PASSWORD, asProgram: true },
  });
  return { userId: Number(Object(session.signedIn).userId), token: String(session.accessToken) };
}
let n = 1;
const tokenIn = (answer: Record<string, unknown>) => String(answer.link).split('#')[1] ?? '';

/** An owner with a second factor, and codes of it that were not used. */
async function secondFactor(): Promise<{ token: string; code: () => string; recovery: string[] }> {
  const { token } = await guest();
  const enrolled = await must(world.server, token, 'POST', '/auth/second-factor/enrol');
  const totp = new OTPAuth.TOTP({ secret: OTPAuth.Secret.fromBase32(String(enrolled.secret)) });
  const confirmed = await must(world.server, token, 'POST', '/auth/second-factor/confirm', { code: totp.generate() });
  const recovery = Array.isArray(confirmed.recoveryCodes) ? confirmed.recoveryCodes.map(String) : [];
  return { token, code: () => recovery.pop() ?? '', recovery };
}

/** Its model cannot be read, so that nobody answers; it is sealed, explained and replayed like any other. */
async function predictionId(): Promise<number> {
  const body = { subject: { id: world.instrumentId } };
  return Number((await call('POST', `/predict/${world.model}`, body)).predictionId);
}

/** A model of its own: version 1 is champion, 2 did not pass the gate, 3 passed. */
async function newModel(): Promise<string> {
  const model = `model-of-test-${n++}`;
  const { database, home } = world.server;
  const objects = createFolderStore(path.join(home, 'objects'));
  const tenantId = Number(firstOf(await call('GET', '/data/instruments')).tenantId);
  await fillModels({ database, objects }, tenantId, { model, mark: model });
  const registry = createRegistry({ database, objects, codeVersion: 'test' });
  await database.transaction({ tenantId, actorId: null }, (tx) =>
    registry.registerVersion(tx, { model, runId: null, manifest: testManifest(), artefact: Buffer.from(model) }),
  );
  return model;
}
/** A model that is served and can be looked at: its artefact is a forecaster, its universe has bars. */
async function watchedModel(): Promise<string> {
  const model = `watched-model-${n++}`;
  const { database, home } = world.server;
  const registry = createRegistry({
    database,
    objects: createFolderStore(path.join(home, 'objects')),
    codeVersion: 'test',
  });
  const tenantId = Number(firstOf(await call('GET', '/data/instruments')).tenantId);
  const principal = { tenantId, actorId: null };
  const { version } = await database.transaction(principal, (tx) =>
    registerModel(tx, registry, model, makeForecaster(), { manifest: { universeId: world.universeId } }),
  );
  await promote(database, principal, registry, { model, version, expected: null });
  return model;
}
async function frozenTable() {
  const { database, home } = world.server;
  const tenantId = Number(firstOf(await call('GET', '/data/instruments')).tenantId);
  const objects = createFolderStore(path.join(home, 'objects'));
  return addFrozenTable({ database, objects }, { tenantId, actorId: null }, n++);
}
const newAbTest = () => ({
  controlVersion: 1,
  treatmentVersion: 2,
  metric: 'brier',
  effect: 0.02,
  longRunDeviation: 0.03,
});
const abTestId = async () => idOf(call('POST', `/models/${await newModel()}/ab-tests`, newAbTest()));
const promotion = (version: number, expected: number) => ({ version, expected, reason: 'better', checklist: SIGNED });
const newUniverse = () => ({ name: `universe ${n++}`, rule: 'list', sourceId: world.sourceId });
const newView = () => ({
  ...{ name: `view_${n++}`, description: '', owner: 'research', ttlDays: 10 },
  features: [{ name: 'stretch', expression: 'close / mean(close, 5) - 1' }],
});
const newIndex = () => ({ name: `index ${n++}`, universeId: world.universeId, method: 'equal_weight' });
const schedule = () => ({
  ...{
    kind: 'index-run',
    title: `schedule ${n++}`,
    cron: '0 3 1 1 *',
    input: { indexId: world.indexId },
    enabled: true,
  },
});
const idOf = async (made: Promise<Record<string, unknown>>) => Number((await made).id);
const versionOf = async (path: string) => Number((await call('GET', path)).version);
/** A task that failed: its work names an index that is gone. */
async function failedTask(): Promise<number> {
  const made = await call('POST', '/indexes', newIndex());
  const { rows } = await db.migrator.query(
    `INSERT INTO task (tenant_id, kind, title, input, state, finished_at) SELECT tenant_id, 'portfolio.index-run.run', 'failed', jsonb_build_object('indexId', $1::int), 'failed', now() FROM index_definition WHERE id = $1 RETURNING id`,
    [made.id],
  );
  return rows[0].id;
}

const newFeed = () => ({
  ...{ feed: 'twelvedata', code: `vendor-${n++}`, key: vendor.key },
  settings: { years: 1, creditsPerMinute: 800 },
});
const feedPath = async (more = '') => `/data/feeds/${await idOf(call('POST', '/data/feeds', newFeed()))}${more}`;
/** A year in files. */
async function archive(): Promise<void> {
  await taskDone(world.server, world.owner, await call('POST', '/diagnostics/archives', { olderThanYears: 1 }));
}
async function backUp(): Promise<void> {
  await taskDone(world.server, world.owner, await call('POST', '/diagnostics/backups'));
}

/** An instrument with a history long enough to be judged, and a fall near its end. */
async function longInstrument(): Promise<number> {
  const symbol = `LONG${n++}`;
  const days = tradingDays('XNYS', dayNumber('2021-01-04'), dayNumber('2025-06-30'));
  let close = 100;
  const lines = Array.from(days, (day, t) => {
    const size = t % 300 < 150 ? 0.006 : 0.014;
    close *= Math.exp(size * Math.sin(t * t * 0.7) - (t === days.length - 20 ? 0.12 : 0));
    const price = close.toFixed(4);
    return `${dayText(day)},${symbol},${price},${price},${price},${price},${1000 + (t % 17)}`;
  });
  const file = `date,symbol,open,high,low,close,volume\n${lines.join('\n')}\n`;
  const { uploadId } = await call('POST', `/data/uploads?fileName=${symbol}.csv`, file);
  const imported = await call('POST', '/data/imports', {
    ...{ uploadId, fileName: `${symbol}.csv`, source: { code: symbol.toLowerCase() }, onBadRow: 'keep-good' },
    choices: { priceBasis: 'total_return' },
  });
  await taskDone(world.server, world.owner, imported);
  return Number(firstOf(await call('GET', `/data/instruments?search=${symbol}`)).id);
}

async function anomalyCase(): Promise<Record<string, unknown>> {
  await call('POST', `/market/instrument/${await longInstrument()}/anomalies/cases`, { sessions: 252 });
  return firstOf(await call('GET', '/anomaly-cases'));
}

/** How to ask an operation well. A GET that needs no more than its parameters is not here. */
const GOOD: Record<string, () => Made | Promise<Made>> = {
  createOwner: () => ({ path: '', reply: ownerMade }),
  startProviderSignIn: () => ({ path: '/auth/provider/start' }),
  async finishProviderSignIn() {
    const jar = new Jar();
    const started = await world.server.call('POST', '/auth/provider/start');
    jar.keep(started.headers);
    const query = await walkThrough(String(started.json.url), 'owner');
    return { path: '/auth/provider/finish', body: { query }, headers: { cookie: jar.header } };
  },
  async getSimulatedTruth() {
    // On a database of its own: the simulated market is seen by everybody, and would stand first in many a list.
    const own = await createTestDatabase();
    const server = await startWholeServer(own);
    try {
      const objectsFolder = path.join(server.home, 'objects');
      await loadSimulatedMarket({ database: own.database, connection: own.connection, objectsFolder });
      return { path: '', reply: await server.call('GET', '/data/simulated-market/truth') };
    } finally {
      await server.close();
      await own.close();
    }
  },
  async getSlowQuery() {
    await db.database.transaction({ tenantId: 0, actorId: null }, ({ client }) => client.query('SELECT pg_sleep(0.1)'));
    await world.server.slowQueries.flush();
    return { path: `/diagnostics/slow-queries/${firstOf(await call('GET', '/diagnostics/slow-queries')).id}` };
  },
  createFeed: () => ({ path: '/data/feeds', body: newFeed() }),
  async updateFeed() {
    const { id, version } = await call('POST', '/data/feeds', newFeed());
    return { path: `/data/feeds/${id}`, body: { name: 'Renamed', version } };
  },
  async rotateFeedKey() {
    const { id, version } = await call('POST', '/data/feeds', newFeed());
    return { path: `/data/feeds/${id}/key`, body: { key: 'another-key-of-the-vendor', version } };
  },
  deleteFeed: async () => ({ path: await feedPath() }),
  testFeed: async () => ({ path: await feedPath('/test') }),
  readQuotes: async () => ({ path: await feedPath(`/quotes?symbols=${VENDOR_SYMBOLS.join(',')}`) }),
  watchPrices: async () => ({ path: await feedPath(`/prices/events?symbols=${VENDOR_SYMBOLS.join(',')}`) }),
  readSymbol: async () => ({ path: await feedPath(`/symbols/${VENDOR_SYMBOLS[0]}`) }),
  planRefresh: async () => ({ path: await feedPath('/plan'), body: { symbols: VENDOR_SYMBOLS } }),
  startRefresh: async () => ({ path: await feedPath('/refreshes'), body: { symbols: VENDOR_SYMBOLS } }),
  async getRefresh() {
    const path = await feedPath('/refreshes');
    const taskId = await taskDone(world.server, world.owner, await call('POST', path, { symbols: VENDOR_SYMBOLS }));
    return { path: `/data/refreshes/${Object((await call('GET', `/tasks/${taskId}`)).result).refreshId}` };
  },
  keepCurrent: async () => ({
    path: `/universes/${world.universeId}/keep-current`,
    body: { sourceId: await idOf(call('POST', '/data/feeds', newFeed())) },
  }),
  startArchive: () => ({ path: '/diagnostics/archives', body: { olderThanYears: 1 } }),
  async bringBackArchive() {
    await archive();
    return { path: `/diagnostics/archives/${DAY.slice(0, 4)}/bring-back` };
  },
  startBackup: () => ({ path: '/diagnostics/backups' }),
  async startDrill() {
    await backUp();
    return { path: '/diagnostics/drills' };
  },
  signIn: () => ({ path: '/auth/sign-in', body: { email: EMAIL, password: PASSWORD, asProgram: true } }),
  async refreshSession() {
    const { json } = await world.server.call('POST', '/auth/sign-in', {
      body: { email: EMAIL, password: PASSWORD, asProgram: true },
    });
    return { path: '/auth/refresh', body: { refreshToken: json.refreshToken } };
  },
  signOut: () => ({ path: '/auth/sign-out', body: {} }),
  async endSession() {
    const { token } = await guest();
    const { family } = firstOf(await must(world.server, token, 'GET', '/auth/sessions'));
    return { path: `/auth/sessions/${family}`, token };
  },
  async changePassword() {
    const { token } = await guest();
    return { path: '/auth/password', token, body: { currentPassword: PASSWORD, newPassword: 'another long password' } };
  },
  async enrolSecondFactor() {
    return { path: '/auth/second-factor/enrol', token: (await guest()).token };
  },
  async confirmSecondFactor() {
    const { token } = await guest();
    const { secret } = await must(world.server, token, 'POST', '/auth/second-factor/enrol');
    const totp = new OTPAuth.TOTP({ secret: OTPAuth.Secret.fromBase32(String(secret)) });
    return { path: '/auth/second-factor/confirm', token, body: { code: totp.generate() } };
  },
  async renewRecoveryCodes() {
    const { token, code } = await secondFactor();
    return { path: '/auth/second-factor/recovery-codes', token, body: { code: code() } };
  },
  async disableSecondFactor() {
    const { token, code } = await secondFactor();
    return { path: '/auth/second-factor/disable', token, body: { code: code() } };
  },
  async answerSecondFactor() {
    const { code } = await secondFactor();
    const refused = await world.server.call('POST', '/auth/sign-in', {
      body: { email: `guest${n - 1}@example.org`, password: PASSWORD, asProgram: true },
    });
    const { challenge } = refused.json;
    return { path: '/auth/sign-in/second-factor', body: { challenge, code: code(), asProgram: true } };
  },
  createInvitation: () => ({ path: '/invitations', body: { email: `guest${n++}@example.org`, role: 'viewer' } }),
  async revokeInvitation() {
    const made = await call('POST', '/invitations', { email: `guest${n++}@example.org`, role: 'viewer' });
    return { path: `/invitations/${Object(made.invitation).id}` };
  },
  async readInvitation() {
    const made = await call('POST', '/invitations', { email: `guest${n++}@example.org`, role: 'viewer' });
    return { path: '/invitations/read', body: { token: tokenIn(made) } };
  },
  async acceptInvitation() {
    const made = await call('POST', '/invitations', { email: `guest${n++}@example.org`, role: 'viewer' });
    const body = { token: tokenIn(made), displayName: 'Guest', password: PASSWORD, asProgram: true };
    return { path: '/invitations/accept', body };
  },
  async resetPasswordByLink() {
    const made = await call('POST', `/people/${(await guest()).userId}/reset-link`);
    return { path: '/auth/password/reset', body: { token: tokenIn(made), newPassword: 'another long password' } };
  },
  createResetLink: async () => ({ path: `/people/${(await guest()).userId}/reset-link` }),
  createService: () => ({ path: '/people/services', body: { name: 'Loader' } }),
  createTenant: () => ({ path: '/tenants', body: { name: 'Second', ownerEmail: `tenant${n++}@example.org` } }),
  changeRole: async () => ({
    path: `/people/${(await guest()).userId}/role`,
    body: { from: 'viewer', role: 'analyst' },
  }),
  deactivatePerson: async () => ({ path: `/people/${(await guest()).userId}/deactivate` }),
  async reactivatePerson() {
    const { userId } = await guest();
    await call('POST', `/people/${userId}/deactivate`);
    return { path: `/people/${userId}/reactivate` };
  },
  forgetPerson: async () => ({ path: `/people/${(await guest()).userId}/forget` }),
  async removeSecondFactor() {
    const { token } = await secondFactor();
    const state = await must(world.server, token, 'GET', '/auth/state');
    return { path: `/people/${Object(state.signedIn).userId}/second-factor` };
  },
  async endSessionOf() {
    const { userId, token } = await guest();
    const { family } = firstOf(await must(world.server, token, 'GET', '/auth/sessions'));
    return { path: `/people/${userId}/sessions/${family}` };
  },
  createKey: () => ({ path: '/keys', body: { name: 'Notebook', scopes: ['market:read'] } }),
  async rotateKey() {
    const made = await call('POST', '/keys', { name: 'Notebook', scopes: ['market:read'] });
    return { path: `/keys/${Object(made.apiKey).id}/rotate`, body: {} };
  },
  async revokeKey() {
    const made = await call('POST', '/keys', { name: 'Notebook', scopes: ['market:read'] });
    return { path: `/keys/${Object(made.apiKey).id}` };
  },
  uploadFile: () => ({
    ...{ path: '/data/uploads?fileName=a.csv', body: 'date,symbol,close\n2026-01-15,ALDR,10\n' },
    headers: { 'content-type': 'application/octet-stream' },
  }),
  previewImport: () => ({ path: '/data/imports/preview', body: { uploadId: world.uploadId, fileName: 'a.csv' } }),
  startImport: () => ({
    path: '/data/imports',
    body: {
      ...{ uploadId: world.uploadId, fileName: 'a.csv', source: { code: 'second' }, onBadRow: 'keep-good' },
      choices: { priceBasis: 'raw' },
    },
  }),
  async updateSource() {
    const { version } = firstOf(await call('GET', '/data/sources'));
    return { path: `/data/sources/${world.sourceId}`, body: { name: 'Renamed', version } };
  },
  updateInstrument: async () => ({
    path: `/data/instruments/${world.instrumentId}`,
    body: { name: 'Renamed', version: await versionOf(`/data/instruments/${world.instrumentId}`) },
  }),
  correctBar: () => ({
    path: '/data/corrections',
    body: {
      ...{ instrumentId: world.instrumentId, sourceId: world.sourceId, day: DAY, reason: 'Vendor notice' },
      ...{ open: 50, high: 60, low: 40, close: 50, volume: 5 },
    },
  }),
  addCorporateAction: () => ({
    path: '/data/corporate-actions',
    body: {
      ...{ instrumentId: world.instrumentId, sourceId: world.sourceId, day: DAY, kind: 'dividend', value: 0.1 },
      reason: 'Vendor notice',
    },
  }),
  decideCase: async () => ({
    path: `/data/cases/${world.caseId}/decision`,
    body: { state: 'false', version: await versionOf(`/data/cases/${world.caseId}`) },
  }),
  async retractRun() {
    const { id } = firstOf(await call('GET', '/data/runs'));
    return { path: `/data/runs/${id}/retract`, body: { reason: 'Vendor notice' } };
  },
  computePortfolioRisk: () => ({
    path: '/market/portfolio-risk',
    body: { holdings: [{ instrumentId: world.instrumentId, weight: 1 }] },
  }),
  getModel: () => ({ path: `/models/${world.model}` }),
  createModel: () => ({ path: '/models', body: { name: `model-of-test-${n++}` } }),
  async updateModel() {
    const model = await newModel();
    const { version } = await call('GET', `/models/${model}`);
    return { path: `/models/${model}`, body: { description: 'for tests', version } };
  },
  async deleteModel() {
    const { name } = await call('POST', '/models', { name: `model-of-test-${n++}` });
    return { path: `/models/${name}` };
  },
  async undeleteModel() {
    const { name } = await call('POST', '/models', { name: `model-of-test-${n++}` });
    await call('DELETE', `/models/${name}`);
    return { path: `/models/${name}/undelete` };
  },
  listModelVersions: () => ({ path: `/models/${world.model}/versions` }),
  getModelVersion: () => ({ path: `/models/${world.model}/versions/1` }),
  getModelCard: () => ({ path: `/models/${world.model}/versions/1/card` }),
  downloadModelArtefact: () => ({ path: `/models/${world.model}/versions/1/artefact` }),
  archiveModelVersion: async () => ({
    path: `/models/${await newModel()}/versions/3/archive`,
    body: { reason: 'old' },
  }),
  async restoreModelVersion() {
    const model = await newModel();
    await call('POST', `/models/${model}/versions/3/archive`, { reason: 'old' });
    return { path: `/models/${model}/versions/3/restore`, body: { reason: 'needed' } };
  },
  listModelAliases: () => ({ path: `/models/${world.model}/aliases` }),
  setModelAlias: async () => ({
    path: `/models/${await newModel()}/aliases/shadow`,
    body: { version: 2, expected: null, reason: 'to compare' },
  }),
  removeModelAlias: async () => ({
    path: `/models/${await newModel()}/aliases/challenger/remove`,
    body: { expected: 2, reason: 'compared' },
  }),
  listAliasHistory: () => ({ path: `/models/${world.model}/alias-history` }),
  promoteModel: async () => ({ path: `/models/${await newModel()}/promote`, body: promotion(3, 1) }),
  async rollbackModel() {
    const model = await newModel();
    await call('POST', `/models/${model}/promote`, promotion(3, 1));
    return { path: `/models/${model}/rollback`, body: { reason: 'it errs' } };
  },
  withdrawModel: async () => ({
    path: `/models/${await newModel()}/withdraw`,
    body: { expected: 1, reason: 'recalled' },
  }),
  getDrift: async () => ({ path: `/models/${world.model}/drift` }),
  startDriftCheck: async () => ({ path: `/models/${await watchedModel()}/drift` }),
  getBiasReport: () => ({ path: `/models/${world.model}/bias` }),
  createAbTest: async () => ({ path: `/models/${await newModel()}/ab-tests`, body: newAbTest() }),
  listAbTests: () => ({ path: `/models/${world.model}/ab-tests` }),
  getAbTest: async () => ({ path: `/ab-tests/${await abTestId()}` }),
  getAbTestArm: async () => ({ path: `/ab-tests/${await abTestId()}/arm?instrumentId=1&day=${DAY}` }),
  stopAbTest: async () => ({ path: `/ab-tests/${await abTestId()}/stop`, body: { reason: 'seen enough' } }),
  getAbPower: () => ({ path: '/ab-tests/power?question=hit_rate&first=0.55&second=0.53' }),
  getServingHistory: () => ({ path: `/models/${world.model}/serving` }),
  predict: () => ({ path: `/predict/${world.model}`, body: { subject: { id: world.instrumentId } } }),
  predictBatch: () => ({
    path: `/predict/${world.model}/batch`,
    body: { subjects: [{ id: world.instrumentId }, { symbol: 'NOBODY' }] },
  }),
  predictUniverse: () => ({ path: `/predict/${world.model}/universe`, body: { universeId: world.universeId } }),
  joinOutcomes: () => ({ path: '/predictions/outcomes' }),
  getPrediction: async () => ({ path: `/predictions/${await predictionId()}` }),
  getPredictionExplanation: async () => ({ path: `/predictions/${await predictionId()}/explanation` }),
  replayPrediction: async () => ({ path: `/predictions/${await predictionId()}/replay` }),
  getModelCalibration: () => ({ path: `/models/${world.model}/calibration` }),
  train: () => ({
    path: '/models/train',
    body: { universeId: world.universeId, targets: ['drawdown_touch'], families: ['linear'], effort: 'quick' },
  }),
  async getTraining() {
    const body = { universeId: world.universeId, targets: ['drawdown_touch'], families: ['linear'], effort: 'quick' };
    const { trainingId } = await call('POST', '/models/train', body);
    return { path: `/trainings/${trainingId}` };
  },
  startAutoml: () => ({ path: '/models/automl', body: searchBody() }),
  async getAutoml() {
    const { automlId } = await call('POST', '/models/automl', searchBody());
    return { path: `/automl/${automlId}` };
  },
  downloadVersionOnnx: async () => ({ path: `/models/${await watchedModel()}/versions/1/onnx?member=ridge` }),
  sendForeignModel: () => ({
    ...{ path: '/foreign-models', body: smallModel() },
    headers: { 'content-type': 'application/octet-stream' },
  }),
  async registerForeignModel() {
    const manifest = smallManifest(await frozenTable());
    const { owner: token } = world;
    const { json } = await world.server.call('POST', '/foreign-models', { token, body: smallModel() });
    return { path: `/models/foreign-${n++}/foreign`, body: { fileSha256: json.fileSha256, manifest } };
  },
  freezeTrainingTable: () => ({
    path: '/training-tables',
    body: { universeId: world.universeId, target: 'drawdown_touch' },
  }),
  getTrainingTable: async () => ({
    path: `/training-tables/${(await frozenTable()).datasetSha256}/volatility_direction`,
  }),
  downloadTrainingTable: async () => ({
    path: `/training-tables/${(await frozenTable()).datasetSha256}/volatility_direction/file`,
  }),
  getTrainingRun: () => ({ path: `/training-runs/${world.trainingRunId}` }),
  getRunMetric: () => ({ path: `/training-runs/${world.trainingRunId}/metrics?name=loss` }),
  downloadRunArtefact: () => ({ path: `/training-runs/${world.trainingRunId}/artefact?name=note.txt` }),
  getFeatureView: () => ({ path: '/feature-views/trend' }),
  checkFeatureView: () => ({ path: '/feature-views/check', body: newView() }),
  createFeatureView: () => ({ path: '/feature-views', body: newView() }),
  async changeFeatureView() {
    const { name, version } = await call('POST', '/feature-views', newView());
    return { path: `/feature-views/${name}`, body: { owner: 'desk', version } };
  },
  async deleteFeatureView() {
    return { path: `/feature-views/${(await call('POST', '/feature-views', newView())).name}` };
  },
  getFeatureSeries: () => ({ path: `/features/series?instrument=${world.instrumentId}&features=trend:sma_20,sma(3)` }),
  getHistoricalFeatures: () => ({
    path: '/features/historical',
    body: { rows: [{ instrument: world.instrumentId, asOf: DAY }], features: ['sma_20', 'no_such'] },
  }),
  freezeFeatures: () => ({
    path: '/features/historical/dataset',
    body: { universe: { universeId: world.universeId, from: DAY, to: DAY }, features: ['sma_20'] },
  }),
  async getOnlineFeatures() {
    const body = { universeId: world.universeId, views: ['volume'] };
    await taskDone(world.server, world.owner, await call('POST', '/features/materialise', body));
    return { path: '/features/online', body: { features: ['volume:obv'], instruments: [world.instrumentId, 'ZZZ'] } };
  },
  materialiseFeatures: () => ({
    path: '/features/materialise',
    body: { universeId: world.universeId, views: ['trend'] },
  }),
  startFeatureSkew: () => ({ path: '/features/skew' }),
  feastGetOnlineFeatures: () => ({
    path: '/feast/get-online-features',
    body: { features: ['volume:obv'], entities: { instrument: [world.instrumentId] } },
  }),
  async feastPush() {
    const { name } = await call('POST', '/feature-views', {
      ...newView(),
      source: 'push',
      features: [{ name: 'tone' }],
    });
    const df = { instrument: [world.instrumentId], event_timestamp: ['2026-01-15T22:00:00Z'], tone: [0.5] };
    return { path: '/feast/push', body: { push_source_name: name, df } };
  },
  freezeDataset: () => ({ path: '/datasets', body: { universeId: world.universeId } }),
  augmentDataset: () => ({
    path: `/datasets/${world.datasetSha256}/augment`,
    body: { generator: 'stationary-bootstrap', seed: n++ },
  }),
  getPatterns: () => ({ path: `/market/instrument/${world.instrumentId}/patterns` }),
  createUniverse: () => ({ path: '/universes', body: newUniverse() }),
  async updateUniverse() {
    const { id, version } = await call('POST', '/universes', newUniverse());
    return { path: `/universes/${id}`, body: { name: `renamed ${n++}`, version } };
  },
  deleteUniverse: async () => ({ path: `/universes/${await idOf(call('POST', '/universes', newUniverse()))}` }),
  async undeleteUniverse() {
    const id = await idOf(call('POST', '/universes', newUniverse()));
    await call('DELETE', `/universes/${id}`);
    return { path: `/universes/${id}/undelete` };
  },
  createIndex: () => ({ path: '/indexes', body: newIndex() }),
  async updateIndex() {
    const { id, version } = await call('POST', '/indexes', newIndex());
    return { path: `/indexes/${id}`, body: { description: 'changed', version } };
  },
  deleteIndex: async () => ({ path: `/indexes/${await idOf(call('POST', '/indexes', newIndex()))}` }),
  async undeleteIndex() {
    const id = await idOf(call('POST', '/indexes', newIndex()));
    await call('DELETE', `/indexes/${id}`);
    return { path: `/indexes/${id}/undelete` };
  },
  startIndexRun: () => ({ path: `/indexes/${world.indexId}/runs`, body: {} }),
  async cancelTask() {
    const id = await failedTask();
    await db.migrator.query(`UPDATE task SET state = 'queued', finished_at = NULL WHERE id = $1`, [id]);
    return { path: `/tasks/${id}/cancel` };
  },
  retryTask: async () => ({ path: `/tasks/${await failedTask()}/retry` }),
  createSchedule: () => ({ path: '/schedules', body: schedule() }),
  async updateSchedule() {
    const { id, version } = await call('POST', '/schedules', schedule());
    return { path: `/schedules/${id}`, body: { enabled: false, version } };
  },
  deleteSchedule: async () => ({ path: `/schedules/${await idOf(call('POST', '/schedules', schedule()))}` }),
  startCourt: () => ({ path: `/universes/${world.universeId}/court` }),
  async acknowledgeAlert() {
    const { tenantId } = await call('GET', `/universes/${world.universeId}`);
    await db.database.transaction({ tenantId: Number(tenantId), actorId: null }, (tx) =>
      raiseAlert(tx, {
        ...{ kind: 'data.stale', severity: 'warning', title: 'Stale', detail: '', subjectKind: 'universe' },
        ...{ subjectId: 1, sameAs: `stale ${n++}` },
      }),
    );
    return { path: `/alerts/${firstOf(await call('GET', '/alerts')).id}/acknowledge` };
  },
  startVerify: () => ({ path: '/diagnostics/verify' }),
  sealRegime: async () => ({ path: `/market/instrument/${await longInstrument()}/regimes/records`, body: {} }),
  sealAnomalies: async () => ({
    path: `/market/instrument/${await longInstrument()}/anomalies/cases`,
    body: { sessions: 252 },
  }),
  getAnomalyCase: async () => ({ path: `/anomaly-cases/${(await anomalyCase()).id}` }),
  async judgeAnomalyCase() {
    const { id, version } = await anomalyCase();
    return { path: `/anomaly-cases/${id}/judgement`, body: { state: 'confirmed', note: 'It was so.', version } };
  },
  getBlastRadius: () => ({ path: `/data/blast-radius?runId=${world.runId}` }),
};

function plainGet(route: Route): Made {
  const known = new Map<string, unknown>([
    ...Object.entries(world),
    ...Object.entries({
      kind: 'instrument',
      id: world.instrumentId,
      day: DAY,
      calendar: 'XNYS',
      sha256: world.datasetSha256,
      otherSha256: world.datasetSha256,
    }),
    ...Object.entries({ kind: 'instrument', id: world.instrumentId, day: DAY, calendar: 'XNYS' }),
    ...Object.entries({ sha256: world.datasetSha256, otherSha256: world.datasetSha256 }),
  ]);
  const path = route.path.replace(/:(\w+)/g, (_match, name: string) => {
    assert.ok(known.has(name), `say in GOOD how ${route.id} is asked: what is its ${name}?`);
    return String(known.get(name));
  });
  const required = z.object({
    properties: z.record(z.string(), z.unknown()).default({}),
    required: z.array(z.string()).default([]),
  });
  const schema =
    route.query === undefined
      ? null
      : required.parse(z.toJSONSchema(route.query, { io: 'input', unrepresentable: 'any' }));
  const example = route.query === undefined ? {} : Object(exampleOf(route.query));
  const query = (schema?.required ?? [])
    .map((name) => `${name}=${encodeURIComponent(String(example[name]))}`)
    .join('&');
  return { path: query === '' ? path : `${path}?${query}` };
}

test('every operation is served and answers a good request as its contract says', async () => {
  const wrong: string[] = [];
  // What takes away what others need comes last.
  const isLast = ({ id }: Route) => ['retractRun', 'signOut'].includes(id);
  for (const route of [...ALL_ROUTES.filter((each) => !isLast(each)), ...ALL_ROUTES.filter(isLast)]) {
    if (!served.has(route.id)) {
      wrong.push(`${route.id}: the server does not have it`);
      continue;
    }
    const how = GOOD[route.id];
    if (how === undefined) assert.equal(route.method, 'GET', `say in GOOD how ${route.id} is asked well`);
    const made = how === undefined ? plainGet(route) : await how();
    const token = route.scope === 'public' ? {} : { token: made.token ?? world.owner };
    if (route.gives === 'events') {
      const closing = new AbortController();
      const headers = { authorization: `Bearer ${world.owner}` };
      const stream = await fetch(`${world.server.url}/api/v1${made.path}`, { headers, signal: closing.signal });
      assert.match(stream.headers.get('content-type') ?? '', /^text\/event-stream/, route.id);
      closing.abort();
      continue;
    }
    const reply = made.reply ?? (await world.server.call(route.method, made.path, { ...token, ...made }));
    if (reply.status !== route.status) {
      wrong.push(`${route.id}: ${reply.status} ${reply.text.slice(0, 400)}`);
      continue;
    }
    checkAnswer(route, reply);
    // What was accepted is done as well; only a retry of what must fail is not.
    if (route.answer === accepted && route.id !== 'retryTask') {
      await taskDone(world.server, world.owner, reply.json);
    }
  }
  assert.deepEqual(wrong, []);
});

function checkAnswer(route: Route, reply: Reply): void {
  if (route.gives !== undefined && route.gives !== 'json') {
    assert.ok(reply.text.length > 0, route.id);
    return;
  }
  if (route.status === 204) {
    assert.equal(reply.text, '', route.id);
    return;
  }
  assert.match(reply.headers.get('content-type') ?? '', /^application\/json/, route.id);
  // What a schema does not know is dropped by it: an answer may not hold more than its description.
  assert.deepEqual(route.answer?.parse(reply.json), reply.json, route.id);
}

test('every operation that is asked specially is still one, and strangers’ tries are counted', () => {
  const known = new Set(ALL_ROUTES.map((route) => route.id));
  for (const id of Object.keys(GOOD)) assert.ok(known.has(id), `${id} is no operation any more`);
  for (const route of ALL_ROUTES) {
    if (route.scope === 'public' && route.method !== 'GET' && route.id !== 'signOut') {
      assert.equal(route.limit, 'auth', `${route.id} lets strangers try: its tries must be counted`);
    }
    if (route.cache === undefined) continue;
    assert.ok(route.method === 'GET' && (route.gives ?? 'json') === 'json', `${route.id} cannot be kept`);
    assert.ok(['market:read', 'model:read', 'portfolio:read'].includes(route.scope), `${route.id} must not be kept`);
  }
});

type Ask = { method: string; path: string } & Parameters<TestServer['call']>[2];
const get = (path: string, more: object = {}): Ask => ({ method: 'GET', path, token: world.owner, ...more });
const post = (path: string, body: unknown, more: object = {}): Ask => ({
  ...{ method: 'POST', path, body, token: world.owner, ...more },
});

async function codeOf({ method, path, ...request }: Ask, server = world.server): Promise<Reply> {
  return server.call(method, path, request);
}

/** Each code by the front door. What needs a fault in the machine is played by a route that has it. */
const BAD: Record<ProblemCode, (redisUrl: string) => Promise<Reply>> = {
  INVALID_REQUEST: () => codeOf(get('/tasks?limit=0')),
  FILE_REFUSED: async () => {
    const { uploadId } = await call('POST', '/data/uploads?fileName=x.csv', 'this is no table at all');
    return codeOf(post('/data/imports/preview', { uploadId, fileName: 'x.csv' }));
  },
  NOT_SIGNED_IN: () => codeOf({ method: 'GET', path: '/tasks', token: 'a.b.c' }),
  SIGN_IN_FAILED: () => codeOf({ ...post('/auth/sign-in', { email: EMAIL, password: 'wrong wrong wrong' }) }),
  SECOND_FACTOR_NEEDED: async () => {
    await secondFactor();
    return codeOf(post('/auth/sign-in', { email: `guest${n - 1}@example.org`, password: PASSWORD }));
  },
  SESSION_ENDED: () => codeOf(post('/auth/refresh', { refreshToken: `1.${'a'.repeat(43)}` })),
  FORBIDDEN: async () => codeOf(post('/universes', newUniverse(), { token: (await guest()).token })),
  CSRF: async () => {
    const signedIn = await codeOf({ ...post('/auth/sign-in', { email: EMAIL, password: PASSWORD }) });
    const cookie = signedIn.headers
      .getSetCookie()
      .map((text) => text.split(';')[0])
      .join('; ');
    return codeOf({ method: 'POST', path: '/auth/refresh', body: {}, headers: { cookie } });
  },
  NOT_FOUND: () => codeOf(get('/indexes/2147483647')),
  CONFLICT: async () => {
    const id = await idOf(call('POST', '/universes', newUniverse()));
    return codeOf({
      method: 'PATCH',
      path: `/universes/${id}`,
      token: world.owner,
      body: { name: 'late', version: 99 },
    });
  },
  ALREADY_EXISTS: async () => {
    const wanted = newUniverse();
    await call('POST', '/universes', wanted);
    return codeOf(post('/universes', wanted));
  },
  NOT_POSSIBLE_NOW: async () => codeOf(get(`/indexes/${await idOf(call('POST', '/indexes', newIndex()))}/levels`)),
  NOT_ENOUGH_HISTORY: async () =>
    codeOf(post('/datasets', { universeId: await idOf(call('POST', '/universes', newUniverse())) })),
  SYNTHETIC_REFUSED: async () => {
    const body = { generator: 'stationary-bootstrap', seed: n++ };
    const { sha256 } = await call('POST', `/datasets/${world.datasetSha256}/augment`, body);
    return codeOf(post(`/datasets/${sha256}/augment`, body));
  },
  UNDERPOWERED: async () => codeOf(post(`/models/${await newModel()}/ab-tests`, { ...newAbTest(), effect: 0.00001 })),
  GATE_NOT_PASSED: async () => codeOf(post(`/models/${await newModel()}/promote`, promotion(2, 1))),
  CHECKLIST_OPEN: async () =>
    codeOf(post(`/models/${await newModel()}/promote`, { ...promotion(3, 1), checklist: [] })),
  ARTEFACT_DAMAGED: async () => {
    const model = await newModel();
    const { artefactSha256 } = await call('GET', `/models/${model}/versions/3`);
    const sha256 = String(artefactSha256);
    await rm(path.join(world.server.home, 'objects', sha256.slice(0, 2), sha256));
    return codeOf(get(`/models/${model}/versions/3/artefact`));
  },
  LINK_ENDED: () => codeOf(post('/invitations/read', { token: `inv_${'a'.repeat(43)}` })),
  TOO_LARGE: () => codeOf(post('/universes', { ...newUniverse(), description: 'x'.repeat(1_100_000) })),
  TOO_SLOW: async () => {
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(new TextEncoder().encode('{"name":')),
    });
    const headers = { authorization: `Bearer ${world.owner}`, 'content-type': 'application/json' };
    const init = { method: 'POST', body, headers, duplex: 'half' as const };
    const response = await fetch(`${world.server.url}/api/v1/universes`, init);
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, json: JSON.parse(text) };
  },
  TOO_MANY_TRIES: async () => {
    for (let i = 0; i < 12; i++) {
      const reply = await codeOf(post('/auth/sign-in', { email: 'nobody@example.org', password: 'wrong wrong wrong' }));
      if (reply.status === 429) return reply;
    }
    throw new Error('twelve tries were let through');
  },
  SIGN_IN_PROVIDER_AWAY: async () => {
    const oidc = { issuer: 'http://127.0.0.1:9', clientId: 'a', clientSecret: 'b' };
    const server = await startWholeServer(db, { oidc });
    const reply = await server.call('POST', '/auth/provider/start');
    await server.close();
    return reply;
  },
  TOO_MANY_REQUESTS: async () => {
    const server = await startWholeServer(db, { edges: { requestsPerMinute: 60 } });
    let reply = await server.call('GET', '/auth/state');
    for (let i = 0; i < 90 && reply.status !== 429; i++) reply = await server.call('GET', '/auth/state');
    await server.close();
    return reply;
  },
  KEY_REUSED: async () => {
    const headers = { 'idempotency-key': 'the-key-of-a-test' };
    await codeOf(post('/universes', newUniverse(), { headers }));
    return codeOf(post('/universes', newUniverse(), { headers }));
  },
  KEY_IN_USE: () => keyInState('running'),
  ANSWER_LOST: () => keyInState('applied'),
  LIMITS_AWAY: async (redisUrl) => {
    const server = await startWholeServer(db, { edges: { requestsPerMinute: 6_000, redisUrl } });
    const reply = await server.call('POST', '/auth/sign-in', { body: { email: EMAIL, password: PASSWORD } });
    await server.close();
    return reply;
  },
  OBJECTS_AWAY: async () => {
    const place = { endpoint: 'http://127.0.0.1:9', bucket: 'gone', region: 'us-east-1' };
    const objects = createBucketStore(path.join(folder, 'bucket'), { ...place, accessKey: 'a', secretKey: 'b' });
    const server = await startWholeServer(db, { objects });
    const headers = { 'content-type': 'application/octet-stream' };
    const upload = post('/data/uploads?fileName=x.csv', `never seen ${n++}`, { headers });
    const reply = await codeOf(upload, server);
    await server.close();
    return reply;
  },
  DISK_FULL: () => codeOf(get('/test/fault/disk')),
  DATABASE_AWAY: () => codeOf(get('/test/fault/away')),
  UNEXPECTED: () => codeOf(get('/test/fault/bug')),
};

/** A repeat of a request whose first process was stopped at one point of its work. */
async function keyInState(state: 'running' | 'applied'): Promise<Reply> {
  const ask = post('/universes', newUniverse(), { headers: { 'idempotency-key': `key-${state}-${n++}` } });
  await codeOf(ask);
  await db.migrator.query(
    `UPDATE edge.idempotency_key SET state = $1, status = NULL, answer_sealed = NULL, leased_until = now() + make_interval(secs => $2)
     WHERE created_at = (SELECT max(created_at) FROM edge.idempotency_key)`,
    [state, state === 'running' ? 60 : -1],
  );
  return codeOf(ask);
}

test('every code of the catalogue is told by a real answer, with its status and as its description says', async (t) => {
  assert.deepEqual(Object.keys(BAD).sort(), Object.keys(PROBLEMS).sort());
  const wrong: string[] = [];
  const redis = skipsRedis(t) ? null : await startRedis();
  await redis?.kill();
  for (const [code, produce] of Object.entries(BAD)) {
    if (code === 'LIMITS_AWAY' && redis === null) continue;
    const reply = await produce(redis?.url ?? '');
    if (reply.json.code !== code) {
      wrong.push(`${code}: ${reply.status} ${reply.text}`);
      continue;
    }
    assert.match(reply.headers.get('content-type') ?? '', /^application\/problem\+json/, `${code}: ${reply.text}`);
    const told = problem.parse(reply.json);
    assert.equal(told.code, code, reply.text);
    const expected = Object.entries(PROBLEMS).find(([name]) => name === code)?.[1];
    assert.deepEqual(
      [told.status, reply.status, told.title, told.retryable],
      [...[expected?.status, expected?.status, expected?.title, expected?.retryable]],
    );
    assert.ok(told.detail.length > 5 && told.requestId !== '', code);
  }
  await redis?.stop();
  assert.deepEqual(wrong, []);
});

test('every code a route names is one of the catalogue, and none of the catalogue is unused', () => {
  const named = new Set(ALL_ROUTES.flatMap((route) => [...route.problems]));
  for (const code of named) assert.ok(code in PROBLEMS, code);
});
