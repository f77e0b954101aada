import { createHash } from 'node:crypto';
import type { Bar, DataCase, Instrument, Run, Source } from '@touchstone/contracts/data';
import type { IndexDefinition, IndexLevels, IndexRun, Performance } from '@touchstone/contracts/indexes';
import type { Task } from '@touchstone/contracts/tasks';
import type { Universe } from '@touchstone/contracts/universes';

/** An invented market for the screens: plausible, the same at every start, and with everything a screen can show. */

export const RECORDED_AT = '2026-01-05T07:00:12.000Z';
export const FIRST_DAY = '2014-01-02';
export const LAST_DAY = '2025-12-31';
const DAY_MS = 86_400_000;
const CODE_VERSION = '0.1.0+fixture';

const NAMES = [
  ['ALDR', 'Alder Instruments', 'Industrials'],
  ['BRCH', 'Birchwater Foods', 'Consumer staples'],
  ['CEDR', 'Cedar Line Railways', 'Industrials'],
  ['DOGW', 'Dogwood Semiconductor', 'Information technology'],
  ['ELMS', 'Elm Street Bank', 'Financials'],
  ['FIRR', 'Firr Energy Partners', 'Energy'],
  ['GINK', 'Ginkgo Therapeutics', 'Health care'],
  ['HAZL', 'Hazel Home Stores', 'Consumer discretionary'],
  ['IRON', 'Ironwood Steel', 'Materials'],
  ['JUNI', 'Juniper Water Works', 'Utilities'],
  ['KAPO', 'Kapok Textiles', 'Consumer discretionary'],
  ['LARC', 'Larch Aerospace', 'Industrials'],
  ['MAPL', 'Maple Telecom', 'Communication'],
  ['NUTM', 'Nutmeg Spice Trading', 'Consumer staples'],
  ['OAKH', 'Oak Hill Properties', 'Real estate'],
  ['PINE', 'Pine Ridge Software', 'Information technology'],
  ['QUIN', 'Quince Laboratories', 'Health care'],
  ['ROWN', 'Rowan Insurance Group', 'Financials'],
  ['SPRC', 'Spruce Networks', 'Information technology'],
  ['TEAK', 'Teak Marine', 'Industrials'],
] as const;

function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

function weekdays(): string[] {
  const days: string[] = [];
  for (let at = Date.parse(FIRST_DAY); at <= Date.parse(LAST_DAY); at += DAY_MS) {
    const weekday = new Date(at).getUTCDay();
    if (weekday !== 0 && weekday !== 6) days.push(new Date(at).toISOString().slice(0, 10));
  }
  return days;
}

export const DAYS = weekdays();

export function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** One hour after the close in New York in winter. */
function knownAtOf(day: string): string {
  return `${day}T22:00:00.000Z`;
}

export const audit = (tenantUser: number | null, version = 1) => ({
  createdAt: RECORDED_AT,
  createdBy: tenantUser,
  updatedAt: RECORDED_AT,
  updatedBy: tenantUser,
  deletedAt: null,
  version,
});

const random = generator(20260105);
const market = DAYS.map((_, at) => normal(random) * (at > 1550 && at < 1640 ? 0.026 : 0.0085) + 0.00036);

function walk(seed: number, beta: number, own: number, drift: number): number[] {
  const chance = generator(seed);
  let level = 20 + chance() * 140;
  return market.map((move) => {
    level *= Math.max(0.7, 1 + beta * move + own * normal(chance) + drift);
    return level;
  });
}

const closes = new Map<number, number[]>(
  NAMES.map((_, at) => [
    at + 1,
    walk(100 + at, 0.7 + (at % 5) * 0.15, 0.009 + (at % 4) * 0.003, ((at % 7) - 3) * 0.00006),
  ]),
);
const BENCHMARK_ID = 40;
closes.set(BENCHMARK_ID, walk(7, 1, 0.0006, 0));
/** The only one that is not of the simulated market, and may be corrected. */
export const OWN_ID = 41;
closes.set(OWN_ID, walk(41, 1, 0.01, 0));

