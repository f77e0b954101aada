import { z } from 'zod';
import { count, day, id, idParam, instant, longText, page, pageQuery, sha256, version } from './fields.ts';
import {
  type ModelManifest,
  modelManifest,
  modelName,
  modelVersion,
  skill,
  targetName,
  verdict,
} from './model-manifest.ts';
import { defineRoute } from './route.ts';

/** What a promoter signs before a version answers for everybody. */
export const CHECKLIST = [
  'limits_read',
  'bias_reviewed',
  'data_rights_clear',
  'monitoring_ready',
  'rollback_known',
] as const;

export const aliasName = z
  .string()
  .regex(/^[a-z][a-z0-9_-]{0,62}$/)
  .meta({
    description: 'champion is served; every other name is free, except previous, which is the champion before.',
    example: 'challenger',
  });
const changeReason = z.string().trim().min(1).max(500).meta({
  description: 'Why, for those who ask later.',
  example: 'Better than its predecessor in the shadow test.',
});
const expected = z.int().min(1).nullable().meta({
  description: 'Where the alias pointed when you decided; null: nowhere. Somebody was faster when it differs.',
  example: 2,
});

export const checklist = z
  .array(
    z.object({
      item: z.enum(CHECKLIST).meta({
        description:
          'limits_read: the limits on the card. bias_reviewed: skill by sector, size, regime. data_rights_clear: the data may be used so. monitoring_ready: somebody is alerted. rollback_known: who rolls back, and how.',
        example: 'limits_read',
      }),
      signed: z.boolean().meta({ example: true }),
      note: z.string().max(1000).meta({ example: 'Weak in calm markets; accepted.' }),
    }),
  )
  .max(50);
export type Checklist = z.infer<typeof checklist>;

const aliasOfVersion = z.object({
  alias: aliasName,
  version: modelVersion,
  since: instant,
  by: id.nullable().meta({ description: 'User who set it; null: the server.', example: 4 }),
  reason: z.string().meta({ example: 'Better than its predecessor in the shadow test.' }),
});
export type ModelAlias = z.infer<typeof aliasOfVersion>;

const modelSummary = z.object({
  name: modelName,
  description: longText,
  target: targetName.nullable().meta({ description: 'Of its newest version.' }),
  versionCount: count,
  latestVersion: modelVersion.nullable().meta({ description: 'Null: nothing was trained yet.' }),
  lastTrainedUntil: day.nullable().meta({ description: 'Last day the newest version has seen.' }),
  lastRegisteredAt: instant.nullable(),
  champion: aliasOfVersion.omit({ alias: true }).nullable().meta({
    description: 'What is served; null: nothing, forecasts abstain.',
  }),
  verdict: verdict.nullable().meta({ description: 'Of the champion, else of the newest version.' }),
  skill: skill.nullable().meta({ description: 'Of the same version.' }),
  createdAt: instant,
  createdBy: id.nullable(),
  updatedAt: instant,
  updatedBy: id.nullable(),
  deletedAt: instant.nullable().meta({ example: null }),
  version,
});
export type ModelSummary = z.infer<typeof modelSummary>;

const versionSummary = z.object({
  model: modelName,
  version: modelVersion,
  runId: id.nullable().meta({ description: 'Training run it came from.' }),
  target: targetName.nullable(),
  trainedUntil: day,
  skill: skill.nullable(),
  verdict: verdict.nullable(),
  artefactSha256: sha256.meta({ description: 'The bytes of the model.' }),
  artefactByteCount: count,
  manifestSha256: sha256.meta({ description: 'Of the manifest in canonical form.' }),
  aliases: z.array(aliasName).meta({ example: ['champion'] }),
  archived: z.boolean().meta({ description: 'Archived versions take no alias.', example: false }),
  archivedReason: z.string().nullable().meta({ example: null }),
  createdAt: instant,
  createdBy: id.nullable(),
});
export type VersionSummary = z.infer<typeof versionSummary>;
const versionDetail = versionSummary.extend({ manifest: modelManifest });
export type VersionDetail = z.infer<typeof versionDetail>;

