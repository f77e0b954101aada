import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { hasScope, PERSON_ROLES, type Role } from '@touchstone/contracts/policy';
import { ALL_ROUTES } from '@touchstone/contracts/routes';
import { dayNumber, dayText } from '@touchstone/quant/series/day';
import { tradingDays } from '@touchstone/quant/series/trading-calendar';
import { raiseAlert } from '../src/platform/alerts/alerts.ts';
import { systemClock } from '../src/platform/clock/clock.ts';
import { createFolderStore } from '../src/platform/object-store/object-store.ts';
import { createStages } from '../src/stages.ts';
import { createTestDatabase, type TestDatabase } from './cluster.ts';
import { addFrozenTable, smallManifest, smallModel } from './foreign/frozen-table.ts';
import { inlineCompute } from './inline-compute.ts';
import { priceFile } from './market-data/import-harness.ts';
import { fillModels } from './models/fill-models.ts';
import { SIGNED } from './models/manifest.ts';
import { type Reply, startTestServer, type TestServer } from './test-server.ts';

// Tenant A owns one of everything. Tenant B, an owner as well, knows every number and hash of A and tries each route.

const DAYS = Array.from(tradingDays('XNYS', dayNumber('2024-01-02'), dayNumber('2024-09-30')), dayText);
const DAY = DAYS[30]!;
const BAD_DAY = DAYS[100]!;
/** Stands in every text that A stores, so that any sight of it is a leak. */
const MARK = 'albatross';
const TENANT_B = 900;
/** A view of A; an answer repeats the name it was asked for. */
const VIEW = `view_${MARK.length}`;
/** A model of A. B has another. */
const MODEL = `model-${MARK.length}`;
const MARK_OF_B = 'magpie';
const MODEL_OF_B = `model-${MARK_OF_B.length}`;

/** What one tenant has, by the numbers another would need. */
type Belongings = {
  token: string;
  tenantId: number;
  uploadId: string;
  sourceId: number;
  instrumentId: number;
  runId: number;
  caseId: number;
  universeId: number;
  indexId: number;
  datasetSha256: string;
  inputSha256: string;
  taskId: number;
  scheduleId: number;
  feedId: number;
  refreshId: number;
  alertId: number;
  anomalyCaseId: number;
  predictionId: number;
  abTestId: number;
  trainingRunId: number;
  trainingId: number;
  automlId: number;
  frozen: { datasetSha256: string; trainedUntil: string };
  foreignFile: string;
  family: string;
  userId: number;
  serviceId: number;
  invitationId: number;
  keyId: number;
};

let db: TestDatabase;
let server: TestServer;
let a: Belongings;
let b: Belongings;
/** B's people: one of each role. */
const tokensOfB = new Map<Role, string>();

before(async () => {
  db = await createTestDatabase();
  server = await startTestServer(db, {
    runTasks: true,
    wire: ({ serve, ...parts }) =>
      createStages({
        ...parts,
        ...{ connection: db.connection, compute: inlineCompute, clock: systemClock, codeVersion: 'test' },
        // Nobody listens there: every question leaves a gap.
        feedOptions: { allowLoopback: true, retryDelayMs: 1 },
      }).registerRoutes(serve),
  });
  const owner = await server.call('POST', '/auth/owner', {
    body: {
      email: `${MARK}@example.org`,
      ...{ password: 'correct horse battery', displayName: MARK, tenantName: MARK, asProgram: true },
    },
  });
  assert.equal(owner.status, 201, owner.text);
  a = await own(String(owner.json.accessToken), MARK);
  b = await own(await server.tokenFor('owner', TENANT_B), MARK_OF_B);
  for (const role of PERSON_ROLES) tokensOfB.set(role, await server.tokenFor(role, TENANT_B));
});
after(async () => {
  await server.close();
  await db.close();
});

/** A call that must succeed; its JSON. Numbers inside are read with `numberIn`. */
async function must(token: string, method: string, path: string, body?: unknown): Promise<Record<string, unknown>> {
  const headers: Record<string, string> =
    typeof body === 'string' || body instanceof Uint8Array ? { 'content-type': 'application/octet-stream' } : {};
  const reply = await server.call(method, path, { token, body, headers });
  assert.ok(reply.status < 300, `${method} ${path}: ${reply.status} ${reply.text}`);
  return reply.json;
}

function firstOf(answer: Record<string, unknown>): Record<string, unknown> {
  assert.ok(Array.isArray(answer.items) && answer.items.length > 0, `has items: ${JSON.stringify(answer)}`);
  return answer.items[0];
}

async function taskDone(token: string, answer: Record<string, unknown>): Promise<number> {
  const { id } = Object(answer.task);
  for (let attempt = 0; attempt < 2400; attempt++) {
    const task = await must(token, 'GET', `/tasks/${id}`);
    if (task.state === 'done') return id;
    assert.ok(['queued', 'running'].includes(String(task.state)), JSON.stringify(task));
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`task ${id} did not end in 120 s`);
}

const newAbTest = { controlVersion: 1, treatmentVersion: 2, metric: 'brier', effect: 0.02, longRunDeviation: 0.03 };

