import { availableParallelism } from 'node:os';
import {
  type Automl,
  type AutomlAnswer,
  type AutomlBody,
  type AutomlTrial,
  automlBody,
  FAMILIES_BY_SIMPLICITY,
} from '@touchstone/contracts/automl';
import { taskState } from '@touchstone/contracts/tasks';
import { FAMILIES, type FamilyName } from '@touchstone/contracts/training';
import type { PartSpec, Walk } from '@touchstone/quant/evaluation/forecast-training/fit-part';
import type { SkillInterval } from '@touchstone/quant/evaluation/panel-skill';
import { comparedLossOf, OUTER_WALK } from '@touchstone/quant/evaluation/search/nested-panel';
import { type Target, targetNamed } from '@touchstone/quant/evaluation/targets/targets';
import {
  createModelSearch,
  type Job,
  type JobResult,
  type ModelSearch,
  runModelSearch,
  type Trial,
} from '@touchstone/quant/learn/search/model-search';
import { z } from 'zod';
import { resolveTime } from '../../market-data/index.ts';
import type { Principal, Transaction } from '../../platform/database/database.ts';
import { appendEvidence } from '../../platform/evidence/evidence.ts';
import type { Caller } from '../../platform/http/serve.ts';
import { hashOf } from '../../platform/object-store/bundle.ts';
import { found, ProblemError } from '../../platform/problem-error.ts';
import type { TaskContext, TaskInput } from '../../platform/tasks/tasks.ts';
import type { Effort } from '../training/families.ts';
import { type FrozenTables, freezeTables } from '../training/freeze-tables.ts';
import { keyOfPart } from '../training/pack-part.ts';
import { createThreadRunner } from '../training/part-runner.ts';
import { registerTarget, skillOf } from '../training/register-models.ts';
import { modelNameOf } from '../training/targets.ts';
import { findUniverseTenant } from '../training/training.repository.ts';
import type { TrainingParts } from '../training/training.service.ts';
import type { Assembled, AssembleJob } from '../training/training.worker.ts';
import { countDistinctTrials, insertTrial } from '../trials/trial.repository.ts';
import * as repository from './automl.repository.ts';
import type { ChooseJob, Chosen, OuterJob, ScoreJob, SplitRows } from './automl.worker.ts';
import { forecastSpace, recipeOfCandidate, type SearchRecipe, searchedFamilies } from './forecast-space.ts';

export const AUTOML_TASK = 'models.automl.run';
export const AUTOML_SUBJECT = 'automl';

export type AutomlParts = Omit<TrainingParts, 'leaseMs' | 'worker'>;
export type AutomlService = ReturnType<typeof createAutomlService>;

const WORKER = new URL('./automl.worker.ts', import.meta.url);
const TRAINING_WORKER = new URL('../training/training.worker.ts', import.meta.url);
/** Trials given out together, whatever the machine: what is proposed rests on it. */
const WIDTH = 4;
const UNITS_MAX = 10_000;

const settingsSchema = automlBody
  .omit({ universeId: true })
  .extend({ asOf: z.string(), knownAt: z.string(), recordedAt: z.string(), families: z.array(z.enum(FAMILIES)) });
type Settings = z.infer<typeof settingsSchema>;

/** Blocks the choice rests on, and how many of them a trial has seen after each rung. */
function innerPlan(effort: Effort): { walk: Walk; rungs: number[] } {
  return effort === 'quick'
    ? { walk: { foldCount: 2, firstShare: 0.4, embargoDays: 0 }, rungs: [1, 2] }
    : { walk: { foldCount: 4, firstShare: 0.35, embargoDays: 0 }, rungs: [1, 2, 4] };
}

/** What all steps of one search share. */
type Run = {
  principal: Principal;
  signal: AbortSignal;
  progress: TaskContext['progress'];
  id: number;
  universeId: number;
  settings: Settings;
  target: Target;
  frozen: FrozenTables;
};

/** Rows by their hash. */
type Rows = { sha256: string; bytes: Uint8Array };

/**
 * Searches for the model of a target: trials on inner blocks, the simplest of those that cannot be told from the best, and a
 * judgement on outer blocks that no choice has seen, by the gate of every training. Can be stopped at any time and run again:
 * fits are kept under the hash of what they rest on.
 */
