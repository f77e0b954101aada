import * as anomalies from '@touchstone/contracts/anomalies';
import * as dependence from '@touchstone/contracts/dependence';
import * as factors from '@touchstone/contracts/factors';
import * as features from '@touchstone/contracts/features';
import type { Measured, Reading } from '@touchstone/contracts/market';
import * as patterns from '@touchstone/contracts/patterns';
import * as regimes from '@touchstone/contracts/regimes';
import * as volatility from '@touchstone/contracts/volatility';
import type { On } from './fixture-server.ts';
import * as world from './fixture-world.ts';

/** What the bars say, for the fixture server: made up, but whole. */

const SINCE = '2026-01-05T09:00:00.000Z';
const LINEAGE = {
  dataSha256: world.hashOf('bars'),
  codeVersion: '0.1.0+fixture',
  configSha256: world.hashOf('settings'),
  seed: 1,
};
const PASSED = { passed: true, sentence: 'Bars appended later changed none of 4,096 values.' };

type Asked = { knownAt?: string | undefined; asOf?: string | undefined };
type SubjectParams = { kind: 'instrument' | 'index'; id: number };

function timeOf({ knownAt }: Asked): world.Times {
  const at = knownAt ?? world.RECORDED_AT;
  const asOf = [at.slice(0, 10), world.LAST_DAY].sort()[0] ?? world.LAST_DAY;
  return { asOf, knownAt: at, recordedAt: world.RECORDED_AT, reconstructed: true };
}

function daysUntil(asOf: string): string[] {
  return world.DAYS.filter((day) => day <= asOf);
}

function readingOf({ kind, id }: SubjectParams, asked: Asked): Reading {
  const time = timeOf(asked);
  const days = daysUntil(time.asOf);
  const instrument = world.instruments.find((one) => one.id === id);
  return {
    subject: {
      ...{ kind, id, currency: 'USD' },
      symbol: kind === 'index' ? null : (instrument?.symbol ?? 'ALDR'),
      name: kind === 'index' ? 'Simulated three pillars' : (instrument?.name ?? 'Alder'),
    },
    ...{ time, lineage: LINEAGE, basis: kind === 'index' ? 'level' : 'total_return' },
    ...{ barCount: days.length, firstDay: days[0] ?? null, lastDay: days.at(-1) ?? null, suspectDays: [] },
  };
}

function measured(value: number, part: Partial<Measured> = {}): Measured {
  return {
    ...{ value, low: value * 0.8, high: value * 1.2, baseline: 0, baselineName: 'EWMA .94' },
    ...{ firstDay: '2016-01-04', lastDay: world.LAST_DAY, sampleCount: 2_400, trialCount: 1, reason: null },
    ...part,
  };
}

/** A slow wave with a bad stretch, so that charts have something to show. */
function wave(at: number): number {
  return 0.16 + 0.05 * Math.sin(at / 90) + (at % 700 > 600 ? 0.14 : 0);
}

function volatilityOf(asked: Asked): volatility.VolatilityReading {
  const days = daysUntil(timeOf(asked).asOf);
  const models = ['log_har_blend', 'gjr_t', 'ewma_94'] as const;
  const coneAt = (horizon: number) => {
    const half = 0.08 / Math.sqrt(horizon) + 0.02;
    return { horizon, volatilityAnnual: 0.17, low: 0.17 - half, high: 0.17 + half };
  };
  return {
    proxy: { name: 'garman_klass_overnight', wholeBarShare: 0.998, note: null },
    history: days.map((day, at) => ({
      ...{ day, monthVolatility: at < 22 ? null : wave(at), forecast: at < 250 ? null : wave(at - 3) },
      dayVolatility: wave(at) * (0.6 + 0.8 * Math.abs(Math.sin(at * 7))),
    })),
    forecasts: [1, 5, 21].map((horizon) => ({
      ...coneAt(horizon),
      ...{ baseline: 0.19, models: ['log_har_blend' as const], reason: null },
      coverage: measured(0.9, { low: 0.88, high: 0.92, baseline: 0.9, baselineName: 'nominal' }),
      gain: measured(0.16),
    })),
    cone: [1, 2, 5, 10, 21, 42, 63].map((horizon) => ({ ...coneAt(horizon), interpolated: horizon % 21 !== 0 })),
    comparison: [1, 5, 21].flatMap((horizon) =>
      models.map((model, at) => ({
        ...{ model, horizon, meanLoss: 0.31 + 0.03 * at, inConfidenceSet: at < 2, confidenceSetP: 0.62 - 0.3 * at },
        ...{ dieboldMarianoP: at === 2 ? null : 0.003, dayCount: 2_400, firstDay: '2016-01-04' },
        ...{ lastDay: world.LAST_DAY, reason: null },
      })),
    ),
    reason: null,
  };
}

