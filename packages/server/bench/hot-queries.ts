import type pg from 'pg';
import { createBarsService } from '../src/market-data/bars/bars.service.ts';
import { createCasesService } from '../src/market-data/cases/cases.service.ts';
import { loadTellings, resolveTime } from '../src/market-data/index.ts';
import { createInstrumentsService } from '../src/market-data/instruments/instruments.service.ts';
import { createRunsService } from '../src/market-data/runs/runs.service.ts';
import { createTimelineService } from '../src/market-data/timeline/timeline.service.ts';
import type { Database, Principal } from '../src/platform/database/database.ts';
import { type Statement, watchStatements } from '../src/platform/database/statements.ts';
import { listTaskRows } from '../src/platform/tasks/task.repository.ts';
import { listEvidenceRows } from '../src/platform/telemetry/diagnostics.routes.ts';
import { listIndexRunsPage } from '../src/portfolio/index-run/index-run.repository.ts';

// The ten hottest questions of the product, on as many bars as wanted, for their plans (test) and their times (bench).

export const HOT_TENANT: Principal = { tenantId: 7, actorId: null };

/** How much of everything. Bars are instruments × days; a hundredth of them is told a second time. */
export type HotSize = { instruments: number; days: number; runs: number; others: number };
export const SMALL: HotSize = { instruments: 200, days: 1_000, runs: 200, others: 5_000 };
export const LARGE: HotSize = { instruments: 2_000, days: 2_520, runs: 1_000, others: 50_000 };

/** Tables whose rows grow with the market and with use: none of these may be read from end to end. */
export const FACT_TABLES = [
  ...['price_observation', 'price_quarantine', 'corporate_action', 'market_cap', 'fundamental', 'exchange_rate'],
  ...['macro_observation', 'listing_event', 'evidence', 'task', 'index_run', 'trial'],
];

const FIRST_DAY = '2015-01-01';
const INSTRUMENTS_AT_ONCE = 100;

