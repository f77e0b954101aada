import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import {
  downloadTrainingTable,
  downloadVersionOnnx,
  foreignManifest,
  freezeTrainingTable,
  getTrainingTable,
  ONNX_BYTES_MAX,
  registerForeignModel,
  sendForeignModel,
  trainingTableSpec,
} from '@touchstone/contracts/foreign';
import { targetName } from '@touchstone/contracts/model-manifest';
import { accepted } from '@touchstone/contracts/tasks';
import { z } from 'zod';
import { checkFile } from '../check-file.ts';
import { type Call, type Command, type Output, TIME_OPTIONS, timesOf, UsageError } from '../command.ts';
import { numberOf, universeId } from '../look-up.ts';
import { bytes, facts } from '../render.ts';
import { saveTo } from '../save.ts';
import { watchTask } from '../watch-task.ts';

const SPEC = 'spec.json';
const ROWS = 'rows.arrow';
const MODEL = 'model.onnx';
const METADATA = 'metadata.json';

/** Models that learn elsewhere: rows out, ONNX in and out. */
export const foreignCommands: Command[] = [
  {
    name: 'model onnx',
    summary: 'Save a member of a version as ONNX, with its scaler inside',
    args: ['MODEL', 'VERSION'],
    options: {
      member: { value: 'NAME', summary: 'Which; default: its only one' },
      out: { value: 'FILE', summary: 'Where to; default model.onnx' },
    },
    example: 'model onnx volatility-direction 3 --member gradient_boosted_trees --out model.onnx',
    async run(call) {
      const params = { model: call.args[0] ?? '', version: numberOf(call.args[1], 'VERSION') };
      const query = { member: call.text('member') };
      return saveTo(call.text('out') ?? MODEL, await call.client.raw(downloadVersionOnnx, { params, query }));
    },
  },
  {
    name: 'model foreign',
    summary: 'Register an ONNX file that learnt elsewhere; the gate judges it on the days after',
    args: ['MODEL', 'FILE', 'MANIFEST'],
    example: 'model foreign volatility-direction model.onnx manifest.json',
    async run(call) {
      const [model = '', file = '', manifest = ''] = call.args;
      return register(call, model, file, await readJson(manifest));
    },
  },
  {
    name: 'train export',
    summary: 'Write frozen rows of a target for a trainer of your own: Arrow and spec.json',
    args: [],
    options: {
      universe: { value: 'UNIVERSE', summary: 'Whose members; its number or name' },
      target: { value: 'TARGET', summary: targetName.options.join(', ') },
      out: { value: 'DIR', summary: 'Folder to write; made if it is not there' },
      csv: { summary: 'Also as rows.csv, for trainers without an Arrow library' },
      dataset: { value: 'SHA256', summary: 'A dataset frozen before; default: freeze one now' },
      ...TIME_OPTIONS,
    },
    example: 'train export --universe "My universe" --target volatility_direction --out my-rows',
    run: exportRows,
  },
  {
    name: 'train import',
    summary: 'Register what a trainer left in a folder: model.onnx and metadata.json beside spec.json',
    args: ['DIR'],
    options: { model: { value: 'MODEL', summary: 'Name to register it under; default: by its target' } },
    example: 'train import my-rows --model volatility-direction',
    run: importModel,
  },
];

async function exportRows(call: Call): Promise<Output> {
  const folder = needed(call, 'out');
  const target = targetName.safeParse(needed(call, 'target'));
  if (!target.success) throw new UsageError(`--target is one of ${targetName.options.join(', ')}.`);
  const sha256 = call.text('dataset') ?? (await freeze(call, target.data));
  const params = { sha256, target: target.data };
  const spec = await call.client.call(getTrainingTable, { params });
  await mkdir(folder, { recursive: true });
  await saveTo(path.join(folder, ROWS), await call.client.raw(downloadTrainingTable, { params }));
  if (call.flag('csv')) {
    const csv = await call.client.raw(downloadTrainingTable, { params, query: { format: 'csv' } });
    await saveTo(path.join(folder, 'rows.csv'), csv);
  }
  await writeFile(path.join(folder, SPEC), `${JSON.stringify(spec, null, 2)}\n`);
  const text = facts([
    ['dataset', spec.datasetSha256],
    ['rows', `${spec.rowCount}, ${spec.firstDay} to ${spec.trainedUntil}`],
    ['held back', `${spec.heldBackRows} rows from ${spec.heldBackFrom} on`],
    ['features', spec.features.length],
    ['folds', spec.folds.length],
    ['written', `${path.join(folder, ROWS)}, ${path.join(folder, SPEC)}`],
  ]);
  return { json: spec, text };
}

