import type { FactorSet, Factors } from '@touchstone/contracts/factors';
import type { Measured, Reason } from '@touchstone/contracts/market';
import { capsAsKnown } from '@touchstone/quant/backtest/caps-as-known';
import { LOOK_BACK, simpleReturns } from '@touchstone/quant/factors/style-factors';
import { dayNumber, dayText } from '@touchstone/quant/series/day';
import type { Series, SeriesQuery, SeriesService, Subject } from '../../features/index.ts';
import { findMacroSeries, loadCaps, type ReadTime } from '../../market-data/index.ts';
import type { Compute } from '../../platform/compute/compute.ts';
import type { Database, Principal, Transaction } from '../../platform/database/database.ts';
import { ProblemError } from '../../platform/problem-error.ts';
import { orNull, readingOf, tooLittle } from '../market/reading.ts';
import { closesOn, lastWindow, readLastSessions, returnsOf, sessionDays } from '../market/universe-window.ts';
import type { FactorSource, FactorsJob, FactorsOutcome } from './factors.worker.ts';
import { changesOf, monthEnds, type ValueAt } from './macro-changes.ts';

export type FactorsService = ReturnType<typeof createFactorsService>;

export type FactorsQuery = SeriesQuery & {
  set: FactorSet;
  universeId?: number | undefined;
  proxies?: string | undefined;
  series?: string | undefined;
  exclude?: string | undefined;
  sessions: number;
};

/** What later stages know of a subject. */
export type FactorsDownstream = {
  /** The universe of an index, or the first that holds an instrument; null: none does. */
  universeOf: (tx: Transaction, subject: Subject, universeId: number | undefined) => Promise<{ id: number } | null>;
  /** What an index held last, as known then. */
  holdingsOf: (
    principal: Principal,
    indexId: number,
    time: ReadTime,
  ) => Promise<readonly { instrumentId: number; symbol: string; weight: number }[]>;
};

const WORKER = new URL('./factors.worker.ts', import.meta.url);
const SEED = 1;
const SESSIONS_A_YEAR = 252;
const MONTHS_A_YEAR = 12;
const NAMES_MAX = 500;
const CHOSEN_MAX = 10;
const RISK_SESSIONS = 252;

/** Everything a regression needs, made from one set of factors. */
type Prepared = {
  returns: Float64Array;
  source: FactorSource;
  /** Day of each return. */
  days: Int32Array;
  stepsAYear: number;
  universe: { id: number; name: string } | null;
  /** Hashes of what else was read. */
  inputs: string[];
  about: (name: string) => string;
};