/** Gives a tenant one of everything, by the front door. */
async function own(token: string, mark: string): Promise<Belongings> {
  const symbols = ['ONE', 'TWO', 'SIX'].map((word) => `${mark.toUpperCase()}${word}`);
  // One bar ten times its neighbours, for a case.
  const file = priceFile(symbols, DAYS, (row) =>
    row[0] === BAD_DAY && row[1] === symbols[0]
      ? row.map((field, i) => (i >= 2 && i <= 5 ? String(Number(field) * 10) : field))
      : row,
  );
  const upload = await must(token, 'POST', `/data/uploads?fileName=${mark}.csv`, file);
  const imported = await must(token, 'POST', '/data/imports', {
    ...{ uploadId: upload.uploadId, fileName: `${mark}.csv`, source: { code: mark, name: mark } },
    ...{ choices: { priceBasis: 'raw' }, onBadRow: 'keep-good', universeName: mark },
  });
  const taskId = await taskDone(token, imported);
  const instrument = firstOf(await must(token, 'GET', '/data/instruments'));
  const universe = firstOf(await must(token, 'GET', '/universes'));
  const index = await must(token, 'POST', '/indexes', {
    ...{ name: mark, description: mark, universeId: universe.id, method: 'equal_weight' },
    benchmarkInstrumentId: instrument.id,
  });
  await taskDone(token, await must(token, 'POST', `/indexes/${index.id}/runs`, {}));
  const indexRun = firstOf(await must(token, 'GET', `/indexes/${index.id}/runs`));
  const dataset = await must(token, 'POST', '/datasets', { universeId: universe.id });
  await must(token, 'POST', '/feature-views', {
    ...{ name: `view_${mark.length}`, description: mark, owner: mark, ttlDays: null },
    features: [{ name: 'own', expression: 'close' }],
  });
  const views = [`view_${mark.length}`];
  await taskDone(token, await must(token, 'POST', '/features/materialise', { universeId: universe.id, views }));
  const schedule = await must(token, 'POST', '/schedules', {
    ...{ kind: 'index-run', title: mark, cron: '0 3 1 1 *', input: { indexId: index.id }, enabled: true },
  });
  const feed = await must(token, 'POST', '/data/feeds', {
    ...{ feed: 'stooq', code: `${mark}-feed`, name: mark },
    settings: { urlTemplate: 'http://127.0.0.1:1/{symbol}' },
  });
  await taskDone(token, await must(token, 'POST', `/data/feeds/${feed.id}/refreshes`, { universeId: universe.id }));
  const refresh = firstOf(await must(token, 'GET', '/data/refreshes'));
  firstOf(await must(token, 'GET', `/data/gaps?sourceId=${feed.id}`));
  const found = firstOf(await must(token, 'GET', '/data/cases'));
  const run = firstOf(await must(token, 'GET', '/data/runs'));
  const state = await must(token, 'GET', '/auth/state');
  const service = await must(token, 'POST', '/people/services', { name: mark });
  const invited = await must(token, 'POST', '/invitations', { email: `guest@${mark}.example.org`, role: 'viewer' });
  const key = await must(token, 'POST', '/keys', { name: mark, scopes: ['market:read'] });
  await db.database.transaction({ tenantId: Number(instrument.tenantId), actorId: null }, (tx) =>
    raiseAlert(tx, {
      ...{ kind: 'data.stale', severity: 'warning', title: mark, detail: mark, subjectKind: 'universe', subjectId: 1 },
      sameAs: mark,
    }),
  );
  const alert = firstOf(await must(token, 'GET', '/alerts'));
  const { rows: anomalies } = await db.migrator.query(
    `INSERT INTO market_anomaly (tenant_id, subject_kind, subject_id, detector, day, score, threshold, note, as_of, known_at, recorded_at, reconstructed)
     VALUES ($1, 'instrument', $2, 'return', $3, 7.9, 6.2, $4, $3, now(), now(), true) RETURNING id`,
    [instrument.tenantId, instrument.id, DAY, mark],
  );
  const models = { model: `model-${mark.length}`, mark };
  const trained = await fillModels(
    { database: db.database, objects: createFolderStore(path.join(server.home, 'objects')) },
    Number(instrument.tenantId),
    models,
  );
  const prediction = await must(token, 'POST', `/predict/${models.model}`, { subject: { id: instrument.id } });
  const { rows: trainings } = await db.migrator.query(
    `INSERT INTO training (tenant_id, universe_tenant_id, universe_id, task_id, settings) VALUES ($1, $1, $2, $3, $4) RETURNING id`,
    [instrument.tenantId, universe.id, taskId, TRAINING_SETTINGS],
  );
  const { rows: searches } = await db.migrator.query(
    `INSERT INTO automl (tenant_id, universe_tenant_id, universe_id, task_id, settings)
     VALUES ($1, $1, $2, $3, $4) RETURNING id`,
    [instrument.tenantId, universe.id, taskId, SEARCH_SETTINGS],
  );
  const abTest = await must(token, 'POST', `/models/${models.model}/ab-tests`, newAbTest);
  const frozen = await addFrozenTable(
    { database: db.database, objects: createFolderStore(path.join(server.home, 'objects')) },
    { tenantId: Number(instrument.tenantId), actorId: null },
    mark.length,
  );
  const foreignFile = await must(token, 'POST', '/foreign-models', smallModel(mark));
  const sessions = await must(token, 'GET', '/auth/sessions');
  const session = Object(Array.isArray(sessions.items) ? sessions.items[0] : undefined);
  return {
    ...{ token, taskId, tenantId: Number(instrument.tenantId), uploadId: String(upload.uploadId) },
    ...{ instrumentId: Number(instrument.id), universeId: Number(universe.id), indexId: Number(index.id) },
    sourceId: Number(run.sourceId),
    runId: Number(run.id),
    caseId: Number(found.id),
    datasetSha256: String(dataset.sha256),
    inputSha256: String(Object(indexRun.lineage).datasetSha256),
    scheduleId: Number(schedule.id),
    ...{ feedId: Number(feed.id), refreshId: Number(refresh.id) },
    alertId: Number(alert.id),
    anomalyCaseId: Number(anomalies[0].id),
    predictionId: Number(prediction.predictionId),
    abTestId: Number(abTest.id),
    trainingRunId: trained.runId,
    trainingId: Number(trainings[0].id),
    automlId: Number(searches[0].id),
    ...{ frozen, foreignFile: String(foreignFile.fileSha256) },
    family: String(session.family ?? ''),
    ...{ userId: Number(Object(state.signedIn).userId), serviceId: Number(service.userId) },
    ...{ invitationId: Number(Object(invited.invitation).id), keyId: Number(Object(key.apiKey).id) },
  };
}

