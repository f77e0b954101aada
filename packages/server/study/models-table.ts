import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { TARGETS as TARGET_NAMES } from '@touchstone/contracts/model-manifest';
import type { PartSpec } from '@touchstone/quant/evaluation/forecast-training/fit-part';
import type { AssetRows } from '@touchstone/quant/evaluation/forecast-training/training-table';
import { FORECAST_FEATURES } from '@touchstone/quant/evaluation/targets/features';
import { targetNamed } from '@touchstone/quant/evaluation/targets/targets';
import { createRandom } from '@touchstone/quant/random/random';
import type { Bars } from '@touchstone/quant/series/bars';
import { dayNumber, dayText } from '@touchstone/quant/series/day';
import { createFeatureComputer } from '../src/features/index.ts';
import { MEMBER_FAMILIES, recipeOf, walkOf } from '../src/models/training/families.ts';
import { recommendedOf } from '../src/models/training/register-models.ts';
import type { Assembled, AssembleJob, BuiltTable, PartDone, PartJob } from '../src/models/training/training.worker.ts';
import { createCompute } from '../src/platform/compute/compute.ts';

/** Settled before the run that is judged. */
const SETTINGS = {
  file: 'equities/us_stocks_daily_2010_2019_yahoo_adj.csv.gz',
  /** Drawn from the names with a bar on every day of the file. */
  nameCount: Number(process.env.STUDY_NAMES ?? 40),
  seed: 1,
  effort: 'normal' as const,
  /** Known defects: a reused ticker, garbage after a merger, a spin-off that was not adjusted. */
  leftOut: ['COL', 'SCG', 'DHR'],
};

type StudyResult = {
  name: string;
  figure: number | null;
  unit: string;
  goal: string | null;
  met: boolean | null;
  input: unknown;
};

const WORKER = new URL('../src/models/training/training.worker.ts', import.meta.url);

/**
 * Every family on every target, walked forward over 2010 to 2019: skill with its interval over each baseline, coverage, period,
 * trials; the ensemble beside the linear model. The code that trains is the server's own.
 *
 * @public
 */
export async function run(): Promise<StudyResult[]> {
  const file = path.resolve(
    import.meta.dirname,
    '../../..',
    process.env.TOUCHSTONE_DATA ?? '../shared/data',
    SETTINGS.file,
  );
  if (!existsSync(file)) {
    console.log(`models-table: skipped, there is no ${SETTINGS.file} below TOUCHSTONE_DATA`);
    return [];
  }
  const panel = drawNames(readPanel(file));
  const compute = createCompute(2);
  const results: StudyResult[] = [];
  try {
    const computer = createFeatureComputer(compute);
    const assets: AssetRows[] = [];
    for (const [asset, { bars }] of panel.entries()) {
      const at = Int32Array.from(bars.day.keys());
      const { values } = await computer.compute(
        FORECAST_FEATURES.map(({ expression }) => expression),
        [{ bars, at }],
      );
      assets.push({ asset, bars, values: values[0]! });
    }
    for (const name of TARGET_NAMES) {
      const startedAt = performance.now();
      const target = targetNamed(name);
      const columns = target.features.map((feature) => FORECAST_FEATURES.findIndex((one) => one.name === feature.name));
      const own = assets.map(({ asset, bars, values }) => ({ asset, bars, values: pick(values, columns) }));
      const table = await compute.run<BuiltTable>(WORKER, 'buildTableBytes', { target: name, assets: own });
      const walk = walkOf(SETTINGS.effort);
      const folds = [...Array.from({ length: walk.foldCount }, (_, fold) => fold), null];
      const families = await Promise.all(
        MEMBER_FAMILIES.map(async (family) => {
          const recipe = recipeOf(family, target, SETTINGS.effort);
          const parts = await Promise.all(
            folds.map((fold) => {
              const spec: PartSpec = { ...recipe, seed: SETTINGS.seed, walk, fold };
              const job: PartJob = { tableSha256: name, tableBytes: table.bytes, spec };
              return compute.run<PartDone>(WORKER, 'runPart', job);
            }),
          );
          const results = parts.map(({ bytes }) => bytes);
          return { ...recipe, folds: results.slice(0, -1), final: results.at(-1)! };
        }),
      );
      const job: AssembleJob = {
        ...{ tableBytes: table.bytes, walk, withEnsemble: true, seed: SETTINGS.seed },
        families: families.map(({ family, learner, stepCount, folds, final }) => ({
          family,
          learner,
          stepCount,
          folds,
          final,
        })),
        trialCount: TARGET_NAMES.length * (MEMBER_FAMILIES.length + 1),
      };
      const made = await compute.run<Assembled[]>(WORKER, 'assemble', job);
      print(name, made, (performance.now() - startedAt) / 1000);
      results.push(...made.map((one) => resultOf(name, one, recommendedOf(made))));
    }
  } finally {
    await compute.close();
  }
  return results;
}

