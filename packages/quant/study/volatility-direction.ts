import {
  VOLATILITY_DIRECTION_FEATURES,
  volatilityDirectionFeatures,
} from '../src/evaluation/targets/volatility-direction-features.ts';
import {
  VOLATILITY_HORIZON_DEFAULT,
  VOLATILITY_WINDOW_DEFAULT,
  volatilityDirection,
} from '../src/labels/volatility-direction.ts';
import { logit } from '../src/learn/calibration/platt.ts';
import { abstentionOver } from '../src/learn/conformal/abstention.ts';
import { expandingForecast } from '../src/learn/expanding-forecast.ts';
import { logistic } from '../src/learn/linear/logistic.ts';
import { createRandom } from '../src/random/random.ts';
import { meanInterval } from '../src/stats/block-bootstrap.ts';
import { ewmaVariance } from '../src/volatility/ewma-variance.ts';
import { trailingMean } from '../src/volatility/qlike.ts';
import { garmanKlassOvernightVariance } from '../src/volatility/range-variance.ts';
import { readIndexBars } from './_index-bars.ts';
import { learnCodeHash, meanByYear, verdictOf } from './_learn-study.ts';
import { BOOTSTRAP, meanDifference, pick, printResults, rowsBetween, type StudyResult } from './_volatility-study.ts';

/** Features, learner, penalty and refits were chosen on the S&P of 1971–1981 and 1988–2003 (the 1950–2022 file) only. */
const SETTINGS = {
  features: VOLATILITY_DIRECTION_FEATURES,
  learner: 'logistic',
  penalty: 30,
  seed: 1,
  horizon: VOLATILITY_HORIZON_DEFAULT,
  window: VOLATILITY_WINDOW_DEFAULT,
  refitEvery: 21,
  /** The file begins in 1999: 350 rows leave 750 forecasts before the first judged day. */
  rowsMin: 350,
  abstention: { window: 750, share: 0.25, valuesMin: 750 },
  ewmaDecay: 0.7,
  firstKnownDay: '1999-01-04',
} as const;

/**
 * Sets of columns, penalties, windows, learners (logistic, ridge on the log ratio, both): 44 compared before this file was
 * frozen, and one judged before its columns were written as expressions.
 */
const FORMS_TRIED = 45;

type Market = {
  name: string;
  file: string;
  firstDay: string;
  lastDay: string;
  /** Accuracy asked for on all days, and where it acts; null: only the differences are judged. */
  targets: readonly [all: number, acting: number] | null;
};

const MARKETS: readonly Market[] = [
  {
    name: 'S&P 2004–2018',
    file: 'indices_etfs/sp500_index_daily_1999_2018_arch.csv.gz',
    firstDay: '2004-01-02',
    lastDay: '2018-12-21',
    targets: [0.66, 0.7],
  },
  {
    name: 'Nasdaq 2004–2018',
    file: 'indices_etfs/nasdaq_index_daily_1999_2018_arch.csv.gz',
    firstDay: '2004-01-02',
    lastDay: '2018-12-21',
    targets: [0.64, 0.68],
  },
  {
    name: 'S&P 2019–2022',
    file: 'indices_etfs/sp500_index_daily_1950_2022.csv.gz',
    firstDay: '2019-01-02',
    lastDay: '2022-03-31',
    targets: null,
  },
];

const COVERAGE = [0.7, 0.8] as const;

export async function run(): Promise<StudyResult[]> {
  const results = MARKETS.flatMap(judgeMarket);
  printResults(results);
  return results;
}