/** As a search keeps them. */
const SEARCH_SETTINGS = JSON.stringify({
  ...{ target: 'drawdown_touch', families: ['linear'], seed: 1, seconds: 60, effort: 'quick' },
  ...{ asOf: '2024-07-31', knownAt: '2024-07-31T21:00:00.000Z', recordedAt: '2024-07-31T21:00:00.000Z' },
});

/** As a training keeps them. */
const TRAINING_SETTINGS = JSON.stringify({
  ...{ targets: ['drawdown_touch'], families: ['linear'], seed: 1, effort: 'quick', promote: 'never' },
  ...{ asOf: '2024-07-31', knownAt: '2024-07-31T21:00:00.000Z', recordedAt: '2024-07-31T21:00:00.000Z' },
});

/** A request of B that names something of A, below /api/v1. */
type Attack = { path: string; body?: unknown };

const bar = { day: '', open: 10, high: 12, low: 9, close: 11, volume: 5, reason: 'Vendor notice' };
const action = { day: '', kind: 'split', value: 2, reason: 'Vendor notice' };
const newIndex = { name: 'mine', method: 'equal_weight' };
const version = 1;

/** Every route that takes a number or a hash, asked with those of A. Each must say that there is no such thing. */
const HIDDEN: Record<string, () => Attack[]> = {
  endSession: () => [{ path: `/auth/sessions/${a.family}` }],
  getPerson: () => [{ path: `/people/${a.userId}` }, { path: `/people/${a.serviceId}` }],
  changeRole: () => [{ path: `/people/${a.userId}/role`, body: { from: 'owner', role: 'viewer' } }],
  deactivatePerson: () => [{ path: `/people/${a.userId}/deactivate` }, { path: `/people/${a.serviceId}/deactivate` }],
  reactivatePerson: () => [{ path: `/people/${a.userId}/reactivate` }],
  forgetPerson: () => [{ path: `/people/${a.userId}/forget` }],
  createResetLink: () => [{ path: `/people/${a.userId}/reset-link` }],
  removeSecondFactor: () => [{ path: `/people/${a.userId}/second-factor` }],
  listSessionsOf: () => [{ path: `/people/${a.userId}/sessions` }],
  endSessionOf: () => [
    { path: `/people/${a.userId}/sessions/${a.family}` },
    { path: `/people/${b.userId}/sessions/${a.family}` },
  ],
  revokeInvitation: () => [{ path: `/invitations/${a.invitationId}` }],
  createKey: () => [{ path: '/keys', body: { name: 'mine', scopes: ['market:read'], serviceId: a.serviceId } }],
  rotateKey: () => [{ path: `/keys/${a.keyId}/rotate`, body: {} }],
  revokeKey: () => [{ path: `/keys/${a.keyId}` }],
  updateSource: () => [{ path: `/data/sources/${a.sourceId}`, body: { name: 'mine', version } }],
  updateFeed: () => [{ path: `/data/feeds/${a.feedId}`, body: { name: 'mine', version } }],
  rotateFeedKey: () => [{ path: `/data/feeds/${a.feedId}/key`, body: { key: 'stolen-key', version } }],
  deleteFeed: () => [{ path: `/data/feeds/${a.feedId}` }],
  testFeed: () => [{ path: `/data/feeds/${a.feedId}/test` }],
  readQuotes: () => [{ path: `/data/feeds/${a.feedId}/quotes?symbols=ONE` }],
  watchPrices: () => [{ path: `/data/feeds/${a.feedId}/prices/events?symbols=ONE` }],
  readSymbol: () => [{ path: `/data/feeds/${a.feedId}/symbols/ONE` }],
  planRefresh: () => [
    { path: `/data/feeds/${a.feedId}/plan`, body: { symbols: ['ONE'] } },
    { path: `/data/feeds/${b.feedId}/plan`, body: { universeId: a.universeId } },
  ],
  startRefresh: () => [
    { path: `/data/feeds/${a.feedId}/refreshes`, body: { symbols: ['ONE'] } },
    { path: `/data/feeds/${b.feedId}/refreshes`, body: { universeId: a.universeId } },
  ],
  getRefresh: () => [{ path: `/data/refreshes/${a.refreshId}` }],
  getInstrument: () => [{ path: `/data/instruments/${a.instrumentId}` }],
  updateInstrument: () => [{ path: `/data/instruments/${a.instrumentId}`, body: { name: 'mine', version } }],
  listBars: () => [
    { path: `/data/instruments/${a.instrumentId}/bars` },
    { path: `/data/instruments/${a.instrumentId}/bars?sourceId=${a.sourceId}` },
    { path: `/data/instruments/${a.instrumentId}/bars?sourceId=${b.sourceId}` },
    { path: `/data/instruments/${b.instrumentId}/bars?sourceId=${a.sourceId}` },
  ],
  listBarVersions: () => [{ path: `/data/instruments/${a.instrumentId}/bars/${DAY}/versions` }],
  correctBar: () => crossed().map((ids) => ({ path: '/data/corrections', body: { ...bar, day: DAY, ...ids } })),
  addCorporateAction: () =>
    crossed().map((ids) => ({ path: '/data/corporate-actions', body: { ...action, day: DAY, ...ids } })),
  previewImport: () =>
    // A hash is a name, not a right: neither another's upload nor any other stored object can be read by it.
    [a.uploadId, a.datasetSha256].map((uploadId) => ({
      path: '/data/imports/preview',
      body: { uploadId, fileName: 'p.csv' },
    })),
  startImport: () =>
    [a.uploadId, a.datasetSha256].map((uploadId) => ({
      path: '/data/imports',
      body: { uploadId, fileName: 'p.csv', source: { code: 'stolen' }, onBadRow: 'keep-good' },
    })),
  getRun: () => [{ path: `/data/runs/${a.runId}` }],
  retractRun: () => [{ path: `/data/runs/${a.runId}/retract`, body: { reason: 'Not yours' } }],
  getCase: () => [{ path: `/data/cases/${a.caseId}` }],
  decideCase: () => [{ path: `/data/cases/${a.caseId}/decision`, body: { state: 'false', version } }],
  freezeDataset: () => [{ path: '/datasets', body: { universeId: a.universeId } }],
  getDataset: () => [a.datasetSha256, a.inputSha256].map((hash) => ({ path: `/datasets/${hash}` })),
  downloadDataset: () => [a.datasetSha256, a.inputSha256].map((hash) => ({ path: `/datasets/${hash}/file` })),
  getDatasetPointer: () => [a.datasetSha256, a.inputSha256].map((hash) => ({ path: `/datasets/${hash}/dvc` })),
  getModel: () => [{ path: `/models/${MODEL}` }],
  updateModel: () => [{ path: `/models/${MODEL}`, body: { description: 'mine', version: 3 } }],
  deleteModel: () => [{ path: `/models/${MODEL}` }],
  undeleteModel: () => [{ path: `/models/${MODEL}/undelete` }],
  listModelVersions: () => [{ path: `/models/${MODEL}/versions` }],
  getModelVersion: () => [{ path: `/models/${MODEL}/versions/1` }],
  getModelCard: () => [{ path: `/models/${MODEL}/versions/1/card` }],
  downloadModelArtefact: () => [{ path: `/models/${MODEL}/versions/1/artefact` }],
  archiveModelVersion: () => [{ path: `/models/${MODEL}/versions/2/archive`, body: { reason: 'mine' } }],
  restoreModelVersion: () => [{ path: `/models/${MODEL}/versions/2/restore`, body: { reason: 'mine' } }],
  listModelAliases: () => [{ path: `/models/${MODEL}/aliases` }],
  setModelAlias: () => [
    { path: `/models/${MODEL}/aliases/challenger`, body: { version: 1, expected: 2, reason: 'mine' } },
  ],
  removeModelAlias: () => [
    { path: `/models/${MODEL}/aliases/challenger/remove`, body: { expected: 2, reason: 'mine' } },
  ],
  listAliasHistory: () => [{ path: `/models/${MODEL}/alias-history` }],
  promoteModel: () => [
    { path: `/models/${MODEL}/promote`, body: { version: 1, expected: 1, reason: 'mine', checklist: SIGNED } },
  ],
  rollbackModel: () => [{ path: `/models/${MODEL}/rollback`, body: { reason: 'mine' } }],
  withdrawModel: () => [{ path: `/models/${MODEL}/withdraw`, body: { expected: 1, reason: 'mine' } }],
  getDrift: () => [{ path: `/models/${MODEL}/drift` }],
  startDriftCheck: () => [{ path: `/models/${MODEL}/drift` }],
  getBiasReport: () => [{ path: `/models/${MODEL}/bias` }, { path: `/models/${MODEL}/bias?version=1` }],
  createAbTest: () => [{ path: `/models/${MODEL}/ab-tests`, body: newAbTest }],
  listAbTests: () => [{ path: `/models/${MODEL}/ab-tests` }],
  getAbTest: () => [{ path: `/ab-tests/${a.abTestId}` }],
  getAbTestArm: () => [{ path: `/ab-tests/${a.abTestId}/arm?instrumentId=${a.instrumentId}&day=${DAY}` }],
  stopAbTest: () => [{ path: `/ab-tests/${a.abTestId}/stop`, body: { reason: 'mine' } }],
  getServingHistory: () => [{ path: `/models/${MODEL}/serving` }],
  predict: () => [
    { path: `/predict/${MODEL}`, body: { subject: { id: a.instrumentId } } },
    { path: `/predict/${MODEL}`, body: { subject: { id: b.instrumentId } } },
    { path: `/predict/${MODEL_OF_B}`, body: { subject: { id: a.instrumentId } } },
    { path: `/predict/${MODEL_OF_B}`, body: { subject: { kind: 'index', id: a.indexId } } },
  ],
  predictBatch: () => [{ path: `/predict/${MODEL}/batch`, body: { subjects: [{ id: a.instrumentId }] } }],
  predictUniverse: () => [
    { path: `/predict/${MODEL}/universe`, body: { universeId: b.universeId } },
    { path: `/predict/${MODEL_OF_B}/universe`, body: { universeId: a.universeId } },
  ],
  getPrediction: () => [{ path: `/predictions/${a.predictionId}` }],
  getPredictionExplanation: () => [{ path: `/predictions/${a.predictionId}/explanation` }],
  replayPrediction: () => [{ path: `/predictions/${a.predictionId}/replay` }],
  getModelCalibration: () => [{ path: `/models/${MODEL}/calibration` }],
  train: () => [{ path: '/models/train', body: { universeId: a.universeId } }],
  getTraining: () => [{ path: `/trainings/${a.trainingId}` }],
  startAutoml: () => [{ path: '/models/automl', body: { universeId: a.universeId, target: 'drawdown_touch' } }],
  getAutoml: () => [{ path: `/automl/${a.automlId}` }],
  downloadVersionOnnx: () => [{ path: `/models/${MODEL}/versions/1/onnx` }],
  registerForeignModel: () => [
    // Another's file, and another's dataset with a file of one's own.
    { path: '/models/mine/foreign', body: { fileSha256: a.foreignFile, manifest: smallManifest(b.frozen) } },
    { path: '/models/mine/foreign', body: { fileSha256: b.foreignFile, manifest: smallManifest(a.frozen) } },
  ],
  freezeTrainingTable: () => [
    { path: '/training-tables', body: { universeId: a.universeId, target: 'drawdown_touch' } },
  ],
  getTrainingTable: () => [{ path: `/training-tables/${a.frozen.datasetSha256}/volatility_direction` }],
  downloadTrainingTable: () => [{ path: `/training-tables/${a.frozen.datasetSha256}/volatility_direction/file` }],
  getTrainingRun: () => [{ path: `/training-runs/${a.trainingRunId}` }],
  getRunMetric: () => [{ path: `/training-runs/${a.trainingRunId}/metrics?name=loss` }],
  downloadRunArtefact: () => [{ path: `/training-runs/${a.trainingRunId}/artefact?name=note.txt` }],
  getFeatureView: () => [{ path: `/feature-views/${VIEW}` }],
  changeFeatureView: () => [{ path: `/feature-views/${VIEW}`, body: { owner: 'me', version } }],
  deleteFeatureView: () => [{ path: `/feature-views/${VIEW}` }],
  getFeatureSeries: () => [a.instrumentId].map((id) => ({ path: `/features/series?instrument=${id}&features=sma_20` })),
  getHistoricalFeatures: () => [{ path: '/features/historical', body: ofUniverse() }],
  freezeFeatures: () => [{ path: '/features/historical/dataset', body: ofUniverse() }],
  materialiseFeatures: () => [
    { path: '/features/materialise', body: { universeId: a.universeId } },
    { path: '/features/materialise', body: { universeId: b.universeId, views: [VIEW] } },
  ],
  feastGetOnlineFeatures: () =>
    [{ features: [`${VIEW}:own`] }, { feature_service: VIEW }].map((what) => ({
      path: '/feast/get-online-features',
      body: { ...what, entities: { instrument: [b.instrumentId] } },
    })),
  feastPush: () => [{ path: '/feast/push', body: { push_source_name: VIEW, df: {} } }],
  diffDatasets: () => [
    { path: `/datasets/${a.datasetSha256}/diff/${b.datasetSha256}` },
    { path: `/datasets/${b.datasetSha256}/diff/${a.datasetSha256}` },
  ],
  augmentDataset: () => [{ path: `/datasets/${a.datasetSha256}/augment`, body: { generator: 'stationary-bootstrap' } }],
  getPatterns: () => [
    { path: `/market/instrument/${a.instrumentId}/patterns` },
    { path: `/market/index/${a.indexId}/patterns` },
    { path: `/market/instrument/${b.instrumentId}/patterns?universeId=${a.universeId}` },
  ],
  getUniverse: () => [{ path: `/universes/${a.universeId}` }],
  createUniverse: () => [
    { path: '/universes', body: { name: 'mine', rule: 'all_of_source', sourceId: a.sourceId } },
    {
      path: '/universes',
      body: { name: 'mine', rule: 'list', sourceId: b.sourceId, members: [{ instrumentId: a.instrumentId }] },
    },
  ],
  updateUniverse: () => [
    { path: `/universes/${a.universeId}`, body: { name: 'mine', version } },
    { path: `/universes/${listUniverse}`, body: { members: [{ instrumentId: a.instrumentId }], version } },
  ],
  deleteUniverse: () => [{ path: `/universes/${a.universeId}` }],
  undeleteUniverse: () => [{ path: `/universes/${a.universeId}/undelete` }],
  getIndex: () => [{ path: `/indexes/${a.indexId}` }],
  createIndex: () => [
    { path: '/indexes', body: { ...newIndex, universeId: a.universeId } },
    { path: '/indexes', body: { ...newIndex, universeId: b.universeId, benchmarkInstrumentId: a.instrumentId } },
  ],
  updateIndex: () => [
    { path: `/indexes/${a.indexId}`, body: { name: 'mine', version } },
    { path: `/indexes/${b.indexId}`, body: { universeId: a.universeId, version } },
    { path: `/indexes/${b.indexId}`, body: { benchmarkInstrumentId: a.instrumentId, version } },
  ],
  deleteIndex: () => [{ path: `/indexes/${a.indexId}` }],
  undeleteIndex: () => [{ path: `/indexes/${a.indexId}/undelete` }],
  startIndexRun: () => [{ path: `/indexes/${a.indexId}/runs`, body: {} }],
  listIndexRuns: () => [{ path: `/indexes/${a.indexId}/runs` }],
  getIndexLevels: () => [
    { path: `/indexes/${a.indexId}/levels` },
    { path: `/indexes/${a.indexId}/levels?runNumber=1` },
  ],
  getIndexHoldings: () => [{ path: `/indexes/${a.indexId}/holdings` }],
  getDependence: () => [{ path: `/market/universes/${a.universeId}/dependence` }],
  getRelations: () => [{ path: `/market/universes/${a.universeId}/relations` }],
  getFactors: () => [
    { path: `/market/instrument/${a.instrumentId}/factors` },
    { path: `/market/index/${a.indexId}/factors` },
    { path: `/market/instrument/${b.instrumentId}/factors?universeId=${a.universeId}` },
    { path: `/market/instrument/${b.instrumentId}/factors?set=proxies&proxies=${a.instrumentId}` },
  ],
  getIndexPerformance: () => [{ path: `/indexes/${a.indexId}/performance` }],
  exportIndex: () => [{ path: `/indexes/${a.indexId}/export` }, { path: `/indexes/${a.indexId}/export?what=holdings` }],
  getTask: () => [{ path: `/tasks/${a.taskId}` }],
  cancelTask: () => [{ path: `/tasks/${a.taskId}/cancel` }],
  retryTask: () => [{ path: `/tasks/${a.taskId}/retry` }],
  acknowledgeAlert: () => [{ path: `/alerts/${a.alertId}/acknowledge` }],
  updateSchedule: () => [{ path: `/schedules/${a.scheduleId}`, body: { enabled: false, version } }],
  deleteSchedule: () => [{ path: `/schedules/${a.scheduleId}` }],
  createSchedule: () =>
    [
      { kind: 'index-run', input: { indexId: a.indexId } },
      { kind: 'court', input: { universeId: a.universeId } },
    ].map((body) => ({ path: '/schedules', body: { ...body, title: 'theirs', cron: '0 3 1 1 *', enabled: true } })),
  keepCurrent: () => [
    { path: `/universes/${a.universeId}/keep-current`, body: { sourceId: b.sourceId } },
    { path: `/universes/${b.universeId}/keep-current`, body: { sourceId: a.sourceId } },
  ],
  startCourt: () => [{ path: `/universes/${a.universeId}/court` }],
  getRegimes: () => subjectsOfA('regimes'),
  sealRegime: () => subjectsOfA('regimes/records', {}),
  listRegimeRecords: () => subjectsOfA('regimes/records'),
  getAnomalies: () => subjectsOfA('anomalies'),
  sealAnomalies: () => subjectsOfA('anomalies/cases', {}),
  getAnomalyCase: () => [{ path: `/anomaly-cases/${a.anomalyCaseId}` }],
  judgeAnomalyCase: () => [{ path: `/anomaly-cases/${a.anomalyCaseId}/judgement`, body: { state: 'false', version } }],
  getVolatility: () => subjectsOfA('volatility'),
  getDrawdown: () => subjectsOfA('drawdown'),
  getValueAtRisk: () => subjectsOfA('value-at-risk'),
  computePortfolioRisk: () => [
    { path: '/market/portfolio-risk', body: { holdings: [{ instrumentId: a.instrumentId, weight: 1 }] } },
    {
      path: '/market/portfolio-risk',
      body: { holdings: [a, b].map(({ instrumentId }) => ({ instrumentId, weight: 0.5 })) },
    },
  ],
  getBlastRadius: () => [
    { path: `/data/blast-radius?runId=${a.runId}` },
    { path: `/data/blast-radius?instrumentId=${a.instrumentId}` },
    { path: `/data/blast-radius?instrumentId=${b.instrumentId}&sourceId=${a.sourceId}` },
  ],
};

