import type { Skill } from '@touchstone/contracts/model-manifest';
import { SignedBars } from '../../components/signed-bars.tsx';
import { formatCount, formatDay, formatPercent } from '../../lib/format.ts';
import { formatSkill, metricWords } from './model-words.ts';

type Baseline = Skill['baselines'][number];

/** The baseline that is hardest to beat: where the lower bound of the difference is lowest. */
export function hardestBaseline(skill: Skill): Baseline | null {
  const [first, ...others] = skill.baselines;
  if (first === undefined) return null;
  const boundOf = ({ low }: Baseline) => low ?? Number.NEGATIVE_INFINITY;
  return others.reduce((hardest, baseline) => (boundOf(baseline) < boundOf(hardest) ? baseline : hardest), first);
}

/** A figure of skill in a cell: with its interval, and the baseline it finds hardest. */
export function SkillFigure({ skill }: { skill: Skill | null }) {
  if (skill === null || skill.value === null) return <span className="text-xs text-soft">not measured</span>;
  const hardest = hardestBaseline(skill);
  return (
    <span className="inline-block" title={measuredOver(skill)}>
      <span className="font-medium tabular-nums">{formatSkill(skill.metric, skill.value)}</span>
      {skill.low !== null && skill.high !== null && (
        <span className="block text-xs whitespace-nowrap text-soft tabular-nums">
          <span className="sr-only">95 % interval </span>
          {formatSkill(skill.metric, skill.low)} to {formatSkill(skill.metric, skill.high)}
        </span>
      )}
      {hardest && (
        <span className="block text-xs text-soft tabular-nums">
          {hardest.name}: {formatSkill(skill.metric, hardest.value)}
        </span>
      )}
    </span>
  );
}

/** Period, cases and trials of a figure in one sentence. */
export function measuredOver(skill: Skill): string {
  const period = skill.firstDay && skill.lastDay ? `${formatDay(skill.firstDay)} to ${formatDay(skill.lastDay)}, ` : '';
  const trials = skill.trialCount === 1 ? 'one trial' : `${formatCount(skill.trialCount)} trials`;
  return `${period}${formatCount(skill.sampleCount)} forecasts out of sample, ${trials} on this data`;
}

/** How much better than each baseline, with the interval of the difference: clear of nought is what counts. */
export function SkillBars({ skill }: { skill: Skill }) {
  const format = (value: number) => `${value > 0 ? '+' : ''}${formatSkill(skill.metric, value)}`;
  return (
    <>
      <p className="mb-3 text-sm">
        <span className="text-2xl font-semibold tracking-tight tabular-nums">
          {formatSkill(skill.metric, skill.value)}
        </span>{' '}
        <span className="text-soft">
          {metricWords(skill.metric)}, 95 % interval {formatSkill(skill.metric, skill.low)} to{' '}
          {formatSkill(skill.metric, skill.high)}; {skill.higherIsBetter ? 'higher' : 'lower'} is better
        </span>
      </p>
      <SignedBars
        items={skill.baselines.map(({ name, difference, low, high }) => ({
          ...{ name: `over ${name}`, value: difference, low, high },
          reason: 'not measured',
        }))}
        format={format}
      />
      <p className="mt-3 text-sm text-soft">
        {measuredOver(skill)}. Costs: {skill.costs}.
        {skill.coverage !== null && skill.coverage < 1 && (
          <>
            {' '}
            It answers on {formatPercent(skill.coverage, 0)} of days and abstains on the others
            {skill.valueWhenActing !== null && <>; on those days {formatSkill(skill.metric, skill.valueWhenActing)}</>}.
          </>
        )}
        {skill.intervalCoverage !== null && (
          <>
            {' '}
            {formatPercent(skill.intervalCoverage)} of outcomes lay inside the interval, which should hold{' '}
            {formatPercent(skill.intervalLevel, 0)}.
          </>
        )}
      </p>
    </>
  );
}