export const instruments: Instrument[] = [
  ...NAMES.map(([symbol, name, sector], at) => instrumentOf(at + 1, symbol, name, sector, 'equity')),
  instrumentOf(BENCHMARK_ID, 'SIMX', 'Simulated market, cap weighted', null, 'index'),
  { ...instrumentOf(OWN_ID, 'YEWW', 'Yew Woodworks', 'Industrials', 'equity'), tenantId: 1 },
];

function instrumentOf(
  id: number,
  symbol: string,
  name: string,
  sector: string | null,
  kind: 'equity' | 'index',
): Instrument {
  return {
    ...audit(null),
    id,
    tenantId: 0,
    symbol,
    name,
    kind,
    calendar: 'XNYS',
    currency: 'USD',
    sector,
    firstDay: FIRST_DAY,
    lastDay: LAST_DAY,
    barCount: DAYS.length,
  };
}

export function barsOf(instrumentId: number, until: string): Bar[] {
  const series = closes.get(instrumentId) ?? [];
  const chance = generator(instrumentId * 31);
  return series.flatMap((close, at) => {
    const day = DAYS[at] ?? '';
    const open = (series[at - 1] ?? close) * (1 + (chance() - 0.5) * 0.006);
    const spread = close * (0.003 + chance() * 0.008);
    const bar: Bar = {
      day,
      open: round(open),
      high: round(Math.max(open, close) + spread),
      low: round(Math.min(open, close) - spread),
      close: round(close),
      volume: Math.round(80_000 + chance() * 400_000),
      revision: at % 611 === 610 ? 1 : 0,
      runId: at > 2900 ? 3 : 1,
      knownAt: knownAtOf(day),
    };
    return day > until ? [] : [bar];
  });
}

function round(value: number): number {
  return Math.round(value * 10_000) / 10_000;
}

export const sources: Source[] = [
  {
    ...audit(null),
    id: 1,
    tenantId: 0,
    code: 'simulated-market',
    name: 'Simulated market',
    kind: 'simulator',
    calendar: 'XNYS',
    currency: 'USD',
    priceBasis: 'raw',
    knownAtRule: 'close_plus_one_hour',
    instrumentCount: NAMES.length + 1,
    firstDay: FIRST_DAY,
    lastDay: LAST_DAY,
    openCaseCount: 4,
  },
  {
    ...audit(null),
    id: 2,
    tenantId: 0,
    code: 'exchange-calendars',
    name: 'Exchange calendars',
    kind: 'calendar',
    calendar: 'XNYS',
    currency: 'USD',
    priceBasis: null,
    knownAtRule: 'recorded',
    instrumentCount: 0,
    firstDay: null,
    lastDay: null,
    openCaseCount: 0,
  },
];

function runOf(id: number, part: Partial<Run>): Run {
  return {
    ...audit(null),
    id,
    tenantId: 0,
    sourceId: 1,
    sourceName: 'Simulated market',
    kind: 'prices',
    state: 'published',
    priceBasis: 'raw',
    fileName: null,
    rowCount: 61_340,
    acceptedCount: 61_322,
    unchangedCount: 0,
    revisedCount: 0,
    quarantinedCount: 18,
    errorCount: 0,
    errors: [],
    firstDay: FIRST_DAY,
    lastDay: '2025-02-14',
    publishedAt: '2026-01-05T07:00:03.000Z',
    retractedAt: null,
    retractReason: null,
    contentSha256: hashOf(`run ${id}`),
    taskId: null,
    note: '',
    ...part,
  };
}