/** Lists, also those narrowed to something of A: they answer, and show nothing of A. */
const LISTS: Record<string, () => Attack[]> = {
  listSessions: () => [{ path: '/auth/sessions' }],
  listPeople: () => [{ path: '/people?limit=500' }],
  listInvitations: () => [{ path: '/invitations?limit=500' }],
  listKeys: () => [{ path: '/keys?limit=500' }],
  listAudit: () => [
    { path: '/audit?limit=500' },
    { path: `/audit?actorId=${a.userId}` },
    { path: `/audit?subjectKind=user&subjectId=${a.userId}` },
  ],
  getTimeline: () => [{ path: '/data/timeline' }],
  listSources: () => [{ path: '/data/sources' }],
  listInstruments: () => [
    { path: '/data/instruments?limit=500' },
    { path: `/data/instruments?search=${MARK}` },
    { path: `/data/instruments?sourceId=${a.sourceId}` },
  ],
  listRuns: () => [{ path: '/data/runs?limit=500' }, { path: `/data/runs?sourceId=${a.sourceId}` }],
  listCases: () =>
    ['limit=500', `sourceId=${a.sourceId}`, `instrumentId=${a.instrumentId}`, `runId=${a.runId}`].map((query) => ({
      path: `/data/cases?${query}`,
    })),
  listExchangeRates: () => [{ path: '/data/exchange-rates?base=EUR&quote=USD' }],
  listMacroSeries: () => [{ path: '/data/macro?series=CPI' }],
  listFeeds: () => [{ path: '/data/feeds' }],
  listRefreshes: () => [
    { path: '/data/refreshes' },
    { path: `/data/refreshes?sourceId=${a.feedId}` },
    { path: `/data/refreshes?universeId=${a.universeId}` },
  ],
  listGaps: () => [
    { path: '/data/gaps' },
    { path: `/data/gaps?sourceId=${a.feedId}` },
    { path: `/data/gaps?universeId=${a.universeId}` },
  ],
  listDatasets: () => [{ path: '/datasets?limit=500' }],
  listModels: () => [{ path: '/models' }, { path: '/models?includeDeleted=true' }],
  listTrainings: () => [{ path: '/trainings?limit=500' }],
  listAutoml: () => [{ path: '/automl?limit=500' }],
  getLeaderboard: () => [{ path: '/leaderboard' }],
  listExperiments: () => [{ path: '/experiments?limit=500' }],
  listTrainingRuns: () => [
    { path: '/training-runs?limit=500' },
    { path: `/training-runs?model=${MODEL}` },
    { path: `/training-runs?experiment=${MARK}` },
  ],
  listFeatureViews: () => [{ path: '/feature-views' }],
  listMaterialisations: () => [{ path: '/features/materialisations' }],
  getFeatureSkew: () => [{ path: '/features/skew' }],
  listUniverses: () => [{ path: '/universes' }, { path: '/universes?includeDeleted=true' }],
  listIndexes: () => [{ path: '/indexes' }, { path: '/indexes?includeDeleted=true' }],
  listBenchmarks: () => [{ path: '/benchmarks' }, { path: `/benchmarks?search=${MARK}` }],
  listTasks: () => [{ path: '/tasks?limit=500' }],
  listSchedules: () => [{ path: '/schedules' }],
  listAlerts: () => [{ path: '/alerts?limit=500' }],
  listEvidence: () => [
    { path: '/diagnostics/evidence?limit=500' },
    { path: `/diagnostics/evidence?subjectKind=run&subjectId=${a.runId}` },
  ],
  listAnomalyCases: () => [
    { path: '/anomaly-cases?limit=500' },
    { path: `/anomaly-cases?subjectKind=instrument&subjectId=${a.instrumentId}` },
  ],
  listArchives: () => [{ path: '/diagnostics/archives' }],
  listPredictions: () => [
    { path: '/predictions?limit=500' },
    { path: `/predictions?model=${MODEL}` },
    { path: `/predictions?subjectKind=instrument&subjectId=${a.instrumentId}` },
  ],
  listTrials: () => [
    { path: '/diagnostics/trials?limit=500' },
    { path: `/diagnostics/trials?datasetSha256=${a.inputSha256}` },
  ],
};