/** Of an instrument that was listed a while ago only. */
const YOUNG_ID = 2;

function tooYoung(): volatility.VolatilityReading {
  return {
    proxy: { name: null, wholeBarShare: 0, note: null },
    ...{ history: [], forecasts: [], cone: [], comparison: [] },
    reason: { code: 'too_little_history', sentence: 'Needs 500 sessions; 41 are known by then.' },
  };
}

function drawdownOf(asked: Asked): volatility.DrawdownReading {
  const days = daysUntil(timeOf(asked).asOf);
  return {
    event: { sessions: 21, fall: 0.05, watches: 'low' },
    ...{ probability: 0.22, low: 0.17, high: 0.28, baseRate: 0.31, ewmaProbability: 0.25 },
    reliability: [0.08, 0.16, 0.24, 0.33, 0.45].map((forecastMean, at) => ({
      ...{ forecastMean, realised: forecastMean + (at % 2 === 0 ? 0.02 : -0.02), count: 480 },
      ...{ low: forecastMean - 0.05, high: forecastMean + 0.06 },
    })),
    skill: measured(0.08, { baselineName: 'expanding base rate' }),
    gainOverEwma: measured(0.01, { low: -0.01, high: 0.03 }),
    history: days.map((day, at) => ({ day, probability: at < 500 ? null : 2 * wave(at) - 0.1, touched: at % 9 === 0 })),
    reason: null,
  };
}

function valueAtRiskOf(): volatility.ValueAtRiskReading {
  const methods = ['filtered_historical', 'historical', 'cornish_fisher', 'garch_t', 'ewma_normal'] as const;
  return {
    served: 'filtered_historical',
    measures: ([0.95, 0.99] as const).flatMap((level) =>
      methods.map((method, at) => ({
        ...{ method, level, valueAtRisk: (level === 0.95 ? 0.018 : 0.031) + 0.001 * at, expectedShortfall: 0.036 },
        backtest: {
          ...{ dayCount: 2_400, firstDay: '2016-01-04', lastDay: world.LAST_DAY, breachCount: 118 },
          ...{ breachRate: 0.049, kupiecP: 0.71, independenceP: 0.24, conditionalCoverageP: 0.47 },
          fisslerZiegel: measured(1.21, { low: 1.1, high: 1.3, baseline: 1.27, baselineName: 'normal EWMA' }),
        },
        reason: null,
      })),
    ),
    reason: null,
  };
}

const STATES = ['bull', 'sideways', 'bear'] as const;

