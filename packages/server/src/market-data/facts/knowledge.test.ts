import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { createTestDatabase, type TestDatabase } from '../../../test/cluster.ts';
import type { Database, Principal } from '../../platform/database/database.ts';
import { ensureSource, insertRun } from '../price-import/price-import.repository.ts';
import { createRunsService } from '../runs/runs.service.ts';
import { PRICES } from './fact-tables.ts';
import { publishInTransaction } from './publish-run.ts';
import { findBars, loadTellings } from './read-bars.ts';
import { resolveTime } from './read-time.ts';

/** One bar as a run tells it; `knownMinute` is the declared knowledge time, null for recorded. */
type Told = { day: number; close: number; knownMinute: number | null };
type Step = { kind: 'publish'; bars: Told[] } | { kind: 'retract'; which: number };
/** What a step became: its stamp is the database's, so the model learns it afterwards. */
type Done =
  | { kind: 'publish'; at: number; runId: number; bars: Told[] }
  | { kind: 'retract'; at: number; runId: number };

const TENANT: Principal = { tenantId: 7, actorId: null };
const DAYS = ['2020-01-02', '2020-01-03', '2020-01-06', '2020-01-07'];
const START = Date.parse('2020-01-10T00:00:00Z');
const MINUTE = 60_000;

let truth: TestDatabase;
let part: TestDatabase;
before(async () => {
  [truth, part] = await Promise.all([createTestDatabase(), createTestDatabase()]);
  for (const db of [truth, part]) await db.migrator.query(`INSERT INTO tenant (id, name) VALUES (7, 'seven')`);
});
after(async () => {
  await part.close();
  await truth.close();
});

const told = fc.record({
  day: fc.integer({ min: 0, max: DAYS.length - 1 }),
  close: fc.integer({ min: 1, max: 1000 }),
  knownMinute: fc.option(fc.integer({ min: 0, max: 60 }), { nil: null, freq: 2 }),
});
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('publish' as const),
      bars: fc.uniqueArray(told, { selector: (bar) => bar.day, minLength: 1, maxLength: 4 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('retract' as const), which: fc.nat(20) }) },
);

/** A fresh instrument and source, so that histories in one database do not meet. */
async function openHistory(database: Database, name: string) {
  return database.transaction(TENANT, async (tx) => {
    const source = await ensureSource(tx, {
      code: name,
      name,
      kind: 'manual',
      calendar: 'XNYS',
      currency: 'USD',
      knownAtRule: 'recorded',
    });
    const { id } = await tx.query
      .insertInto('instrument')
      .values({ tenant_id: 7, symbol: name })
      .returning('id')
      .executeTakeFirstOrThrow();
    return { sourceId: source.id, instrumentId: id };
  });
}

type History = Awaited<ReturnType<typeof openHistory>>;

async function publish(database: Database, { sourceId, instrumentId }: History, bars: readonly Told[]) {
  return database.transaction(TENANT, async (tx) => {
    const runId = await insertRun(tx, { sourceId, kind: 'prices', fileName: null, options: {} });
    const rows = bars.map(({ day, close, knownMinute }) => {
      const known = knownMinute === null ? 'NULL' : `'${new Date(START + knownMinute * MINUTE).toISOString()}'`;
      return `(${instrumentId}, '${DAYS[day]}'::date, ${known}::timestamptz, 0, ${close}::float8, ${close}::float8, ${close}::float8, ${close}::float8, NULL::float8, NULL::float8)`;
    });
    const declared = bars.flatMap((bar) => (bar.knownMinute === null ? [] : [START + bar.knownMinute * MINUTE]));
    const days = bars.map((bar) => DAYS[bar.day]!).sort();
    const published = await publishInTransaction(tx, {
      runId,
      tables: [
        {
          name: `(VALUES ${rows.join(', ')}) AS told (${PRICES.columns.join(', ')})`,
          table: PRICES.table,
          columns: PRICES.columns,
          rowCount: rows.length,
          knownAtMin: declared.length === 0 ? null : Math.min(...declared),
          knownAtMax: declared.length === 0 ? null : Math.max(...declared),
          hasRecorded: declared.length < bars.length,
        },
      ],
      held: null,
      cases: [],
      instrumentIds: [instrumentId],
      contentSha256: null,
      counts: {
        rowCount: rows.length,
        acceptedCount: rows.length,
        unchangedCount: 0,
        revisedCount: 0,
        quarantinedCount: 0,
        errorCount: 0,
      },
      errors: [],
      firstDay: days[0]!,
      lastDay: days.at(-1)!,
      priceBasis: null,
      fileSha256: null,
      note: '',
      reason: '',
    });
    return { runId, at: Date.parse(published.publishedAt) };
  });
}

async function play(database: Database, history: History, steps: readonly Step[]): Promise<Done[]> {
  const done: Done[] = [];
  for (const one of steps) {
    if (one.kind === 'publish')
      done.push({ kind: 'publish', bars: one.bars, ...(await publish(database, history, one.bars)) });
    else {
      const retracted = new Set(done.flatMap((before) => (before.kind === 'retract' ? [before.runId] : [])));
      const open = done.filter((before) => before.kind === 'publish' && !retracted.has(before.runId));
      const target = open[one.which % Math.max(1, open.length)];
      if (target === undefined) continue;
      const run = await createRunsService(database).retract(TENANT, target.runId, 'wrong file');
      done.push({ kind: 'retract', at: Date.parse(run.retractedAt!), runId: target.runId });
    }
  }
  return done;
}