export function createAutomlService(parts: AutomlParts) {
  const { database, objects, tasks, compute, registry, codeVersion } = parts;
  const runner = parts.runner ?? createThreadRunner(compute);
  const lanes = runner.lanes ?? parts.lanes ?? availableParallelism();
  tasks.register(AUTOML_TASK, run);

  async function run(_input: TaskInput, context: TaskContext): Promise<Record<string, unknown>> {
    const { principal, taskId, signal, progress } = context;
    const row = await database.transaction(principal, async (tx) =>
      found(await repository.findAutomlOfTask(tx, taskId), 'This task has no search.'),
    );
    const settings = settingsSchema.parse(row.settings);
    const { target: name } = settings;
    const question = { ...settings, universeId: row.universe_id, targets: [name], from: settings.from };
    const frozen = await freezeTables(parts, principal, question, {
      signal,
      onProgress: (fraction, note) => progress(0.1 * fraction, note),
    });
    await database.transaction(principal, (tx) => repository.setDataset(tx, row.id, frozen.datasetSha256));
    const own: Run = {
      ...{ principal, signal, progress, id: row.id, universeId: row.universe_id, settings, frozen },
      target: targetNamed(name),
    };
    const { sha256: fullSha256 } = frozen.tables[0]!;
    const full: Rows = { sha256: fullSha256, bytes: shared(await objects.get(fullSha256)) };
    const { walk } = innerPlan(settings.effort);
    const split = await compute
      .run<SplitRows>(WORKER, 'splitRows', { tableBytes: full.bytes, innerWalk: walk }, { signal })
      .catch((error: unknown) => {
        if (!(error instanceof RangeError)) throw error;
        throw new ProblemError('NOT_ENOUGH_HISTORY', `The history is too short to search: ${error.message}.`);
      });
    const { sha256 } = await objects.put(Buffer.from(split.inner));
    const inner: Rows = { sha256, bytes: shared(split.inner) };
    const searched = await searchInner(own, inner, split);
    const { chosen, told } = await judgeChoice(own, full, inner, split.judging, searched);
    return {
      ...{ automlId: row.id, trialCount: told.trials.length, family: chosen.family },
      ...{ version: chosen.version, passed: chosen.verdict.passed, datasetSha256: frozen.datasetSha256 },
    };
  }

  type Searched = { search: ModelSearch; told: repository.Told; results: Map<number, Uint8Array[]> };

  async function searchInner(own: Run, inner: Rows, { judging, outerFrom }: SplitRows): Promise<Searched> {
    const { principal, signal, settings, target } = own;
    const { walk, rungs } = innerPlan(settings.effort);
    const before = await database.transaction(
      principal,
      async (tx) => repository.readTold(found(await repository.findAutoml(tx, own.id), 'The search is gone.')),
      { readOnly: true },
    );
    const space = forecastSpace(target, settings.families, settings.effort);
    const search = createModelSearch({ ...space, rungs, width: WIDTH, seed: settings.seed });
    const results = new Map<number, Uint8Array[]>();
    const trials = new Map<number, AutomlTrial>();
    const known = new Map(before.trials.map((trial) => [trial.number, trial]));
    const unitsMax = settings.workUnits ?? UNITS_MAX;
    let told: repository.Told = { ...before, trials: [], outerFrom, ended: null };
    let [batch, spent] = [0, 0];

    async function evaluate(jobs: readonly Job[]): Promise<JobResult[]> {
      signal.throwIfAborted();
      const begun = performance.now();
      const lane = createLanes(lanes);
      const done = await Promise.all(jobs.map((job) => evaluateJob(job, lane)));
      // What a run before this one did is counted as long as it took then.
      spent = batch < before.batches ? before.spentSeconds : spent + (performance.now() - begun) / 1000;
      batch += 1;
      told = {
        ...told,
        trials: Array.from(trials.values()).sort((a, b) => a.number - b.number),
        ...{ batches: batch, spentSeconds: spent, unitsDone: search.unitsDone() },
        ...{ ranOn: runner.note() === null ? runner.runsOn : 'threads', runNote: runner.note() },
      };
      if (batch > before.batches)
        await database.transaction(principal, async (tx) => {
          for (const { job } of done) await enterTrial(tx, own, trials.get(job.trial.number)!, job);
          await repository.setTold(tx, own.id, told);
        });
      const best = Math.min(...told.trials.flatMap(({ inner: loss }) => (loss === null ? [] : [loss.value])));
      const share = Math.max(spent / settings.seconds, search.unitsDone() / unitsMax);
      own.progress(
        0.1 + 0.7 * Math.min(1, share),
        `${told.trials.length} trials, ${told.unitsDone} fits${Number.isFinite(best) ? `; the least inner loss is ${best.toFixed(4)}` : ''}`,
      );
      return done.map(({ result }) => result);
    }

    async function evaluateJob(job: Job, lane: Lane): Promise<{ job: Job; result: JobResult }> {
      const { trial, toBlock } = job;
      const recipe = recipeOfCandidate(trial.candidate, target, settings.effort);
      const held = known.get(trial.number);
      let entry = trials.get(trial.number) ?? newTrial(trial, recipe);
      const blocks = Array.from({ length: toBlock - job.fromBlock }, (_, k) => job.fromBlock + k);
      try {
        const fits = await Promise.all(
          blocks.map((fold) => lane(() => doFit(own, inner, specOf(recipe, settings.seed, walk, fold)))),
        );
        const all = [...(results.get(trial.number) ?? []), ...fits.map(({ bytes }) => bytes)];
        results.set(trial.number, all);
        const loss = await compute.run<SkillInterval>(
          WORKER,
          'scoreTrial',
          { judging, results: all, seed: settings.seed } satisfies ScoreJob,
          { signal },
        );
        entry = {
          ...entry,
          seconds: entry.seconds + fits.reduce((sum, { seconds }) => sum + seconds, 0),
          reused: held?.reused ?? ((entry.blocks === 0 || entry.reused) && fits.every(({ reused }) => reused)),
        };
        if (!Number.isFinite(loss.value)) throw new RangeError('its loss is not defined');
        const isLast = toBlock === walk.foldCount;
        entry = {
          ...entry,
          ...{ rung: job.rung + 1, blocks: toBlock, inner: { value: loss.value, low: loss.low, high: loss.high } },
          state: isLast ? 'finished' : 'stopped',
        };
        trials.set(trial.number, { ...entry, trialId: held?.trialId ?? entry.trialId });
        return { job, result: { loss: loss.value } };
      } catch (error) {
        signal.throwIfAborted();
        if (error instanceof ProblemError) throw error;
        const problem = (error instanceof Error ? error.message : String(error)).slice(0, 500);
        trials.set(trial.number, { ...entry, trialId: held?.trialId ?? entry.trialId, state: 'failed', problem });
        return { job, result: { problem } };
      }
    }

    const ended = await runModelSearch(
      search,
      // A search that had ended before goes no further, and one that had not goes on where it was.
      {
        units: unitsMax,
        isOver: () => (batch < before.batches ? false : before.ended !== null || spent >= settings.seconds),
      },
      evaluate,
    );
    told = { ...told, ended: before.ended ?? ended, chosen: before.chosen, bias: before.bias };
    await database.transaction(principal, (tx) => repository.setTold(tx, own.id, told));
    return { search, told, results };
  }

  /** Each rung a trial was judged on is an entry of the ledger: what was looked at counts, whatever came of it. */
  async function enterTrial(tx: Transaction, own: Run, trial: AutomlTrial, job: Job): Promise<void> {
    const { settings, frozen } = own;
    const { target, effort, seed } = settings;
    trial.trialId = await insertTrial(tx, {
      ...{ kind: 'automl', name: `${trial.family} for ${target}, search ${own.id}` },
      parameters: {
        ...{ target, effort, seed, family: trial.family, learner: trial.learner, settings: trial.settings },
        ...{ featureSet: trial.featureSet, stepCount: trial.stepCount, trainDays: trial.trainDays },
      },
      ...{ datasetSha256: frozen.datasetSha256, codeVersion, seed },
      outcome: trial.state === 'failed' ? 'failed' : 'finished',
      result:
        trial.state === 'failed'
          ? { automlId: own.id, rung: job.rung + 1, reason: trial.problem }
          : {
              automlId: own.id,
              rung: trial.rung,
              blocks: trial.blocks,
              loss: comparedLossOf(target),
              inner: trial.inner,
            },
    });
  }

  /** One fit: found finished from before, or done now. */
  async function doFit({ principal, signal }: Run, rows: Rows, spec: PartSpec) {
    const key = keyOfPart(rows.sha256, spec, codeVersion);
    const before = await database.transaction(principal, (tx) => repository.findFit(tx, key), { readOnly: true });
    if (before !== undefined && (await objects.find(before.resultSha256)) !== undefined)
      return { bytes: await objects.get(before.resultSha256), seconds: before.seconds, reused: true };
    signal.throwIfAborted();
    const { bytes, seconds } = await runner.run({ tableSha256: rows.sha256, tableBytes: rows.bytes, spec }, signal);
    const { sha256: resultSha256 } = await objects.put(Buffer.from(bytes));
    await database.transaction(principal, (tx) => repository.keepFit(tx, key, { resultSha256, seconds }));
    return { bytes, seconds, reused: false };
  }

  async function judgeChoice(own: Run, full: Rows, inner: Rows, judging: Uint8Array, searched: Searched) {
    const { principal, signal, settings, progress, frozen } = own;
    const { search, results } = searched;
    let { told } = searched;
    if (told.chosen !== null) return { chosen: told.chosen, told };
    progress(0.8, 'Compares those that saw all blocks');
    const most = Math.max(0, ...search.trials.map(({ losses }) => losses.length));
    const finalists =
      most === 0 ? [] : search.trials.filter(({ losses, problem }) => losses.length === most && problem === null);
    if (finalists.length === 0) {
      const reason = told.trials.find(({ problem }) => problem !== null)?.problem ?? 'the budget allowed none';
      throw new ProblemError('NOT_POSSIBLE_NOW', `No trial could be judged: ${reason}.`);
    }
    const bestOf = (family: string) =>
      finalists
        .filter(({ candidate }) => candidate.family === family)
        .sort((a, b) => a.losses[most - 1]! - b.losses[most - 1]! || a.number - b.number)[0];
    const bests = FAMILIES_BY_SIMPLICITY.flatMap((family) => bestOf(family) ?? []);
    const mixture = settings.families.includes('ensemble') && bests.length > 1 ? bests : [];
    const job: ChooseJob = {
      ...{ judging, order: FAMILIES_BY_SIMPLICITY, seed: settings.seed },
      finalists: finalists.map(({ number, candidate }) => ({
        family: candidate.family,
        results: results.get(number)!,
      })),
      mixture: mixture.map((trial) => finalists.indexOf(trial)),
    };
    const choice = await compute.run<Chosen>(WORKER, 'choose', job, { signal });
    const one = finalists[choice.chosen];
    const members = one === undefined ? mixture : [one];
    told = { ...told, trials: told.trials.map((trial) => markTrial(trial, finalists, choice, members)) };
    const family = (one?.candidate.family ?? 'ensemble') as FamilyName;

    // The linear model goes along: what is not linear is held against it.
    const linear = bestOf('linear') ?? search.trials.find(({ candidate }) => candidate.family === 'linear')!;
    const fitted = members.some(({ candidate }) => candidate.family === 'linear') ? members : [linear, ...members];
    const outer = await fitOuter(own, full, fitted);
    progress(0.95, 'Judges the chosen one on days no choice has seen');
    const trialCount = await database.transaction(
      principal,
      async (tx) => (await countDistinctTrials(tx, frozen.datasetSha256)) + 1,
      { readOnly: true },
    );
    const assembling: AssembleJob = {
      ...{ tableBytes: full.bytes, walk: OUTER_WALK, families: outer.map(({ parts: made }) => made) },
      ...{ withEnsemble: one === undefined, trialCount, seed: settings.seed },
    };
    const assembled = await compute.run<Assembled[]>(TRAINING_WORKER, 'assemble', assembling, { signal });
    const made = found(
      assembled.find((model) => model.family === family),
      `The ${family} was not made.`,
    );
    const outerJob: OuterJob = {
      ...{ tableBytes: full.bytes, seed: settings.seed },
      members: outer.filter(({ trial }) => members.includes(trial)).map(({ parts: { folds } }) => folds),
    };
    const loss = await compute.run<SkillInterval>(WORKER, 'outerLoss', outerJob, { signal });
    const recipes = outer.map(({ recipe }) => recipe);
    return database.transaction(principal, async (tx) => {
      const [version] = await registerTarget(
        tx,
        {
          ...{ registry, universeId: own.universeId, codeVersion, trialCount, datasetSha256: frozen.datasetSha256 },
          ...{ seed: settings.seed, effort: `automl ${settings.effort}`, promote: 'never' },
          firstDay: frozen.tables[0]!.firstDay ?? settings.asOf,
          members: { count: frozen.memberCount, of: frozen.candidateCount },
        },
        {
          ...{ target: settings.target, assembled: [made], failed: new Map() },
          recipes: recipes.filter((recipe) => family === 'ensemble' || recipe.family === family),
          seconds: new Map(outer.map(({ recipe, seconds }) => [recipe.family, seconds])),
        },
      );
      const { passed, sentence } = made.evaluation.verdict;
      const equals = choice.inSet.filter(Boolean).length;
      const interval = { value: loss.value, low: loss.low, high: loss.high };
      const chosen: NonNullable<Automl['chosen']> = {
        ...{ family, trialNumbers: members.map(({ number }) => number) },
        sentence: `${equals} of ${choice.inSet.length} that were judged to the end cannot be told from the best; the simplest of them is ${nameOf(family, members)}.`,
        inner: { value: choice.inner.value, low: choice.inner.low, high: choice.inner.high },
        outer: Number.isFinite(loss.value) ? interval : null,
        ...{ skill: skillOf(made.evaluation, trialCount), verdict: { passed, sentence } },
        model: modelNameOf(settings.target, own.universeId),
        ...{ version: version?.version ?? null, artefactSha256: version?.artefactSha256 ?? null },
        trialId: version?.trialId ?? null,
      };
      told = { ...told, chosen, bias: biasOf(chosen, told.trials.length) };
      await repository.setTold(tx, own.id, told);
      await appendEvidence(tx, {
        ...{ kind: 'automl.done', subjectKind: AUTOML_SUBJECT, subjectId: own.id },
        body: {
          ...{ datasetSha256: frozen.datasetSha256, tableSha256: full.sha256, innerSha256: inner.sha256 },
          ...{ trials: told.trials.map(({ trialId }) => trialId), trialCount, family, passed },
          ...{ version: chosen.version, artefactSha256: chosen.artefactSha256 },
        },
      });
      return { chosen, told };
    });
  }

  /** Every block of the outer walk and the model of all rows, for each trial. */
  async function fitOuter(own: Run, full: Rows, trials: readonly Trial[]) {
    const lane = createLanes(lanes);
    const folds = [...Array.from({ length: OUTER_WALK.foldCount }, (_, fold) => fold), null];
    return Promise.all(
      trials.map(async (trial) => {
        const recipe = recipeOfCandidate(trial.candidate, own.target, own.settings.effort);
        const fits = await Promise.all(
          folds.map((fold) => lane(() => doFit(own, full, specOf(recipe, own.settings.seed, OUTER_WALK, fold)))),
        );
        const bytes = fits.map((fit) => fit.bytes);
        const { family, learner, stepCount } = recipe;
        return {
          ...{ trial, recipe },
          parts: { family, learner, stepCount, folds: bytes.slice(0, -1), final: bytes.at(-1)! },
          seconds: fits.reduce((sum, { seconds }) => sum + seconds, 0),
        };
      }),
    );
  }

  return {
    /** @throws NOT_FOUND; NOT_ENOUGH_HISTORY for an empty universe. */
    start: (caller: Caller, body: AutomlBody) =>
      database.transaction(caller, async (tx) => {
        const { instrumentIds } = await parts.universeBars(tx, body.universeId);
        if (instrumentIds.length === 0)
          throw new ProblemError('NOT_ENOUGH_HISTORY', 'The universe has no instruments to learn from.');
        const { asOf, knownAt, recordedAt } = await resolveTime(tx, body);
        const { universeId, ...asked } = body;
        const settings: Settings = {
          ...{ ...asked, asOf, knownAt, recordedAt },
          families: searchedFamilies(body.families),
        };
        const title = `Search a model of ${body.target} for universe ${universeId}`;
        const task = await tasks.start(tx, { kind: AUTOML_TASK, title, input: { universeId } });
        const universeTenantId = found(await findUniverseTenant(tx, universeId), `There is no universe ${universeId}.`);
        const automlId = await repository.insertAutoml(tx, { universeTenantId, universeId, taskId: task.id, settings });
        await appendEvidence(tx, {
          ...{ kind: 'automl.started', subjectKind: AUTOML_SUBJECT, subjectId: automlId },
          body: { taskId: task.id, universeId, settingsSha256: hashOf(settings) },
        });
        return { task, automlId };
      }),

    /** @throws NOT_FOUND */
    get: (principal: Principal, id: number): Promise<AutomlAnswer> =>
      database.transaction(
        principal,
        async (tx) => {
          const row = found(await repository.findAutoml(tx, id), `There is no search ${id}.`);
          const [told] = await toAutoml(tx, [row]);
          return { ...told!, trials: repository.readTold(row).trials };
        },
        { readOnly: true },
      ),

    /** Newest first; one more than asked for tells that there is a next page. */
    list: (principal: Principal, page: { before: number | undefined; limit: number }) =>
      database.transaction(
        principal,
        async (tx) => {
          const searches = await toAutoml(tx, await repository.listAutomlRows(tx, page));
          return searches.map(({ chosen: _chosen, bias: _bias, ...search }) => search);
        },
        { readOnly: true },
      ),
  };
}

