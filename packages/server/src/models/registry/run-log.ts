import type { Transaction } from '../../platform/database/database.ts';
import { appendEvidence } from '../../platform/evidence/evidence.ts';
import { hashOf } from '../../platform/object-store/bundle.ts';
import type { ObjectStore, StoredObject } from '../../platform/object-store/object-store.ts';
import { found, ProblemError } from '../../platform/problem-error.ts';
import { insertTrial, type NewTrial } from '../trials/trial.repository.ts';
import { ensureModel } from './ensure-model.ts';
import { findModelId } from './model.repository.ts';
import type { Registry } from './registry.types.ts';
import * as repository from './run.repository.ts';

export const RUN_SUBJECT = 'training_run';

type RunLog = Pick<Registry, 'startRun' | 'logParameters' | 'logMetrics' | 'setRunTags' | 'logArtefact' | 'finishRun'>;

/** What a training writes down on its way. What is logged cannot be changed; the end seals it with hashes. */
export function createRunLog(objects: ObjectStore, codeVersion: string): RunLog {
  async function logParameters(tx: Transaction, runId: number, parameters: Record<string, unknown>): Promise<void> {
    const others = await repository.insertParameters(tx, runId, parameters);
    if (others.length > 0)
      throw new ProblemError('CONFLICT', `Run ${runId} has another value of ${others.slice(0, 5).join(', ')} already.`);
  }

  return {
    async startRun(tx, { model, name, parameters = {}, tags = {}, datasetSha256 = null, seed = null, ...run }) {
      const experiment = await repository.ensureExperiment(tx, run.experiment ?? model ?? 'default');
      if (model !== null) await ensureModel(tx, model);
      const runId = await repository.insertRun(tx, {
        ...{ experimentId: experiment.id, name, tags, datasetSha256, seed },
        modelId: model === null ? null : found(await findModelId(tx, model), `There is no model ${model}.`),
        codeVersion: run.codeVersion ?? codeVersion,
      });
      await logParameters(tx, runId, parameters);
      if (experiment.created)
        await appendEvidence(tx, {
          ...{ kind: 'experiment.created', subjectKind: 'experiment', subjectId: experiment.id, body: {} },
        });
      await appendEvidence(tx, {
        ...{ kind: 'training_run.started', subjectKind: RUN_SUBJECT, subjectId: runId },
        body: { experimentId: experiment.id, datasetSha256, seed, parametersSha256: hashOf(parameters) },
      });
      return { runId };
    },

    logParameters,
    logMetrics: repository.insertMetrics,

    async setRunTags(tx, runId, changes) {
      const { tags } = await getRun(tx, runId);
      const after = { ...repository.tagsOf(tags) };
      for (const [name, value] of Object.entries(changes)) {
        if (value === null) delete after[name];
        else after[name] = value;
      }
      await repository.updateTags(tx, runId, after);
      await appendEvidence(tx, {
        ...{ kind: 'training_run.tagged', subjectKind: RUN_SUBJECT, subjectId: runId },
        body: { tagsSha256: hashOf(after) },
      });
    },

    async logArtefact(tx, runId, name, content) {
      const stored = await objects.put(Buffer.from(content));
      await recordArtefact(tx, runId, name, stored);
      return stored;
    },

    async finishRun(tx, runId, { status, reason = null, trialId }) {
      const run = await getRun(tx, runId);
      if (run.status !== 'running')
        throw new ProblemError('NOT_POSSIBLE_NOW', `Run ${runId} has ended: it is ${run.status}.`);
      const parameters = await repository.findParameters(tx, runId);
      const metrics = await repository.findLastMetrics(tx, [runId]);
      const result = Object.fromEntries(metrics.map(({ name, value }) => [name, repository.finite(value)]));
      const counted =
        trialId ??
        (await countTrial(tx, {
          ...{ kind: 'training', name: run.name, parameters, datasetSha256: run.datasetSha256 },
          ...{ codeVersion: run.codeVersion, seed: run.seed },
          outcome: status === 'finished' ? 'finished' : 'failed',
          result: reason === null ? { ...result } : { ...result, status, reason },
        }));
      await repository.endRun(tx, runId, { status, reason, trialId: counted });
      const artefacts = await repository.findArtefacts(tx, runId);
      await appendEvidence(tx, {
        ...{ kind: 'training_run.ended', subjectKind: RUN_SUBJECT, subjectId: runId },
        body: {
          ...{ status, trialId: counted, parametersSha256: hashOf(parameters), metricsSha256: hashOf(result) },
          artefacts: artefacts.map(({ sha256 }) => sha256),
        },
      });
      return { trialId: counted };
    },
  };
}

/** Says that a file which is stored already belongs to a run. */
export async function recordArtefact(
  tx: Transaction,
  runId: number,
  name: string,
  stored: StoredObject,
): Promise<void> {
  await repository.insertArtefact(tx, runId, { name, ...stored });
  await appendEvidence(tx, {
    ...{ kind: 'training_run.artefact_logged', subjectKind: RUN_SUBJECT, subjectId: runId },
    body: { sha256: stored.sha256, byteCount: stored.byteCount },
  });
}

async function getRun(tx: Transaction, runId: number) {
  return found(await repository.lockRun(tx, runId), `There is no training run ${runId}.`);
}

/** A run on made-up rows is no trial: the ledger refuses it, and it ends all the same. */
async function countTrial(tx: Transaction, trial: NewTrial): Promise<number | null> {
  try {
    return await insertTrial(tx, trial);
  } catch (error) {
    if (error instanceof ProblemError && error.code === 'SYNTHETIC_REFUSED') return null;
    throw error;
  }
}
