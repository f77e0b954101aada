import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { simulatedTruth as contract } from '@touchstone/contracts/data';
import { dayText } from '@touchstone/quant/series/day';
import { createImportHarness, type ImportHarness } from '../../../test/market-data/import-harness.ts';
import { SYSTEM_PRINCIPAL } from '../../platform/database/database.ts';
import { verifyEvidence } from '../../platform/evidence/evidence.ts';
import { verifyContents } from '../facts/fact-tables.ts';
import { findBars } from '../facts/read-bars.ts';
import { resolveTime } from '../facts/read-time.ts';
import { ensureSimulatedMarket } from './simulated-market.service.ts';
import { simulatedTruth } from './simulated-settings.ts';
import { createTruthService } from './truth.service.ts';

let harness: ImportHarness;
before(async () => {
  harness = await createImportHarness();
});
after(() => harness.close());

test('the simulated market is loaded once, whole, and every tenant may read it', async (t) => {
  const { db, objects, clock, seven } = harness;
  const deps = { database: db.database, objects, clock };
  const started = performance.now();
  const [first, second] = await Promise.all([ensureSimulatedMarket(deps), ensureSimulatedMarket(deps)]);
  t.diagnostic(`loaded in ${Math.round(performance.now() - started)} ms`);
  assert.equal(first.loaded.length + second.loaded.length, 7);
  assert.deepEqual((await ensureSimulatedMarket(deps)).loaded, []);
  assert.equal(await harness.count("universe WHERE tenant_id = 0 AND name = 'Simulated market'"), 1);
  assert.equal(await harness.count('instrument WHERE tenant_id = 0'), 41);
  const { rows } = await db.migrator.query(
    `SELECT kind, action, count(*)::int, sum(row_count)::int AS rows FROM data_case GROUP BY 1, 2 ORDER BY 1, 2`,
  );
  t.diagnostic(JSON.stringify(rows));
  const verdict = await db.database.transaction(SYSTEM_PRINCIPAL, (tx) => verifyContents(tx));
  assert.deepEqual(verdict, { runs: 7, mismatches: [] });
  assert.equal((await db.database.transaction(SYSTEM_PRINCIPAL, (tx) => verifyEvidence(tx))).ok, true);

  const truth = simulatedTruth();
  const correction = truth.corrections[0]!;
  const seen = await db.database.transaction(seven, async (tx) => {
    const { id } = await tx.query
      .selectFrom('instrument')
      .select('id')
      .where('symbol', '=', truth.instruments[correction.instrumentIndex]!.symbol)
      .executeTakeFirstOrThrow();
    const { id: sourceId } = await tx.query
      .selectFrom('source')
      .select('id')
      .where('code', '=', 'simulated-market')
      .executeTakeFirstOrThrow();
    const at = async (knownAt: number) => {
      const time = await resolveTime(tx, { knownAt: new Date(knownAt).toISOString() });
      const bars = await findBars(tx, { instrumentId: id, sourceId, time });
      return bars.find((bar) => bar.day === new Date(correction.day * 86_400_000).toISOString().slice(0, 10));
    };
    return { before: await at(correction.knownAt - 1), after: await at(correction.knownAt) };
  });
  assert.equal(seen.after?.close, correction.close);
  assert.notEqual(seen.before?.close, correction.close);
});

test('what was planted can be asked for, with what the court found of it', async (t) => {
  const { db, objects } = harness;
  const service = createTruthService({ database: db.database, objects });
  const told = contract.parse(await service.get());
  const { truth, seed, day, instruments } = simulatedTruth();
  assert.deepEqual([told.seed, told.settings], [seed, 'medium']);
  assert.deepEqual([told.firstDay, told.lastDay], [dayText(day[0]!), dayText(day.at(-1)!)]);

  const names = ['bull', 'sideways', 'bear'];
  const regimes = told.regimes.flatMap((spell) =>
    Array.from(day)
      .filter((session) => spell.firstDay <= dayText(session) && dayText(session) <= spell.lastDay)
      .map(() => names.indexOf(spell.regime)),
  );
  assert.deepEqual(regimes, [...truth.regime], 'spells cover every session once');
  assert.deepEqual(
    told.faults.map(({ kind, symbol, firstDay, lastDay }) => [kind, symbol, firstDay, lastDay]),
    truth.faults.map((fault) => [
      fault.kind,
      instruments[fault.instrumentIndex]!.symbol,
      dayText(fault.firstDay),
      dayText(fault.lastDay),
    ]),
  );
  assert.deepEqual(
    [told.jumps.length, told.splits.length, told.delistings.length],
    [truth.jumps.length, truth.splits.length, truth.delistings.length],
  );
  for (const { kind, planted, found } of told.byKind) {
    t.diagnostic(`${kind}: ${found} of ${planted} found`);
    assert.equal(planted, truth.faults.filter((fault) => fault.kind === kind).length);
    // Small errors that were put right later pass as prices, and the late split was known when the prices came in.
    if (!kind.startsWith('late-')) assert.ok(found >= 0.95 * planted, `the court found ${found} ${kind} of ${planted}`);
  }
  assert.equal(await service.get(), await service.get(), 'told again from memory');
});

test('before there is a simulated market, its truth is not there', async () => {
  const empty = await createImportHarness();
  const { db, objects } = empty;
  await assert.rejects(createTruthService({ database: db.database, objects }).get(), /no simulated market here yet/);
  await empty.close();
});