async function toAutoml(tx: Transaction, rows: readonly repository.AutomlRow[]): Promise<Automl[]> {
  const tasks = await repository.tasksOf(
    tx,
    rows.map((row) => row.task_id),
  );
  return rows.map((row) => {
    const task = found(tasks.get(row.task_id), `Task ${row.task_id} is gone.`);
    const { target, ...settings } = settingsSchema.parse(row.settings);
    const { trials, batches: _batches, spentSeconds: _spent, ...told } = repository.readTold(row);
    const { walk, rungs } = innerPlan(settings.effort);
    return {
      ...{ id: row.id, universeId: row.universe_id, target, taskId: row.task_id },
      ...{ state: taskState.parse(task.state), progress: task.progress, progressNote: task.progress_note },
      ...{ settings, datasetSha256: row.dataset_sha256, loss: comparedLossOf(target) },
      ...{ rungCount: rungs.length, innerBlocks: walk.foldCount },
      ...{ ...told, trialCount: trials.length, trialsReused: trials.filter(({ reused }) => reused).length },
      ...{ createdAt: row.created_at, createdBy: row.created_by },
    };
  });
}

/** The same bytes in memory that threads share: they are handed over with every fit. */
function shared(bytes: Uint8Array): Uint8Array {
  const copy = new Uint8Array(new SharedArrayBuffer(bytes.length));
  copy.set(bytes);
  return copy;
}