/** Routes that name nothing of anybody, each with the reason why there is nothing to steal. */
const NAMELESS: Record<string, string> = {
  getAuthState: 'tells about the caller',
  createOwner: 'works once, and not again',
  signIn: 'needs the password',
  answerSecondFactor: 'needs the challenge of the first step',
  startProviderSignIn: 'begins with nobody',
  finishProviderSignIn: 'needs the cookie and the code of the same browser',
  getSecondFactor: 'that of the caller',
  enrolSecondFactor: 'that of the caller',
  confirmSecondFactor: 'that of the caller',
  renewRecoveryCodes: 'that of the caller',
  disableSecondFactor: 'that of the caller',
  createService: 'adds one to the tenant of the caller',
  createInvitation: 'adds one to the tenant of the caller; an address known elsewhere is told in no way (people.test)',
  readInvitation: 'needs the token itself',
  acceptInvitation: 'needs the token itself',
  resetPasswordByLink: 'needs the token itself',
  listTenants: 'for the operator alone, and shows names and counts (people.test)',
  createTenant: 'for the operator alone (people.test)',
  refreshSession: 'needs the token itself',
  signOut: 'needs the token itself',
  changePassword: 'changes that of the caller',
  createFeed: 'makes one of the caller’s own',
  uploadFile: 'stores bytes',
  sendForeignModel: 'stores bytes',
  listHolidays: 'calendars belong to the system',
  listStrategies: 'methods are code',
  getSimulatedTruth: 'the simulated market belongs to the system',
  watchTasks: 'a stream, in a test of its own below',
  startVerify: 'walks the chain of the caller',
  joinOutcomes: 'joins those of the caller',
  listProcesses: 'processes belong to the system and name no machine',
  listBackups: 'files of the whole installation: their sizes and hashes, and nothing of what is in them',
  startBackup: 'writes a file on the machine of the server that no route gives out',
  startDrill: 'tells counts, and the differences of hashes',
  startArchive: 'the operator only; no answer changes by it',
  bringBackArchive: 'the operator only; no answer changes by it',
  getDoctor: 'tells of the machine, of the tenant of the caller and of the system',
  watchAlerts: 'a stream, in a test of its own in alerts.test.ts',
  getHealth: 'universes in sight of the caller, as listUniverses shows them, and counts of the whole installation',
  getSlowQuery: 'one of those',
  listSlowQueries: 'statements of the program, without values; they belong to the system',
  listTargets: 'the same for everybody',
  getFeatureCatalogue: 'the same for everybody',
  getAbPower: 'the same for everybody',
  checkFeatureView: 'looks at what it is given',
  createFeatureView: 'makes one of the caller’s own',
  createModel: 'makes one of the caller’s own; a name of another tenant is free',
  getOnlineFeatures: 'what is not the caller’s is told as unknown_entity or unknown_feature (feature-store.test)',
  startFeatureSkew: 'computes the samples of the caller again',
  getStatus: 'counts of the whole installation, estimated by the database',
  getPolicy: 'the same table for everybody',
  getLimits: 'counts of the caller',
};