async function freeze(call: Call, target: z.infer<typeof targetName>): Promise<string> {
  const body = { ...timesOf(call), target, universeId: await universeId(call, needed(call, 'universe')) };
  const { task } = accepted.parse(await call.client.call(freezeTrainingTable, { body }));
  const { result } = await watchTask(call, task);
  return z.object({ datasetSha256: z.string() }).parse(result).datasetSha256;
}

async function importModel(call: Call): Promise<Output> {
  const folder = call.args[0] ?? '';
  const spec = trainingTableSpec.safeParse(await readJson(path.join(folder, SPEC)));
  if (!spec.success) throw new UsageError(`${SPEC} is not what \`train export\` wrote.`);
  const told = z.looseObject({ datasetSha256: z.string() }).safeParse(await readJson(path.join(folder, METADATA)));
  if (!told.success) throw new UsageError(`${METADATA} must say the datasetSha256 it learnt from.`);
  const { datasetSha256, tableSha256, target, horizonDays, unit, firstDay, trainedUntil } = spec.data;
  if (told.data.datasetSha256 !== datasetSha256)
    throw new UsageError(
      `${METADATA} learnt from dataset ${told.data.datasetSha256.slice(0, 12)}, ${SPEC} is of ${datasetSha256.slice(0, 12)}.`,
    );
  // What the trainer says stands above what the rows say; the server checks both against the dataset.
  const ofRows = { target, horizonDays, unit, tableSha256, judgeOn: datasetSha256, firstDay, trainedUntil };
  const model = call.text('model') ?? target.replaceAll('_', '-');
  return register(call, model, path.join(folder, MODEL), { ...ofRows, ...told.data });
}

async function register(call: Call, model: string, file: string, told: unknown): Promise<Output> {
  const manifest = foreignManifest.safeParse(told);
  if (!manifest.success) {
    const issues = manifest.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
    throw new UsageError(`The manifest lacks what nobody can read out of the file. ${issues.slice(0, 5).join('; ')}.`);
  }
  await checkFile(file);
  const { size } = await stat(file);
  if (size > ONNX_BYTES_MAX)
    throw new UsageError(`${file} has ${bytes(size)}; at most ${bytes(ONNX_BYTES_MAX)} are taken.`);
  const content = new Uint8Array(await readFile(file));
  const response = await call.client.raw(sendForeignModel, { body: content });
  const { fileSha256 } = sendForeignModel.answer!.parse(await response.json());
  const body = { fileSha256, manifest: manifest.data };
  const made = await call.client.call(registerForeignModel, { params: { model }, body });
  const text = facts([
    ['version', `${made.model} ${made.version}`],
    ['file', `${fileSha256}, ${bytes(size)}`],
    [
      'gate',
      made.verdict === null ? 'not judged: no day after it was trained' : made.verdict.passed ? 'passed' : 'not passed',
    ],
    ...(made.verdict === null ? [] : [['why', made.verdict.sentence] as const]),
    ['one row', `${made.rowMilliseconds.toFixed(2)} ms`],
  ]);
  return { json: made, text };
}

function needed(call: Call, name: string): string {
  const value = call.text(name);
  if (value === undefined) throw new UsageError(`Say --${name}.`);
  return value;
}

async function readJson(file: string): Promise<unknown> {
  await checkFile(file);
  const text = await readFile(file, 'utf8');
  try {
    return JSON.parse(text);
  } catch {
    throw new UsageError(`${file} holds no JSON.`);
  }
}