const aliasEvent = z.object({
  id,
  alias: aliasName,
  action: z.enum(['set', 'promoted', 'rolled_back', 'removed']).meta({ example: 'promoted' }),
  from: modelVersion.nullable(),
  to: modelVersion.nullable().meta({ description: 'Null: the alias was taken away.' }),
  reason: z.string().meta({ example: 'Better than its predecessor in the shadow test.' }),
  checklist: checklist.meta({ description: 'What was signed; empty where nothing had to be.' }),
  at: instant,
  by: id.nullable(),
});
export type AliasEvent = z.infer<typeof aliasEvent>;

const modelParams = z.object({ model: modelName });
const versionParams = modelParams.extend({
  version: z.coerce
    .number()
    .int()
    .min(1)
    .max(2147483647)
    .meta({ description: 'Counts from 1 in each model.', example: 3 }),
});
const aliasParams = modelParams.extend({ alias: aliasName });

export const listModels = defineRoute({
  id: 'listModels',
  method: 'GET',
  path: '/models',
  group: 'model',
  summary: 'Models with what is served, the last training and the verdict of the gate',
  scope: 'model:read',
  cache: ['model'],
  query: pageQuery.extend({
    includeDeleted: z
      .enum(['true', 'false'])
      .default('false')
      .meta({ description: 'Also the deleted ones.', example: 'false' }),
  }),
  status: 200,
  answer: page(modelSummary),
  problems: [],
});
export const createModel = defineRoute({
  id: 'createModel',
  method: 'POST',
  path: '/models',
  group: 'model',
  summary: 'Name a model before its first version',
  scope: 'model:write',
  body: z.object({ name: modelName, description: longText.default('') }),
  status: 201,
  answer: modelSummary,
  problems: ['ALREADY_EXISTS'],
});
export const getModel = defineRoute({
  id: 'getModel',
  method: 'GET',
  path: '/models/:model',
  group: 'model',
  summary: 'One model with its aliases',
  scope: 'model:read',
  cache: ['model'],
  params: modelParams,
  status: 200,
  answer: modelSummary.extend({ aliases: z.array(aliasOfVersion) }),
  problems: ['NOT_FOUND'],
});
export const updateModel = defineRoute({
  id: 'updateModel',
  method: 'PATCH',
  path: '/models/:model',
  group: 'model',
  summary: 'Describe a model anew',
  scope: 'model:write',
  params: modelParams,
  body: z.object({ description: longText, version }),
  status: 200,
  answer: modelSummary,
  problems: ['NOT_FOUND', 'CONFLICT'],
});
export const deleteModel = defineRoute({
  id: 'deleteModel',
  method: 'DELETE',
  path: '/models/:model',
  group: 'model',
  summary: 'Delete a model that serves nothing; its versions stay on record',
  scope: 'model:promote',
  params: modelParams,
  status: 204,
  problems: ['NOT_FOUND', 'NOT_POSSIBLE_NOW'],
});
export const undeleteModel = defineRoute({
  id: 'undeleteModel',
  method: 'POST',
  path: '/models/:model/undelete',
  group: 'model',
  summary: 'Bring a deleted model back',
  scope: 'model:promote',
  params: modelParams,
  status: 200,
  answer: modelSummary,
  problems: ['NOT_FOUND', 'ALREADY_EXISTS'],
});

