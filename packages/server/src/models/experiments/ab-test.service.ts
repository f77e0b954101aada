import type { AbTest, AbTestResult, Assignment, LossMetric } from '@touchstone/contracts/experiments';
import { lossMetric } from '@touchstone/contracts/experiments';
import type { ModelManifest } from '@touchstone/contracts/model-manifest';
import { type Arm, assignArm } from '@touchstone/quant/evaluation/experiments/assign-arm';
import { compareLosses } from '@touchstone/quant/evaluation/experiments/compare-losses';
import { longRunDeviationEstimate } from '@touchstone/quant/evaluation/experiments/confidence-sequence';
import { effectForSessions, sessionsForLoss, yearsForSharpe } from '@touchstone/quant/evaluation/experiments/power';
import { createRandom } from '@touchstone/quant/random/random';
import { dayNumber } from '@touchstone/quant/series/day';
import type { Database, Principal, Transaction } from '../../platform/database/database.ts';
import { appendEvidence } from '../../platform/evidence/evidence.ts';
import { found, ProblemError } from '../../platform/problem-error.ts';
import { findModel, lockModel } from '../registry/model.repository.ts';
import type { Registry } from '../registry/registry.types.ts';
import { insertEnd, insertTest, listPairs, listTests, type StoredTest } from './ab-test.repository.ts';
import { metricsOf } from './answerable.ts';
import { controlDays, type PairedDays, pairedDays } from './paired-days.ts';

export type AbTestService = ReturnType<typeof createAbTestService>;

export type NewAbTest = {
  controlVersion: number;
  treatmentVersion: number;
  metric: LossMetric | 'sharpe' | 'return';
  effect: number;
  assignment: Assignment;
  blockDays: number;
  maximumDays: number;
  level: number;
  power: number;
  longRunDeviation?: number | undefined;
};

export type AssignedArm = { testId: number; arm: Arm; version: number; otherVersion: number };

/** Evidence of A/B tests is about this kind. */
export const AB_TEST_SUBJECT = 'ab_test';
const SEED = 1;
const HISTORY_DAYS_MIN = 40;
const HISTORY_HORIZONS = 8;
const INTERVAL_LEVEL = 0.9;
/** Correlations of two versions of one strategy that are told with the years a Sharpe ratio needs. */
const CORRELATIONS = [0.8, 0.9, 0.95, 0.98] as const;
const SHARPE_ORDINARY = 0.5;