/** Fills an empty migrated database by SQL alone, as the owner of the tables. Tells how far it is. */
export async function fillHotData(
  migrator: pg.Pool,
  size: HotSize,
  tell: (line: string) => void = () => {},
): Promise<void> {
  const run = (text: string, values: unknown[] = []) => migrator.query(text, values);
  const { instruments, days, runs, others } = size;
  await run(`INSERT INTO tenant (id, name) VALUES (7, 'hot') ON CONFLICT DO NOTHING`);
  await run(
    `INSERT INTO source (tenant_id, code, name, kind, price_basis) VALUES (7, 'hot', 'Hot', 'file', 'raw'), (7, 'other', 'Other', 'file', 'raw')`,
  );
  await run(
    `INSERT INTO instrument (tenant_id, symbol, name, sector)
     SELECT 7, 'T' || lpad(n::text, 5, '0'), 'Company ' || md5(n::text), 'sector ' || n % 11 FROM generate_series(1, $1) n`,
    [instruments],
  );
  // Days are weekdays; the first `days` of them.
  await run(
    `CREATE TABLE hot_day AS SELECT d::date AS day FROM generate_series($1::date, $1::date + ($2::int * 3 / 2 + 10), '1 day') d
     WHERE extract(isodow FROM d) < 6 ORDER BY d LIMIT $2`,
    [FIRST_DAY, days],
  );
  await run(
    `SELECT touchstone_ensure_price_years(min(extract(year FROM day))::int, max(extract(year FROM day))::int) FROM hot_day`,
  );
  await run(
    `INSERT INTO ingest_run (tenant_id, source_id, kind, state, price_basis, first_day, last_day, row_count, options)
     SELECT 7, s.id, CASE WHEN n % 10 = 0 THEN 'correction' ELSE 'prices' END, 'published', 'raw', d.first, d.last, 1000,
            jsonb_build_object('instrumentIds', '[]'::jsonb)
     FROM generate_series(1, $1) n, source s, (SELECT min(day) AS first, max(day) AS last FROM hot_day) d
     WHERE s.code = 'hot' ORDER BY n`,
    [runs],
  );
  await run(
    `INSERT INTO publication (tenant_id, run_id, kind, published_at, row_count, content_sha256, known_at_min, known_at_max)
     SELECT 7, r.id, 'publish', '2025-01-01Z'::timestamptz + r.id * interval '1 second', 1000, decode(repeat('00', 32), 'hex'),
            r.first_day + interval '22 hours', r.last_day + interval '22 hours'
     FROM ingest_run r WHERE r.tenant_id = 7`,
  );
  const { rows: ids } = await run(`SELECT min(id) AS first FROM instrument WHERE tenant_id = 7`);
  const { rows: firstRun } = await run(`SELECT min(id) AS first FROM ingest_run WHERE tenant_id = 7`);
  for (let from = 0; from < instruments; from += INSTRUMENTS_AT_ONCE) {
    await run(
      `INSERT INTO price_observation
         (tenant_id, instrument_id, day, run_id, source_id, revision, known_at, open, high, low, close, volume)
       SELECT 7, i, d.day, $3::int + t.again * (1 + i % ($4::int - 1)), s.id, t.again, d.day + interval '22 hours' + t.again * interval '9 days',
              p, p * 1.01, p * 0.99, p, 1000 + i
       FROM generate_series($1::int, $2::int) i CROSS JOIN hot_day d CROSS JOIN (VALUES (0), (1)) AS t (again)
       CROSS JOIN LATERAL (SELECT 50 + 20 * sin(i + d.day - date '2015-01-01'::date) AS p) price
       CROSS JOIN source s
       WHERE s.code = 'hot' AND (t.again = 0 OR (i * 31 + (d.day - date '2015-01-01')) % 100 = 0)
       ORDER BY i, d.day`,
      [
        ids[0].first + from,
        ids[0].first + Math.min(instruments, from + INSTRUMENTS_AT_ONCE) - 1,
        firstRun[0].first,
        runs,
      ],
    );
    tell(`${Math.min(instruments, from + INSTRUMENTS_AT_ONCE)} of ${instruments} instruments have their bars`);
  }
  await run(
    `INSERT INTO corporate_action (tenant_id, instrument_id, day, kind, run_id, source_id, known_at, value)
     SELECT 7, i.id, d.day, 'dividend', $1, s.id, d.day + interval '9 hours', 0.5
     FROM instrument i, hot_day d, source s WHERE i.tenant_id = 7 AND s.code = 'hot' AND (d.day - date '2015-01-01') % 91 = 0`,
    [firstRun[0].first],
  );
  await run(
    `INSERT INTO data_case (tenant_id, run_id, source_id, instrument_id, kind, action, first_day, last_day, row_count, reason, known_at, state)
     SELECT 7, $1::int + n % $2::int, s.id, $3::int + n % $4::int, CASE n % 3 WHEN 0 THEN 'bad_tick' WHEN 1 THEN 'stale' ELSE 'split' END,
            'note', '2016-03-01', '2016-03-01', 1, 'far from its neighbours', '2016-03-02Z', CASE WHEN n % 20 = 0 THEN 'open' ELSE 'false' END
     FROM generate_series(1, $5::int / 5) n, source s WHERE s.code = 'hot'`,
    [firstRun[0].first, runs, ids[0].first, instruments, others],
  );
  await run(
    `INSERT INTO task (tenant_id, kind, title, state) SELECT 7, 'test.hot', 'Task ' || n, CASE WHEN n % 50 = 0 THEN 'failed' ELSE 'done' END
     FROM generate_series(1, $1) n`,
    [others],
  );
  await run(
    `INSERT INTO evidence (tenant_id, sequence, recorded_at, kind, subject_kind, subject_id, body, previous_hash, hash)
     SELECT 7, n, now(), 'run.published', 'run', (n % 500)::text, '{}', decode(repeat('00', 32), 'hex'), decode(repeat('00', 32), 'hex')
     FROM generate_series(1, $1) n`,
    [others],
  );
  await run(
    `INSERT INTO universe (tenant_id, name, rule, source_tenant_id, source_id) SELECT 7, 'hot', 'all_of_source', 7, id FROM source WHERE code = 'hot'`,
  );
  await run(
    `INSERT INTO index_definition (tenant_id, name, universe_tenant_id, universe_id, method)
     SELECT 7, 'index ' || n, 7, u.id, 'equal_weight' FROM generate_series(1, 20) n, universe u WHERE u.name = 'hot'`,
  );
  await run(
    `INSERT INTO dataset (tenant_id, sha256, kind, query, as_of, known_at, recorded_at, row_count, byte_count, columns)
     VALUES (7, repeat('a', 64), 'index-input', '{}', '2024-01-01', '2024-01-02Z', '2024-01-02Z', 1, 1, '[]')`,
  );
  await run(
    `INSERT INTO trial (tenant_id, kind, name, parameters, parameters_sha256, dataset_sha256, code_version, seed, outcome)
     SELECT 7, 'index-run', 'run ' || n, '{}', md5(n::text), repeat('a', 64), '1', 1, 'finished' FROM generate_series(1, $1 / 5) n`,
    [others],
  );
  await run(
    `INSERT INTO index_run (tenant_id, index_id, run_number, definition, dataset_sha256, as_of, known_at, recorded_at, code_version,
                            seed, trial_id, summary, result_sha256)
     SELECT 7, i.id, n, '{}', repeat('a', 64), '2024-01-01', '2024-01-02Z', '2024-01-02Z', '1', 1, t.id,
            '{"firstDay":null,"lastDay":null,"rebalanceCount":0,"instrumentCount":0,"namesWithoutCap":0,"infeasibleCount":0,"cashDays":0,"suspectStepCount":0,"reasons":{}}',
            repeat('b', 64)
     FROM index_definition i, generate_series(1, $1 / 100) n, (SELECT min(id) AS id FROM trial) t`,
    [others],
  );
  await run('DROP TABLE hot_day');
  tell('counting rows for the planner');
  await run('VACUUM ANALYZE');
}