function judgeMarket({ name, file, firstDay, lastDay, targets }: Market): StudyResult[] {
  const all = readIndexBars(file);
  const known = rowsBetween(all.day, SETTINGS.firstKnownDay, '2022-12-31');
  const day = Int32Array.from(known, (t) => all.day[t]!);
  const bars = {
    open: pick(all.open, known),
    high: pick(all.high, known),
    low: pick(all.low, known),
    close: pick(all.close, known),
  };
  const variance = garmanKlassOvernightVariance(bars);
  const labels = volatilityDirection(variance, SETTINGS.horizon, SETTINGS.window);
  const { told, fitCount } = expandingForecast(volatilityDirectionFeatures(bars), labels, {
    ...SETTINGS,
    learner: logistic,
    goal: 'binary',
    settings: { penalty: SETTINGS.penalty },
  });
  const z = told.map((p) => (Number.isNaN(p) ? p : logit(p)));
  const acts = abstentionOver(z, SETTINGS.abstention);
  const rows = rowsBetween(day, firstDay, lastDay).filter((t) => !Number.isNaN(labels.value[t]!));
  const missing = rows.filter((t) => Number.isNaN(z[t]!)).length;
  const y = pick(labels.value, rows);
  const right = (rises: (t: number) => boolean) => Float64Array.from(rows, (t, i) => Number(rises(t) === (y[i] === 1)));
  const ours = right((t) => z[t]! > 0);
  const month = trailingMean(variance, SETTINGS.window);
  const week = trailingMean(variance, SETTINGS.horizon);
  const ewma = ewmaVariance(variance, SETTINGS.ewmaDecay);
  const majority = pastMajority(labels.value, SETTINGS.horizon);
  const baselines = {
    'past majority': right((t) => majority[t] === 1),
    '5-day > 22-day mean': right((t) => week[t]! > month[t]!),
    'EWMA(.7) > 22-day mean': right((t) => ewma[t]! > month[t]!),
  };
  const acting = Uint32Array.from(rows.keys()).filter((i) => acts[rows[i]!] === 1);
  const coverage = acting.length / rows.length;
  const years = meanByYear(ours, pick32(day, rows));
  const worst = [...years].filter(([, { count }]) => count >= 100).reduce((a, b) => (b[1].mean < a[1].mean ? b : a));
  const balanced = balancedAccuracy(ours, y);
  const detail = {
    days: rows.length,
    missing,
    fitCount,
    baseRate: mean(y),
    balancedAccuracy: balanced,
    balancedWhereActing: balancedAccuracy(pick(ours, acting), pick(y, acting)),
    worstYear: { year: worst[0], accuracy: worst[1].mean },
    coverage,
    years: Object.fromEntries([...years].map(([year, told]) => [year, told.mean])),
    baselines: Object.fromEntries(Object.entries(baselines).map(([key, hits]) => [key, mean(hits)])),
    openEqualsPreviousClose: openShares(bars, day),
  };
  console.log(name, detail);
  const common = {
    input: { file: all.file, sha256: all.sha256, days: rows.length },
    settings: { ...SETTINGS, bootstrap: BOOTSTRAP, codeHash: learnCodeHash('volatility-direction') },
    trials: FORMS_TRIED,
    detail,
  };
  const results: StudyResult[] = [];
  const onAll = meanInterval(ours, bootstrap(`${name} all`));
  const onActing = meanInterval(pick(ours, acting), bootstrap(`${name} acting`));
  const asked = targets ?? [0, 0];
  const accuracy = (part: string, told: typeof onAll, target: number, isCovered: boolean): StudyResult => ({
    ...common,
    name: `volatility-direction ${name}, accuracy ${part}`,
    figure: told.value,
    unit: 'share',
    interval: [told.low, told.high],
    target,
    verdict: told.value >= target && isCovered ? 'met' : 'not met',
    goal: targets === null ? 'printed, no target' : `>= ${target}${isCovered ? '' : ' with its coverage missed'}`,
    met: told.value >= target && isCovered,
  });
  results.push(accuracy(`on all ${rows.length} days`, onAll, asked[0], true));
  const isCovered = coverage >= COVERAGE[0] && coverage <= COVERAGE[1];
  results.push(accuracy(`where it acts (${(100 * coverage).toFixed(1)} % of the days)`, onActing, asked[1], isCovered));
  for (const [peer, hits] of Object.entries(baselines)) {
    const gain = meanDifference(ours, hits, `${name} ${peer}`);
    results.push({
      ...common,
      name: `volatility-direction ${name}, accuracy less that of ${peer} (${(100 * mean(hits)).toFixed(1)} %)`,
      figure: gain.value,
      unit: 'share',
      interval: [gain.low, gain.high],
      target: 0,
      verdict: verdictOf(gain.low > 0, gain.high < 0),
      goal: 'lower bound > 0',
      met: gain.low > 0,
    });
  }
  return results;
}

/** 1 where more of the labels settled by then were 1. */
function pastMajority(labels: Float64Array, horizon: number): Float64Array {
  let [ones, count] = [0, 0];
  return labels.map((_, t) => {
    const label = labels[t - horizon] ?? Number.NaN;
    if (!Number.isNaN(label)) {
      ones += label;
      count++;
    }
    return Number(2 * ones > count);
  });
}

/** Mean of the shares told right among the days it rose and among those it did not. */
function balancedAccuracy(right: Float64Array, y: Float64Array): number {
  const share = (label: number) => mean(right.filter((_, i) => y[i] === label));
  return (share(1) + share(0)) / 2;
}

/** How often the open was the close before, which takes the night out of the variance: the file changes its meaning. */
function openShares({ open, close }: { open: Float64Array; close: Float64Array }, day: Int32Array) {
  const same = open.map((price, t) => Number(price === close[t - 1]));
  const years = meanByYear(same, day);
  return Object.fromEntries([...years].map(([year, { mean: share }]) => [year, Number(share.toFixed(2))]));
}

function bootstrap(label: string) {
  const { seed, ...rest } = BOOTSTRAP;
  return { random: createRandom(seed).split(label), ...rest };
}

function pick32(values: Int32Array, rows: Uint32Array): Int32Array {
  return Int32Array.from(rows, (t) => values[t]!);
}

function mean(values: Float64Array): number {
  return values.reduce((sum, x) => sum + x, 0) / values.length;
}

if (import.meta.main) await run();
