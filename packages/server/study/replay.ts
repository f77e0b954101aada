import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { dayNumber, dayText } from '@touchstone/quant/series/day';
import { tradingDays } from '@touchstone/quant/series/trading-calendar';
import { migrate } from '../src/platform/database/migrate.ts';
import { createPool } from '../src/platform/database/pool.ts';
import { APP_ROLE, ARCHIVER_ROLE, MIGRATOR_ROLE, provisionDatabase } from '../src/platform/database/provision.ts';
import { addBars, addInstrument, addSource } from '../test/facts.ts';
import { makeEnsemble, makeForecaster, promote, registerModel, walk } from '../test/models/served-model.ts';
import { DATABASE, openReplayWorld, TENANT } from './_replay-world.ts';

const COUNT = Number(process.env.TOUCHSTONE_STUDY_COUNT ?? 10_000);
const SUBJECTS = 25;
const MODELS = ['volatility-direction', 'forward-volatility', 'silent'] as const;
const DAYS = Array.from(tradingDays('XNYS', dayNumber('2017-01-03'), dayNumber('2020-12-31')), dayText);
/** So many days may be asked about; the days before them are the histories of the features. */
const ASKED_DAYS = 600;
const BATCH = 200;

/**
 * Predictions of three models (an ensemble with trees and an LSTM; a volatility with intervals; one that keeps silent when
 * unsure) are stored; then database and process end, and a process that has seen nothing computes a random choice of them
 * again from the bytes of their inputs and of their models.
 *
 * @public
 */
export async function run() {
  const folder = await mkdtemp('/tmp/touchstone-study-');
  try {
    const stored = await storePredictions(folder);
    const answer = path.join(folder, 'answer.json');
    const child = spawn(
      process.execPath,
      [path.join(import.meta.dirname, '_replay-all.ts'), folder, String(COUNT), answer],
      { stdio: ['ignore', 'inherit', 'inherit'] },
    );
    const [code] = await once(child, 'exit');
    if (code !== 0) throw new Error(`the second process ended with ${code}`);
    const { askedCount, equal, differences }: { askedCount: number; equal: number; differences: string[] } = JSON.parse(
      await readFile(answer, 'utf8'),
    );
    for (const line of differences) console.error(line);
    return {
      ...{ name: 'replay', figure: equal / askedCount, unit: 'share equal to the byte', goal: 1 },
      met: equal === askedCount && askedCount === COUNT,
      input: `${askedCount} of ${stored.count} stored predictions of ${MODELS.length} models over ${SUBJECTS} made-up instruments, ${stored.abstained} of them abstentions, replayed by another process after a restart of the database; seed 1`,
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function storePredictions(folder: string): Promise<{ count: number; abstained: number }> {
  const world = await openReplayWorld(folder, async ({ host, port, superuser }) => {
    await provisionDatabase({ host, port, user: superuser }, DATABASE);
    const migrator = createPool({ host, port, database: DATABASE, user: MIGRATOR_ROLE, max: 2 }, () => {});
    await migrate(migrator, { app: APP_ROLE, archiver: ARCHIVER_ROLE });
    await migrator.query(`INSERT INTO tenant (id, name) VALUES (${TENANT.tenantId}, 'study')`);
    await migrator.end();
  });
  const { database, registry, serving } = world;
  try {
    const ids = await database.transaction(TENANT, async (tx) => {
      const source = await addSource(tx, 'made-up', 'total_return');
      const made: number[] = [];
      for (let i = 0; i < SUBJECTS; i++) made.push(await addInstrument(tx, `S${i}`));
      await addBars(
        tx,
        source,
        made.flatMap((id, i) => walk(id, DAYS, i)),
      );
      return made;
    });
    const forecasters = {
      'volatility-direction': makeEnsemble(),
      'forward-volatility': makeForecaster(),
      silent: makeForecaster({ target: 'volatility_direction', silentShare: 0.3 }),
    };
    for (const model of MODELS) {
      const { version } = await database.transaction(TENANT, (tx) =>
        registerModel(tx, registry, model, forecasters[model]),
      );
      await promote(database, TENANT, registry, { model, version, expected: null });
    }
    let [count, abstained] = [0, 0];
    for (let n = 0; count < COUNT; n++) {
      const asOf = DAYS[DAYS.length - 1 - (Math.floor(n / MODELS.length) % ASKED_DAYS)]!;
      const subjects = ids.slice(0, BATCH).map((id) => ({ kind: 'instrument' as const, id }));
      const { items } = await serving.predictMany(TENANT, MODELS[n % MODELS.length]!, { asOf, subjects });
      for (const { prediction, problem } of items) {
        if (problem !== null) throw new Error(problem.detail);
        count += 1;
        if (prediction?.forecast.value === null) abstained += 1;
      }
    }
    return { count, abstained };
  } finally {
    await world.close();
  }
}