function regimesOf(subject: SubjectParams, asked: Asked): regimes.Regimes {
  const days = daysUntil(timeOf(asked).asOf);
  const stateAt = (at: number) => (at < 500 ? null : STATES[at % 700 > 600 ? 2 : Math.floor(at / 350) % 2]!);
  const probability = (at: number, state: (typeof STATES)[number]) =>
    stateAt(at) === null ? null : stateAt(at) === state ? 0.86 : 0.07;
  const last = days.length - 1;
  const current = stateAt(last);
  const skill = (simulator: string, balancedAccuracy: number) => ({
    ...{ simulator, balancedAccuracy, oracleAccuracy: balancedAccuracy + 0.03, lagDaysMedian: 15, lagDaysNinety: 33 },
    ...{ missedShare: 0.02, switchesPerYear: 2.3, falseSwitchesPerYear: 0.6 },
  });
  return {
    ...readingOf(subject, asked),
    reason: null,
    current:
      current === null
        ? null
        : {
            ...{ day: days[last]!, state: current, since: days[last - 30] ?? days[0]!, sessionCount: 31 },
            probabilities: { bull: 0.86, sideways: 0.07, bear: 0.07 },
            changePointProbability: 0.06,
          },
    lagNote:
      'Detects, with a lag: on simulated markets half of the switches were named within 15 sessions, nine of ten within 33.',
    skill: [skill('Simulator A, Gaussian, seeds 1-200', 0.865), skill('Simulator A, t(5), seeds 1-200', 0.84)],
    days,
    state: days.map((_, at) => stateAt(at)),
    bull: days.map((_, at) => probability(at, 'bull')),
    sideways: days.map((_, at) => probability(at, 'sideways')),
    bear: days.map((_, at) => probability(at, 'bear')),
    changePoint: days.map((_, at) => (at < 21 ? null : at % 350 < 21 ? 0.8 : 0.05)),
    jumpState: days.map((_, at) => stateAt(at)),
    volatilityState: days.map((_, at) => stateAt(at)),
    switchAt: 0.65,
    spells: [{ state: 'bull', firstDay: days[500] ?? days[0]!, lastDay: days[600] ?? days[0]!, sessionCount: 101 }],
    fits: [
      {
        ...{ firstDay: days[500] ?? days[0]!, fittedFrom: days[0]!, fittedThrough: days[499] ?? days[0]! },
        states: STATES.map((state, at) => ({
          ...{ state, meanAnnual: 0.12 - 0.12 * at, volatilityAnnual: 0.11 + 0.08 * at },
          ...{ stayDays: 200 - 50 * at, longRunShare: 0.4 - 0.07 * at },
        })),
        ...{ degreesOfFreedom: 6, logLikelihood: 8_123.4, converged: true, renamed: false },
      },
    ],
    comparison: (['hidden_markov', 'jump_model', 'volatility_rule'] as const).map((method, at) => ({
      ...{ method, current, switchesPerYear: 2.1 + at, agreement: 1 - 0.1 * at },
    })),
  };
}

function regimeRecord(): regimes.RegimeMemory {
  return {
    ...{ id: 1, sequence: 1, day: '2025-12-30', state: 'sideways', time: timeOf({}) },
    probabilities: { bull: 0.2, sideways: 0.7, bear: 0.1 },
    ...{ changePointProbability: 0.06, dataSha256: LINEAGE.dataSha256, configSha256: LINEAGE.configSha256 },
    ...{ codeVersion: LINEAGE.codeVersion, previousSha256: null, recordSha256: world.hashOf('record 1') },
    ...{ sealedAt: SINCE, sealedBy: 1, isSealIntact: true, differs: true },
    now: { state: 'bull', probabilities: { bull: 0.8, sideways: 0.15, bear: 0.05 } },
  };
}

