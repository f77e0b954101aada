import type { Readable } from 'node:stream';
import { type ForeignManifest, ONNX_BYTES_MAX, type OnnxFile } from '@touchstone/contracts/foreign';
import type { ModelManifest, Skill } from '@touchstone/contracts/model-manifest';
import { type Target, targetNamed } from '@touchstone/quant/evaluation/targets/targets';
import type { Forecaster, ForecastMember } from '@touchstone/quant/learn/forecaster/forecaster';
import { loadForecaster } from '@touchstone/quant/learn/forecaster/save-forecaster';
import { FOREIGN_LEARNER } from '@touchstone/quant/learn/foreign/foreign-model';
import { exportOnnx, findBentColumn } from '@touchstone/quant/learn/onnx/export-model';
import { dayText } from '@touchstone/quant/series/day';
import type { Compute } from '../../platform/compute/compute.ts';
import type { Database, Principal } from '../../platform/database/database.ts';
import { appendEvidence } from '../../platform/evidence/evidence.ts';
import { hashOf } from '../../platform/object-store/bundle.ts';
import type { ObjectStore } from '../../platform/object-store/object-store.ts';
import { found, ProblemError } from '../../platform/problem-error.ts';
import type { Registry } from '../registry/registry.types.ts';
import { skillOf } from '../training/register-models.ts';
import { FORECAST_VIEW, featureHashOf, limitsOf, referenceOf } from '../training/targets.ts';
import { countDistinctTrials } from '../trials/trial.repository.ts';
import { FILE_SUBJECT, hasFile } from './foreign.repository.ts';
import type { Examined, ExamineJob, Opened, Refusal } from './foreign.worker.ts';
import { readFrozenTable } from './read-table.ts';

export type ForeignParts = { database: Database; objects: ObjectStore; compute: Compute; registry: Registry };
export type ForeignService = ReturnType<typeof createForeignService>;

const WORKER = new URL('./foreign.worker.ts', import.meta.url);
/** Of all that a file is asked, judging included. */
const EXAMINE_LIMIT_MS = 120_000;
const NOT_JUDGED =
  'Not judged: the dataset holds no outcome of a day after it was trained, so that it cannot be served.';

