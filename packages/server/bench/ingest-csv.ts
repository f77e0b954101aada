import { createReadStream, createWriteStream } from 'node:fs';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import type pg from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import { type BenchResult, type BenchServer, importFile, priceFile, startBenchServer } from './bench-server.ts';

const ROWS = 620_000;
const GOAL_SECONDS = 25;
const GOAL_RATIO = 2.5;

/**
 * A compressed price file end to end (gunzip, parse, judge, stage, publish) beside a plain `COPY` of the rows it published
 * into the same table with its indexes, in an empty database of the same server.
 *
 * @public
 */
export async function run(): Promise<BenchResult[]> {
  const server = await startBenchServer();
  try {
    const { file, input } = await priceFile(server.folder, ROWS);
    const { seconds } = await importFile(server, file, 'bench');
    const peerSeconds = await measureCopy(server, await server.openPeer());
    const ratio = seconds / peerSeconds;
    return [
      {
        name: 'ingest-csv',
        figure: seconds,
        unit: 's',
        peer: 'COPY of the same rows into the same table',
        peerFigure: peerSeconds,
        ratio,
        goal: `<= ${GOAL_SECONDS} s and <= ${GOAL_RATIO}x`,
        met: seconds <= GOAL_SECONDS && ratio <= GOAL_RATIO,
        input,
      },
    ];
  } finally {
    await server.close();
  }
}

async function measureCopy(server: BenchServer, peer: pg.Pool): Promise<number> {
  const file = path.join(server.folder, 'rows.copy');
  const out = await server.migrator.connect();
  // Through the parent's rows in the order the import wrote them.
  await pipeline(
    out.query(copyTo('COPY (SELECT * FROM price_observation ORDER BY instrument_id, day) TO STDOUT')),
    createWriteStream(file),
  );
  out.release();
  const { rows } = await server.migrator.query(
    `SELECT extract(year FROM min(day))::int AS first, extract(year FROM max(day))::int AS last FROM price_observation`,
  );
  await peer.query('SELECT touchstone_ensure_price_years($1, $2)', [rows[0].first, rows[0].last]);
  const client = await peer.connect();
  const started = performance.now();
  await pipeline(createReadStream(file), client.query(copyFrom('COPY price_observation FROM STDIN')));
  const seconds = (performance.now() - started) / 1000;
  client.release();
  return seconds;
}