export const runs: Run[] = [
  runOf(5, {
    kind: 'prices',
    rowCount: 4,
    acceptedCount: 4,
    quarantinedCount: 0,
    revisedCount: 4,
    firstDay: '2016-05-05',
    lastDay: '2025-07-11',
    publishedAt: RECORDED_AT,
    note: 'Late corrections of the simulator.',
  }),
  runOf(4, {
    kind: 'corporate_actions',
    rowCount: 61,
    acceptedCount: 61,
    quarantinedCount: 0,
    firstDay: '2014-02-03',
    lastDay: '2025-11-20',
    publishedAt: '2026-01-05T07:00:09.000Z',
  }),
  runOf(3, {
    rowCount: 4_830,
    acceptedCount: 4_826,
    quarantinedCount: 1,
    errorCount: 3,
    errors: [
      { file: 'late.csv', line: 17, column: 'close', rule: 'A close must be a number, was "abc".' },
      { file: 'late.csv', line: 203, column: 'date', rule: 'A date must be a real day, was "2025-02-30".' },
      { file: 'late.csv', line: 204, column: null, rule: 'A line must have 7 fields, has 5.' },
    ],
    fileName: 'late.csv',
    firstDay: '2025-02-17',
    lastDay: LAST_DAY,
    publishedAt: '2026-01-05T07:00:06.000Z',
  }),
  runOf(2, {
    rowCount: 900,
    acceptedCount: 900,
    quarantinedCount: 0,
    firstDay: '2015-01-02',
    lastDay: '2018-07-30',
    publishedAt: '2026-01-05T07:00:04.000Z',
    retractedAt: '2026-01-05T07:00:05.000Z',
    retractReason: 'A wrong file, planted by the simulator so that a retraction can be seen.',
  }),
  runOf(1, {}),
];

function caseOf(id: number, part: Partial<DataCase>): DataCase {
  return {
    ...audit(null),
    id,
    tenantId: 0,
    runId: 1,
    sourceId: 1,
    instrumentId: 1,
    symbol: 'ALDR',
    kind: 'bad_tick',
    action: 'quarantine',
    state: 'open',
    firstDay: '2019-06-12',
    lastDay: '2019-06-12',
    rowCount: 1,
    measure: 41.2,
    threshold: 8,
    reason: 'Close 900.10 is ten times its neighbours 90.02 and 90.05.',
    knownAt: '2019-06-13T22:00:00.000Z',
    decisionNote: '',
    decidedAt: null,
    ...part,
  };
}

export const cases: DataCase[] = [
  caseOf(6, {
    kind: 'stale',
    instrumentId: 8,
    symbol: 'HAZL',
    firstDay: '2024-03-04',
    lastDay: '2024-03-12',
    rowCount: 7,
    measure: 7,
    threshold: 5,
    reason: 'The same close on 7 days in a row while shares were traded.',
    knownAt: '2024-03-12T22:00:00.000Z',
  }),
  caseOf(5, {
    kind: 'unadjusted_split',
    instrumentId: 16,
    symbol: 'PINE',
    firstDay: '2022-08-22',
    lastDay: '2022-08-22',
    measure: 0.5,
    threshold: 0.02,
    reason: 'The close halves overnight, volume doubles, and no split is told for that day.',
    knownAt: '2022-08-22T22:00:00.000Z',
  }),
  caseOf(4, {
    kind: 'ohlc',
    instrumentId: 3,
    symbol: 'CEDR',
    action: 'note',
    state: 'false',
    firstDay: '2021-01-15',
    lastDay: '2021-01-15',
    measure: 0.01,
    threshold: 0,
    reason: 'The high 51.20 is below the close 51.21.',
    knownAt: '2021-01-15T22:00:00.000Z',
    decisionNote: 'Rounded by the vendor.',
    decidedAt: RECORDED_AT,
  }),
  caseOf(3, {}),
  caseOf(2, {
    kind: 'missing',
    action: 'note',
    instrumentId: 12,
    symbol: 'LARC',
    firstDay: '2017-09-05',
    lastDay: '2017-09-08',
    rowCount: 4,
    measure: 4,
    threshold: 0,
    reason: 'Four trading days without a bar between two with one.',
    knownAt: '2017-09-11T22:00:00.000Z',
  }),
  caseOf(1, {
    kind: 'duplicate',
    instrumentId: 5,
    symbol: 'ELMS',
    state: 'confirmed',
    firstDay: '2015-02-09',
    lastDay: '2015-02-09',
    measure: 2,
    threshold: 1,
    reason: 'Two rows for the same day with different closes, 47.10 and 47.90.',
    knownAt: '2015-02-09T22:00:00.000Z',
    decidedAt: RECORDED_AT,
  }),
];

