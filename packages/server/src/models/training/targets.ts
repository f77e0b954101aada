import { TARGETS as TARGET_NAMES, type TargetName } from '@touchstone/contracts/model-manifest';
import type { TargetDefinition } from '@touchstone/contracts/training';
import { STEPS_MAX } from '@touchstone/quant/evaluation/forecast-training/training-table';
import { type Target, targetNamed } from '@touchstone/quant/evaluation/targets/targets';
import { hashOf } from '../../platform/object-store/bundle.ts';

/** The built-in feature view whose features targets are told by. */
export const FORECAST_VIEW = 'forecast';

/** Every target, as the API tells it. */
export function listTargetDefinitions(): TargetDefinition[] {
  return TARGET_NAMES.map((name) => {
    const target = targetNamed(name);
    return {
      ...{ target: name, title: target.title, definition: target.definition, unit: target.unit },
      kind: target.goal === 'binary' ? ('probability' as const) : ('number' as const),
      ...{ horizonDays: target.horizonDays, metric: target.metric, stepCount: STEPS_MAX },
      baselines: target.baselines.map((baseline) => baseline.name),
      features: target.features.map(({ name: feature, expression }) => ({ name: referenceOf(feature), expression })),
    };
  });
}

/** How the feature store names a feature of a target. */
export function referenceOf(feature: string): string {
  return `${FORECAST_VIEW}:${feature}`;
}

/** Hash of what is computed, in its order: equal hashes, equal numbers. */
export function featureHashOf(target: Pick<Target, 'features'>): string {
  return hashOf(target.features.map(({ expression }) => ({ expression })));
}

/** What a model of a target and a universe is called. */
export function modelNameOf(target: TargetName, universeId: number): string {
  return `${target.replaceAll('_', '-')}-u${universeId}`;
}

/** What no model of a target knows, for its card. */
export function limitsOf(target: TargetName, members: { count: number; of: number }): string[] {
  const all = [
    `It learnt from ${members.count} of the ${members.of} members with two years of history${members.count < members.of ? ', drawn by the seed' : ''}.`,
    'The universe holds what is listed in it today: what went under before is missing, and survivors flatter everybody.',
    'It learnt from bars as they are known now, adjusted for what happened since; its features are free of the scale of prices.',
    'Assets of a day move together: intervals draw whole days in blocks of 63, and few crises are among them.',
  ];
  if (target === 'return_rank' || target === 'return_direction')
    return [...all, 'Gains are hypothetical: no market impact, no taxes, 10 bp of what is traded.'];
  if (target === 'drawdown_touch')
    return [...all, 'Calibrated over years; in a single month many assets touch together or none does.'];
  return all;
}