let listUniverse = 0;

/** Features of the universe of A. */
function ofUniverse() {
  return { universe: { universeId: a.universeId, from: DAY, to: DAY }, features: ['sma_20'] };
}

/** Instrument and source of A, and each of them with B's other half. */
function crossed() {
  return [
    { instrumentId: a.instrumentId, sourceId: a.sourceId },
    { instrumentId: a.instrumentId, sourceId: b.sourceId },
    { instrumentId: b.instrumentId, sourceId: a.sourceId },
  ];
}

/** What the market is looked at by, of A, as a path below /market. */
function subjectsOfA(rest: string, body?: unknown): Attack[] {
  return [`instrument/${a.instrumentId}`, `index/${a.indexId}`].map((subject) => ({
    path: `/market/${subject}/${rest}`,
    body,
  }));
}

function assertNothingOfA(reply: Reply, place: string): void {
  const text = reply.text + JSON.stringify([...reply.headers]);
  assert.doesNotMatch(text, new RegExp(MARK, 'i'), `${place} shows a text of A`);
  assert.ok(!text.includes(`"tenantId":${a.tenantId},`), `${place} shows a row of A: ${reply.text}`);
}

/** Everything A has, in one hash a table. Sessions live on while a test runs. */
async function digestOfA(): Promise<Record<string, string>> {
  const { rows } = await db.migrator.query(
    `SELECT c.relname AS table FROM pg_class c JOIN pg_attribute t ON t.attrelid = c.oid
     WHERE t.attname = 'tenant_id' AND c.relkind IN ('r', 'p') AND NOT c.relispartition
       AND c.relnamespace = 'public'::regnamespace ORDER BY 1`,
  );
  const digests: Record<string, string> = {};
  for (const { table } of rows) {
    const answer = await db.migrator.query(
      `SELECT count(*) || ' rows ' || coalesce(md5(string_agg(r::text, '|' ORDER BY r::text)), '') AS digest
       FROM ${table} r WHERE tenant_id = $1`,
      [a.tenantId],
    );
    digests[table] = answer.rows[0].digest;
  }
  return digests;
}

