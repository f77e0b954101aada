import type { RawFinding } from './drift.worker.ts';

const FAULTS: Partial<Record<RawFinding['rule'], string>> = {
  missing: 'too many values are missing',
  scale: 'arrives times a power of ten',
  sign: 'arrives with its sign turned',
  constant: 'stands still, or comes a day late',
  lag: 'comes a day late',
  other_value: 'arrives with another value than its bars give',
  out_of_range: 'lies far outside of everything before',
};

const SHIFTS: Partial<Record<RawFinding['rule'], string>> = {
  level: 'mean of 21 sessions',
  step: 'largest step within 21 sessions',
  spread: 'spread of 21 sessions',
};

/** What was seen, with its numbers. */
export function findingSentence(finding: RawFinding, feature: string | null, unit: string): string {
  const { rule, statistic, threshold, alarm, reason, about } = finding;
  const who = feature ?? 'the prediction';
  if (reason !== null) return `${who}: ${reason.sentence}`;
  const [value, limit] = [figure(statistic), figure(threshold)];
  const moves = finding.effect === null ? '' : `; moves the mean prediction by ${signed(finding.effect)} (${unit})`;
  const fault = FAULTS[rule];
  if (finding.area === 'pipeline' && fault !== undefined) {
    const where = about === 'second_computation' ? 'served inputs against the bars' : 'values';
    if (!alarm) return `${who}: ${where} in order (${rule.replaceAll('_', ' ')} ${value}, limit ${limit}).`;
    return `${who} ${fault}: ${value}, limit ${limit}${moves}.`;
  }
  const shift = SHIFTS[rule];
  if (shift !== undefined) {
    return `${who}: ${shift} ${value} standard deviations from its past, limit ${limit}${moves}.`;
  }
  if (rule === 'distribution') {
    return `Outputs of 21 sessions lie ${value} standard deviations from those before, limit ${limit}${moves}.`;
  }
  if (rule === 'estimated_loss') {
    const which = alarm ? 'unusually hard or easy' : 'as hard as usual';
    return `Before outcomes are known: the questions are ${which} (${value} standard deviations, limit ${limit}).`;
  }
  if (rule === 'stream') {
    return alarm
      ? 'The stream of losses has changed for the worse within the last 21 sessions.'
      : 'The stream of losses has one mean.';
  }
  const excess = signed(finding.effect ?? 0);
  const than = about === 'baseline' ? 'than its baseline on the same days' : 'than when it was judged';
  const verdict = alarm ? `worse ${than}` : `not to be told worse ${than}`;
  return `Known outcomes: loss ${excess} against it, ${value} times the width of its bounds: ${verdict}.`;
}

function figure(value: number | null): string {
  return value === null ? 'none' : value.toPrecision(3);
}

function signed(value: number): string {
  return `${value > 0 ? '+' : ''}${value.toPrecision(2)}`;
}
