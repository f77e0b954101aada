import { type BenchResult, importFile, priceFile, startBenchServer } from './bench-server.ts';

const ROWS = 1_000_000;
const GOAL_MB = 400;

/**
 * The most memory the server's process held while it imported a million rows (the database is a process of its own).
 *
 * @public
 */
export async function run(): Promise<BenchResult[]> {
  const server = await startBenchServer();
  try {
    const { file, input } = await priceFile(server.folder, ROWS);
    let peak = 0;
    const watch = setInterval(() => {
      peak = Math.max(peak, process.memoryUsage.rss());
    }, 20);
    await importFile(server, file, 'bench');
    clearInterval(watch);
    const figure = peak / 1e6;
    return [
      {
        name: 'memory-import',
        figure,
        unit: 'MB',
        peer: null,
        peerFigure: null,
        ratio: null,
        goal: `< ${GOAL_MB} MB`,
        met: figure < GOAL_MB,
        input,
      },
    ];
  } finally {
    await server.close();
  }
}