export const listModelVersions = defineRoute({
  id: 'listModelVersions',
  method: 'GET',
  path: '/models/:model/versions',
  group: 'model',
  summary: 'Versions of a model, newest first',
  scope: 'model:read',
  cache: ['model'],
  params: modelParams,
  query: pageQuery,
  status: 200,
  answer: page(versionSummary),
  problems: ['NOT_FOUND'],
});
export const getModelVersion = defineRoute({
  id: 'getModelVersion',
  method: 'GET',
  path: '/models/:model/versions/:version',
  group: 'model',
  summary: 'One version with its manifest: data, features, members, skill, verdict',
  scope: 'model:read',
  cache: ['model'],
  params: versionParams,
  status: 200,
  answer: versionDetail,
  problems: ['NOT_FOUND'],
});
export const getModelCard = defineRoute({
  id: 'getModelCard',
  method: 'GET',
  path: '/models/:model/versions/:version/card',
  group: 'model',
  summary: 'The card of a version, made from its manifest: what it is for, on what, how good, where it is weak',
  scope: 'model:read',
  cache: ['model'],
  params: versionParams,
  status: 200,
  answer: z.object({
    model: modelName,
    version: modelVersion,
    markdown: z.string().meta({ example: '# volatility-direction, version 3\n' }),
    sections: z.array(
      z.object({
        title: z.string().meta({ example: 'Limits' }),
        lines: z
          .array(z.string())
          .meta({ example: ['The universe holds only what is listed today: survivors flatter everybody.'] }),
      }),
    ),
    checklist: checklist.meta({ description: 'As signed at its last promotion; empty: never promoted.' }),
  }),
  problems: ['NOT_FOUND'],
});
export const downloadModelArtefact = defineRoute({
  id: 'downloadModelArtefact',
  method: 'GET',
  path: '/models/:model/versions/:version/artefact',
  group: 'model',
  summary: 'The bytes of a version, checked against their hash',
  scope: 'model:read',
  params: versionParams,
  gives: 'bytes',
  status: 200,
  problems: ['NOT_FOUND', 'ARTEFACT_DAMAGED'],
});
export const archiveModelVersion = defineRoute({
  id: 'archiveModelVersion',
  method: 'POST',
  path: '/models/:model/versions/:version/archive',
  group: 'model',
  summary: 'Take a version out of choice; it stays on record and can still be replayed',
  scope: 'model:promote',
  params: versionParams,
  body: z.object({ reason: changeReason }),
  status: 200,
  answer: versionSummary,
  problems: ['NOT_FOUND', 'NOT_POSSIBLE_NOW'],
});
export const restoreModelVersion = defineRoute({
  id: 'restoreModelVersion',
  method: 'POST',
  path: '/models/:model/versions/:version/restore',
  group: 'model',
  summary: 'Bring an archived version back into choice',
  scope: 'model:promote',
  params: versionParams,
  body: z.object({ reason: changeReason }),
  status: 200,
  answer: versionSummary,
  problems: ['NOT_FOUND', 'NOT_POSSIBLE_NOW'],
});