/** Models that learnt elsewhere, in and out as ONNX. */
export function createForeignService({ database, objects, compute, registry }: ForeignParts) {
  async function examine<T extends { status: 'ok' }>(name: string, payload: unknown): Promise<T> {
    const told = await compute.run<T | Refusal>(WORKER, name, payload, {
      signal: AbortSignal.timeout(EXAMINE_LIMIT_MS),
    });
    if (told.status === 'ok') return told;
    throw new ProblemError('FILE_REFUSED', told.sentence, { details: [{ path: 'file', rule: told.rule }] });
  }

  return {
    /** Keeps a file under its hash, once it could be opened. @throws TOO_LARGE, FILE_REFUSED, DISK_FULL */
    async send(principal: Principal, content: Readable): Promise<OnnxFile> {
      const onnx = await readAll(content);
      const { file } = await examine<Opened>('examineFile', { onnx });
      const { sha256, byteCount } = await objects.put(onnx);
      await database.transaction(principal, async (tx) => {
        if (await hasFile(tx, sha256)) return;
        await appendEvidence(tx, {
          ...{ kind: 'model.file_received', subjectKind: FILE_SUBJECT, subjectId: sha256 },
          body: { byteCount },
        });
      });
      return { fileSha256: sha256, byteCount, ...file };
    },

    /** @throws NOT_FOUND for a file or dataset, FILE_REFUSED, CONFLICT for another table, INVALID_REQUEST, NOT_ENOUGH_HISTORY */
    async register(
      principal: Principal,
      model: string,
      { fileSha256, manifest }: { fileSha256: string; manifest: ForeignManifest },
    ) {
      const target = targetNamed(manifest.target);
      checkAgainst(manifest, target);
      const columns = columnsOf(manifest, target);
      const isSent = await database.transaction(principal, (tx) => hasFile(tx, fileSha256), { readOnly: true });
      const stored = isSent ? await objects.find(fileSha256) : undefined;
      found(stored, `There is no file ${fileSha256.slice(0, 12)}. Send it first.`);
      const judgeOn = manifest.judgeOn ?? manifest.datasetSha256;
      const table = await readFrozenTable({ database, objects }, principal, judgeOn, manifest.target);
      if (manifest.tableSha256 !== undefined && manifest.tableSha256 !== table.tableSha256)
        throw new ProblemError(
          'CONFLICT',
          `It learnt from the rows ${manifest.tableSha256.slice(0, 12)}; those of dataset ${judgeOn.slice(0, 12)} are ${table.tableSha256.slice(0, 12)}.`,
        );
      const before = await database.transaction(principal, (tx) => countDistinctTrials(tx, judgeOn), {
        readOnly: true,
      });
      const job: ExamineJob = {
        ...{ onnx: await registry.readArtefact(fileSha256), manifest, columns },
        ...{ tableBytes: table.bytes, trialCount: before + 1 },
      };
      const examined = await examine<Examined>('examineModel', job);
      const { evaluation, rowMilliseconds } = examined;
      const skill = evaluation === null ? null : skillOf(evaluation, before + 1);
      const verdict =
        evaluation === null
          ? null
          : {
              passed: evaluation.verdict.passed,
              sentence: `${evaluation.verdict.sentence} ${periodOf(manifest, evaluation.firstDay)}`,
            };
      const parameters = {
        fileSha256,
        trainer: manifest.trainer,
        settings: manifest.settings,
        target: manifest.target,
      };
      const registered = await database.transaction(principal, async (tx) => {
        const { runId } = await registry.startRun(tx, {
          ...{ model, name: `foreign for ${manifest.target}`, datasetSha256: judgeOn },
          ...{ codeVersion: manifest.codeVersion, seed: manifest.seed, parameters },
        });
        const value = evaluation?.verdict.skill.value;
        const metrics = [
          ...(skill === null || value === undefined || !Number.isFinite(value) ? [] : [{ name: skill.metric, value }]),
          { name: 'row milliseconds', value: rowMilliseconds },
        ];
        await registry.logMetrics(tx, runId, metrics);
        const version = await registry.registerVersion(tx, {
          ...{ model, runId, artefact: examined.artefact },
          manifest: toManifest({ manifest, target, columns, skill, verdict, fileSha256, universeId: table.universeId }),
        });
        await registry.finishRun(tx, runId, { status: 'finished' });
        return version;
      });
      return {
        ...{ model, version: registered.version, artefactSha256: registered.artefactSha256 },
        ...{ judgedRows: evaluation?.sampleCount ?? 0, verdict, skill, rowMilliseconds },
      };
    },

    /** @throws NOT_FOUND naming the members there are; NOT_POSSIBLE_NOW, ARTEFACT_DAMAGED */
    async exportMember(principal: Principal, model: string, version: number, member: string | undefined) {
      const resolved = await registry.resolve(principal, model, { version });
      const what = `Version ${version} of ${model}`;
      if (resolved.manifest.format === 'mlflow')
        throw new ProblemError('NOT_POSSIBLE_NOW', `${what} is kept as it came; download its artefact.`);
      const forecaster = readForecaster(await registry.readArtefact(resolved.artefactSha256), what);
      const names = forecaster.members.map(({ name }) => name);
      const chosen =
        member === undefined && names.length === 1
          ? forecaster.members[0]
          : forecaster.members.find(({ name }) => name === member);
      const one = found(chosen, `${what} has the members ${names.join(', ')}. Name one of them.`);
      const metadata = describe(resolved.manifest, forecaster, one, `${model}@${version}`);
      return { name: one.name, bytes: toOnnx(forecaster, one, metadata) };
    },
  };
}

async function readAll(content: Readable): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of content) pieces.push(Buffer.from(piece));
  const onnx = Buffer.concat(pieces);
  if (onnx.length === 0)
    throw new ProblemError('FILE_REFUSED', 'The file is empty.', { details: [{ path: 'file', rule: 'damaged' }] });
  if (onnx.length > ONNX_BYTES_MAX) throw new ProblemError('TOO_LARGE', 'An ONNX file may have 32 MB.');
  return onnx;
}

function checkAgainst({ horizonDays, unit }: ForeignManifest, target: Target): void {
  const details = [
    ...(horizonDays === target.horizonDays
      ? []
      : [{ path: 'body.manifest.horizonDays', rule: `Must be ${target.horizonDays}, as of ${target.name}.` }]),
    ...(unit === target.unit
      ? []
      : [{ path: 'body.manifest.unit', rule: `Must be ${target.unit}, as of ${target.name}.` }]),
  ];
  if (details.length > 0)
    throw new ProblemError('INVALID_REQUEST', 'It forecasts something else than its target is.', { details });
}