function anomaliesOf(subject: SubjectParams, asked: Asked): anomalies.Anomalies {
  const days = daysUntil(timeOf(asked).asOf);
  const names = { return: 'Return, robust z', volume: 'Volume, robust z', shock: 'Shock, for its volatility' } as const;
  return {
    ...readingOf(subject, asked),
    reason: null,
    note: 'Detects what was unusual against its own past; says nothing about what comes next.',
    detectors: (['return', 'volume', 'shock'] as const).map((detector, at) => ({
      ...{ detector, label: names[detector], threshold: 6.2, scoreToday: 1.4, alarmsPerYear: 2.4 - 0.4 * at },
      ...{ alarmsPerYearMax: 3, measuredYears: 8.2, alarmCount: 19, judgedCount: at === 0 ? 4 : 0 },
      reason:
        detector === 'volume' && subject.kind === 'index'
          ? { code: 'no_volume', sentence: 'An index has no volume.' }
          : null,
      confirmedShare: at === 0 ? 0.75 : null,
    })),
    items: [120, 400, 800].map((back, at) => ({
      ...{ detector: 'return', day: days.at(-back) ?? days[0]!, score: 7.9, threshold: 6.2, value: -0.061 },
      ...{ usual: 0.0004, alarmsPerYear: 2.4, caseId: at === 0 ? 1 : null, state: at === 0 ? 'open' : null },
      sentence: 'Return of −6.1 %: 7.9 robust deviations from the median of the year before.',
    })),
  };
}

function patternsOf(subject: SubjectParams, asked: Asked) {
  const bars = world.barsOf(1, timeOf(asked).asOf).slice(-160);
  const priceAt = (at: number) => ({ day: bars[at]?.day ?? world.LAST_DAY, price: bars[at]?.close ?? 100 });
  const record = (family: 'chart' | 'candle', kind: string, direction: 'up' | 'down', isTold: boolean) => ({
    ...{ family, kind, direction, horizonDays: 10, sampleCount: 184, dayCount: 171, baseRate: 0.512 },
    ...{ unconditionalRate: 0.489, lift: 1.047, difference: 0.023, low: -0.041, high: 0.088, meanReturn: -0.0012 },
    ...{ unconditionalMeanReturn: 0.0021, pValue: 0.48, adjustedP: isTold ? 0.03 : 0.83, isTold, reason: null },
    sentence: '51 % of 184 cases fell over 10 sessions, against 49 % of all days: not to be told from nothing.',
  });
  return {
    ...readingOf(subject, asked),
    patterns: [
      {
        ...{ family: 'chart' as const, kind: 'double-top', name: 'Double top', direction: 'down' as const },
        ...{ firstDay: priceAt(40).day, confirmationDay: priceAt(100).day, height: 0.084, noise: 0.09 },
        points: [40, 60, 70, 85, 100].map(priceAt),
        lines: [{ role: 'break' as const, from: priceAt(70), to: { ...priceAt(100), price: priceAt(70).price } }],
        record: record('chart', 'double-top', 'down', false),
      },
    ],
    candles: [
      {
        ...{ family: 'candle' as const, kind: 'hammer', name: 'Hammer', direction: 'up' as const },
        ...{ firstDay: priceAt(140).day, confirmationDay: priceAt(140).day, height: null, noise: null },
        ...{ points: [], lines: [], record: record('candle', 'hammer', 'up', false) },
      },
    ],
    changePoints: [
      {
        ...{ day: '2020-02-24', tellableDay: '2020-03-05', statistic: 'mean-and-variance' as const },
        before: { meanAnnual: 0.12, volatilityAnnual: 0.14 },
        after: { meanAnnual: -0.2, volatilityAnnual: 0.33 },
      },
    ],
    records: [record('chart', 'double-top', 'down', false), record('candle', 'hammer', 'up', true)],
    scope: {
      ...{ universeId: 1, name: 'All simulated companies', memberCount: 12, usedCount: 12, barCount: 30_000 },
      ...{ firstDay: world.FIRST_DAY, lastDay: world.LAST_DAY, testCount: 87 },
      sentence: 'Measured on all 12 members as they are listed in the universe today: survivors flatter what rises.',
    },
    reasons: { patterns: null, candles: null, changePoints: null },
  };
}

