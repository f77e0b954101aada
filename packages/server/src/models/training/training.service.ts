import { availableParallelism } from 'node:os';
import { TARGETS as TARGET_NAMES, type TargetName } from '@touchstone/contracts/model-manifest';
import {
  FAMILIES,
  type FamilyName,
  type TrainBody,
  type TrainedModel,
  type Training,
} from '@touchstone/contracts/training';
import type { PartSpec } from '@touchstone/quant/evaluation/forecast-training/fit-part';
import { targetNamed } from '@touchstone/quant/evaluation/targets/targets';
import { findLearner } from '@touchstone/quant/learn/learners';
import { z } from 'zod';
import type { FeatureComputer, SeriesService } from '../../features/index.ts';
import { resolveTime } from '../../market-data/index.ts';
import type { Compute } from '../../platform/compute/compute.ts';
import type { Database, Principal, Transaction } from '../../platform/database/database.ts';
import { appendEvidence } from '../../platform/evidence/evidence.ts';
import type { Caller } from '../../platform/http/serve.ts';
import { hashOf } from '../../platform/object-store/bundle.ts';
import type { ObjectStore } from '../../platform/object-store/object-store.ts';
import { found, ProblemError } from '../../platform/problem-error.ts';
import type { TaskContext, TaskInput, Tasks } from '../../platform/tasks/tasks.ts';
import type { Registry } from '../registry/registry.types.ts';
import { type FamilyRecipe, MEMBER_FAMILIES, recipeOf, walkOf } from './families.ts';
import { type FrozenTables, freezeTables } from './freeze-tables.ts';
import { keyOfPart } from './pack-part.ts';
import { getKept, runAllParts, runParts } from './part-loop.ts';
import type { PartRunner } from './part-runner.ts';
import { parametersOf, type RegisterContext, registerTarget } from './register-models.ts';
import * as repository from './training.repository.ts';
import type { Assembled, AssembleJob } from './training.worker.ts';

export const TRAIN_TASK = 'models.training.run';
export const HELP_TASK = 'models.training.help';
export const TRAINING_SUBJECT = 'training';

export type TrainingParts = {
  database: Database;
  objects: ObjectStore;
  tasks: Tasks;
  compute: Compute;
  series: SeriesService;
  computer: FeatureComputer;
  registry: Registry;
  /** Universes live downstream. */
  universeBars: (tx: Transaction, id: number) => Promise<{ instrumentIds: readonly number[] }>;
  codeVersion: string;
  /** Parts at a time; default: as many as there are cores. */
  lanes?: number;
  /** Default: a minute. */
  leaseMs?: number;
  /** How parts are done; for tests another module. */
  worker?: URL;
  /** Where parts are done; default: on own threads. */
  runner?: PartRunner;
};

export type TrainingService = ReturnType<typeof createTrainingService>;

const WORKER = new URL('./training.worker.ts', import.meta.url);
const LEASE_MS = 60_000;
const HELPERS_MAX = 8;

const settingsSchema = z.object({
  targets: z.array(z.enum(TARGET_NAMES)),
  families: z.array(z.enum(FAMILIES)),
  ...{ asOf: z.string(), knownAt: z.string(), recordedAt: z.string(), from: z.string().optional() },
  ...{ seed: z.number(), effort: z.enum(['quick', 'normal']), promote: z.enum(['never', 'if_passed']) },
});
type Settings = z.infer<typeof settingsSchema>;

/** A part and where it belongs. */
type Planned = repository.PlannedPart & { target: TargetName };

/**
 * Trains models for a universe: freezes the rows, does the parts together with whatever other processes there are, joins them,
 * judges them, registers them. Every step can be stopped and done again; finished parts are kept under the hash of what they
 * rest on, so that a repeated training does only what changed.
 */