function specOf(recipe: SearchRecipe, seed: number, walk: Walk, fold: number | null): PartSpec {
  const { family, learner, settings, stepCount, rowsMax, trainDays } = recipe;
  return { family, learner, settings, seed, stepCount, rowsMax, trainDays, walk, fold };
}

function newTrial({ number }: Trial, { family, inner, settings, learner, ...recipe }: SearchRecipe): AutomlTrial {
  const own = learner === 'column_subset' ? settings.settings : settings;
  return {
    ...{ number, family, learner: inner, settings: { ...Object(own) }, featureSet: recipe.featureSet },
    ...{ stepCount: recipe.stepCount, trainDays: recipe.trainDays, state: 'stopped', rung: 0, blocks: 0, inner: null },
    ...{ inSet: false, pValue: null, isChosen: false, problem: null, seconds: 0, reused: false, trialId: null },
  };
}

function markTrial(
  trial: AutomlTrial,
  finalists: readonly Trial[],
  { inSet, pValue }: Chosen,
  members: readonly Trial[],
): AutomlTrial {
  const at = finalists.findIndex(({ number }) => number === trial.number);
  if (at < 0) return trial;
  const isChosen = members.some(({ number }) => number === trial.number);
  return { ...trial, inSet: inSet[at] ?? false, pValue: pValue[at] ?? null, isChosen };
}

function nameOf(family: string, members: readonly Trial[]): string {
  const numbers = members.map(({ number }) => number);
  const name = family.replaceAll('_', ' ');
  return numbers.length === 1 ? `trial ${numbers[0]}, ${name}` : `the ${name} of trials ${numbers.join(', ')}`;
}

/** What the choice flatters by. */
function biasOf({ inner, outer }: NonNullable<Automl['chosen']>, trialCount: number): string {
  const least = `Chosen among ${trialCount} trials by an inner loss of ${inner.value.toFixed(4)}, which the choice flatters.`;
  if (outer === null) return `${least} On the outer days it is not defined.`;
  return `${least} On days no choice has seen the same loss is ${outer.value.toFixed(4)} (95 % interval ${outer.low.toFixed(4)} to ${outer.high.toFixed(4)}); its skill is reported on those days only.`;
}

type Lane = <T>(work: () => Promise<T>) => Promise<T>;

/** Lets at most so many works run at a time, in the order asked. */
function createLanes(count: number): Lane {
  let free = count;
  const waiting: (() => void)[] = [];
  return async (work) => {
    if (free > 0) free -= 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) free += 1;
      else next();
    }
  };
}