export function createAbTestService(parts: { database: Database; registry: Pick<Registry, 'findVersion'> }) {
  const { database, registry } = parts;
  /** The test that runs of each model, by tenant; forgotten when one begins or ends in any process. */
  const running = new Map<string, Promise<StoredTest | null>>();
  const forget = ({ subjectKind }: { subjectKind: string }) => {
    if (subjectKind === AB_TEST_SUBJECT) running.clear();
  };
  database.onCommit({
    async after(changes) {
      changes.forEach(forget);
    },
  });
  database.elsewhere.listen({ onChange: forget, onGap: () => running.clear() });

  async function manifestsOf(tx: Transaction, model: string, test: NewAbTest): Promise<[ModelManifest, ModelManifest]> {
    if (test.controlVersion === test.treatmentVersion)
      throw new ProblemError('INVALID_REQUEST', 'Control and treatment must be two versions.');
    const manifests: ModelManifest[] = [];
    for (const number of [test.controlVersion, test.treatmentVersion]) {
      const version = found(
        await registry.findVersion(tx, model, number),
        `There is no version ${number} of ${model}.`,
      );
      if (version.archived) throw new ProblemError('NOT_POSSIBLE_NOW', `Version ${number} of ${model} is archived.`);
      manifests.push(version.manifest);
    }
    const [control, treatment] = [manifests[0]!, manifests[1]!];
    if (control.target !== treatment.target || control.horizonDays !== treatment.horizonDays)
      throw new ProblemError(
        'NOT_POSSIBLE_NOW',
        `Version ${test.controlVersion} forecasts ${control.target} over ${control.horizonDays} days, version ${test.treatmentVersion} ${treatment.target} over ${treatment.horizonDays}: their losses are of different things.`,
      );
    return [control, treatment];
  }

  async function noiseOf(
    tx: Transaction,
    of: { modelId: number; control: number; treatment: number },
    test: NewAbTest & { metric: LossMetric },
    horizon: number,
  ): Promise<AbTest['noise']> {
    if (test.longRunDeviation !== undefined)
      return { longRunDeviation: test.longRunDeviation, basis: 'given', dayCount: 0 };
    const pairs = await listPairs(tx, of);
    const needed = Math.max(HISTORY_DAYS_MIN, HISTORY_HORIZONS * horizon);
    for (const [basis, told] of [
      ['paired_history', pairedDays(pairs, test.metric, INTERVAL_LEVEL)],
      ['control_history', controlDays(pairs, test.metric, INTERVAL_LEVEL)],
    ] as const) {
      if (told.days.length < needed) continue;
      const longRunDeviation = longRunDeviationEstimate(differences(told), horizon);
      if (longRunDeviation > 0) return { longRunDeviation, basis, dayCount: told.days.length };
    }
    throw new ProblemError(
      'NOT_ENOUGH_HISTORY',
      `How noisy the difference is can be measured from ${needed} days with an outcome; there are fewer. Say longRunDeviation, or let both versions answer for a while.`,
    );
  }

  function checkMetric(test: NewAbTest, target: ModelManifest['target']): LossMetric {
    const metrics = metricsOf(target);
    if (test.metric === 'sharpe' || test.metric === 'return') throw hopeless(test, metrics[0]!);
    if (!metrics.includes(test.metric))
      throw new ProblemError(
        'INVALID_REQUEST',
        `${test.metric} is no loss of ${target ?? 'this model'}; ask for ${metrics.join(', ')}.`,
      );
    return lossMetric.parse(test.metric);
  }

  async function getIn(tx: Transaction, testId: number): Promise<StoredTest> {
    const [test] = await listTests(tx, { id: testId, limit: 1 });
    return found(test, `There is no A/B test ${testId}.`);
  }

  return {
    /**
     * Begins a test. From now on what either version says counts, nothing before.
     *
     * @throws NOT_FOUND, ALREADY_EXISTS while one of the model runs, NOT_ENOUGH_HISTORY, UNDERPOWERED with the numbers,
     *   NOT_POSSIBLE_NOW, INVALID_REQUEST.
     */
    create: (principal: Principal, model: string, test: NewAbTest): Promise<AbTest> =>
      database.transaction(principal, async (tx) => {
        const locked = await lockModel(tx, model);
        const { id: modelId } = found(locked?.deletedAt === null ? locked : null, `There is no model ${model}.`);
        const [control] = await manifestsOf(tx, model, test);
        const metric = checkMetric(test, control.target);
        const [before] = await listTests(tx, { modelId, running: true, limit: 1 });
        if (before !== undefined)
          throw new ProblemError('ALREADY_EXISTS', `A/B test ${before.told.id} of ${model} still runs; stop it first.`);
        const horizon = Math.max(1, control.horizonDays);
        const of = { modelId, control: test.controlVersion, treatment: test.treatmentVersion };
        const noise = await noiseOf(tx, of, { ...test, metric }, horizon);
        const settings = { isSequential: true, horizon, level: test.level, power: test.power };
        const neededDays = sessionsForLoss(test.effect, noise.longRunDeviation, settings);
        if (neededDays === null || neededDays > test.maximumDays) {
          const findable = effectForSessions(test.maximumDays, noise.longRunDeviation, settings);
          throw new ProblemError('UNDERPOWERED', underpowered(test, neededDays, findable, noise));
        }
        const id = await insertTest(tx, { ...test, modelId, metric, horizonDays: horizon, neededDays, noise });
        const { told } = await getIn(tx, id);
        await appendEvidence(tx, {
          ...{ kind: 'ab_test.started', subjectKind: AB_TEST_SUBJECT, subjectId: id },
          body: {
            ...{ modelId, controlVersion: told.controlVersion, treatmentVersion: told.treatmentVersion, metric },
            ...{ effect: told.effect, assignment: told.assignment, level: told.level, power: told.power, neededDays },
          },
        });
        return told;
      }),

    /** Newest first, below the given number. @throws NOT_FOUND */
    list: (
      principal: Principal,
      model: string,
      page: { before: number | undefined; limit: number },
    ): Promise<AbTest[]> =>
      database.transaction(
        principal,
        async (tx) => {
          const { id } = found(await findModel(tx, model), `There is no model ${model}.`);
          return (await listTests(tx, { modelId: id, ...page })).map(({ told }) => told);
        },
        { readOnly: true },
      ),

    /** The test and what may be said of it now. @throws NOT_FOUND */
    read: (principal: Principal, testId: number): Promise<{ test: AbTest; result: AbTestResult }> =>
      database.transaction(
        principal,
        async (tx) => {
          const test = await getIn(tx, testId);
          const { told, modelId } = test;
          const of = { modelId, control: told.controlVersion, treatment: told.treatmentVersion };
          const pairs = await listPairs(tx, of, { from: test.startedAt, to: test.endedAt });
          const paired = pairedDays(pairs, told.metric, INTERVAL_LEVEL);
          const answered = pairs.filter(({ control, treatment }) => control !== null && treatment !== null);
          const byTreatment = answered.filter(
            ({ subject, eventDay }) => armOf(told, subject, eventDay) === 'treatment',
          ).length;
          const share = answered.length === 0 ? null : byTreatment / answered.length;
          return { test: told, result: resultOf(test, paired, share) };
        },
        { readOnly: true },
      ),

    /** Which version answers for a subject on a day. @throws NOT_FOUND */
    arm: (principal: Principal, testId: number, subject: { kind: string; id: number }, day: string) =>
      database.transaction(
        principal,
        async (tx) => {
          const { told } = await getIn(tx, testId);
          const arm = armOf(told, `${subject.kind}/${subject.id}`, day);
          return { arm, version: arm === 'control' ? told.controlVersion : told.treatmentVersion };
        },
        { readOnly: true },
      ),

    /**
     * Which version answers while a test of the model runs; null: none does. Answered from memory.
     *
     * @param day The session that is asked about, not that of the clock.
     */
    async assign(
      principal: Principal,
      model: string,
      subject: { kind: string; id: number },
      day: string,
    ): Promise<AssignedArm | null> {
      const test = await findRunning(principal, model);
      if (test === null) return null;
      const { id, controlVersion, treatmentVersion } = test.told;
      const arm = armOf(test.told, `${subject.kind}/${subject.id}`, day);
      const [version, otherVersion] =
        arm === 'control' ? [controlVersion, treatmentVersion] : [treatmentVersion, controlVersion];
      return { testId: id, arm, version, otherVersion };
    },

    /** @throws NOT_FOUND, NOT_POSSIBLE_NOW when it was stopped before. */
    stop: (principal: Principal, testId: number, reason: string): Promise<AbTest> =>
      database.transaction(principal, async (tx) => {
        const { modelId } = await getIn(tx, testId);
        if (!(await insertEnd(tx, testId, reason)))
          throw new ProblemError('NOT_POSSIBLE_NOW', `A/B test ${testId} was stopped before.`);
        const { told } = await getIn(tx, testId);
        await appendEvidence(tx, {
          ...{ kind: 'ab_test.stopped', subjectKind: AB_TEST_SUBJECT, subjectId: testId },
          body: { modelId, reason },
        });
        return told;
      }),
  };

  function findRunning(principal: Principal, model: string): Promise<StoredTest | null> {
    const read = () =>
      database.transaction(
        principal,
        async (tx) => {
          const known = await findModel(tx, model);
          if (known === undefined) return null;
          const [test] = await listTests(tx, { modelId: known.id, running: true, limit: 1 });
          return test ?? null;
        },
        { readOnly: true },
      );
    // What others begin could be missed: nothing is kept.
    if (!database.elsewhere.isHeard()) return read();
    const key = `${principal.tenantId} ${model}`;
    const known = running.get(key);
    if (known !== undefined) return known;
    const made = read();
    running.set(key, made);
    made.catch(() => running.delete(key));
    return made;
  }
}

