import { createReadStream, createWriteStream, existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';
import { createRandom } from '@touchstone/quant/random/random';
import { dayText } from '@touchstone/quant/series/day';
import { tradingDays } from '@touchstone/quant/series/trading-calendar';
import type pg from 'pg';
import {
  createPriceImportService,
  type PriceImportService,
} from '../src/market-data/price-import/price-import.service.ts';
import { systemClock } from '../src/platform/clock/clock.ts';
import { createDatabase, type Database, type Principal } from '../src/platform/database/database.ts';
import { startEmbeddedPostgres } from '../src/platform/database/embedded/embedded-postgres.ts';
import { migrate } from '../src/platform/database/migrate.ts';
import { createPool } from '../src/platform/database/pool.ts';
import { APP_ROLE, ARCHIVER_ROLE, MIGRATOR_ROLE, provisionDatabase } from '../src/platform/database/provision.ts';
import { createFolderStore, type ObjectStore } from '../src/platform/object-store/object-store.ts';
import type { Tasks } from '../src/platform/tasks/tasks.ts';

export type BenchResult = {
  name: string;
  figure: number;
  unit: string;
  peer: string | null;
  peerFigure: number | null;
  /** Our figure over the peer's. */
  ratio: number | null;
  goal: string;
  met: boolean;
  input: string;
};

export const TENANT: Principal = { tenantId: 7, actorId: null };

export type BenchServer = {
  database: Database;
  /** How threads reach it as the application. */
  connection: pg.PoolConfig;
  /** The owner of the tables, for what a plain `COPY` would do. */
  migrator: pg.Pool;
  objects: ObjectStore;
  imports: PriceImportService;
  folder: string;
  /** A second, empty database of the same schema. */
  openPeer(): Promise<pg.Pool>;
  close(): Promise<void>;
};

/** The import service on an embedded database of its own with the product's settings, in a temporary folder. */
export async function startBenchServer(): Promise<BenchServer> {
  const folder = await mkdtemp('/tmp/touchstone-bench-');
  const server = await startEmbeddedPostgres({ home: path.join(folder, 'home'), log: () => {} });
  const base = { host: server.host, port: server.port };
  const prepare = async (name: string): Promise<pg.Pool> => {
    await provisionDatabase({ ...base, user: server.superuser }, name);
    const pool = createPool({ ...base, database: name, user: MIGRATOR_ROLE, max: 2 }, () => {});
    await migrate(pool, { app: APP_ROLE, archiver: ARCHIVER_ROLE });
    return pool;
  };
  const migrator = await prepare('bench');
  await migrator.query(`INSERT INTO tenant (id, name) VALUES (${TENANT.tenantId}, 'bench')`);
  const connection = { ...base, database: 'bench', user: APP_ROLE };
  const database = createDatabase(createPool(connection, () => {}));
  const objects = createFolderStore(path.join(folder, 'objects'));
  const imports = createPriceImportService({
    database,
    connection,
    objects,
    tasks: waitingTasks(),
    clock: systemClock,
  });
  const peers: pg.Pool[] = [];
  return {
    database,
    connection,
    migrator,
    objects,
    imports,
    folder,
    async openPeer() {
      const pool = await prepare('peer');
      peers.push(pool);
      return pool;
    },
    async close() {
      await database.close();
      for (const pool of [migrator, ...peers]) await pool.end();
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Tasks are only written down: the bench calls the work itself. */
export function waitingTasks(): Tasks {
  return {
    register: () => {},
    async start({ query, principal }, { kind, title, input }) {
      const { id, created_at } = await query
        .insertInto('task')
        .values({ tenant_id: principal.tenantId, kind, title, input: JSON.stringify(input) })
        .returning(['id', 'created_at'])
        .executeTakeFirstOrThrow();
      const nothing = { result: null, problem: null, cancelRequestedAt: null, startedAt: null, finishedAt: null };
      const begun = { state: 'queued' as const, progress: 0, progressNote: '', attempts: 0, createdBy: null };
      return { id, kind, title, input, createdAt: created_at, ...nothing, ...begun };
    },
  };
}

/** Imports a stored file from the queue's first touch to the publication; gives what it did and how long it took. */
export async function importFile(server: BenchServer, file: string, code: string) {
  const { uploadId } = await server.imports.upload(TENANT, path.basename(file), createReadStream(file));
  const task = await server.imports.accept(TENANT, {
    uploadId,
    fileName: path.basename(file),
    kind: 'prices',
    source: { code },
    choices: { priceBasis: 'total_return' },
    onBadRow: 'keep-good',
  });
  const runId = Number(task.input.runId);
  const context = { principal: TENANT, taskId: task.id, signal: new AbortController().signal, progress: () => {} };
  const started = performance.now();
  const result = await server.imports.run(runId, context);
  return { runId, seconds: (performance.now() - started) / 1000, result };
}

const REAL_FILE = 'equities/us_stocks_daily_2010_2019_yahoo_adj.csv.gz';

/** The first rows of the real file, or as many simulated ones where it is absent; compressed, in the folder. */
export async function priceFile(folder: string, rowCount: number): Promise<{ file: string; input: string }> {
  await mkdir(folder, { recursive: true });
  const file = path.join(folder, `prices-${rowCount}.csv.gz`);
  const data = process.env.TOUCHSTONE_DATA ?? path.join(import.meta.dirname, '../../../../shared/data');
  const real = path.join(data, REAL_FILE);
  const isReal = existsSync(real);
  const text = isReal ? createReadStream(real).pipe(createGunzip()) : Readable.from(simulatedLines(rowCount));
  await pipeline(text, (source) => firstLines(source, rowCount + 1), createGzip({ level: 6 }), createWriteStream(file));
  return { file, input: `first ${rowCount} rows of ${isReal ? REAL_FILE : 'a simulated file'}` };
}

async function* firstLines(source: AsyncIterable<Buffer | string>, lineCount: number) {
  let left = lineCount;
  for await (const chunk of source) {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    let at = 0;
    while (left > 0) {
      const end = bytes.indexOf(10, at);
      if (end < 0) break;
      left--;
      at = end + 1;
    }
    yield left > 0 ? bytes : bytes.subarray(0, at);
    if (left === 0) return;
  }
}

/** 426 symbols over ten years, as in the real file. */
function* simulatedLines(rowCount: number): Generator<string> {
  const days = Array.from(tradingDays('XNYS', 14_613, 18_261), dayText);
  const random = createRandom(1).split('bench-prices');
  yield 'date,symbol,open,high,low,close,volume\n';
  for (let row = 0; row < rowCount; ) {
    const symbol = `S${String(Math.floor(row / days.length)).padStart(4, '0')}`;
    let close = 20 + 100 * random.uniform();
    for (let t = 0; t < days.length && row < rowCount; t++, row++) {
      const open = close * Math.exp(0.004 * random.normal());
      close = open * Math.exp(0.014 * random.normal());
      const high = Math.max(open, close) * (1 + 0.006 * random.uniform());
      const low = Math.min(open, close) * (1 - 0.006 * random.uniform());
      const prices = [open, high, low, close].map((value) => value.toFixed(5)).join(',');
      yield `${days[t]},${symbol},${prices},${1_000_000 + random.integer(5_000_000)}\n`;
    }
  }
}