test('every route is in this file: as hidden, as a list, or as nameless with a reason', () => {
  const known = new Set([...Object.keys(HIDDEN), ...Object.keys(LISTS), ...Object.keys(NAMELESS)]);
  for (const route of ALL_ROUTES) {
    assert.ok(known.has(route.id), `${route.id} is new: say here what it must hide from another tenant`);
    if (route.path.includes('/:') && !['listHolidays', 'getSlowQuery', 'bringBackArchive'].includes(route.id)) {
      assert.ok(route.id in HIDDEN, `${route.id} has a parameter in its path, so it must be attacked with A's`);
    }
  }
  const served = new Set(ALL_ROUTES.map((route) => route.id));
  for (const id of known) assert.ok(served.has(id), `${id} is no route any more`);
});

test('what belongs to one tenant does not exist for another, and stays as it was', async () => {
  assert.notEqual(a.family, '', 'A has a session');
  assert.notEqual(a.datasetSha256, b.datasetSha256);
  const listed = await must(b.token, 'POST', '/universes', { name: 'by name', rule: 'list', sourceId: b.sourceId });
  listUniverse = Number(listed.id);
  const before = await digestOfA();
  for (const [id, attacks] of Object.entries(HIDDEN)) {
    const route = ALL_ROUTES.find((candidate) => candidate.id === id);
    for (const { path, body } of attacks()) {
      const reply = await server.call(route!.method, path, { token: b.token, body });
      const place = `${route!.method} ${path} ${JSON.stringify(body ?? '')}`;
      // Some things are the operator's alone, and B's owner is none.
      const [status, code] = hasScope('owner', route!.scope) ? [404, 'NOT_FOUND'] : [403, 'FORBIDDEN'];
      assert.equal(reply.status, status, `${place}: ${reply.status} ${reply.text}`);
      assert.equal(reply.json.code, code, place);
      assertNothingOfA(reply, place);
      for (const [role, token] of tokensOfB) {
        const asked = await server.call(route!.method, path, { token, body });
        const isAllowed = hasScope(role, route!.scope);
        assert.equal(asked.status, isAllowed ? 404 : 403, `${place} as ${role}: ${asked.status} ${asked.text}`);
      }
    }
  }
  assert.deepEqual(await digestOfA(), before);
});