function armOf({ id, assignment, blockDays }: AbTest, subject: string, day: string): Arm {
  return assignArm(assignment, `ab_test/${id}`, subject, weekdays(day), blockDays);
}

/** Mondays to Fridays since 1970: a count of sessions that needs no calendar, and is the same for every market. */
function weekdays(day: string): number {
  // 1970-01-01 was a Thursday.
  const sinceMonday = dayNumber(day) + 3;
  return Math.floor(sinceMonday / 7) * 5 + Math.min(4, sinceMonday % 7);
}

function differences({ control, treatment }: PairedDays): Float64Array {
  return treatment.map((loss, t) => loss - control[t]!);
}

function hopeless({ metric, effect }: NewAbTest, better: LossMetric): ProblemError {
  const years = CORRELATIONS.map((correlation) => {
    const needed = yearsForSharpe(SHARPE_ORDINARY + effect, SHARPE_ORDINARY, correlation);
    return `${needed.toFixed(0)} at a correlation of ${correlation}`;
  });
  return new ProblemError(
    'UNDERPOWERED',
    `A ${metric === 'sharpe' ? 'Sharpe ratio' : 'return'} is mostly luck: telling a Sharpe ratio of ${(SHARPE_ORDINARY + effect).toFixed(2)} from ${SHARPE_ORDINARY} takes so many years: ${years.join(', ')}. Ask for ${better} instead: it has an answer every session.`,
  );
}