export const universes: Universe[] = [
  {
    ...audit(null),
    id: 1,
    tenantId: 0,
    name: 'All simulated companies',
    description: 'Twenty invented companies with planted regimes, a split, a bad tick and a late correction.',
    rule: 'all_of_source',
    sourceId: 1,
    sourceName: 'Simulated market',
    visibility: 'tenant',
    memberCount: NAMES.length,
  },
  {
    ...audit(1),
    id: 2,
    tenantId: 1,
    name: 'My universe',
    description: 'Thirteen names, kept current from a feed.',
    rule: 'list',
    sourceId: 11,
    sourceName: 'TwelveData',
    visibility: 'tenant',
    memberCount: 13,
  },
];

export const indexes: IndexDefinition[] = [
  indexOf(1, {
    name: 'Simulated three pillars',
    description: 'Momentum, size and low risk over the simulated market, rebalanced every day.',
  }),
  indexOf(2, {
    name: 'Simulated equal weight',
    stale: { since: '2026-01-12T07:00:00.000Z', changeCount: 2, firstDay: '2016-05-05' },
    description: '',
    method: 'equal_weight',
    benchmarkInstrumentId: null,
    benchmarkSymbol: null,
  }),
];

export function indexOf(id: number, part: Partial<IndexDefinition>): IndexDefinition {
  return {
    ...audit(null),
    id,
    tenantId: 0,
    name: `Index ${id}`,
    description: '',
    universeId: 1,
    universeName: 'All simulated companies',
    method: 'three_pillar',
    parameters: {
      rebalanceEveryDays: 1,
      maxNames: 50,
      maxWeight: 0.4,
      momentumPillar: 0.4,
      capPillar: 0.3,
      riskPillar: 0.3,
    },
    currency: 'USD',
    costBasisPoints: 10,
    firstDay: null,
    baseValue: 100,
    benchmarkInstrumentId: BENCHMARK_ID,
    benchmarkSymbol: 'SIMX',
    visibility: 'tenant',
    latestRunNumber: 1,
    latestRunAt: RECORDED_AT,
    stale: null,
    ...part,
  };
}

export type Times = { asOf: string; knownAt: string; recordedAt: string; reconstructed: boolean };

export function indexRunOf(indexId: number, runNumber: number): IndexRun {
  return {
    indexId,
    runNumber,
    time: { asOf: LAST_DAY, knownAt: RECORDED_AT, recordedAt: RECORDED_AT, reconstructed: true },
    lineage: {
      datasetSha256: hashOf('dataset 1'),
      codeVersion: CODE_VERSION,
      configSha256: hashOf(`config ${indexId}`),
      seed: 1,
      trialId: indexId,
    },
    resultSha256: hashOf(`result ${indexId} ${runNumber}`),
    firstDay: DAYS[60] ?? FIRST_DAY,
    lastDay: LAST_DAY,
    rebalanceCount: DAYS.length - 60,
    instrumentCount: NAMES.length,
    namesWithoutCap: 3,
    infeasibleCount: 0,
    suspectStepCount: 0,
    cashDays: 0,
    createdAt: RECORDED_AT,
    createdBy: null,
  };
}

/** Weighted mean of all companies: weights differ by variant, so that the lines differ. */
function portfolio(tilt: number): number[] {
  let level = 100;
  const ids = NAMES.map((_, at) => at + 1);
  const weights = ids.map((id) => 1 + tilt * Math.sin(id * 1.7));
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return DAYS.slice(60).map((_, at) => {
    if (at === 0) return 100;
    let move = 0;
    for (const [place, id] of ids.entries()) {
      const series = closes.get(id) ?? [];
      move += ((weights[place] ?? 0) / sum) * ((series[at + 60] ?? 1) / (series[at + 59] ?? 1) - 1);
    }
    level *= 1 + move;
    return level;
  });
}

const LEVELS = { index: portfolio(0.9), equal: portfolio(0), hold: portfolio(-0.5) };

