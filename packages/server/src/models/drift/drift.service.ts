import { createHash } from 'node:crypto';
import type { DriftCheck, DriftFinding } from '@touchstone/contracts/drift';
import { MONITOR_SETTINGS } from '@touchstone/quant/evaluation/drift/watch-feature';
import { loadForecaster } from '@touchstone/quant/learn/forecaster/save-forecaster';
import { dayNumber } from '@touchstone/quant/series/day';
import type { FeatureComputer, SeriesService } from '../../features/index.ts';
import { type ReadTime, resolveTime } from '../../market-data/index.ts';
import { raiseAlert, resolveAlert } from '../../platform/alerts/alerts.ts';
import type { Compute } from '../../platform/compute/compute.ts';
import type { Database, Principal, Transaction } from '../../platform/database/database.ts';
import { appendEvidence } from '../../platform/evidence/evidence.ts';
import { hashOf } from '../../platform/object-store/bundle.ts';
import { found, ProblemError } from '../../platform/problem-error.ts';
import { type GaugeValue, registerGauge } from '../../platform/telemetry/gauges.ts';
import { findModel } from '../registry/model.repository.ts';
import type { Registry, ResolvedVersion } from '../registry/registry.types.ts';
import { decodeInputs } from '../serving/forecast-inputs.ts';
import {
  findInputs,
  insertCheck,
  lastPredictions,
  listChecks,
  listFindings,
  listScored,
  type NewFinding,
} from './drift.repository.ts';
import type { DriftJob, MemberFeatures, RawFinding } from './drift.worker.ts';
import { findingSentence } from './drift-words.ts';
import { liveLosses } from './live-losses.ts';

export type DriftService = ReturnType<typeof createDriftService>;

export type DriftParts = {
  database: Database;
  registry: Pick<Registry, 'resolve' | 'servingChain' | 'readArtefact'>;
  series: SeriesService;
  computer: FeatureComputer;
  compute: Compute;
  /** Universes belong to a later stage, so this comes from the wiring. */
  universeBars: (tx: Transaction, universeId: number) => Promise<{ instrumentIds: readonly number[] }>;
  codeVersion: string;
};

const WORKER = new URL('./drift.worker.ts', import.meta.url);
const SEED = 1;
const SETTINGS = {
  /** False alarms a year that one model may raise. */
  alarmsPerYear: 6,
  /** Sessions of the past a feature is held against. */
  historySessions: 2520,
  /** Members looked at: evenly spread over the universe. */
  membersMax: 40,
  /** Predictions of an instrument whose inputs are held against the bars. */
  deliveries: 21,
  monitor: MONITOR_SETTINGS,
} as const;