function underpowered(
  { effect, maximumDays, power }: NewAbTest,
  needed: number | null,
  findable: number,
  noise: AbTest['noise'],
): string {
  const takes = needed === null ? 'more than four centuries' : `${needed.toLocaleString('en-US')} sessions`;
  return `An effect of ${effect} takes ${takes} to find with a power of ${power}; the test may last ${maximumDays}. Within these it finds ${findable.toPrecision(3)} or more, at a long-run deviation of ${noise.longRunDeviation.toPrecision(3)}. Ask for a larger effect, or for more sessions.`;
}

const TOO_EARLY = { low: null, high: null } as const;

function resultOf(
  { told, horizonDays }: StoredTest,
  { days, control, treatment, pairCount, unpairedCount }: PairedDays,
  servedTreatmentShare: number | null,
): AbTestResult {
  const compared = compareLosses(control, treatment, {
    ...{ level: told.level, horizon: horizonDays, tightestAt: told.neededDays, effect: told.effect },
    random: createRandom(SEED).split(told.id),
  });
  const { sequence, decidedAt, decision } = compared;
  const last = days.length - 1;
  const [low, high] = [finite(sequence.low[last] ?? Number.NaN), finite(sequence.high[last] ?? Number.NaN)];
  const firstDay = decidedAt < 0 ? null : days[decidedAt]!;
  const difference = finite(compared.difference);
  const hac = compared.hac;
  const shared = {
    ...{ dayCount: days.length, pairCount, unpairedCount, servedTreatmentShare, decision },
    ...{ controlLoss: meanOf(control), treatmentLoss: meanOf(treatment), difference },
    standardError: finite(compared.standardError),
    hac: { low: finite(hac.low), high: finite(hac.high), pValue: finite(hac.pValue) },
    bootstrap: { low: finite(compared.bootstrap.low), high: finite(compared.bootstrap.high) },
    path: {
      days,
      mean: Array.from(sequence.mean, finite),
      low: Array.from(sequence.low, finite),
      high: Array.from(sequence.high, finite),
    },
  };
  if (decision === 'too_early' || low === null || high === null) {
    const sentence = `${days.length} sessions have outcomes of both versions: too few for bounds. About ${told.neededDays} are needed.`;
    return {
      ...{ ...shared, sequential: { ...TOO_EARLY, firstDay: null }, sentence },
      reason: { code: 'not_known_yet', sentence },
    };
  }
  return {
    ...{ ...shared, sequential: { low, high, firstDay }, reason: null },
    sentence: sentenceOf(told, days.length, { difference: difference ?? 0, low, high, firstDay, decision }),
  };
}

function sentenceOf(
  { controlVersion, treatmentVersion, neededDays, maximumDays, effect }: AbTest,
  dayCount: number,
  told: { difference: number; low: number; high: number; firstDay: string | null; decision: AbTestResult['decision'] },
): string {
  const { difference, low, high, firstDay, decision } = told;
  const figures = `After ${dayCount} of about ${neededDays} sessions the loss of version ${treatmentVersion} minus that of version ${controlVersion} is ${signed(difference)} [${signed(low)}, ${signed(high)}]`;
  if (decision === 'treatment')
    return `${figures}: version ${treatmentVersion} is better, since ${firstDay}. It may be stopped.`;
  if (decision === 'control')
    return `${figures}: version ${controlVersion} is better, since ${firstDay}. It may be stopped.`;
  if (decision === 'no_effect_of_that_size')
    return `${figures}: version ${treatmentVersion} is not better by ${effect}. It may be stopped.`;
  const over = dayCount >= maximumDays ? ' Its time is over: nothing can be told from it.' : '';
  return `${figures}: undecided. Looking every day is allowed.${over}`;
}

function signed(value: number): string {
  return `${value > 0 ? '+' : ''}${value.toPrecision(2)}`;
}

function meanOf(values: Float64Array): number | null {
  return values.length === 0 ? null : values.reduce((a, b) => a + b, 0) / values.length;
}

function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
