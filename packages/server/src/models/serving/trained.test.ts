import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { trainBody } from '@touchstone/contracts/training';
import { loadForecaster } from '@touchstone/quant/learn/forecaster/save-forecaster';
import { createTestDatabase, type TestDatabase } from '../../../test/cluster.ts';
import { inlineCompute } from '../../../test/inline-compute.ts';
import { addWorld, startTrainer, TENANT, type Trainer, WORLD_DAYS } from '../../../test/training-world.ts';
import { createFeatureComputer, createSeriesService } from '../../features/index.ts';
import type { Caller } from '../../platform/http/serve.ts';
import { universeBars } from '../../portfolio/index.ts';
import { decodeInputs } from './forecast-inputs.ts';
import { findExplanation, findInput } from './prediction.repository.ts';
import { createReplayService } from './replay.service.ts';
import { createServingService } from './serving.service.ts';
import { createServingWatch } from './serving-watch.ts';

const OWNER: Caller = {
  ...{ ...TENANT, role: 'owner', family: null, keyId: null },
  scopes: ['model:read', 'model:write', 'model:promote'],
};
const DAY = WORLD_DAYS.at(-30)!;

let db: TestDatabase;
let trainer: Trainer;
let universeId: number;
before(async () => {
  db = await createTestDatabase();
  ({ universeId } = await addWorld(db, 3));
  trainer = await startTrainer(db, {});
});
after(async () => {
  await trainer.close();
  await db.close();
});

test('what was trained is served: on the features of training to the bit, explained by member, and replayed', async () => {
  const families = ['linear', 'gradient_boosted_trees', 'ensemble'] as const;
  const body = trainBody.parse({ universeId, effort: 'quick', targets: ['volatility_direction'], families });
  const { trainingId } = await trainer.training.start(OWNER, body);
  let training = await trainer.training.get(OWNER, trainingId);
  for (; training.state !== 'done'; training = await trainer.training.get(OWNER, trainingId)) {
    assert.notEqual(training.state, 'failed');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const { database } = db;
  const { registry } = trainer;
  const series = createSeriesService(database, universeBars);
  const watch = createServingWatch(database, { warn: () => {} });
  const parts = { database, registry, series, compute: inlineCompute, codeVersion: 'test', watch };
  const serving = createServingService(parts);
  const { replay } = createReplayService({ database, readArtefact: registry.readArtefact, codeVersion: 'test' });
  const universe = await series.readUniverse(TENANT, universeId, {});
  const computer = createFeatureComputer(inlineCompute);
  for (const { model, version, artefactSha256 } of training.models) {
    assert.ok(version !== null && artefactSha256 !== null);
    const forecaster = loadForecaster(await registry.readArtefact(artefactSha256));
    for (const { subject, bars } of universe.members) {
      const told = await serving.predict(TENANT, model, {
        subject: { kind: 'instrument', id: subject.id },
        asOf: DAY,
        version,
      });
      assert.equal(told.servedBy, 'model', JSON.stringify(told.hops));
      const row = bars.day.findLastIndex((day) => day <= Date.parse(DAY) / 86_400_000);
      const at = Int32Array.from({ length: forecaster.stepCount }, (_, k) => row - forecaster.stepCount + 1 + k);
      const expressions = forecaster.features.map(({ expression }) => expression);
      const { values } = await computer.compute(expressions, [{ bars, at }]);
      const { input, explained } = await database.transaction(TENANT, async (tx) => ({
        input: await findInput(tx, told.lineage.inputSha256),
        explained: await findExplanation(tx, told.predictionId),
      }));
      assert.deepEqual(decodeInputs(input!), values[0], 'the whole history, later bars included, gives the same');
      const { groups, baseValue, residual, total } = explained!.explanation;
      const sum = groups.reduce((all, { contribution }) => all + contribution, baseValue!);
      assert.ok(told.forecast.value === null || Math.abs(sum + residual! - total!) < 1e-9);
      assert.equal((await replay(TENANT, told.predictionId)).equal, true);
    }
  }
});
