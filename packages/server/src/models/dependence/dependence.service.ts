import type { CovarianceEstimator, Dependence, Relations } from '@touchstone/contracts/dependence';
import type { Measured, Reason } from '@touchstone/contracts/market';
import { COVARIANCE_ESTIMATORS } from '@touchstone/quant/dependence/covariance';
import { dayText } from '@touchstone/quant/series/day';
import type { SeriesQuery, SeriesService, UniverseSeries } from '../../features/index.ts';
import type { Compute } from '../../platform/compute/compute.ts';
import type { Principal } from '../../platform/database/database.ts';
import { hashOf } from '../../platform/object-store/bundle.ts';
import { orNull } from '../market/reading.ts';
import { lastWindow, readLastSessions, returnsOf, type UniverseWindow } from '../market/universe-window.ts';
import {
  BREAK_WINDOW,
  type DependenceJob,
  type DependenceOutcome,
  MINIMUM_VARIANCE,
  type RelationsJob,
  type RelationsOutcome,
  type Returns,
} from './dependence.worker.ts';

export type DependenceService = ReturnType<typeof createDependenceService>;

const WORKER = new URL('./dependence.worker.ts', import.meta.url);
const SEED = 1;
const SESSIONS_A_YEAR = 252;
const SESSIONS_MIN = 60;
/** What is told within two seconds; larger universes are told why not. */
export const NAMES_MAX = { dependence: 500, relations: 120, estimators: 200 } as const;
/** Eight times held, after the first window. */
const HISTORY_SESSIONS = MINIMUM_VARIANCE.window + 8 * MINIMUM_VARIANCE.hold;