export function levelsOf(index: IndexDefinition, runNumber: number, time: Times): IndexLevels {
  const days = DAYS.slice(60);
  const count = days.findLastIndex((day) => day <= time.asOf) + 1;
  const cut = (values: number[]) => values.slice(0, count).map((value) => Math.round(value * 100) / 100);
  const benchmark = (closes.get(BENCHMARK_ID) ?? []).slice(60);
  return {
    time,
    run: indexRunOf(index.id, runNumber),
    currency: 'USD',
    hypothetical: 'Hypothetical: computed after the fact by fixed rules; nobody traded it.',
    survivorship:
      index.tenantId === 0 ? null : 'The universe holds only names that still exist; that flatters every line here.',
    days: days.slice(0, count),
    level: cut(LEVELS.index),
    levelGross: cut(LEVELS.index.map((level, at) => level * (1 + at * 0.00002))),
    levelNextClose: cut(LEVELS.index.map((level, at) => level * (1 - at * 0.00001))),
    equalWeight: cut(LEVELS.equal),
    buyAndHold: cut(LEVELS.hold),
    benchmark:
      index.benchmarkInstrumentId === null ? null : cut(benchmark.map((close) => (close / (benchmark[0] ?? 1)) * 100)),
  };
}

type Metric = Performance['columns'][number]['metrics'][number];

const DEFINITIONS: readonly (readonly [name: string, label: string, unit: string, definition: string])[] = [
  [
    'annual_return',
    'Annual return',
    'fraction a year',
    'The growth of one unit over the period, to the power of one over its years, less one.',
  ],
  ['annual_volatility', 'Volatility', 'fraction a year', 'Standard deviation of daily returns, times the root of 252.'],
  ['sharpe', 'Sharpe ratio', 'ratio', 'Mean daily excess return over its standard deviation, times the root of 252.'],
  ['max_drawdown', 'Maximum drawdown', 'fraction', 'The deepest fall from a former high.'],
  ['calmar', 'Calmar ratio', 'ratio', 'Annual return over the size of the maximum drawdown.'],
  ['longest_drawdown', 'Longest drawdown', 'days', 'Trading days from a high until it was reached again.'],
  ['turnover', 'Turnover', 'fraction a year', 'Traded share of the index, one way, a year.'],
  [
    'tracking_error',
    'Tracking error',
    'fraction a year',
    'Standard deviation of the daily difference to the benchmark, times the root of 252.',
  ],
];

export function performanceOf(index: IndexDefinition, runNumber: number, time: Times): Performance {
  const levels = levelsOf(index, runNumber, time);
  const columns: Performance['columns'] = [
    { name: 'index', label: 'Index', metrics: metricsOf(levels.level, levels.benchmark) },
    { name: 'index_next_close', label: 'Next-close fill', metrics: metricsOf(levels.levelNextClose, levels.benchmark) },
    { name: 'equal_weight', label: 'Equal weight', metrics: metricsOf(levels.equalWeight, levels.benchmark) },
    { name: 'buy_and_hold', label: 'Buy & hold', metrics: metricsOf(levels.buyAndHold, levels.benchmark) },
  ];
  if (levels.benchmark)
    columns.push({
      name: 'benchmark',
      label: index.benchmarkSymbol ?? 'Benchmark',
      metrics: metricsOf(levels.benchmark, null),
    });
  const own = columns[0]?.metrics ?? [];
  const difference = (against: string, name: string): Performance['differences'][number] => {
    const mine = own.find((metric) => metric.name === name);
    const other = columns.find((column) => column.name === against)?.metrics.find((metric) => metric.name === name);
    const value = mine?.value != null && other?.value != null ? mine.value - other.value : null;
    const half = name === 'sharpe' ? 0.21 : 0.018;
    return {
      against,
      metric: {
        name,
        label: mine?.label ?? name,
        unit: mine?.unit ?? 'ratio',
        definition: 'Paired difference of the same days.',
        value,
        reason: value === null ? 'Too few common days.' : null,
        interval: value === null ? null : [value - half, value + half],
      },
    };
  };
  const others = columns.slice(2).map((column) => column.name);
  return {
    time,
    run: levels.run,
    firstDay: levels.days[0] ?? null,
    lastDay: levels.days.at(-1) ?? null,
    costBasisPoints: index.costBasisPoints,
    trialCount: 3,
    hypothetical: levels.hypothetical,
    columns,
    differences: others.flatMap((name) => [difference(name, 'annual_return'), difference(name, 'sharpe')]),
  };
}