export const listModelAliases = defineRoute({
  id: 'listModelAliases',
  method: 'GET',
  path: '/models/:model/aliases',
  group: 'model',
  summary: 'Where each alias of a model points',
  scope: 'model:read',
  cache: ['model'],
  params: modelParams,
  status: 200,
  answer: z.object({ items: z.array(aliasOfVersion) }),
  problems: ['NOT_FOUND'],
});
export const setModelAlias = defineRoute({
  id: 'setModelAlias',
  method: 'PUT',
  path: '/models/:model/aliases/:alias',
  group: 'model',
  summary: 'Point an alias at a version; champion is promoted instead',
  scope: 'model:write',
  params: aliasParams,
  body: z.object({ version: modelVersion, expected, reason: changeReason }),
  status: 200,
  answer: aliasEvent,
  problems: ['NOT_FOUND', 'CONFLICT', 'NOT_POSSIBLE_NOW'],
});
export const removeModelAlias = defineRoute({
  id: 'removeModelAlias',
  method: 'POST',
  path: '/models/:model/aliases/:alias/remove',
  group: 'model',
  summary: 'Take an alias away; champion is withdrawn instead',
  scope: 'model:write',
  params: aliasParams,
  body: z.object({ expected, reason: changeReason }),
  status: 200,
  answer: aliasEvent,
  problems: ['NOT_FOUND', 'CONFLICT'],
});
export const listAliasHistory = defineRoute({
  id: 'listAliasHistory',
  method: 'GET',
  path: '/models/:model/alias-history',
  group: 'model',
  summary: 'Every change of every alias: who, when, why, from where to where; newest first',
  scope: 'model:read',
  cache: ['model'],
  params: modelParams,
  query: pageQuery.extend({ alias: aliasName.optional() }),
  status: 200,
  answer: page(aliasEvent),
  problems: ['NOT_FOUND'],
});
export const promoteModel = defineRoute({
  id: 'promoteModel',
  method: 'POST',
  path: '/models/:model/promote',
  group: 'model',
  summary: 'Make a version that passed the gate the champion, with a signed check list',
  scope: 'model:promote',
  params: modelParams,
  body: z.object({ version: modelVersion, expected, reason: changeReason, checklist }),
  status: 200,
  answer: aliasEvent,
  problems: ['NOT_FOUND', 'CONFLICT', 'GATE_NOT_PASSED', 'CHECKLIST_OPEN', 'NOT_POSSIBLE_NOW'],
});
export const rollbackModel = defineRoute({
  id: 'rollbackModel',
  method: 'POST',
  path: '/models/:model/rollback',
  group: 'model',
  summary: 'Make the champion before the champion again, in one step',
  scope: 'model:promote',
  params: modelParams,
  body: z.object({
    reason: changeReason,
    expected: modelVersion.optional().meta({
      description: 'The champion to leave; left out: whichever it is. Somebody was faster when it differs.',
    }),
  }),
  status: 200,
  answer: aliasEvent,
  problems: ['NOT_FOUND', 'CONFLICT', 'NOT_POSSIBLE_NOW'],
});
export const withdrawModel = defineRoute({
  id: 'withdrawModel',
  method: 'POST',
  path: '/models/:model/withdraw',
  group: 'model',
  summary: 'Leave a model without a champion: its forecasts abstain',
  scope: 'model:promote',
  params: modelParams,
  body: z.object({ expected: modelVersion, reason: changeReason }),
  status: 200,
  answer: aliasEvent,
  problems: ['NOT_FOUND', 'CONFLICT'],
});
const servingPeriod = z.object({
  version: modelVersion.nullable().meta({ description: 'Null: nothing was served.' }),
  from: instant,
  until: instant.nullable().meta({ description: 'Null: still.', example: null }),
  by: id.nullable(),
  reason: z.string().meta({ example: 'Better than its predecessor in the shadow test.' }),
});
export type ServingPeriod = z.infer<typeof servingPeriod>;
export const getServingHistory = defineRoute({
  id: 'getServingHistory',
  method: 'GET',
  path: '/models/:model/serving',
  group: 'model',
  summary: 'Which version answered when, and at one instant',
  scope: 'model:read',
  params: modelParams,
  query: z.object({ at: instant.optional().meta({ description: 'Default: now.' }) }),
  status: 200,
  answer: z.object({
    at: instant,
    version: modelVersion.nullable().meta({ description: 'What answered at that instant; null: nothing.' }),
    since: instant.nullable(),
    periods: z.array(servingPeriod).meta({ description: 'Newest first, at most 1000.' }),
  }),
  problems: ['NOT_FOUND'],
});

