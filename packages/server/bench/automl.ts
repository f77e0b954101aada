import { automlBody } from '@touchstone/contracts/automl';
import { dayNumber, dayText } from '@touchstone/quant/series/day';
import { tradingDays } from '@touchstone/quant/series/trading-calendar';
import type { Caller } from '../src/platform/http/serve.ts';
import { startSearcher } from '../test/automl-world.ts';
import { addUniverse } from '../test/training-world.ts';
import { type BenchResult, startBenchServer, TENANT } from './bench-server.ts';

const ASSETS = Number(process.env.BENCH_ASSETS ?? 20);
/** Of the search alone; the judgement comes on top. */
const SECONDS = Number(process.env.BENCH_SECONDS ?? 1_200);
const GOAL_S = 1_800;
const THREADS = 2;
const POLL_MS = 250;
const OWNER: Caller = { ...TENANT, role: 'owner', family: null, keyId: null, scopes: ['model:read', 'model:write'] };

/**
 * A whole search for a universe of simulated assets of ten years, all families, from the question to the registered version: rows
 * frozen, trials on inner blocks, set of equals, judgement on outer blocks, gate, registry.
 *
 * @public
 */
export async function run(): Promise<BenchResult[]> {
  const server = await startBenchServer();
  const days = Array.from(tradingDays('XNYS', dayNumber('2012-01-03'), dayNumber('2021-12-31')), dayText);
  const { universeId } = await addUniverse(server, ASSETS, days);
  await server.migrator.query('ANALYZE price_observation');
  const searcher = await startSearcher(server, { home: server.folder, threads: THREADS });
  try {
    const startedAt = performance.now();
    const body = automlBody.parse({ universeId, target: 'volatility_direction', seconds: SECONDS });
    const { automlId } = await searcher.automl.start(OWNER, body);
    for (;;) {
      const { state, progressNote, trials, unitsDone, chosen } = await searcher.automl.get(OWNER, automlId);
      if (state === 'failed' || state === 'cancelled') throw new Error(`the search is ${state}: ${progressNote}`);
      if (state === 'done') {
        const seconds = (performance.now() - startedAt) / 1000;
        const count = (what: string) => trials.filter((trial) => trial.state === what).length;
        const families = new Set(trials.map(({ family }) => family)).size;
        return [
          {
            ...{ name: 'automl', figure: seconds, unit: 's', peer: null, peerFigure: null, ratio: null },
            ...{ goal: `< ${GOAL_S} s`, met: seconds < GOAL_S && chosen?.version != null },
            input: `${trials.length} trials of ${families} families (${count('finished')} to the end, ${count('stopped')} stopped early, ${count('failed')} failed; ${unitsDone} fits) in ${SECONDS} s and the judgement, ${ASSETS} simulated assets of ${days.length} days, ${THREADS} threads; chosen: ${chosen?.family}`,
          },
        ];
      }
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  } finally {
    await searcher.close();
    await server.close();
  }
}