function metricsOf(values: readonly (number | null)[], benchmark: readonly (number | null)[] | null): Metric[] {
  const level = values.filter((value) => value !== null);
  const years = level.length / 252;
  const moves = level.slice(1).map((value, at) => value / (level[at] ?? value) - 1);
  const mean = moves.reduce((sum, move) => sum + move, 0) / Math.max(1, moves.length);
  const deviation = Math.sqrt(moves.reduce((sum, move) => sum + (move - mean) ** 2, 0) / Math.max(1, moves.length - 1));
  let peak = 0;
  let deepest = 0;
  let since = 0;
  let longest = 0;
  for (const value of level) {
    if (value >= peak) since = 0;
    peak = Math.max(peak, value);
    deepest = Math.min(deepest, value / peak - 1);
    since += 1;
    longest = Math.max(longest, since);
  }
  const growth = ((level.at(-1) ?? 100) / (level[0] ?? 100)) ** (1 / Math.max(0.1, years)) - 1;
  const sharpe = (mean / (deviation || 1)) * Math.sqrt(252);
  const found = new Map<string, [number, number]>([
    ['annual_return', [growth, 0.07]],
    ['annual_volatility', [deviation * Math.sqrt(252), 0.015]],
    ['sharpe', [sharpe, 0.55]],
    ['max_drawdown', [deepest, 0.08]],
    ['calmar', [growth / Math.abs(deepest || 1), 0.4]],
    ['longest_drawdown', [longest, 0]],
    ['turnover', [2.31, 0]],
    ['tracking_error', [0.041, 0.006]],
  ]);
  return DEFINITIONS.map(([name, label, unit, definition]) => {
    const [value, half] = found.get(name) ?? [0, 0];
    const isShort = moves.length < 252;
    const lacksBenchmark = name === 'tracking_error' && benchmark === null;
    const reason = isShort ? 'Needs 252 returns.' : lacksBenchmark ? 'There is no benchmark to differ from.' : null;
    return {
      name,
      label,
      unit,
      definition,
      value: reason === null ? value : null,
      reason,
      interval: reason === null && half > 0 ? [value - half, value + half] : null,
    };
  });
}

export function holdingsOf(day: string) {
  const chance = generator(Number(day.replace(/-/g, '')));
  const raw = NAMES.map((_, at) => 0.4 + chance() + (at % 5 === 0 ? 1.2 : 0));
  const sum = raw.reduce((total, weight) => total + weight, 0);
  return NAMES.map(([symbol, name, sector], at) => {
    const weight = (raw[at] ?? 0) / sum;
    return {
      instrumentId: at + 1,
      symbol,
      name,
      sector,
      weight,
      previousWeight: weight * (0.96 + chance() * 0.08),
      momentumScore: at % 6 === 5 ? null : weight * 0.4,
      capScore: at % 9 === 8 ? null : weight * 0.3,
      riskScore: weight * 0.3,
    };
  });
}

export function taskOf(id: number, part: Partial<Task>): Task {
  return {
    id,
    kind: 'portfolio.index-run.compute',
    title: 'Compute Simulated three pillars',
    state: 'done',
    progress: 1,
    progressNote: 'Done',
    input: {},
    result: {},
    problem: null,
    attempts: 1,
    cancelRequestedAt: null,
    startedAt: RECORDED_AT,
    finishedAt: RECORDED_AT,
    createdAt: RECORDED_AT,
    createdBy: null,
    ...part,
  };
}

export const tasks: Task[] = [
  taskOf(3, {
    kind: 'market-data.price-import.run',
    title: 'Import prices-2019.csv.gz',
    state: 'running',
    progress: 0.42,
    progressNote: 'Read 400,000 of about 950,000 rows',
    result: null,
    finishedAt: null,
  }),
  taskOf(2, {
    kind: 'market-data.price-import.run',
    title: 'Import broken.csv',
    state: 'failed',
    progress: 0.1,
    progressNote: '',
    result: null,
    attempts: 2,
    problem: {
      code: 'FILE_REFUSED',
      detail: 'The file has malformed rows and was to be refused whole.',
      details: [
        { path: 'broken.csv:17:close', rule: 'A close must be a number, was "abc".' },
        { path: 'broken.csv:44:date', rule: 'A date must be a real day, was "2019-02-30".' },
      ],
    },
  }),
  taskOf(1, { result: { runNumber: 1, rebalanceCount: 3069 } }),
];
