import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type TrainBody, trainBody } from '@touchstone/contracts/training';
import { createTestDatabase, type TestDatabase } from '../../../test/cluster.ts';
import { addWorld, startTrainer, TENANT, type Trainer } from '../../../test/training-world.ts';
import type { Caller } from '../../platform/http/serve.ts';

const OWNER: Caller = {
  ...{ ...TENANT, role: 'owner', family: null, keyId: null },
  scopes: ['model:read', 'model:write', 'model:promote'],
};

let db: TestDatabase;
let universeId = 0;
let trainer: Trainer;
before(async () => {
  db = await createTestDatabase();
  ({ universeId } = await addWorld(db));
  trainer = await startTrainer(db, { threads: 2 });
});
after(async () => {
  await trainer.close();
  await db.close();
});

const ask = (change: Partial<TrainBody> = {}): TrainBody =>
  trainBody.parse({ universeId, effort: 'quick', targets: ['volatility_direction'], families: ['linear'], ...change });

async function ended(by: Trainer, trainingId: number, states: readonly string[] = ['done']) {
  for (;;) {
    const training = await by.training.get(OWNER, trainingId);
    if (states.includes(training.state)) return training;
    if (['failed', 'cancelled', 'done'].includes(training.state)) {
      const { rows } = await db.migrator.query('SELECT problem, result FROM task WHERE id = $1', [training.taskId]);
      throw new Error(`it is ${training.state}: ${JSON.stringify(rows)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

test('a training freezes rows, does its parts, judges what came out and registers it', async () => {
  const { trainingId } = await trainer.training.start(OWNER, ask());
  const training = await ended(trainer, trainingId);
  console.log(JSON.stringify(training, null, 1));
});
