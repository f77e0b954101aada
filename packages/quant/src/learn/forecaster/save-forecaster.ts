import { expect } from '../../checks/expect.ts';
import type { FittedScaler } from '../../series/preprocess/scaler.ts';
import { type Artefact, type ArtefactArray, readArtefact, writeArtefact } from '../artefact.ts';
import { FOREIGN_LEARNER, loadForeignModel } from '../foreign/foreign-model.ts';
import type { FittedModel } from '../learner.ts';
import { findLearner } from '../learners.ts';
import type { Abstention, ForecastCalibration, Forecaster, ForecastInterval } from './forecaster.ts';

export const FORECASTER_KIND = 'forecaster/1';

/** How the models inside are read back. */
export type FindLearner = (name: string) => { load(bytes: Uint8Array): FittedModel } | undefined;

const findOwnOrForeign: FindLearner = (name) =>
  name === FOREIGN_LEARNER ? { load: loadForeignModel } : findLearner(name);

type Meta = {
  about: Pick<
    Forecaster,
    | 'target'
    | 'horizonDays'
    | 'goal'
    | 'link'
    | 'features'
    | 'stepCount'
    | 'clip'
    | 'missingShareMax'
    | 'baseline'
    | 'trainedUntil'
  >;
  scaler: FittedScaler;
  members: { name: string; weight: number; learner: string }[];
  calibration: Omit<ForecastCalibration, 'x' | 'y'>;
  interval: Omit<ForecastInterval, 'scores' | 'edges' | 'low' | 'high'> | null;
  abstention: Omit<Abstention, 'distances'> | null;
};

/** A forecaster as bytes: the same forecaster, the same bytes. */
export function saveForecaster(forecaster: Forecaster): Uint8Array {
  checkForecaster(forecaster);
  const { scaler, members, calibration, interval, abstention, ...about } = forecaster;
  const arrays: Artefact['arrays'] = {};
  members.forEach(({ model }, m) => {
    arrays[memberKey(m)] = model.save();
  });
  const take = (prefix: string, value: object | null): Record<string, unknown> | null => {
    if (value === null) return null;
    const rest: Record<string, unknown> = {};
    for (const [key, part] of Object.entries(value))
      if (part instanceof Float64Array) arrays[`${prefix}_${key}`] = part;
      else rest[key] = part;
    return rest;
  };
  const meta = {
    about,
    scaler,
    members: members.map(({ name, weight, model }) => ({ name, weight, learner: model.learner })),
    calibration: take('calibration', calibration),
    interval: take('interval', interval),
    abstention: take('abstention', abstention),
  };
  return writeArtefact({ kind: FORECASTER_KIND, meta, arrays });
}

/**
 * Reads a forecaster back; it answers the same bits as before.
 *
 * @throws RangeError for bytes that are damaged, or no forecaster, or hold a learner this version does not know.
 */
export function loadForecaster(bytes: Uint8Array, find: FindLearner = findOwnOrForeign): Forecaster {
  const { meta, arrays } = readArtefact(bytes, FORECASTER_KIND);
  const { about, scaler, members, calibration, interval, abstention } = meta as Meta;
  const give = (prefix: string, value: object): object => {
    const parts = Object.entries(arrays).filter(([key]) => key.startsWith(`${prefix}_`));
    return Object.fromEntries([
      ...Object.entries(value),
      ...parts.map(([key, part]) => [key.slice(prefix.length + 1), part]),
    ]);
  };
  const forecaster: Forecaster = {
    ...about,
    scaler,
    members: members.map(({ name, weight, learner }, m) => {
      const found = find(learner);
      expect(found !== undefined, `the forecaster holds a ${learner}, which this version does not know`);
      return { name, weight, model: found.load(bytesOf(arrays[memberKey(m)], name)) };
    }),
    // What is written under these names is what was taken from them.
    calibration: give('calibration', calibration) as ForecastCalibration,
    interval: interval === null ? null : (give('interval', interval) as ForecastInterval),
    abstention: abstention === null ? null : (give('abstention', abstention) as Abstention),
  };
  checkForecaster(forecaster);
  return forecaster;
}

/** @throws RangeError naming the first rule that is broken. */
export function checkForecaster({ members, features, scaler, stepCount, horizonDays }: Forecaster): void {
  expect(members.length >= 1, 'a forecaster must have a member');
  expect(features.length >= 1, 'a forecaster must have a feature');
  expect(horizonDays >= 1 && stepCount >= 1, `days must be at least 1, were ${horizonDays} and ${stepCount}`);
  expect(
    scaler.columns.length === features.length,
    `the scaler must have ${features.length} columns, had ${scaler.columns.length}`,
  );
  const sum = members.reduce((total, { weight }) => total + weight, 0);
  expect(
    members.every(({ weight }) => weight >= 0) && Math.abs(sum - 1) < 1e-9,
    `weights of members must be 0 or more and add up to 1, added up to ${sum}`,
  );
  for (const { name, model } of members)
    expect(
      model.featureCount === features.length && (model.stepCount === 1 || model.stepCount === stepCount),
      `${name} must read ${features.length} features of 1 or ${stepCount} days, reads ${model.featureCount} of ${model.stepCount}`,
    );
}

function memberKey(m: number): string {
  return `member_${String(m).padStart(2, '0')}`;
}

function bytesOf(array: ArtefactArray | undefined, name: string): Uint8Array {
  expect(array instanceof Uint8Array, `the forecaster holds no model of ${name}`);
  return array;
}
