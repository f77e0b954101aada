import { createCompute } from '../src/platform/compute/compute.ts';
import { type BenchResult, importFile, priceFile, startBenchServer } from './bench-server.ts';
import { createBenchFeatureStore } from './feature-bench.ts';

const ROWS = Number(process.env.BENCH_ROWS ?? 17_000);
const FEATURES = Number(process.env.BENCH_FEATURES ?? 1_000);
/** 426 names of 2,520 bars. */
const BARS = Number(process.env.BENCH_BARS ?? 1_073_520);
const GOAL_S = 30;

/**
 * 17,000 rows of 1,000 features as a training set asks for them: every so many bars of every name of a universe, each as
 * known when its day's close was known, read from the database, computed in threads, written as a frozen dataset.
 *
 * @public
 */
export async function run(): Promise<BenchResult[]> {
  const server = await startBenchServer();
  const compute = createCompute(2);
  try {
    const { file, input } = await priceFile(server.folder, BARS);
    await importFile(server, file, 'bench');
    await server.migrator.query('ANALYZE price_observation');
    const { saveFeatures, freeze, instrumentIds } = await createBenchFeatureStore(server, compute);
    const features = await saveFeatures(FEATURES);
    const perName = Math.ceil(ROWS / instrumentIds.length);
    const everyDays = Math.max(1, Math.floor(2_200 / perName));
    const universe = { universeId: 1, from: '0001-01-01', to: '9999-12-31', everyDays };
    const started = performance.now();
    const result = await freeze({ universe, features });
    const seconds = (performance.now() - started) / 1000;
    return [
      {
        name: 'historical-features',
        figure: seconds,
        unit: 's',
        peer: null,
        peerFigure: null,
        ratio: null,
        goal: `< ${GOAL_S} s`,
        met: seconds < GOAL_S,
        input: `${result.rowCount} rows × ${features.length} features of ${instrumentIds.length} names; ${input}`,
      },
    ];
  } finally {
    await compute.close();
    await server.close();
  }
}