test('no list shows anything of another tenant, also when asked for it by number', async () => {
  const hashes = [a.uploadId, a.datasetSha256, a.inputSha256, a.family];
  for (const [id, attacks] of Object.entries(LISTS)) {
    for (const { path } of attacks()) {
      const reply = await server.call('GET', path, { token: b.token });
      assert.equal(reply.status, 200, `${id} ${path}: ${reply.text}`);
      assertNothingOfA(reply, path);
      for (const hash of hashes) assert.ok(!reply.text.includes(hash), `${path} shows a hash of A`);
      const isNarrowed = /(?:actorId|sourceId|universeId|instrumentId|runId|search|datasetSha256|subjectId)=/.test(
        path,
      );
      if (isNarrowed) assert.deepEqual(reply.json.items, [], `${path} is empty`);
    }
  }
});

test('a stream of task news carries those of the caller’s tenant only', async () => {
  const closing = new AbortController();
  const stream = await fetch(`${server.url}/api/v1/tasks/events`, {
    headers: { authorization: `Bearer ${b.token}` },
    signal: closing.signal,
  });
  const reader = stream.body!.pipeThrough(new TextDecoderStream()).getReader();
  const ofA = await taskDone(a.token, await must(a.token, 'POST', '/diagnostics/verify'));
  const ofB = await taskDone(b.token, await must(b.token, 'POST', '/diagnostics/verify'));
  let text = '';
  while (!text.includes(`"id":${ofB},`)) text += (await reader.read()).value ?? '';
  closing.abort();
  await reader.closed.catch(() => {});
  assert.ok(!text.includes(`"id":${ofA},`), text);
});
