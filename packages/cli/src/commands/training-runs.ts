import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import {
  downloadRunArtefact,
  getRunMetric,
  getTrainingRun,
  listExperiments,
  listTrainingRuns,
  runStatus,
} from '@touchstone/contracts/models';
import { type Command, LIMIT_OPTION, UsageError } from '../command.ts';
import { readRun } from '../export/read-run.ts';
import { exportToMlflow } from '../export/to-mlflow.ts';
import { toWandb } from '../export/to-wandb.ts';
import { allPages, limitOf, numberOf } from '../look-up.ts';
import { bytes, facts, short, show, table } from '../render.ts';
import { saveTo } from '../save.ts';

/** Training runs: with what they were started, what they measured, and what came of them. */
export const trainingRunCommands: Command[] = [
  {
    name: 'experiments',
    summary: 'Groups of training runs',
    args: [],
    options: LIMIT_OPTION,
    example: 'experiments',
    async run(call) {
      const answer = await allPages(limitOf(call), (query) => call.client.call(listExperiments, { query }));
      const text = table(
        answer.items,
        [
          { title: 'EXPERIMENT', value: (row) => row.name, whole: true },
          { title: 'RUNS', value: (row) => row.runCount },
          { title: 'LAST', value: (row) => row.lastRunAt },
        ],
        'There is no experiment.',
      );
      return { json: answer, text };
    },
  },
  {
    name: 'training runs',
    summary: 'Training runs, newest first, with their last metrics',
    args: [],
    options: {
      ...LIMIT_OPTION,
      model: { value: 'MODEL', summary: 'Only of this model' },
      experiment: { value: 'NAME', summary: 'Only of this group' },
      status: { value: 'STATUS', summary: runStatus.options.join(', ') },
    },
    example: 'training runs --model volatility-direction',
    async run(call) {
      const status = runStatus.optional().safeParse(call.text('status'));
      if (!status.success) throw new UsageError(`STATUS is one of ${runStatus.options.join(', ')}.`);
      const query = { model: call.text('model'), experiment: call.text('experiment'), status: status.data };
      const answer = await allPages(limitOf(call), (page) =>
        call.client.call(listTrainingRuns, { query: { ...query, ...page } }),
      );
      const text = table(
        answer.items,
        [
          { title: 'RUN', value: (row) => row.id },
          { title: 'NAME', value: (row) => row.name, whole: true },
          { title: 'MODEL', value: (row) => row.model },
          { title: 'STATUS', value: (row) => row.status },
          { title: 'STARTED', value: (row) => row.startedAt },
          { title: 'METRICS', value: (row) => metricsOf(row.metrics) },
        ],
        'Nothing was trained yet.',
      );
      return { json: answer, text };
    },
  },
  {
    name: 'training run',
    summary: 'One training run: parameters, last metrics, files, and the versions it gave',
    args: ['RUN'],
    example: 'training run 12',
    async run(call) {
      const run = await call.client.call(getTrainingRun, { params: { trainingRunId: numberOf(call.args[0], 'RUN') } });
      const versions = run.versions.map(({ model, version }) => `${model} ${version}`).join(', ');
      const about = facts([
        ['run', `${run.id}: ${run.name}`],
        ['experiment', run.experiment],
        ['status', run.reason === null ? run.status : `${run.status}: ${run.reason}`],
        ['from', `${run.startedAt} to ${run.endedAt ?? 'now'}`],
        ['dataset', run.datasetSha256],
        ['code', `${run.codeVersion}, seed ${run.seed ?? 'none'}`],
        ['trial', run.trialId],
        ['versions', versions === '' ? 'none' : versions],
        ...Object.entries(run.parameters).map(([name, value]) => [name, JSON.stringify(value)] as const),
      ]);
      const metrics = table(
        run.metrics,
        [
          { title: 'METRIC', value: (row) => row.name, whole: true },
          { title: 'LAST', value: (row) => row.value },
          { title: 'STEP', value: (row) => row.step },
          { title: 'VALUES', value: (row) => row.count },
        ],
        'Nothing was measured.',
      );
      const files = table(
        run.artefacts,
        [
          { title: 'FILE', value: (row) => row.name, whole: true },
          { title: 'SIZE', value: (row) => bytes(row.byteCount), right: true },
          { title: 'HASH', value: (row) => short(row.sha256) },
        ],
        'No file was kept.',
      );
      return { json: run, text: `${about}\n${metrics}\n${files}` };
    },
  },
  {
    name: 'training metric',
    summary: 'Every value of one metric in the order it was logged',
    args: ['RUN', 'NAME'],
    options: LIMIT_OPTION,
    example: 'training metric 12 balanced_accuracy',
    async run(call) {
      const params = { trainingRunId: numberOf(call.args[0], 'RUN') };
      const name = call.args[1] ?? '';
      const answer = await allPages(limitOf(call), (page) =>
        call.client.call(getRunMetric, { params, query: { name, ...page } }),
      );
      const text = table(
        answer.items,
        [
          { title: 'STEP', value: (row) => row.step },
          { title: 'VALUE', value: (row) => row.value },
          { title: 'AT', value: (row) => row.at },
        ],
        'It was never logged.',
      );
      return { json: answer, text };
    },
  },
  {
    name: 'training file',
    summary: 'Save a file that a training run logged',
    args: ['RUN', 'NAME', 'FILE'],
    example: 'training file 12 folds folds.json',
    async run(call) {
      const params = { trainingRunId: numberOf(call.args[0], 'RUN') };
      const query = { name: call.args[1] ?? '' };
      return saveTo(call.args[2] ?? '', await call.client.raw(downloadRunArtefact, { params, query }));
    },
  },
  {
    name: 'training export',
    summary: 'Write a run to an MLflow server, or as an offline run of W&B',
    args: ['RUN'],
    options: {
      to: { value: 'WHERE', summary: 'mlflow or wandb' },
      into: { value: 'URL|FOLDER', summary: 'Address of the MLflow server; folder for the offline run' },
      experiment: { value: 'NAME', summary: 'Experiment at MLflow; default: the one of the run' },
    },
    example: 'training export 12 --to wandb --into my-repository',
    async run(call) {
      const [to, into] = [call.text('to'), call.text('into')];
      if (to !== 'mlflow' && to !== 'wandb') throw new UsageError('--to is mlflow or wandb.');
      if (into === undefined) throw new UsageError('Say --into: an address for mlflow, a folder for wandb.');
      const exported = await readRun(call.client, numberOf(call.args[0], 'RUN'));
      const numbers = `${exported.metrics.length} values${exported.leftOut === 0 ? '' : `, ${exported.leftOut} that are no numbers left out`}`;
      if (to === 'wandb') {
        const { folder, file, content } = toWandb(exported);
        await mkdir(path.join(into, folder), { recursive: true });
        const at = path.join(into, folder, file);
        await writeFile(at, content);
        return {
          json: { file: at, byteCount: content.length },
          text: `Wrote ${numbers} to ${at}. Send it with wandb sync.\n`,
        };
      }
      const token = call.terminal.environment.MLFLOW_TRACKING_TOKEN;
      const done = await exportToMlflow(exported, { url: into, token, experiment: call.text('experiment') });
      const files =
        done.filesLeftOut.length === 0
          ? `${done.files.length} files`
          : `not the ${done.filesLeftOut.length} files: this server keeps them where only it can write`;
      return {
        json: done,
        text: `Wrote ${numbers} and ${files} to run ${done.runId} of experiment ${done.experimentId}.\n`,
      };
    },
  },
];

function metricsOf(metrics: Record<string, number | null>): string {
  return Object.entries(metrics)
    .slice(0, 3)
    .map(([name, value]) => `${name} ${show(value)}`)
    .join(', ');
}
