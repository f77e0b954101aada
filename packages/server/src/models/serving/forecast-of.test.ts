import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createForeignModel, type ForeignBody } from '@touchstone/quant/learn/foreign/foreign-model';
import { makeForecaster } from '../../../test/models/served-model.ts';
import type { OnnxModel } from '../../platform/onnx/onnx-runtime.ts';
import { forecastOf, TookTooLong } from './forecast-of.ts';
import { type MadeForecast, makeForecast } from './make-forecast.ts';

/** A forecaster with a foreign model that doubles its first feature, and a session that may die. */
function made() {
  const forecaster = makeForecaster();
  const featureCount = forecaster.features.length;
  const body: ForeignBody = {
    ...{ onnx: Uint8Array.of(1), input: 'x', element: 'float64', layout: 'table', output: 'y', link: 'identity' },
    ...{ outputWidth: 1, outputColumn: 0, usedCount: 1, center: Float64Array.of(0), scale: Float64Array.of(1) },
  };
  const model = createForeignModel(body, { goal: 'regression', stepCount: 1, featureCount });
  const opened = { count: 0, dead: false };
  const open = async (): Promise<OnnxModel> => {
    opened.count += 1;
    return {
      ...{ inputs: [], outputs: [], close: async () => {} },
      async run({ values, sizes }) {
        if (opened.dead) throw new Error('the session is gone');
        return { sizes: [sizes[0]!, 1], values: values.map((x) => 0.1 * x) };
      },
    };
  };
  const only = { ...forecaster, members: [{ name: 'onnx', weight: 1, model }] };
  return { forecaster, only, open, opened };
}

const withoutTime = ({ milliseconds: _, ...made }: MadeForecast) => made;
const VALUES = Float64Array.of(-9.2, -8.8, -8.6, -0.2, 1, 55);
const QUESTION = { servedBy: 'model', unit: 'volatility a year', values: VALUES, level: null, abstain: null } as const;

test('a member that answers through a runtime is asked through one session, and the same bytes come out', async () => {
  const { only, open, opened } = made();
  const first = await forecastOf(only, QUESTION, open);
  assert.ok(first.forecast.value! > 0);
  assert.equal(first.explanation.method, 'sampling');
  assert.deepEqual(withoutTime(await forecastOf(only, QUESTION, open)), withoutTime(first));
  assert.equal(opened.count, 1);
});

test('a session that dies fails the forecast, not the baseline, and is opened anew', async () => {
  const { only, open, opened } = made();
  const before = await forecastOf(only, QUESTION, open);
  opened.dead = true;
  await assert.rejects(forecastOf(only, QUESTION, open), /the session is gone/);
  const { forecast } = await forecastOf(only, { ...QUESTION, servedBy: 'baseline' }, open);
  assert.ok(forecast.value! > 0);
  opened.dead = false;
  assert.deepEqual(withoutTime(await forecastOf(only, QUESTION, open)), withoutTime(before));
  assert.equal(opened.count, 2);
});

test('a session that hangs is given up in time, and opened anew', async () => {
  const { only, open } = made();
  const hanging = async (): Promise<OnnxModel> => ({
    ...(await open()),
    run: () => new Promise(() => {}),
  });
  await assert.rejects(forecastOf(only, QUESTION, hanging, 30), TookTooLong);
  assert.ok((await forecastOf(only, QUESTION, open)).forecast.value! > 0);
});

test('a forecaster of our own is asked as ever', async () => {
  const { forecaster, open, opened } = made();
  assert.deepEqual(
    withoutTime(await forecastOf(forecaster, QUESTION, open)),
    withoutTime(makeForecast(forecaster, QUESTION)),
  );
  assert.equal(opened.count, 0);
});