export function createTrainingService(parts: TrainingParts) {
  const { database, objects, tasks, compute, codeVersion } = parts;
  const lanes = parts.lanes ?? availableParallelism();
  const loop = {
    ...{ database, objects, compute, lanes, leaseMs: parts.leaseMs ?? LEASE_MS },
    ...(parts.worker === undefined ? {} : { worker: parts.worker }),
    ...(parts.runner === undefined ? {} : { runner: parts.runner }),
  };
  tasks.register(TRAIN_TASK, run);
  tasks.register(HELP_TASK, help);

  async function run(_input: TaskInput, context: TaskContext): Promise<Record<string, unknown>> {
    const { principal, taskId, signal, progress } = context;
    const row = await database.transaction(principal, async (tx) => {
      const training = found(await repository.findTrainingOfTask(tx, taskId), 'This task has no training.');
      await repository.forgiveParts(tx, training.id);
      return training;
    });
    const settings = settingsSchema.parse(row.settings);
    const question = { ...settings, universeId: row.universe_id, from: settings.from };
    const frozen = await freezeTables(parts, principal, question, {
      signal,
      onProgress: (fraction, note) => progress(0.1 * fraction, note),
    });
    const recipes = new Map(settings.targets.map((target) => [target, recipesOf(target, settings)]));
    const planned = plan(frozen, recipes, settings);
    await database.transaction(principal, async (tx) => {
      await repository.setDataset(tx, row.id, frozen.datasetSha256);
      await repository.planParts(tx, row.id, planned);
    });
    await reopenLostParts(principal, row.id);
    await callHelpers(principal, row.id);
    await runAllParts(loop, principal, row.id, {
      signal,
      onProgress: (counts, part) => {
        const done = counts.partsDone + counts.partsFailed;
        const now =
          part === null
            ? ''
            : `; ${part.spec.family}, ${part.spec.fold === null ? 'all rows' : `block ${part.spec.fold + 1}`}`;
        progress(
          0.1 + (0.8 * done) / Math.max(1, counts.partCount),
          `${done} of ${counts.partCount} parts${now}${noteOf(parts.runner)}`,
        );
      },
    });
    const models = await joinAndRegister(context, row.id, settings, frozen, recipes, planned);
    const passed = models.filter(({ verdict }) => verdict.passed).length;
    progress(1, `${models.length} models, ${passed} pass the gate`);
    return { trainingId: row.id, modelCount: models.length, passed, datasetSha256: frozen.datasetSha256 };
  }

  async function help(
    input: TaskInput,
    { principal, signal, progress }: TaskContext,
  ): Promise<Record<string, unknown>> {
    const { trainingId } = z.object({ trainingId: z.int() }).parse(input);
    const done = await runParts(loop, principal, trainingId, {
      signal,
      onProgress: ({ partsDone, partCount }) =>
        progress(partsDone / Math.max(1, partCount), `${partsDone} of ${partCount} parts`),
    });
    return { trainingId, partsDone: done };
  }

  /** Families as asked for, the linear model first: the others are held against it. */
  function recipesOf(target: TargetName, { families, effort }: Settings): FamilyRecipe[] {
    const wanted = MEMBER_FAMILIES.filter(
      (family) =>
        family === 'linear' || families.includes(family) || (families.includes('ensemble') && families.length <= 2),
    );
    return wanted.map((family) => recipeOf(family, targetNamed(target), effort));
  }

  function plan(
    frozen: FrozenTables,
    recipes: ReadonlyMap<TargetName, readonly FamilyRecipe[]>,
    { seed, effort }: Settings,
  ): Planned[] {
    const walk = walkOf(effort);
    const folds = [...Array.from({ length: walk.foldCount }, (_, fold) => fold), null];
    return frozen.tables.flatMap(({ target, sha256 }) =>
      (recipes.get(target) ?? []).flatMap(({ family, learner, settings, stepCount, rowsMax }) =>
        // A learner this version does not have is told when the parts are joined.
        findLearner(learner) === undefined
          ? []
          : folds.map((fold): Planned => {
              const spec: PartSpec = { family, learner, settings, seed, stepCount, rowsMax, walk, fold };
              return { target, tableSha256: sha256, spec, key: keyOfPart(sha256, spec, codeVersion) };
            }),
      ),
    );
  }

  /** Results that were deleted from the object store are made again. */
  async function reopenLostParts(principal: Principal, trainingId: number): Promise<void> {
    const done = await database.transaction(principal, (tx) => repository.listDoneParts(tx, trainingId), {
      readOnly: true,
    });
    for (const { ordinal, resultSha256 } of done)
      if (resultSha256 !== null && (await objects.find(resultSha256)) === undefined)
        await database.transaction(principal, (tx) => repository.reopenPart(tx, trainingId, ordinal));
  }

  /** One task of help for every other process there is; each ends when nothing is left to take. */
  async function callHelpers(principal: Principal, trainingId: number): Promise<void> {
    await database.transaction(principal, async (tx) => {
      const count = Math.min(HELPERS_MAX, await repository.countOtherProcesses(tx));
      for (let k = 0; k < count; k++)
        await tasks.start(tx, { kind: HELP_TASK, title: `Help with training ${trainingId}`, input: { trainingId } });
    });
  }

  async function joinAndRegister(
    { principal, signal, progress }: TaskContext,
    trainingId: number,
    settings: Settings,
    frozen: FrozenTables,
    recipes: ReadonlyMap<TargetName, readonly FamilyRecipe[]>,
    planned: readonly Planned[],
  ): Promise<TrainedModel[]> {
    const { done, trialCount, before } = await database.transaction(principal, async (tx) => ({
      done: await repository.listDoneParts(tx, trainingId),
      trialCount: await countTrials(tx, frozen.datasetSha256, recipes, settings),
      before: modelsOf(await repository.findTraining(tx, trainingId)),
    }));
    let models = before;
    for (const [k, { target, sha256, firstDay }] of frozen.tables.entries()) {
      signal.throwIfAborted();
      progress(0.9 + (0.1 * k) / frozen.tables.length, `Judges ${target}`);
      // A run before this one came so far.
      if (models.some((model) => model.target === target)) continue;
      const own = recipes.get(target) ?? [];
      const { complete, failed, seconds } = await collect(target, own, planned, done);
      if (settings.families.includes('ensemble') && complete.length < 2)
        failed.set('ensemble', 'it needs two members, and there are fewer.');
      let assembled: Assembled[] = [];
      if (complete.some(({ family }) => family === 'linear')) {
        const job: AssembleJob = {
          ...{ tableBytes: await getKept(objects, sha256), walk: walkOf(settings.effort), families: complete },
          ...{ withEnsemble: settings.families.includes('ensemble'), trialCount, seed: settings.seed },
        };
        assembled = await compute.run<Assembled[]>(WORKER, 'assemble', job, { signal });
      } else
        for (const { family } of own)
          if (!failed.has(family)) failed.set(family, 'there is no linear model to hold it against.');
      models = await database.transaction(principal, async (tx) => {
        const context: RegisterContext = {
          ...{ registry: parts.registry, universeId: await universeOf(tx, trainingId), codeVersion, trialCount },
          ...{ datasetSha256: frozen.datasetSha256, seed: settings.seed, effort: settings.effort },
          ...{ promote: settings.promote, firstDay: firstDay ?? settings.asOf },
          members: { count: frozen.memberCount, of: frozen.candidateCount },
        };
        const registered = await registerTarget(tx, context, { target, assembled, recipes: own, seconds, failed });
        const all = [...models, ...registered];
        await repository.setModels(tx, trainingId, all);
        await appendEvidence(tx, {
          ...{ kind: 'training.target_done', subjectKind: TRAINING_SUBJECT, subjectId: trainingId },
          body: {
            ...{ target, datasetSha256: frozen.datasetSha256 },
            models: registered.map(({ family, version, artefactSha256, verdict }) => ({
              ...{ family, version, artefactSha256, passed: verdict.passed },
            })),
          },
        });
        return all;
      });
    }
    return models;
  }

  /** Results of a target by family; what is not whole is told with its reason. */
  async function collect(
    target: TargetName,
    recipes: readonly FamilyRecipe[],
    planned: readonly Planned[],
    done: readonly repository.DonePart[],
  ) {
    const complete: AssembleJob['families'] = [];
    const failed = new Map<FamilyName, string>();
    const seconds = new Map<string, number>();
    for (const { family, learner, stepCount } of recipes) {
      const own = planned.flatMap((part, ordinal) =>
        part.target === target && part.spec.family === family ? [{ ...part, ...done[ordinal]! }] : [],
      );
      seconds.set(
        family,
        own.reduce((sum, part) => sum + part.seconds, 0),
      );
      const problem = own.find((part) => part.problem !== null)?.problem;
      if (own.length === 0) failed.set(family, `this version has no learner ${learner}.`);
      else if (problem != null) failed.set(family, problem);
      else {
        const results: Buffer[] = [];
        for (const part of own)
          results.push(await getKept(objects, found(part.resultSha256 ?? undefined, 'A part has no result.')));
        complete.push({ family, learner, stepCount, folds: results.slice(0, -1), final: results.at(-1)! });
      }
    }
    return { complete, failed, seconds };
  }

  /** How many different things were tried on this data, these included. */
  async function countTrials(
    tx: Transaction,
    datasetSha256: string,
    recipes: ReadonlyMap<TargetName, readonly FamilyRecipe[]>,
    settings: Settings,
  ): Promise<number> {
    const rows = await tx.query
      .selectFrom('trial')
      .select('parameters_sha256')
      .distinct()
      .where('tenant_id', '=', tx.principal.tenantId)
      .where('dataset_sha256', '=', datasetSha256)
      .execute();
    const known = new Set(rows.map((row) => row.parameters_sha256));
    for (const [target, own] of recipes) {
      for (const { family } of own) known.add(hashOf(parametersOf(target, family, own, settings)));
      if (settings.families.includes('ensemble')) known.add(hashOf(parametersOf(target, 'ensemble', own, settings)));
    }
    return known.size;
  }

  return {
    /** @throws FORBIDDEN to promote without the right to; NOT_FOUND; NOT_ENOUGH_HISTORY for an empty universe. */
    start: (caller: Caller, body: TrainBody) =>
      database.transaction(caller, async (tx) => {
        if (body.promote === 'if_passed' && !caller.scopes.includes('model:promote'))
          throw new ProblemError(
            'FORBIDDEN',
            'What is served is decided by a manager or an owner. Train without promoting.',
          );
        const { instrumentIds } = await parts.universeBars(tx, body.universeId);
        if (instrumentIds.length === 0)
          throw new ProblemError('NOT_ENOUGH_HISTORY', 'The universe has no instruments to learn from.');
        const { asOf, knownAt, recordedAt } = await resolveTime(tx, body);
        const settings: Settings = {
          targets: TARGET_NAMES.filter((target) => body.targets?.includes(target) ?? true),
          families: FAMILIES.filter((family) => family === 'linear' || (body.families?.includes(family) ?? true)),
          ...{ asOf, knownAt, recordedAt, seed: body.seed, effort: body.effort, promote: body.promote },
          ...(body.from === undefined ? {} : { from: body.from }),
        };
        const title = `Train ${settings.targets.length} ${settings.targets.length === 1 ? 'target' : 'targets'} for universe ${body.universeId}`;
        const task = await tasks.start(tx, { kind: TRAIN_TASK, title, input: { universeId: body.universeId } });
        const universeTenantId = found(
          await repository.findUniverseTenant(tx, body.universeId),
          `There is no universe ${body.universeId}.`,
        );
        const trainingId = await repository.insertTraining(tx, {
          ...{ universeTenantId, universeId: body.universeId, taskId: task.id, settings },
        });
        await appendEvidence(tx, {
          ...{ kind: 'training.started', subjectKind: TRAINING_SUBJECT, subjectId: trainingId },
          body: { taskId: task.id, universeId: body.universeId, settingsSha256: hashOf(settings) },
        });
        return { task, trainingId };
      }),

    /** @throws NOT_FOUND */
    get: (principal: Principal, id: number): Promise<Training> =>
      database.transaction(
        principal,
        async (tx) => {
          const row = found(await repository.findTraining(tx, id), `There is no training ${id}.`);
          return { ...toTraining(row, await repository.countParts(tx, id)), models: modelsOf(row) };
        },
        { readOnly: true },
      ),

    /** Newest first; one more than asked for tells that there is a next page. */
    list: (principal: Principal, page: { before: number | undefined; limit: number }) =>
      database.transaction(
        principal,
        async (tx) => {
          const rows = await repository.listTrainingRows(tx, page);
          const counts = await repository.countPartsOf(
            tx,
            rows.map(({ id }) => id),
          );
          const none = { partCount: 0, partsDone: 0, partsReused: 0, partsFailed: 0 };
          return rows.map((row) => toTraining(row, counts.get(row.id) ?? none));
        },
        { readOnly: true },
      ),
  };
}

/** Why parts are not done where it was asked for. */
function noteOf(runner: PartRunner | undefined): string {
  const note = runner?.note() ?? null;
  return note === null ? '' : `. ${note}`;
}

async function universeOf(tx: Transaction, trainingId: number): Promise<number> {
  return found(await repository.findTraining(tx, trainingId), `There is no training ${trainingId}.`).universe_id;
}

function toTraining(row: repository.TrainingRow, counts: repository.PartCounts): Omit<Training, 'models'> {
  const state = (['queued', 'running', 'done', 'failed', 'cancelled'] as const).find((name) => name === row.state);
  return {
    ...{ id: row.id, universeId: row.universe_id, taskId: row.task_id, state: state ?? 'failed' },
    ...{ progress: row.progress, progressNote: row.progress_note, settings: settingsSchema.parse(row.settings) },
    ...{ datasetSha256: row.dataset_sha256, ...counts, createdAt: row.created_at, createdBy: row.created_by },
  };
}

function modelsOf(row: repository.TrainingRow | undefined): TrainedModel[] {
  // Written by `setModels` alone.
  return Array.isArray(row?.models) ? (row.models as TrainedModel[]) : [];
}
