import type { DaySums, MetricName, SkillInterval, SkillSettings } from './panel-skill.ts';
import { isHigherBetter, metricInterval, pairedSkill } from './panel-skill.ts';

/** Something a model is held against, on the same days. */
export type Rival = { name: string; sums: DaySums };

export type GateInput = {
  metric: MetricName;
  /** Out of sample: told before the outcome was known, by what had been learnt before. */
  model: DaySums;
  /** The linear model is one of them, for every other model. */
  baselines: readonly Rival[];
  /** Forecasts it rests on. */
  sampleCount: number;
  /** Trials in the ledger on this data, this one included. */
  trialCount: number;
  /** Gain a year after costs, where money is meant. */
  money?: { gain: SkillInterval; sentence: string } | null;
  settings: SkillSettings;
};

export type GateVerdict = {
  passed: boolean;
  /** Why, with the numbers. */
  sentence: string;
  skill: SkillInterval;
  /** Skill over each baseline, paired, the same days; positive is better. */
  differences: (SkillInterval & { name: string; baselineValue: number })[];
};

/** Fewer days prove nothing: a year. */
export const GATE_DAYS_LEAST = 250;

/**
 * Gate v1: a model passes if it is better than each baseline by more than chance (the lower end of the 95 % interval of the
 * paired difference is above 0) over at least a year of days it had not seen, and where money is meant, gains after costs.
 */
export function judge(input: GateInput): GateVerdict {
  const { metric, model, baselines, sampleCount, trialCount, money = null, settings } = input;
  const skill = metricInterval(metric, model, settings);
  const differences = baselines.map(({ name, sums }) => ({
    name,
    ...pairedSkill(metric, model, sums, settings),
    baselineValue: metricInterval(metric, sums, { ...settings, resampleCount: 1 }).value,
  }));
  const days = model.day.length;
  const trials = `${trialCount} ${trialCount === 1 ? 'trial' : 'trials'} on this data`;
  const told = (passed: boolean, sentence: string): GateVerdict => ({
    passed,
    sentence: `${sentence} ${sampleCount} forecasts on ${days} days, ${trials}.`,
    skill,
    differences,
  });
  if (days < GATE_DAYS_LEAST)
    return told(false, `Judged on ${days} days; the gate asks for ${GATE_DAYS_LEAST}, so it is not passed.`);
  if (!Number.isFinite(skill.value)) return told(false, 'Its skill is not defined on these days.');
  const weakest = differences.reduce<(typeof differences)[number] | null>(
    (least, one) => (least === null || !(one.low >= least.low) ? one : least),
    null,
  );
  const unit = isHigherBetter(metric) ? '' : ' of its loss';
  if (weakest !== null && !(weakest.low > 0)) {
    const verb = weakest.high < 0 ? 'Worse than' : 'Not better than';
    const range = `${signed(weakest.low)} to ${signed(weakest.high)}${unit}`;
    return told(false, `${verb} ${weakest.name}: the difference is ${signed(weakest.value)}, 95 % interval ${range}.`);
  }
  if (money !== null && !(money.gain.low > 0)) return told(false, `After costs nothing is left: ${money.sentence}`);
  const count = baselines.length === 1 ? 'the baseline' : `each of ${baselines.length} baselines`;
  const least =
    weakest === null ? '' : `: the lowest lower bound is ${signed(weakest.low)}${unit} over ${weakest.name}`;
  return told(true, `Better than ${count}${least}.${money === null ? '' : ` ${money.sentence}`}`);
}

function signed(value: number): string {
  if (!Number.isFinite(value)) return 'not defined';
  // A bound of .0004 is above nothing, and must not be told as nothing.
  const size = Math.abs(value);
  const text = size.toFixed(size < 0.01 ? 4 : 3);
  return `${value < 0 ? '−' : '+'}${text}`;
}