/** What returns are made of, as known then. */
export function createFactorsService(
  parts: { database: Database; series: SeriesService; compute: Compute; codeVersion: string } & FactorsDownstream,
) {
  const { database, compute, codeVersion } = parts;

  return {
    async factors(principal: Principal, subject: Subject, asked: FactorsQuery): Promise<Factors> {
      const { set, universeId, proxies, series: codes, exclude, sessions, ...query } = asked;
      const looked = await parts.series.read(principal, subject, query);
      const { time } = looked;
      const pinned = { asOf: time.asOf, knownAt: time.knownAt, recordedAt: time.recordedAt };
      const settings = { set, universeId, proxies, series: codes, exclude, sessions };
      const makingOf = (inputs: readonly string[]) => ({ codeVersion, settings: { ...settings, inputs }, seed: SEED });
      const prepared = tooLittle(looked, 2) ?? (await prepare(principal, looked, pinned, asked, time));
      if ('sentence' in prepared) return nothing(looked, makingOf([]), set, null, prepared);
      const held = await readHoldings(principal, subject, pinned, time);
      const job: FactorsJob = {
        ...{ returns: prepared.returns, source: prepared.source, exclude: listOf(exclude), seed: SEED },
        holdings: held?.job ?? null,
      };
      const outcome = await compute.run<FactorsOutcome>(WORKER, 'computeFactors', job);
      const making = makingOf([...prepared.inputs, ...(held === null ? [] : [held.dataSha256])]);
      return {
        ...answerOf(looked, making, set, prepared, outcome),
        holdings: held === null ? [] : held.told(outcome.holdings),
      };
    },
  };

  async function prepare(
    principal: Principal,
    looked: Series,
    pinned: SeriesQuery,
    asked: FactorsQuery,
    time: ReadTime,
  ): Promise<Prepared | Reason> {
    if (asked.set === 'proxies') return prepareProxies(principal, looked, pinned, asked);
    if (asked.set === 'macro') return prepareMacro(principal, looked, asked, time);
    const subject = looked.subject;
    const universe = await database.transaction(principal, (tx) => parts.universeOf(tx, subject, asked.universeId));
    if (universe === null)
      return { code: 'not_defined', sentence: 'No universe holds it. Name one that the factors are made from.' };
    const history = asked.sessions + (asked.set === 'style' ? LOOK_BACK + 1 : 0);
    const read = await readLastSessions(parts.series, principal, universe.id, pinned, history);
    // Nothing is explained by itself.
    const members = read.members.filter((each) => subject.kind !== 'instrument' || each.subject.id !== subject.id);
    if (members.length > NAMES_MAX)
      return { code: 'took_too_long', sentence: `Told for at most ${NAMES_MAX} names; ${members.length} have bars.` };
    const shared = { universe: read.universe, inputs: [read.dataSha256], stepsAYear: SESSIONS_A_YEAR };
    if (asked.set === 'statistical') {
      const { days, whole, close } = lastWindow(members, asked.sessions);
      if (whole.length < 3)
        return { code: 'not_defined', sentence: `Needs three other names with whole histories; ${whole.length} have.` };
      const count = whole.length;
      return {
        ...{ ...shared, ...returnsOn(looked, days) },
        source: { kind: 'statistical', returns: returnsOf(close, count), count },
        about: (name) => `Portfolio along eigenvector ${name.split(' ')[1]} of the correlations of ${count} names.`,
      };
    }
    const days = sessionDays(members).slice(-(history + 1));
    const close = closesOn(days, members);
    const cap = await readCaps(principal, members, days, close, time);
    return {
      ...{ ...shared, ...returnsOn(looked, days.slice(-(asked.sessions + 1))) },
      source: { kind: 'style', close, cap, count: members.length },
      about: (name) => aboutStyle(name, cap !== null),
    };
  }

  async function prepareProxies(
    principal: Principal,
    looked: Series,
    pinned: SeriesQuery,
    { proxies, sessions }: FactorsQuery,
  ): Promise<Prepared | Reason> {
    const ids = listOf(proxies).map(Number);
    if (ids.length === 0) return { code: 'not_defined', sentence: 'Name the instruments that stand for factors.' };
    if (ids.length > CHOSEN_MAX || ids.some((id) => !Number.isInteger(id) || id < 1))
      throw new ProblemError('INVALID_REQUEST', `proxies must be 1 to ${CHOSEN_MAX} instrument numbers with commas.`);
    const { series, dataSha256 } = await parts.series.readMany(principal, [...new Set(ids)], pinned);
    const days = looked.bars.day.slice(-(sessions + 1));
    const names = series.map(({ subject }) => subject.symbol ?? String(subject.id));
    const returns = simpleReturns(closesOn(days, series), series.length).slice(series.length);
    return {
      ...{ ...returnsOn(looked, days), universe: null, inputs: [dataSha256], stepsAYear: SESSIONS_A_YEAR },
      source: { kind: 'ready', names, series: returns },
      about: (name) => `Returns of ${name}.`,
    };
  }

  async function prepareMacro(
    principal: Principal,
    looked: Series,
    { series: asked, sessions }: FactorsQuery,
    time: ReadTime,
  ): Promise<Prepared | Reason> {
    const names = [...new Set(listOf(asked))];
    if (names.length === 0) return { code: 'not_defined', sentence: 'Name the macro series by their codes.' };
    if (names.length > CHOSEN_MAX)
      throw new ProblemError('INVALID_REQUEST', `series must be at most ${CHOSEN_MAX} codes with commas.`);
    const told = await database.transaction(
      principal,
      async (tx) => {
        const all: ValueAt[][] = [];
        for (const name of names)
          all.push(
            (await findMacroSeries(tx, name, time)).flatMap(({ day, value }) =>
              value === null ? [] : [{ day: dayNumber(day), value }],
            ),
          );
        return all;
      },
      { readOnly: true, isolation: 'repeatable read' },
    );
    const unknown = names.filter((_, k) => told[k]!.length === 0);
    if (unknown.length > 0) return { code: 'all_missing', sentence: `Nothing is known of ${unknown.join(', ')}.` };
    const { day, close } = looked.bars;
    const ends = monthEnds(day).slice(-(Math.ceil(sessions / 21) + 1));
    const columns = told.map((values) =>
      changesOf(
        values,
        Array.from(ends, (at) => day[at]!),
      ),
    );
    const closes = Float64Array.from(ends, (at) => close[at]!);
    return {
      returns: simpleReturns(closes, 1).slice(1),
      days: Int32Array.from(ends.slice(1), (at) => day[at]!),
      ...{ universe: null, inputs: [], stepsAYear: MONTHS_A_YEAR },
      source: {
        kind: 'ready',
        names,
        series: Float64Array.from({ length: Math.max(0, ends.length - 1) * names.length }, (_, k) => {
          return columns[k % names.length]![Math.floor(k / names.length)]!;
        }),
      },
      about: (name) => `Change of ${name} from month to month, in its standard deviations.`,
    };
  }

  /** Capitalisations as known each day; null when fewer than half of the names have one on the last. */
  async function readCaps(
    principal: Principal,
    members: readonly Series[],
    days: Int32Array,
    close: Float64Array,
    time: ReadTime,
  ): Promise<Float64Array | null> {
    const ids = members.map(({ subject }) => subject.id);
    if (ids.length === 0 || days.length === 0) return null;
    const caps = await database.transaction(principal, (tx) => loadCaps(tx, ids, time), {
      readOnly: true,
      isolation: 'repeatable read',
    });
    const column = new Map(ids.map((id, at) => [id, at]));
    const { cap } = capsAsKnown(days, close, ids.length, 'total_return', {
      day: caps.day,
      column: caps.instrument.map((id) => column.get(id) ?? 0),
      cap: caps.value,
      origin: 'reported',
    });
    const known = cap.subarray(cap.length - ids.length).filter((value) => value > 0).length;
    return 2 * known >= ids.length ? cap : null;
  }

  async function readHoldings(principal: Principal, subject: Subject, pinned: SeriesQuery, time: ReadTime) {
    if (subject.kind !== 'index') return null;
    const items = await parts.holdingsOf(principal, subject.id, time);
    if (items.length === 0) return null;
    const from = dayText(dayNumber(time.asOf) - 2 * RISK_SESSIONS);
    const ids = items.map(({ instrumentId }) => instrumentId);
    const { series, dataSha256 } = await parts.series.readMany(principal, ids, { ...pinned, from });
    const { days, whole, close } = lastWindow(series, RISK_SESSIONS);
    const weightOf = new Map(items.map(({ instrumentId, weight }) => [instrumentId, weight]));
    const rowCount = days.length - 1;
    const job =
      whole.length === 0 || rowCount < 60
        ? null
        : {
            ...{ returns: returnsOf(close, whole.length), rowCount },
            weights: Float64Array.from(whole, ({ subject: { id } }) => weightOf.get(id)!),
          };
    const placeOf = new Map(whole.map((each, at) => [each.subject.id, at]));
    return {
      ...{ job, dataSha256 },
      told: (risk: FactorsOutcome['holdings']): Factors['holdings'] =>
        items.map(({ instrumentId, symbol, weight }) => {
          const at = placeOf.get(instrumentId);
          const isTold = risk !== null && at !== undefined;
          return {
            ...{ instrumentId, symbol, weight },
            marginalRisk: isTold ? orNull(risk.marginal[at]! * Math.sqrt(SESSIONS_A_YEAR)) : null,
            riskShare: isTold ? orNull(risk.share[at]!) : null,
          };
        }),
    };
  }
}