export function createDriftService(parts: DriftParts) {
  const { database, registry, series, computer, compute, codeVersion } = parts;

  /** Of the last check of each model that this process made. */
  const lastAlarms = new Map<string, GaugeValue>();
  registerGauge({
    ...{ name: 'model_drift_alarms', help: 'Findings over their limit in the last check of a model.' },
    labelNames: ['tenant', 'model'],
    read: () => [...lastAlarms.values()],
  });

  /** Features of one instrument at all of its last sessions, by the path that serving uses. */
  async function readMember(
    principal: Principal,
    instrumentId: number,
    time: ReadTime,
    expressions: readonly string[],
    signal: AbortSignal,
  ): Promise<MemberFeatures & { dataSha256: string }> {
    const { bars, dataSha256 } = await series.read(principal, { kind: 'instrument', id: instrumentId }, time);
    const barCount = bars.day.length;
    const count = Math.min(barCount, SETTINGS.historySessions);
    const at = Int32Array.from({ length: count }, (_, k) => barCount - count + k);
    const { values } = await computer.compute(expressions, [{ bars, at }], signal);
    return { instrumentId, dataSha256, days: Int32Array.from(at, (row) => bars.day[row]!), values: values[0]! };
  }

  /** The newest day of inputs as they were sealed, one row a prediction. */
  async function readServed(tx: Transaction, version: ResolvedVersion, width: number): Promise<MemberFeatures[]> {
    const rows = await lastPredictions(tx, version, SETTINGS.deliveries);
    const contents = await findInputs(tx, [...new Set(rows.map(({ inputSha256 }) => inputSha256))]);
    const byInstrument = new Map<number, { day: number; values: Float64Array }[]>();
    for (const { instrumentId, eventDay, inputSha256 } of rows) {
      const content = contents.get(inputSha256);
      if (content === undefined) continue;
      const values = readInputs(content);
      if (values === null || values.length % width !== 0) continue;
      const told = byInstrument.get(instrumentId) ?? [];
      byInstrument.set(instrumentId, told);
      told.push({ day: dayNumber(eventDay), values: values.subarray(values.length - width) });
    }
    return Array.from(byInstrument, ([instrumentId, told]) => {
      const values = new Float64Array(told.length * width);
      told.forEach((row, k) => {
        values.set(row.values, k * width);
      });
      return { instrumentId, days: Int32Array.from(told, ({ day }) => day), values };
    });
  }

  async function gather(principal: Principal, version: ResolvedVersion, signal: AbortSignal) {
    const { manifest } = version;
    if (manifest.format !== 'forecaster')
      throw new ProblemError(
        'NOT_POSSIBLE_NOW',
        `${version.model} is of the format ${manifest.format}, which is not watched.`,
      );
    const artefact = await registry.readArtefact(version.artefactSha256);
    const { features } = loadForecaster(artefact);
    const expressions = features.map(({ expression }) => expression);
    const facts = await database.transaction(
      principal,
      async (tx) => {
        const served = await readServed(tx, version, features.length);
        const all =
          manifest.universeId === null
            ? served.map(({ instrumentId }) => instrumentId)
            : (await parts.universeBars(tx, manifest.universeId)).instrumentIds;
        return {
          ...{ served, instrumentIds: spread(all, SETTINGS.membersMax) },
          time: await resolveTime(tx, {}),
          scored: await listScored(tx, { ...version, after: manifest.trainedUntil }),
        };
      },
      { readOnly: true, isolation: 'repeatable read' },
    );
    const members: MemberFeatures[] = [];
    const hash = createHash('sha256');
    for (const instrumentId of facts.instrumentIds) {
      signal.throwIfAborted();
      const { dataSha256, ...member } = await readMember(principal, instrumentId, facts.time, expressions, signal);
      hash.update(dataSha256);
      if (member.days.length > 0) members.push(member);
    }
    if (members.length === 0)
      throw new ProblemError('NOT_ENOUGH_HISTORY', `No bars are known of what ${version.model} is asked about.`);
    for (const { subjectId, eventDay, loss } of facts.scored) hash.update(`${subjectId}/${eventDay}/${loss};`);
    const job: DriftJob = {
      ...{ artefact: new Uint8Array(artefact), members, served: facts.served },
      ...{ live: liveLosses(facts.scored, manifest), alarmsPerYear: SETTINGS.alarmsPerYear, seed: SEED },
    };
    return { job, time: facts.time, dataSha256: hash.digest('hex'), features: features.map(({ name }) => name) };
  }

  return {
    /**
     * Looks at the served version of a model and puts on record what was seen, alarms or not.
     *
     * @throws NOT_FOUND, NOT_POSSIBLE_NOW without a champion of ours, NOT_ENOUGH_HISTORY without bars.
     */
    async check(
      principal: Principal,
      model: string,
      signal: AbortSignal = new AbortController().signal,
    ): Promise<{ checkId: number; findingCount: number; alarmCount: number }> {
      const { champion } = await registry.servingChain(principal, model);
      if (champion === null)
        throw new ProblemError('NOT_POSSIBLE_NOW', `${model} has no champion, so that nothing is served.`);
      const { job, time, dataSha256, features } = await gather(principal, champion, signal);
      const raw = await compute.run<RawFinding[]>(WORKER, 'runDrift', job, { signal });
      const asOf = lastDay(job.members);
      const findings = ranked(raw).map((finding): NewFinding => {
        const feature = finding.feature === null ? null : features[finding.feature]!;
        return {
          ...{ area: finding.area, rule: finding.rule, feature, instrumentId: finding.instrumentId },
          ...{ instrumentCount: finding.instrumentCount, sampleCount: finding.sampleCount },
          ...{ statistic: finding.statistic, threshold: finding.threshold, alarm: finding.alarm },
          ...{ alarmsPerYearExpected: finding.alarmsPerYear, effect: finding.effect, reason: finding.reason },
          sentence: findingSentence(finding, feature, champion.manifest.unit),
        };
      });
      const alarms = findings.filter(({ alarm }) => alarm);
      const { tenantId } = principal;
      const labels = { tenant: String(tenantId), model };
      lastAlarms.set(`${tenantId} ${model}`, { value: alarms.length, tenantId, labels });
      return database.transaction(principal, async (tx) => {
        const checkId = await insertCheck(
          tx,
          {
            ...{ modelId: champion.modelId, version: champion.version, asOf, knownAt: time.knownAt },
            ...{ recordedAt: time.recordedAt, dataSha256, configSha256: hashOf(SETTINGS), codeVersion },
            alarmsPerYear: SETTINGS.alarmsPerYear,
          },
          findings,
        );
        await tell(tx, champion, alarms, checkId);
        await appendEvidence(tx, {
          ...{ kind: 'drift.checked', subjectKind: 'drift_check', subjectId: checkId },
          body: {
            ...{ modelId: champion.modelId, version: champion.version, asOf, dataSha256 },
            ...{ findingCount: findings.length, alarmCount: alarms.length },
          },
        });
        return { checkId, findingCount: findings.length, alarmCount: alarms.length };
      });
    },

    /** The last check, or the one asked for, and those before it. @throws NOT_FOUND */
    read: (
      principal: Principal,
      model: string,
      query: { before: number | undefined; limit: number; checkId: number | undefined; alarmsOnly: boolean },
    ): Promise<{
      checks: DriftCheck[];
      check: DriftCheck | null;
      findings: DriftFinding[];
      budget: { alarmsPerYear: number; featureCount: number; sentence: string };
    }> =>
      database.transaction(
        principal,
        async (tx) => {
          const { id } = found(await findModel(tx, model), `There is no model ${model}.`);
          const of = { id, name: model };
          const checks = await listChecks(tx, of, query);
          const [shown] = await listChecks(tx, of, { limit: 1, only: query.checkId });
          if (query.checkId !== undefined) found(shown, `There is no check ${query.checkId} of ${model}.`);
          const findings = shown === undefined ? [] : await listFindings(tx, shown, query.alarmsOnly);
          const count = new Set(findings.flatMap(({ feature }) => feature ?? [])).size;
          const alarmsPerYear = shown?.alarmsPerYear ?? SETTINGS.alarmsPerYear;
          const each = Math.round((1000 * alarmsPerYear) / (count + 2)) / 1000;
          return {
            checks: checks.map(toCheck),
            check: shown === undefined ? null : toCheck(shown),
            findings,
            budget: {
              ...{ alarmsPerYear, featureCount: count },
              sentence:
                shown === undefined
                  ? 'The model was never checked.'
                  : `Each of ${count} features, the outputs and the expected loss may raise ${each} false alarms a year; expected counts add up, whatever they have to do with each other.`,
            },
          };
        },
        { readOnly: true },
      ),
  };
}