function universeReading(asked: Asked) {
  const time = timeOf(asked);
  const names = world.instruments
    .slice(0, 9)
    .map(({ id, symbol, name }) => ({ instrumentId: id, symbol, name, bridgedSessions: 0 }));
  return {
    universe: { id: 1, name: 'All simulated companies' },
    ...{ time, lineage: LINEAGE, sessions: 252, firstDay: '2024-12-31', lastDay: time.asOf, names },
    leftOut: [
      {
        ...{ instrumentId: 99, symbol: 'YOUNG' },
        reason: { code: 'too_little_history' as const, sentence: 'Needs 252 sessions; 41 are known by then.' },
      },
    ],
    reason: null,
  };
}

function dependenceOf(asked: Asked) {
  const reading = universeReading(asked);
  const count = reading.names.length;
  const groupOf = (at: number) => Math.floor((at * 3) / count);
  const correlation = (a: number, b: number) =>
    a === b ? 1 : groupOf(a) === groupOf(b) ? 0.62 - 0.03 * Math.abs(a - b) : 0.18 - 0.04 * Math.abs(a - b);
  return {
    ...reading,
    estimator: 'denoised' as const,
    correlations: Array.from({ length: count * count }, (_, at) => correlation(Math.floor(at / count), at % count)),
    signalCount: 3,
    treeSampleCount: 100,
    clusters: [0, 1, 2].map((cluster) => ({
      cluster,
      members: [...reading.names.keys()].filter((at) => groupOf(at) === cluster),
      meanCorrelation: 0.58,
    })),
    tree: Array.from({ length: count - 1 }, (_, at) => ({
      ...{ a: Math.floor(at / 2), b: at + 1, correlation: correlation(Math.floor(at / 2), at + 1), stability: 0.86 },
    })),
    estimators: (['denoised', 'ledoit_wolf', 'sample'] as const).map((estimator, at) => ({
      estimator,
      realisedVolatility: measured(0.093 + 0.01 * at, { baseline: 0.103, baselineName: 'Ledoit-Wolf' }),
    })),
  };
}

function relationsOf(asked: Asked) {
  return {
    ...universeReading(asked),
    directSampleCount: 100,
    direct: [{ a: 0, b: 1, partialCorrelation: 0.31, stability: 0.94 }],
    leads: [],
    leadTestCount: 360,
    breaks: [
      {
        ...{ a: 0, b: 2, day: '2025-11-03', before: 0.61, after: 0.05, low: 0.2, high: 0.75, adjustedP: 0.01 },
        sentence: 'ALDR and BIRC moved together at 0.61; over the last 63 sessions at 0.05.',
      },
    ],
    breakTestCount: 36,
    sentence: 'No lead or lag can be told from chance among 360 tests.',
  };
}

function factorsOf(
  subject: SubjectParams,
  asked: Asked & { set: 'statistical' | 'style' | 'proxies' | 'macro'; exclude?: string | undefined },
) {
  const excluded = asked.exclude?.split(',') ?? [];
  const all = asked.set === 'style' ? ['market', 'size', 'momentum', 'low_volatility'] : ['component_1', 'component_2'];
  return {
    ...readingOf(subject, asked),
    ...{ set: asked.set, universe: { id: 1, name: 'All simulated companies' }, sessions: 504 },
    ...{ windowFirstDay: '2024-01-02', windowLastDay: world.LAST_DAY, excluded },
    factors: all
      .filter((factor) => !excluded.includes(factor))
      .map((factor, at) => ({
        ...{ factor, about: 'Made from the universe, as it was known.', exposure: 0.9 - 0.4 * at },
        ...{ low: 0.7 - 0.4 * at, high: 1.1 - 0.4 * at, pValue: 0.004, varianceShare: at === 0 ? 0.6 : 0.02 },
        returnPart: 0.05 - 0.02 * at,
      })),
    residual: { varianceShare: 0.34, returnPart: 0.004 },
    total: { volatilityAnnual: 0.18, meanReturnAnnual: 0.07, varianceMismatch: 0, returnMismatch: 0 },
    alpha: measured(0.004, { low: -0.03, high: 0.04, baselineName: 'nothing' }),
    fit: measured(0.61, { low: 0.55, high: 0.66, baselineName: 'the mean' }),
    holdings:
      subject.kind === 'index'
        ? world.holdingsOf(timeOf(asked).asOf).map(({ instrumentId, symbol, weight }) => ({
            ...{ instrumentId, symbol, weight, marginalRisk: 0.14, riskShare: weight },
          }))
        : [],
    sentence: 'Two thirds of the variance is the market; nothing else can be told from nought.',
    reason: null,
  };
}