function listOf(text: string | undefined): string[] {
  return (text ?? '')
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '');
}

/** Returns of a series from one of the days to the next, NaN where a close is missing. */
function returnsOn(looked: Series, days: Int32Array): { returns: Float64Array; days: Int32Array } {
  return { returns: simpleReturns(closesOn(days, [looked]), 1).slice(1), days: days.slice(1) };
}

const STYLES: Record<string, string> = {
  market: 'All names of the universe',
  size: 'The smallest third by capitalisation minus the largest.',
  momentum: 'Winners minus losers of the last 252 sessions without the last 21.',
  'low volatility': 'The third that varied least over 252 sessions minus the third that varied most.',
};

function aboutStyle(name: string, hasCaps: boolean): string {
  if (name === 'market') return `${STYLES.market}, ${hasCaps ? 'by capitalisation as known' : 'weighted alike'}.`;
  if (name === 'size' && !hasCaps) return `${STYLES.size} Too few capitalisations are known.`;
  return STYLES[name] ?? name;
}

type Making = Parameters<typeof readingOf>[1];

function nothing(
  looked: Series,
  making: Making,
  set: FactorSet,
  universe: Prepared['universe'],
  reason: Reason,
): Factors {
  return {
    ...readingOf(looked, making),
    ...{ set, universe, sessions: 0, windowFirstDay: null, windowLastDay: null, excluded: [], factors: [] },
    residual: { varianceShare: null, returnPart: null },
    total: { volatilityAnnual: null, meanReturnAnnual: null, varianceMismatch: null, returnMismatch: null },
    alpha: measuredOf('zero', 0, null, reason),
    fit: measuredOf('the mean', 0, null, reason),
    ...{ holdings: [], sentence: reason.sentence, reason },
  };
}