function resultOf(target: string, { family, evaluation }: Assembled, recommended: string | null): StudyResult {
  const { verdict, sampleCount, firstDay, lastDay, coverage, valueWhenActing, intervalCoverage, weights } = evaluation;
  return {
    ...{ name: `models-table/${target}/${family}`, figure: verdict.skill.value, unit: evaluation.metric },
    goal: 'gate: lower bound over every baseline above 0',
    met: verdict.passed,
    input: {
      ...{ low: verdict.skill.low, high: verdict.skill.high, sampleCount, coverage, valueWhenActing, intervalCoverage },
      period: [firstDay, lastDay].map((day) => (day === null ? null : dayText(day))),
      differences: verdict.differences.map(({ name, value, low, high }) => ({ name, value, low, high })),
      ...{ areaUnderCurve: evaluation.areaUnderCurve, money: evaluation.money?.sentence ?? null },
      ...{ weights: family === 'ensemble' ? weights : undefined, recommended: family === recommended },
      ...{ sentence: verdict.sentence, names: SETTINGS.nameCount, seed: SETTINGS.seed },
    },
  };
}

function print(target: string, made: readonly Assembled[], seconds: number): void {
  console.log(`\n${target} (${seconds.toFixed(0)} s), recommended: ${recommendedOf(made) ?? 'none'}`);
  for (const { family, evaluation } of made) {
    const { skill, differences, passed } = evaluation.verdict;
    const share = (x: number | null) => (x === null ? '–' : x.toFixed(3));
    const over = differences.map(
      ({ name, value, low, high }) => `${name} ${share(value)} [${share(low)}, ${share(high)}]`,
    );
    console.log(
      `  ${family.padEnd(23)} ${evaluation.metric} ${share(skill.value)} [${share(skill.low)}, ${share(skill.high)}] ${passed ? 'passes' : 'fails '} | acts ${share(evaluation.coverage)}: ${share(evaluation.valueWhenActing)} | inside ${share(evaluation.intervalCoverage)} | auc ${share(evaluation.areaUnderCurve)}`,
    );
    console.log(`    over ${over.join('; ')}`);
    if (evaluation.money !== null) console.log(`    ${evaluation.money.sentence}`);
    if (family === 'ensemble')
      console.log(
        `    weights ${Object.entries(evaluation.weights)
          .map(([name, weight]) => `${name} ${weight.toFixed(2)}`)
          .join(', ')}`,
      );
  }
}

function drawNames(all: readonly { symbol: string; bars: Bars }[]): { symbol: string; bars: Bars }[] {
  const most = Math.max(...all.map(({ bars }) => bars.day.length));
  const whole = all.filter(({ symbol, bars }) => bars.day.length === most && !SETTINGS.leftOut.includes(symbol));
  const random = createRandom(SETTINGS.seed).split('names');
  const keyed = whole.map((one) => ({ one, key: random.uniform() })).sort((a, b) => a.key - b.key);
  const drawn = keyed.slice(0, SETTINGS.nameCount).map(({ one }) => one);
  return drawn.sort((a, b) => (a.symbol < b.symbol ? -1 : 1));
}

function pick(values: Float64Array, columns: readonly number[]): Float64Array {
  const width = FORECAST_FEATURES.length;
  const picked = new Float64Array((values.length / width) * columns.length);
  for (let row = 0; row < values.length / width; row++)
    for (let j = 0; j < columns.length; j++) picked[row * columns.length + j] = values[row * width + columns[j]!]!;
  return picked;
}

/** A long file `date,symbol,open,high,low,close,volume`; rows of a symbol ascend. */
function readPanel(file: string): { symbol: string; bars: Bars }[] {
  const rows = new Map<string, string[][]>();
  for (const line of gunzipSync(readFileSync(file)).toString('latin1').split('\n').slice(1)) {
    if (line === '') continue;
    const fields = line.split(',');
    const known = rows.get(fields[1]!);
    if (known === undefined) rows.set(fields[1]!, [fields]);
    else known.push(fields);
  }
  return [...rows].map(([symbol, told]) => {
    const column = (at: number) =>
      Float64Array.from(told, (fields) => (fields[at] === '' ? Number.NaN : Number(fields[at])));
    return {
      symbol,
      bars: {
        day: Int32Array.from(told, (fields) => dayNumber(fields[0]!)),
        ...{ open: column(2), high: column(3), low: column(4), close: column(5), volume: column(6) },
      },
    };
  });
}
