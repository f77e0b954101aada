import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createImportHarness, type ImportHarness } from '../../../test/market-data/import-harness.ts';
import { SYSTEM_PRINCIPAL } from '../../platform/database/database.ts';
import { verifyEvidence } from '../../platform/evidence/evidence.ts';
import { verifyContents } from '../facts/fact-tables.ts';
import { findBars } from '../facts/read-bars.ts';
import { resolveTime } from '../facts/read-time.ts';
import { ensureSimulatedMarket } from './simulated-market.service.ts';
import { simulatedTruth } from './simulated-settings.ts';

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
