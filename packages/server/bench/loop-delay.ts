import { monitorEventLoopDelay } from 'node:perf_hooks';
import { type BenchResult, importFile, priceFile, startBenchServer } from './bench-server.ts';

const ROWS = 620_000;
const GOAL_MS = 20;
/** The monitor counts its own timer's period as delay. */
const RESOLUTION_MS = 1;

/**
 * How long requests would have waited for the event loop while a file was imported.
 *
 * @public
 */
export async function run(): Promise<BenchResult[]> {
  const server = await startBenchServer();
  try {
    const { file, input } = await priceFile(server.folder, ROWS);
    const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
    delay.enable();
    await importFile(server, file, 'bench');
    delay.disable();
    const figure = Math.max(0, delay.percentile(99) / 1e6 - RESOLUTION_MS);
    return [
      {
        name: 'loop-delay',
        figure,
        unit: 'ms p99',
        peer: null,
        peerFigure: null,
        ratio: null,
        goal: `< ${GOAL_MS} ms`,
        met: figure < GOAL_MS,
        input,
      },
    ];
  } finally {
    await server.close();
  }
}