export const runStatus = z.enum(['running', 'finished', 'failed', 'stopped']).meta({ example: 'finished' });
export type RunStatus = z.infer<typeof runStatus>;
const runSummary = z.object({
  id,
  experiment: z.string().meta({ description: 'Group of runs that belong together.', example: 'volatility-direction' }),
  model: modelName.nullable(),
  name: z.string().meta({ example: 'weekly retraining' }),
  status: runStatus,
  reason: z.string().nullable().meta({ description: 'Why it failed or was stopped.', example: null }),
  datasetSha256: sha256.nullable(),
  codeVersion: z.string().meta({ example: '0.1.0+d63e325' }),
  seed: z.int().min(0).nullable().meta({ example: 1 }),
  trialId: id.nullable().meta({ description: 'Its row in the trials ledger; null while it runs.' }),
  tags: z.record(z.string(), z.string()).meta({ example: { origin: 'schedule' } }),
  startedAt: instant,
  endedAt: instant.nullable(),
  createdBy: id.nullable(),
  deletedAt: instant.nullable().meta({ example: null }),
});
export type RunSummary = z.infer<typeof runSummary>;
const metricValue = z.object({
  value: z.number().nullable().meta({ description: 'Null: not a number.', example: 0.672 }),
  step: z.int().meta({ example: 12 }),
  at: instant,
});
const runParams = z.object({ trainingRunId: idParam });

export const listExperiments = defineRoute({
  id: 'listExperiments',
  method: 'GET',
  path: '/experiments',
  group: 'model',
  summary: 'Groups of training runs',
  scope: 'model:read',
  query: pageQuery,
  status: 200,
  answer: page(
    z.object({
      id,
      name: z.string().meta({ example: 'volatility-direction' }),
      runCount: count,
      lastRunAt: instant.nullable(),
      createdAt: instant,
      createdBy: id.nullable(),
    }),
  ),
  problems: [],
});
export const listTrainingRuns = defineRoute({
  id: 'listTrainingRuns',
  method: 'GET',
  path: '/training-runs',
  group: 'model',
  summary: 'Training runs, newest first, with their last metrics',
  scope: 'model:read',
  query: pageQuery.extend({
    model: modelName.optional(),
    experiment: z.string().max(250).optional().meta({ example: 'volatility-direction' }),
    status: runStatus.optional(),
  }),
  status: 200,
  answer: page(
    runSummary.extend({
      metrics: z
        .record(z.string(), z.number().nullable())
        .meta({ description: 'The last value of each, at most 100.', example: { balanced_accuracy: 0.672 } }),
    }),
  ),
  problems: [],
});
export const getTrainingRun = defineRoute({
  id: 'getTrainingRun',
  method: 'GET',
  path: '/training-runs/:trainingRunId',
  group: 'model',
  summary: 'One training run: parameters, last metrics, artefacts, and the versions it gave',
  scope: 'model:read',
  params: runParams,
  status: 200,
  answer: runSummary.extend({
    parameters: z.record(z.string(), z.unknown()).meta({ example: { trees: 200 } }),
    metrics: z.array(
      metricValue.extend({
        name: z.string().meta({ example: 'balanced_accuracy' }),
        count: count.meta({ description: 'Values on record.' }),
      }),
    ),
    artefacts: z.array(
      z.object({ name: z.string().meta({ example: 'folds.json' }), sha256, byteCount: count, createdAt: instant }),
    ),
    versions: z.array(z.object({ model: modelName, version: modelVersion })),
  }),
  problems: ['NOT_FOUND'],
});
export const getRunMetric = defineRoute({
  id: 'getRunMetric',
  method: 'GET',
  path: '/training-runs/:trainingRunId/metrics',
  group: 'model',
  summary: 'Every value of one metric in the order it was logged',
  scope: 'model:read',
  params: runParams,
  query: pageQuery.extend({ name: z.string().min(1).max(250).meta({ example: 'balanced_accuracy' }) }),
  status: 200,
  answer: page(metricValue),
  problems: ['NOT_FOUND'],
});
export const downloadRunArtefact = defineRoute({
  id: 'downloadRunArtefact',
  method: 'GET',
  path: '/training-runs/:trainingRunId/artefact',
  group: 'model',
  summary: 'A file that a training run logged, checked against its hash',
  scope: 'model:read',
  params: runParams,
  query: z.object({ name: z.string().min(1).max(500).meta({ example: 'folds.json' }) }),
  gives: 'bytes',
  status: 200,
  problems: ['NOT_FOUND', 'ARTEFACT_DAMAGED'],
});

export type { ModelManifest };