export type HotQuery = { name: string; ask(round: number): Promise<unknown> };

/** The questions, each as a page or a task asks it through the product's own code. `round` varies what is asked for. */
export async function hotQueries(database: Database): Promise<HotQuery[]> {
  const [bars, cases, runs] = [createBarsService(database), createCasesService(database), createRunsService(database)];
  const instruments = createInstrumentsService(database);
  const timeline = createTimelineService(database);
  const read = { readOnly: true };
  const ids = await database.transaction(HOT_TENANT, ({ query }) =>
    query.selectFrom('instrument').select('id').where('tenant_id', '=', 7).orderBy('id').execute(),
  );
  const source = await database.transaction(HOT_TENANT, ({ query }) =>
    query.selectFrom('source').select('id').where('code', '=', 'hot').executeTakeFirstOrThrow(),
  );
  const indexes = await database.transaction(HOT_TENANT, ({ query }) =>
    query.selectFrom('index_definition').select('id').orderBy('id').execute(),
  );
  const idOf = (round: number) => ids[(round * 37) % ids.length]!.id;
  return [
    { name: 'bars-current', ask: (round) => bars.list(HOT_TENANT, idOf(round), {}) },
    {
      name: 'bars-known-at',
      ask: (round) => bars.list(HOT_TENANT, idOf(round), { knownAt: '2016-06-30T22:00:00.000Z', from: '2016-01-01' }),
    },
    {
      name: 'freeze-tellings',
      ask: (round) =>
        database.transaction(
          HOT_TENANT,
          async (tx) =>
            loadTellings(tx, {
              instrumentIds: Array.from({ length: 10 }, (_, i) => idOf(round + i)),
              sourceId: source.id,
              from: '2016-01-01',
              to: '2016-12-31',
              time: await resolveTime(tx, {}),
            }),
          read,
        ),
    },
    { name: 'runs-list', ask: () => runs.list(HOT_TENANT, { limit: 50 }) },
    { name: 'cases-list', ask: () => cases.list(HOT_TENANT, { limit: 50, state: 'open' }) },
    { name: 'timeline', ask: () => timeline.get(HOT_TENANT) },
    {
      name: 'instruments-search',
      ask: (round) =>
        instruments.list(HOT_TENANT, { search: `T${String((round * 7) % 20).padStart(4, '0')}`, limit: 20 }),
    },
    {
      name: 'index-runs',
      ask: (round) =>
        database.transaction(
          HOT_TENANT,
          (tx) => listIndexRunsPage(tx, indexes[round % indexes.length]!.id, { before: undefined, limit: 51 }),
          read,
        ),
    },
    {
      name: 'evidence-page',
      ask: (round) =>
        database.transaction(
          HOT_TENANT,
          (tx) =>
            listEvidenceRows(tx, {
              ...{ before: 4_000 - round, limit: 50 },
              ...(round % 2 === 0 ? {} : { subjectKind: 'run', subjectId: String(round % 500) }),
            }),
          read,
        ),
    },
    {
      name: 'tasks-list',
      ask: () =>
        database.transaction(HOT_TENANT, (tx) => listTaskRows(tx, { before: null, state: undefined, limit: 50 }), read),
    },
  ];
}