/** The definition in ARCHITECTURE.md, Time, in plain words: what is visible, and which telling of a day counts. */
function model(
  done: readonly Done[],
  knownAt: number,
  recordedAt: number,
): Map<string, { close: number; runId: number }> {
  const best = new Map<string, { close: number; runId: number; effective: number }>();
  for (const run of done) {
    if (run.kind !== 'publish' || run.at > recordedAt) continue;
    const retractedAt = done.find((other) => other.kind === 'retract' && other.runId === run.runId)?.at ?? Infinity;
    for (const bar of run.bars) {
      const effective = bar.knownMinute === null ? run.at : START + bar.knownMinute * MINUTE;
      if (effective > knownAt) continue;
      if (retractedAt <= recordedAt && (bar.knownMinute !== null || retractedAt <= knownAt)) continue;
      const day = DAYS[bar.day]!;
      const held = best.get(day);
      const wins =
        held === undefined || effective > held.effective || (effective === held.effective && run.runId > held.runId);
      if (wins) best.set(day, { close: bar.close, runId: run.runId, effective });
    }
  }
  return new Map(
    [...best].sort(([a], [b]) => (a < b ? -1 : 1)).map(([day, { close, runId }]) => [day, { close, runId }]),
  );
}

async function read(database: Database, history: History, knownAt: number, recordedAt: number) {
  return database.transaction(TENANT, async (tx) => {
    const iso = (at: number) => new Date(at).toISOString();
    const time = await resolveTime(tx, { asOf: '2020-01-09', knownAt: iso(knownAt), recordedAt: iso(recordedAt) });
    const { sourceId, instrumentId } = history;
    const bars = await findBars(tx, { instrumentId, sourceId, time });
    const tellings = await loadTellings(tx, { instrumentIds: [instrumentId], sourceId, time });
    const last = new Map<number, number>();
    for (let row = 0; row < tellings.rowCount; row++) last.set(tellings.day[row]!, tellings.close[row]!);
    assert.deepEqual(
      [...last.values()],
      bars.map((bar) => bar.close),
      'the last telling of a day is the bar of the day',
    );
    return new Map(bars.map((bar) => [bar.day, { close: bar.close, runId: bar.runId }]));
  });
}

test('what is known at a moment is what the definition says, and later publications never change it', async () => {
  let history = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 1, maxLength: 8 }),
      fc.array(fc.tuple(fc.integer({ min: -1, max: 62 }), fc.nat(8), fc.boolean()), { minLength: 1, maxLength: 4 }),
      async (steps, questions) => {
        const name = `h${history++}`;
        const all = await openHistory(truth.database, name);
        const done = await play(truth.database, all, steps);
        for (const [minute, place, late] of questions) {
          if (done.length === 0) continue;
          const recordedAt = done[place % done.length]!.at;
          // Half of the questions are about recorded knowledge, which begins with our own clock.
          const knownAt = late ? done[minute < 0 ? 0 : minute % done.length]!.at : START + minute * MINUTE;
          const answer = await read(truth.database, all, knownAt, recordedAt);
          assert.deepEqual(answer, model(done, knownAt, recordedAt));
        }
      },
    ),
    { numRuns: 40 },
  );
});

test('an answer equals that of a database into which only what was published by recordedAt was ever put', async () => {
  let history = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 2, maxLength: 7 }),
      fc.nat(6),
      fc.integer({ min: 0, max: 61 }),
      async (steps, cut, minute) => {
        const name = `p${history++}`;
        const all = await openHistory(truth.database, name);
        const done = await play(truth.database, all, steps);
        if (done.length === 0) return;
        const kept = (cut % done.length) + 1;
        const some = await openHistory(part.database, name);
        // Steps that found nothing to retract did nothing; what was done is played again, run for run.
        const replay = done.slice(0, kept).map((one): Step => {
          if (one.kind === 'publish') return { kind: 'publish', bars: one.bars };
          const open = openRuns(done, one);
          return { kind: 'retract', which: open.indexOf(one.runId) };
        });
        const again = await play(part.database, some, replay);
        const ids = new Map(
          again.flatMap((one, i) => (one.kind === 'publish' ? [[done[i]!.runId, one.runId] as const] : [])),
        );
        for (const [knownAll, knownPart] of [
          [START + minute * MINUTE, START + minute * MINUTE],
          [done[kept - 1]!.at, again[kept - 1]!.at],
        ] as const) {
          const whole = await read(truth.database, all, knownAll, done[kept - 1]!.at);
          const alone = await read(part.database, some, knownPart, again[kept - 1]!.at);
          const renamed = [...whole].map(([day, { close, runId }]) => [day, { close, runId: ids.get(runId) }]);
          assert.deepEqual(renamed, [...alone]);
        }
      },
    ),
    { numRuns: 25 },
  );
});

/** Runs that were published and not retracted before a step, in order. */
function openRuns(done: readonly Done[], until: Done): number[] {
  const before = done.slice(0, done.indexOf(until));
  const retracted = new Set(before.flatMap((one) => (one.kind === 'retract' ? [one.runId] : [])));
  return before.flatMap((one) => (one.kind === 'publish' && !retracted.has(one.runId) ? [one.runId] : []));
}