function answerOf(
  looked: Series,
  making: Making,
  set: FactorSet,
  { days, stepsAYear, universe, about }: Prepared,
  { names, excluded, makeUp, why, rows, fit }: FactorsOutcome,
): Factors {
  const window = {
    sessions: rows?.count ?? 0,
    windowFirstDay: rows === null ? null : dayText(days[rows.first]!),
    windowLastDay: rows === null ? null : dayText(days[rows.last]!),
  };
  const unknown = { exposure: null, low: null, high: null, pValue: null, varianceShare: null, returnPart: null };
  if (makeUp.status !== 'ok') {
    const reason: Reason = { code: why ?? 'not_defined', sentence: sentenceOfReason(makeUp.reason) };
    const factors = names.map(({ name }) => ({ factor: name, about: about(name), ...unknown }));
    return { ...nothing(looked, making, set, universe, reason), ...window, excluded, factors };
  }
  const known = names.filter(({ isKnown }) => isKnown).map(({ name }) => name);
  const factors = names.map(({ name }) => {
    const part = makeUp.factors[known.indexOf(name)];
    if (part === undefined) return { factor: name, about: about(name), ...unknown };
    return {
      ...{ factor: name, about: about(name), exposure: orNull(part.exposure) },
      ...{ low: orNull(part.low), high: orNull(part.high), pValue: orNull(part.pValue) },
      ...{ varianceShare: orNull(part.varianceShare), returnPart: orNull(part.returnPart * stepsAYear) },
    };
  });
  const { alpha } = makeUp;
  const alphaDays = { first: days[rows?.first ?? 0]!, last: days[rows?.last ?? 0]!, count: makeUp.rowCount };
  const annual = (value: number) => value * stepsAYear;
  return {
    ...readingOf(looked, making),
    ...{ set, universe, ...window, excluded, factors },
    residual: {
      varianceShare: orNull(makeUp.residualVarianceShare),
      returnPart: orNull(annual(makeUp.residualReturnPart)),
    },
    total: {
      volatilityAnnual: orNull(Math.sqrt(annual(makeUp.variance))),
      meanReturnAnnual: orNull(annual(makeUp.mean)),
      varianceMismatch: orNull(makeUp.varianceMismatch),
      returnMismatch: orNull(annual(makeUp.returnMismatch)),
    },
    alpha: measuredOf(
      'zero',
      0,
      { ...alphaDays, value: annual(alpha.value), low: annual(alpha.low), high: annual(alpha.high) },
      null,
    ),
    fit:
      fit.status === 'ok'
        ? measuredOf(
            'the mean',
            0,
            { ...fit, first: days[fit.firstRow]!, last: days[fit.lastRow]!, count: fit.sampleCount },
            null,
          )
        : measuredOf('the mean', 0, null, { code: 'too_little_history', sentence: sentenceOfReason(fit.reason) }),
    holdings: [],
    sentence: sentenceOf(factors, makeUp.residualVarianceShare),
    reason: null,
  };
}

function measuredOf(
  baselineName: string,
  baseline: number,
  told: { value: number; low: number; high: number; first: number; last: number; count: number } | null,
  reason: Reason | null,
): Measured {
  const shared = { baseline, baselineName, trialCount: 1, reason };
  if (told === null)
    return { ...shared, value: null, low: null, high: null, firstDay: null, lastDay: null, sampleCount: 0 };
  return {
    ...{ ...shared, value: orNull(told.value), low: orNull(told.low), high: orNull(told.high) },
    ...{ firstDay: dayText(told.first), lastDay: dayText(told.last), sampleCount: told.count },
  };
}

function sentenceOfReason(reason: string): string {
  return `${reason.charAt(0).toUpperCase()}${reason.slice(1)}.`;
}

/** What can be told from nought, largest share first, and the rest. */
function sentenceOf(factors: Factors['factors'], rest: number): string {
  const percent = (value: number) => `${Math.round(100 * value)} %`;
  const told = factors
    .filter(({ pValue }) => pValue !== null && pValue < 0.05)
    .sort((a, b) => (b.varianceShare ?? 0) - (a.varianceShare ?? 0))
    .slice(0, 2)
    .map(({ factor, varianceShare }) => `${percent(varianceShare ?? 0)} ${factor}`);
  const left = `${percent(rest)} is explained by none of the factors`;
  if (told.length === 0) return `No exposure can be told from nought; ${left} of its variance.`;
  return `Of the variance ${told.join(' and ')}; ${left}.`;
}