function catalogueEntry(name: string, title: string, family: string, warmUp: number): features.CatalogueEntry {
  return {
    ...{ name, title, family, inputs: ['close'], outputs: [name], parameters: {}, unit: 'ratio', warmUp },
    memory: { kind: family === 'momentum' ? 'recursive' : 'window', settle: family === 'momentum' ? 120 : null },
    reference: { source: `TA-Lib ${name.split('_')[0]?.toUpperCase()}`, tolerance: 1e-9 },
    badges: { canary: PASSED, warmUp: PASSED },
  };
}

function viewOf(name: string, builtIn: boolean): features.FeatureView {
  return {
    ...{ name, version: 1, latestVersion: 1, builtIn, owner: builtIn ? 'Touchstone' : 'research' },
    description: 'How far the close is from its mean.',
    ...{ entity: 'instrument', ttlDays: 10, source: 'bars', sha256: world.hashOf(name) },
    features: [
      {
        ...{ name: 'stretch_20', expression: '(close - mean(close, 20)) / std(close, 20)', inputs: ['close'] },
        ...{
          warmUp: 19,
          memory: { kind: 'window' as const, settle: null },
          badges: { canary: PASSED, warmUp: PASSED },
        },
      },
    ],
    ...{
      codeVersion: LINEAGE.codeVersion,
      createdAt: builtIn ? null : SINCE,
      createdBy: builtIn ? null : 1,
      deletedAt: null,
    },
  };
}

function summaryOf(name: string, builtIn: boolean) {
  const { features: all, ...view } = viewOf(name, builtIn);
  return {
    ...view,
    featureNames: all.map((one) => one.name),
    checksPassed: true,
    materialised: { entityCount: 12, latestDay: world.LAST_DAY, latestKnownAt: SINCE, finishedAt: SINCE },
  };
}

const ANOMALY_CASE: anomalies.AnomalyCase = {
  ...{ id: 1, subjectKind: 'instrument', subjectId: 1, detector: 'return', day: '2025-07-17', score: 7.9 },
  ...{ threshold: 6.2, alarmsPerYear: 2.4, state: 'open', note: '', time: timeOf({}), openedAt: SINCE, openedBy: 1 },
  ...{ judgedAt: null, judgedBy: null, version: 1 },
};

type StartTask = (
  kind: string,
  title: string,
  steps: string[],
  finish: () => Record<string, unknown>,
) => { task: ReturnType<typeof world.taskOf> };