/** What a question asks the database, in order, without opening and ending the transaction. */
export async function statementsOf(database: Database, ask: () => Promise<unknown>): Promise<Statement[]> {
  const seen: Statement[] = [];
  const stop = watchStatements(database.pool, (statement) => seen.push(statement));
  try {
    await ask();
  } finally {
    stop();
  }
  // Several statements in one text only prepare a transaction, and have no plan.
  return seen.filter(({ text }) => !/^(?:begin|commit|rollback|set)\b|;\s*\S/i.test(text.trim()));
}

/** A node of the database's plan, as far as it is looked at. */
type Node = {
  'Node Type': string;
  'Relation Name'?: string;
  'Index Name'?: string;
  'Parent Relationship'?: string;
  'Subplan Name'?: string;
  Plans?: Node[];
};

/** The plan of a statement with its very values: node types, tables and indexes, no costs; yearly partitions are one. */
export async function planOf(
  database: Database,
  { text, values }: Statement,
): Promise<{ text: string; scans: string[] }> {
  const copied = /^\s*COPY \(([\s\S]*)\) TO STDOUT/.exec(text)?.[1];
  const { rows } = await database.transaction(
    HOT_TENANT,
    ({ client }) => client.query(`EXPLAIN (FORMAT JSON) ${copied ?? text}`, [...values]),
    { readOnly: true },
  );
  const root: Node = rows[0]['QUERY PLAN'][0].Plan;
  const scans: string[] = [];
  const lines: string[] = [];
  const walk = (node: Node, depth: number) => {
    const relation = node['Relation Name']?.replace(/_\d{4}$/, '');
    const index = node['Index Name']?.replace(/_\d{4}_/, '_');
    if (node['Node Type'] === 'Seq Scan' && relation !== undefined) scans.push(relation);
    const about = [relation === undefined ? '' : ` on ${relation}`, index === undefined ? '' : ` by ${index}`].join('');
    const line = `${'  '.repeat(depth)}${node['Node Type']}${about}`;
    // Years with the same plan are told once.
    const children = node.Plans ?? [];
    const before = lines.length;
    lines.push(line);
    for (const child of children) walk(child, depth + 1);
    const own = lines.splice(before).join('\n');
    if (lines.at(-1) !== own) lines.push(own);
  };
  walk(root, 0);
  return { text: lines.join('\n'), scans };
}