/** How the members of a universe hang together, as known then. */
export function createDependenceService(parts: { series: SeriesService; compute: Compute; codeVersion: string }) {
  const { compute, codeVersion } = parts;

  return {
    async dependence(
      principal: Principal,
      universeId: number,
      { sessions, estimator, ...query }: SeriesQuery & { sessions: number; estimator: CovarianceEstimator },
    ): Promise<Dependence> {
      const universe = await readLastSessions(
        parts.series,
        principal,
        universeId,
        query,
        Math.max(sessions, HISTORY_SESSIONS),
      );
      const window = lastWindow(universe.members, sessions);
      const reason = whyNot(window, NAMES_MAX.dependence);
      const head = headOf(universe, window, codeVersion, { sessions, estimator });
      const history = lastWindow(universe.members, HISTORY_SESSIONS);
      const notHeld = whyNotHeld(history);
      if (reason !== null) {
        const held = COVARIANCE_ESTIMATORS.map((each) => ({
          estimator: each,
          realisedVolatility: measuredOf(history, null, null, 0, reason),
        }));
        return {
          ...head,
          ...{ names: [], reason, estimator, correlations: [], signalCount: 0, clusters: [], tree: [] },
          ...{ treeSampleCount: 0, estimators: held },
        };
      }
      const job: DependenceJob = {
        ...{ window: toReturns(window), estimator, seed: SEED },
        history: notHeld === null ? toReturns(history) : null,
      };
      const outcome = await compute.run<DependenceOutcome>(WORKER, 'computeDependence', job);
      const { order, cluster, clusterCount } = outcome.clusters;
      const placeOf = new Map(Array.from(order, (column, place) => [column, place]));
      const count = window.whole.length;
      const at = (row: number, column: number) => order[row]! * count + order[column]!;
      const correlations = Array.from({ length: count * count }, (_, k) =>
        roundedCorrelation(outcome.correlations[at(Math.floor(k / count), k % count)]!),
      );
      const ledoitWolf = outcome.held.find((each) => each.estimator === 'ledoit_wolf')?.volatility?.value ?? null;
      return {
        ...head,
        names: Array.from(order, (column) => nameOf(window, column)),
        ...{ reason: null, estimator, correlations, signalCount: outcome.signalCount },
        clusters: Array.from({ length: clusterCount }, (_, number) => {
          const members = Array.from(order.keys()).filter((place) => cluster[order[place]!] === number);
          return { cluster: number, members, meanCorrelation: meanOfPairs(members, correlations, count) };
        }),
        tree: outcome.tree.map(({ a, b, ...edge }) => ({ a: placeOf.get(a)!, b: placeOf.get(b)!, ...edge })),
        treeSampleCount: outcome.treeSampleCount,
        estimators: COVARIANCE_ESTIMATORS.map((each) => {
          const held = outcome.held.find((one) => one.estimator === each)?.volatility ?? null;
          const why = notHeld ?? (held === null ? NO_INVERSE : null);
          return {
            estimator: each,
            realisedVolatility: measuredOf(history, held, ledoitWolf, outcome.heldCount, why),
          };
        }),
      };
    },

    async relations(
      principal: Principal,
      universeId: number,
      { sessions, ...query }: SeriesQuery & { sessions: number },
    ): Promise<Relations> {
      const universe = await readLastSessions(parts.series, principal, universeId, query, sessions);
      const window = lastWindow(universe.members, sessions);
      const reason = whyNot(window, NAMES_MAX.relations);
      const head = headOf(universe, window, codeVersion, { sessions });
      if (reason !== null) {
        const nothing = {
          direct: [],
          directSampleCount: 0,
          leads: [],
          leadTestCount: 0,
          breaks: [],
          breakTestCount: 0,
        };
        return { ...head, names: [], reason, ...nothing, sentence: reason.sentence };
      }
      const job: RelationsJob = { window: toReturns(window), seed: SEED };
      const outcome = await compute.run<RelationsOutcome>(WORKER, 'computeRelations', job);
      const { leadLag, breaks } = outcome;
      const symbolOf = (column: number) => window.whole[column]?.subject.symbol ?? String(column);
      return {
        ...head,
        ...{ names: window.whole.map((_, column) => nameOf(window, column)), reason: null },
        direct: outcome.direct,
        directSampleCount: outcome.directSampleCount ?? 0,
        leads: leadLag.leads.map(({ leader, follower, lag, correlation, adjustedP }) => ({
          ...{ leader, follower, lagSessions: lag, correlation, adjustedP },
        })),
        leadTestCount: leadLag.testCount,
        breaks: breaks.breaks.map(({ a, b, row, before, after, low, high, adjustedP }) => ({
          ...{ a, b, before, after, low, high, adjustedP },
          day: dayText(window.days[row + 1]!),
          sentence: `${symbolOf(a)} and ${symbolOf(b)} moved together at ${before.toFixed(2)}; over the last ${BREAK_WINDOW} sessions at ${after.toFixed(2)}.`,
        })),
        breakTestCount: breaks.testCount,
        sentence: sentenceOf(outcome),
      };
    },
  };
}

const NO_INVERSE: Reason = {
  code: 'not_defined',
  sentence: `Its covariance has no inverse: there are too many names for ${MINIMUM_VARIANCE.window} sessions.`,
};

function whyNot({ whole, days }: UniverseWindow, namesMax: number): Reason | null {
  const known = Math.max(0, days.length - 1);
  if (known < SESSIONS_MIN)
    return { code: 'too_little_history', sentence: `Needs ${SESSIONS_MIN} returns; ${known} are known by then.` };
  if (whole.length < 2) {
    const has = whole.length === 1 ? 'one member has' : 'no member has';
    return { code: 'not_defined', sentence: `Needs two members with whole histories; ${has} one in these sessions.` };
  }
  if (whole.length <= namesMax) return null;
  const sentence = `Told for at most ${namesMax} names; ${whole.length} have whole histories. Make a smaller universe.`;
  return { code: 'took_too_long', sentence };
}

function whyNotHeld({ whole, days }: UniverseWindow): Reason | null {
  const needed = MINIMUM_VARIANCE.window + MINIMUM_VARIANCE.hold;
  const known = Math.max(0, days.length - 1);
  if (known < needed)
    return { code: 'too_little_history', sentence: `Needs ${needed} returns; ${known} are known by then.` };
  if (whole.length < 2)
    return { code: 'gap_in_window', sentence: `Fewer than two members have whole histories over ${known} sessions.` };
  if (whole.length <= NAMES_MAX.estimators) return null;
  const sentence = `Told for at most ${NAMES_MAX.estimators} names; ${whole.length} have whole histories.`;
  return { code: 'took_too_long', sentence };
}