export function answerMarket(on: On, startTask: StartTask): void {
  let anomalyCase = ANOMALY_CASE;
  on(volatility.getVolatility, ({ params, query }) => ({
    ...readingOf(params, query),
    ...(params.kind === 'instrument' && params.id === YOUNG_ID ? tooYoung() : volatilityOf(query)),
  }));
  on(volatility.getDrawdown, ({ params, query }) => ({ ...readingOf(params, query), ...drawdownOf(query) }));
  on(volatility.getValueAtRisk, ({ params, query }) => ({ ...readingOf(params, query), ...valueAtRiskOf() }));
  on(regimes.getRegimes, ({ params, query }) => regimesOf(params, query));
  on(regimes.listRegimeRecords, () => ({ items: [regimeRecord()], nextCursor: null }));
  on(regimes.sealRegime, () => {
    const { isSealIntact, now, differs, ...record } = regimeRecord();
    return record;
  });
  on(anomalies.getAnomalies, ({ params, query }) => anomaliesOf(params, query));
  on(anomalies.listAnomalyCases, () => ({
    items: [anomalyCase],
    nextCursor: null,
    detectors: [{ detector: 'return' as const, caseCount: 1, judgedCount: 0, confirmedShare: null }],
  }));
  on(anomalies.sealAnomalies, ({ params }) => ({ subject: readingOf(params, {}).subject, opened: [anomalyCase] }));
  on(anomalies.judgeAnomalyCase, ({ body }) => {
    anomalyCase = { ...anomalyCase, state: body.state, judgedAt: SINCE, judgedBy: 1, version: anomalyCase.version + 1 };
    return anomalyCase;
  });
  on(patterns.getPatterns, ({ params, query }) => patternsOf(params, query));
  on(dependence.getDependence, ({ query }) => dependenceOf(query));
  on(dependence.getRelations, ({ query }) => relationsOf(query));
  on(factors.getFactors, ({ params, query }) => factorsOf(params, query));
  on(features.getFeatureCatalogue, () => ({
    codeVersion: LINEAGE.codeVersion,
    items: [
      catalogueEntry('rsi_14', 'Relative strength index', 'momentum', 14),
      catalogueEntry('sma_20', 'Simple moving average', 'overlap', 19),
    ],
    functions: [{ name: 'mean', signature: 'mean(x, n)', summary: 'Mean of the last n values.' }],
  }));
  on(features.getFeatureSeries, ({ query }) => {
    const bars = world.barsOf(1, timeOf(query).asOf);
    const column = (name: 'open' | 'high' | 'low' | 'close' | 'volume') => bars.map((bar) => bar[name]);
    return {
      ...readingOf({ kind: 'instrument', id: 1 }, query),
      days: bars.map(({ day }) => day),
      bars: {
        ...{ open: column('open'), high: column('high'), low: column('low') },
        ...{ close: column('close'), volume: column('volume') },
      },
      columns: query.features.split(',').map((feature) => ({
        ...{ feature, unit: 'ratio', warmUp: 14, version: null, reason: null },
        values: bars.map((_, at) => (at < 14 ? null : 50 + 20 * Math.sin(at / 11))),
      })),
    };
  });
  on(features.listFeatureViews, () => ({ items: [summaryOf('trend', true), summaryOf('stretch', false)] }));
  on(features.getFeatureView, ({ params }) => viewOf(params.view, params.view === 'trend'));
  on(features.checkFeatureView, ({ body }) => ({
    accepted: !body.features[0]?.expression?.includes('lead'),
    features: viewOf(body.name, false).features,
    problems: body.features[0]?.expression?.includes('lead')
      ? [
          {
            ...{ feature: body.features[0].name, part: 'lead(close, 1)', position: 0, reason: 'look_ahead' as const },
            sentence: 'lead looks 1 bar ahead; nobody knows that bar yet.',
          },
        ]
      : [],
    milliseconds: 4,
  }));
  on(features.createFeatureView, ({ body }) => viewOf(body.name, false));
  on(features.deleteFeatureView, () => undefined);
  on(features.listMaterialisations, () => ({
    store: 'process' as const,
    items: [
      {
        ...{ view: 'trend', version: 1, universeId: 1, recordedAt: SINCE, knownAt: SINCE, entityCount: 12 },
        ...{ changedCount: 12, complete: true, taskId: null, updatedAt: SINCE },
      },
    ],
  }));
  on(features.materialiseFeatures, () =>
    startTask('materialise', 'Bring features up to date', ['Reading bars', 'Computing'], () => ({})),
  );
  on(features.getFeatureSkew, () => ({
    waitingCount: 3,
    latest: {
      ...{ id: 1, checkedAt: SINCE, sampleCount: 40, valueCount: 2_000, mismatchCount: 0, outdatedCount: 0 },
      examples: [],
    },
    items: [],
  }));
  on(features.startFeatureSkew, () => startTask('feature-skew', 'Check features', ['Comparing'], () => ({})));
}
