import { createBarsService } from '../src/market-data/bars/bars.service.ts';
import { createInstrumentsService } from '../src/market-data/instruments/instruments.service.ts';
import { type BenchResult, importFile, priceFile, startBenchServer, TENANT } from './bench-server.ts';

const ROWS = 620_000;
const READS = 200;
const WARM_UP = 20;
const GOAL_MS = 15;

/**
 * Ten years of one symbol through the service, as a screen asks for them, among 620,000 bars. The peer is the same rows
 * by a plain query that knows neither knowledge times nor retractions.
 *
 * @public
 */
export async function run(): Promise<BenchResult[]> {
  const server = await startBenchServer();
  try {
    const { file, input } = await priceFile(server.folder, ROWS);
    await importFile(server, file, 'bench');
    await server.migrator.query('ANALYZE price_observation');
    const bars = createBarsService(server.database);
    const { items } = await createInstrumentsService(server.database).list(TENANT, { limit: 500 });
    const ids = items.filter((item) => item.barCount > 2000).map((item) => item.id);
    const ours = await measure(ids, (id) => bars.list(TENANT, id, {}));
    const plain = await measure(ids, (id) =>
      server.database.transaction(TENANT, ({ query }) =>
        query
          .selectFrom('price_observation')
          .select(['day', 'open', 'high', 'low', 'close', 'volume'])
          .where('instrument_id', '=', id)
          .orderBy('day')
          .execute(),
      ),
    );
    return [
      {
        name: 'read-symbol',
        figure: ours,
        unit: 'ms p95',
        peer: 'SELECT of the same rows',
        peerFigure: plain,
        ratio: ours / plain,
        goal: `< ${GOAL_MS} ms`,
        met: ours < GOAL_MS,
        input: `ten years of one symbol; ${input}`,
      },
    ];
  } finally {
    await server.close();
  }
}

async function measure(ids: readonly number[], read: (id: number) => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < READS + WARM_UP; i++) {
    const started = performance.now();
    await read(ids[i % ids.length]!);
    if (i >= WARM_UP) times.push(performance.now() - started);
  }
  return times.sort((a, b) => a - b)[Math.floor(times.length * 0.95)]!;
}