function headOf(universe: UniverseSeries, window: UniverseWindow, codeVersion: string, settings: object) {
  const { days } = window;
  return {
    ...{ universe: universe.universe, time: universe.time },
    lineage: { dataSha256: universe.dataSha256, codeVersion, configSha256: hashOf(settings), seed: SEED },
    sessions: Math.max(0, days.length - 1),
    firstDay: days.length < 2 ? null : dayText(days[1]!),
    lastDay: days.length < 2 ? null : dayText(days.at(-1)!),
    leftOut: window.leftOut.map(({ series, reason }) => ({
      instrumentId: series.subject.id,
      symbol: series.subject.symbol ?? '',
      reason,
    })),
  };
}

function toReturns({ close, whole, days }: UniverseWindow): Returns {
  return { values: returnsOf(close, whole.length), rowCount: days.length - 1, count: whole.length };
}

function nameOf({ whole, bridged }: UniverseWindow, column: number) {
  const { subject } = whole[column]!;
  return {
    ...{ instrumentId: subject.id, symbol: subject.symbol ?? '', name: subject.name },
    bridgedSessions: bridged[column]!,
  };
}

/** Four digits are more than a year of sessions tells, and a third of the bytes. */
function roundedCorrelation(value: number): number | null {
  return Number.isNaN(value) ? null : Math.round(1e4 * Math.max(-1, Math.min(1, value))) / 1e4;
}

function meanOfPairs(members: readonly number[], correlations: readonly (number | null)[], count: number) {
  const pairs = members.flatMap((a) => members.filter((b) => b > a).map((b) => correlations[a * count + b] ?? 0));
  return pairs.length === 0 ? null : orNull(pairs.reduce((sum, value) => sum + value, 0) / pairs.length);
}

function measuredOf(
  history: UniverseWindow,
  held: { value: number; low: number; high: number } | null,
  baseline: number | null,
  heldCount: number,
  reason: Reason | null,
): Measured {
  const annual = (value: number | undefined) =>
    value === undefined ? null : orNull(value * Math.sqrt(SESSIONS_A_YEAR));
  const first = history.days[MINIMUM_VARIANCE.window + 1];
  const isTold = held !== null && first !== undefined;
  return {
    ...{ value: annual(held?.value), low: annual(held?.low), high: annual(held?.high) },
    baseline: baseline === null ? null : annual(baseline),
    baselineName: 'Ledoit-Wolf',
    firstDay: isTold ? dayText(first) : null,
    lastDay: isTold ? dayText(history.days.at(-1)!) : null,
    sampleCount: isTold ? heldCount : 0,
    trialCount: COVARIANCE_ESTIMATORS.length,
    reason,
  };
}

function sentenceOf({ direct, directSampleCount, leadLag, breaks }: RelationsOutcome): string {
  const number = (count: number) => count.toLocaleString('en');
  const links =
    directSampleCount === null
      ? 'Direct links cannot be told: the estimate did not converge.'
      : direct.length === 0
        ? 'No direct link is stable.'
        : `${count(direct.length, 'direct link is', 'direct links are')} stable.`;
  const leads =
    leadLag.leads.length === 0
      ? `No lead or lag can be told from chance among ${number(leadLag.testCount)} tests.`
      : `${count(leadLag.leads.length, 'lead stands', 'leads stand')} out among ${number(leadLag.testCount)} tests.`;
  const broken =
    breaks.testCount === 0
      ? `Breaks are told from ${3 * BREAK_WINDOW} sessions on.`
      : breaks.breaks.length === 0
        ? `No relationship broke among ${number(breaks.testCount)} pairs.`
        : `${count(breaks.breaks.length, 'relationship', 'relationships')} broke among ${number(breaks.testCount)} pairs.`;
  return `${links} ${leads} ${broken}`;
}

function count(value: number, one: string, many: string): string {
  return value === 1 ? `One ${one}` : `${value.toLocaleString('en')} ${many}`;
}
