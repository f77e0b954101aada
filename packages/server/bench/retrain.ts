import { TARGETS } from '@touchstone/contracts/model-manifest';
import { FAMILIES, trainBody } from '@touchstone/contracts/training';
import { dayNumber, dayText } from '@touchstone/quant/series/day';
import { tradingDays } from '@touchstone/quant/series/trading-calendar';
import type { Caller } from '../src/platform/http/serve.ts';
import { addUniverse, startTrainer, TENANT } from '../test/training-world.ts';
import { type BenchResult, startBenchServer } from './bench-server.ts';

const ASSETS = Number(process.env.BENCH_ASSETS ?? 20);
const GOAL_S = 600;
const THREADS = 2;
const POLL_MS = 250;
const OWNER: Caller = { ...TENANT, role: 'owner', family: null, keyId: null, scopes: ['model:read', 'model:write'] };

/**
 * All models of all targets for a universe of simulated assets of ten years, from the question to the registered versions: bars
 * read from the database, features, canary, walk-forward fits, stacking, calibration, gate, registry.
 *
 * @public
 */
export async function run(): Promise<BenchResult[]> {
  const server = await startBenchServer();
  const days = Array.from(tradingDays('XNYS', dayNumber('2012-01-03'), dayNumber('2021-12-31')), dayText);
  const { universeId } = await addUniverse(server, ASSETS, days);
  await server.migrator.query('ANALYZE price_observation');
  const trainer = await startTrainer(server, { threads: THREADS });
  try {
    const startedAt = performance.now();
    const { trainingId } = await trainer.training.start(OWNER, trainBody.parse({ universeId }));
    for (;;) {
      const { state, models, partCount, progressNote } = await trainer.training.get(OWNER, trainingId);
      if (state === 'failed' || state === 'cancelled') throw new Error(`the training is ${state}: ${progressNote}`);
      if (state === 'done') {
        const seconds = (performance.now() - startedAt) / 1000;
        const made = models.filter(({ version }) => version !== null).length;
        return [
          {
            name: 'retrain',
            figure: seconds,
            unit: 's',
            peer: null,
            peerFigure: null,
            ratio: null,
            goal: `< ${GOAL_S} s`,
            met: seconds < GOAL_S && made === TARGETS.length * FAMILIES.length,
            input: `${made} models (${TARGETS.length} targets × ${FAMILIES.length} families, ${partCount} fits) for ${ASSETS} simulated assets of ${days.length} days, ${THREADS} threads; processor time ${Math.round(models.reduce((sum, { family, costSeconds }) => sum + (family === 'ensemble' ? 0 : costSeconds), 0))} s`,
          },
        ];
      }
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  } finally {
    await trainer.close();
    await server.close();
  }
}