/** Null: these bytes are damaged. A replay says so of the prediction; here there is nothing to compare. */
function readInputs(content: Buffer): Float64Array | null {
  try {
    return decodeInputs(content);
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

function toCheck({ alarmsPerYear: _, ...check }: DriftCheck & { alarmsPerYear: number }): DriftCheck {
  return check;
}

/** Alarms first, those about the performance before all; then by what they do to the predictions. */
function ranked(findings: readonly RawFinding[]): RawFinding[] {
  const group = ({ alarm, area }: RawFinding) => (alarm ? (area === 'performance' ? 0 : 1) : 2);
  const size = ({ effect, area }: RawFinding) => (effect === null || area === 'performance' ? -1 : Math.abs(effect));
  const excess = ({ statistic, threshold }: RawFinding) =>
    statistic === null || threshold === null ? -1 : statistic / Math.max(threshold, 1e-12);
  return findings.toSorted((a, b) => group(a) - group(b) || size(b) - size(a) || excess(b) - excess(a));
}

/** One alert a model: raised again while there are alarms, resolved by the first check without. */
async function tell(
  tx: Transaction,
  { model, modelId, version }: ResolvedVersion,
  alarms: readonly NewFinding[],
  checkId: number,
): Promise<void> {
  const sameAs = `model.drift:model:${modelId}`;
  const [first] = alarms;
  if (first === undefined) return resolveAlert(tx, sameAs);
  const isBroken = alarms.some(({ area }) => area === 'pipeline' || area === 'performance');
  await raiseAlert(tx, {
    ...{ kind: 'model.drift', severity: isBroken ? 'critical' : 'warning', sameAs },
    title: `${model} v${version}: ${alarms.length === 1 ? 'drift' : `${alarms.length} drifts`}, ${first.area}`,
    detail: `${alarms
      .slice(0, 3)
      .map(({ sentence }) => sentence)
      .join(' ')} See check ${checkId} of the model; retrain, or roll back.`,
    ...{ subjectKind: 'model', subjectId: modelId },
  });
}

function lastDay(members: readonly MemberFeatures[]): string {
  const last = Math.max(...members.map(({ days }) => days.at(-1)!));
  return new Date(last * 86_400_000).toISOString().slice(0, 10);
}

function spread(ids: readonly number[], most: number): number[] {
  if (ids.length <= most) return [...ids];
  return Array.from({ length: most }, (_, k) => ids[Math.floor((k * ids.length) / most)]!);
}
