import { type Database, SYSTEM_PRINCIPAL } from '../../platform/database/database.ts';
import type { IndexService } from '../index/index.service.ts';
import type { IndexRunService } from '../index-run/index-run.service.ts';

const NAME = 'Three pillars on the simulated market';

/**
 * Makes the index of the first page over the simulated market, and computes it once. Safe to run at every start and to
 * stop halfway: what is there is left alone, what is missing is made.
 *
 * @returns false when there is no simulated market to make it over.
 */
export async function ensureSimulatedIndex(
  database: Database,
  indexes: IndexService,
  runs: IndexRunService,
  simulated: { universeName: string; benchmarkSymbol: string },
): Promise<boolean> {
  const found = await database.transaction(SYSTEM_PRINCIPAL, async ({ query }) => ({
    index: await query
      .selectFrom('index_definition')
      .select(['id'])
      .select(({ exists, selectFrom }) =>
        exists(selectFrom('index_run').select('id').whereRef('index_run.index_id', '=', 'index_definition.id')).as(
          'computed',
        ),
      )
      .where('tenant_id', '=', 0)
      .where('name', '=', NAME)
      .executeTakeFirst(),
    universe: await query
      .selectFrom('universe')
      .select('id')
      .where('tenant_id', '=', 0)
      .where('name', '=', simulated.universeName)
      .executeTakeFirst(),
    benchmark: await query
      .selectFrom('instrument')
      .select('id')
      .where('tenant_id', '=', 0)
      .where('symbol', '=', simulated.benchmarkSymbol)
      .executeTakeFirst(),
  }));
  if (found.universe === undefined) return false;
  if (found.index?.computed) return true;
  const id =
    found.index?.id ??
    (
      await indexes.create(SYSTEM_PRINCIPAL, {
        name: NAME,
        description: 'Invented companies, seeded; nothing here is real. It shows what Touchstone does with prices.',
        universeId: found.universe.id,
        method: 'three_pillar',
        parameters: {
          rebalanceEveryDays: 21,
          maxNames: 50,
          maxWeight: 0.4,
          momentumPillar: 0.4,
          capPillar: 0.3,
          riskPillar: 0.3,
        },
        currency: 'USD',
        costBasisPoints: 10,
        firstDay: null,
        baseValue: 100,
        benchmarkInstrumentId: found.benchmark?.id ?? null,
        visibility: 'tenant',
      })
    ).id;
  const signal = new AbortController().signal;
  await runs.run({ indexId: id }, { principal: SYSTEM_PRINCIPAL, taskId: 0, signal, progress: () => {} });
  return true;
}