/** Positions of its features among those of the target, by their name in the feature store or without the view. */
function columnsOf({ features }: ForeignManifest, target: Target): number[] {
  const columns = features.map((name) =>
    target.features.findIndex((feature) => name === feature.name || name === referenceOf(feature.name)),
  );
  const details = features.flatMap((name, k) => {
    const path = `body.manifest.features.${k}`;
    if (columns[k]! < 0)
      return [{ path, rule: `${target.name} has no feature ${name}; see the view ${FORECAST_VIEW}.` }];
    return columns.indexOf(columns[k]!) === k ? [] : [{ path, rule: `${name} stands there twice.` }];
  });
  if (details.length === 0) return columns;
  throw new ProblemError('INVALID_REQUEST', 'Its features must be features of the target, each once.', { details });
}

function periodOf({ trainedUntil }: ForeignManifest, firstDay: number | null): string {
  const from = firstDay === null ? '' : `, from ${dayText(firstDay)} on`;
  return `It came trained and was not walked forward: judged only on the days after ${trainedUntil}${from}.`;
}

function toManifest({
  manifest,
  target,
  columns,
  skill,
  verdict,
  fileSha256,
  universeId,
}: {
  manifest: ForeignManifest;
  target: Target;
  columns: readonly number[];
  skill: Skill | null;
  verdict: ModelManifest['verdict'];
  fileSha256: string;
  universeId: number | null;
}): ModelManifest {
  const { trainer, settings, codeVersion, seed, firstDay, trainedUntil, expiresAfterDays, stepCount } = manifest;
  const features = columns.map((column) => target.features[column]!);
  return {
    ...{ format: 'onnx', target: manifest.target, horizonDays: target.horizonDays, unit: target.unit, universeId },
    ...{ features: features.map(({ name }) => referenceOf(name)), stepCount },
    members: [{ learner: FOREIGN_LEARNER, weight: 1, settings: { ...settings, trainer, fileSha256 }, skill }],
    ...{ datasetSha256: manifest.datasetSha256, featureSha256: featureHashOf({ features }) },
    configSha256: hashOf({ trainer, settings, fileSha256 }),
    ...{ codeVersion, seed, firstDay, trainedUntil, expiresAfterDays, skill, verdict },
    ...{ costSeconds: manifest.costSeconds, costJoules: null },
    limits: [
      ...(verdict === null ? [NOT_JUDGED] : []),
      'It learnt elsewhere: that it saw nothing after the day it was trained until is its trainer’s word.',
      ...manifest.limits,
      // The first tells how many members were drawn, which here is the trainer's affair.
      ...limitsOf(manifest.target, { count: 1, of: 1 }).slice(1),
    ],
  };
}

function readForecaster(bytes: Uint8Array, what: string): Forecaster {
  try {
    return loadForecaster(bytes);
  } catch (error) {
    // Its bytes are those that were registered: they are of another kind, or of a release that wrote them otherwise.
    throw new ProblemError('NOT_POSSIBLE_NOW', `${what} holds no forecaster that can be read here.`, { cause: error });
  }
}

function toOnnx(forecaster: Forecaster, { name, model }: ForecastMember, metadata: Record<string, string>): Uint8Array {
  // What came as a file goes as the same file.
  if (model.body.kind === 'foreign') return model.body.foreign.onnx;
  const { scaler, clip, link } = forecaster;
  const frame = findBentColumn(scaler) === null ? { scaler, clip, link } : undefined;
  try {
    return exportOnnx(model, metadata, frame).bytes;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new ProblemError('NOT_POSSIBLE_NOW', `${name} cannot be written as ONNX: ${error.message}.`);
  }
}

/** What whoever opens the file has to know, and what they will not find in it. */
function describe(
  manifest: ModelManifest,
  { features, scaler, link }: Forecaster,
  { name, weight, model }: ForecastMember,
  of: string,
): Record<string, string> {
  const bent = findBentColumn(scaler);
  return {
    ...{ model: of, member: name, weight: String(weight), target: manifest.target ?? '', unit: manifest.unit },
    ...{ horizonDays: String(manifest.horizonDays), stepCount: String(model.stepCount) },
    features: JSON.stringify(features),
    ...{ datasetSha256: manifest.datasetSha256, featureSha256: manifest.featureSha256 },
    ...{ trainedUntil: manifest.trainedUntil, codeVersion: manifest.codeVersion, seed: String(manifest.seed) },
    scaler:
      bent === null
        ? 'in the file: it takes features as they are, missing ones as NaN'
        : `not in the file: ${features[bent]!.name} is scaled by ${scaler.kind}, which is no straight line; it takes scaled features${link === 'exp' ? ' and tells a logarithm' : ''}`,
    notInTheFile: JSON.stringify(['the other members', 'calibration', 'interval', 'abstention', 'baseline']),
  };
}
