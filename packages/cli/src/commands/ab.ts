import {
  type AbTest,
  type AbTestResult,
  askedMetric,
  assignment,
  createAbTest,
  getAbPower,
  getAbTest,
  getAbTestArm,
  listAbTests,
  stopAbTest,
} from '@touchstone/contracts/experiments';
import { type Call, type Command, LIMIT_OPTION, UsageError } from '../command.ts';
import { allPages, instrumentId, limitOf, numberOf } from '../look-up.ts';
import { facts, number, percent, table } from '../render.ts';

const QUESTIONS = ['hit_rate', 'sharpe', 'alpha', 'loss'] as const;

export const abCommands: Command[] = [
  {
    name: 'ab power',
    summary: 'How many outcomes, or years, it takes to tell two models apart',
    args: ['QUESTION', 'FIRST', '[SECOND]'],
    options: {
      correlation: { value: 'SHARE', summary: 'Of the two returns, for sharpe' },
      'tracking-error': { value: 'SHARE', summary: 'A year, for alpha' },
      autocorrelation: { value: 'SHARE', summary: 'Of the loss difference from day to day, for loss' },
      sequential: { summary: 'With a look every session, for loss' },
      power: { value: 'SHARE', summary: 'Chance to find it when it is there; default 0.8' },
      level: { value: 'SHARE', summary: 'Chance to find it when it is not; default 0.05' },
    },
    example: 'ab power hit_rate 0.55 0.53',
    async run(call) {
      const [asked = '', first, second] = call.args;
      const question = oneOf(QUESTIONS, asked, 'QUESTION');
      const answer = await call.client.call(getAbPower, {
        query: {
          ...{ question, first: shareOf(first, 'FIRST') },
          ...(second === undefined ? {} : { second: shareOf(second, 'SECOND') }),
          ...optional('correlation', call, 'correlation'),
          ...optional('trackingError', call, 'tracking-error'),
          ...optional('autocorrelation', call, 'autocorrelation'),
          ...(call.flag('sequential') ? { sequential: 'true' } : {}),
          ...optional('power', call, 'power'),
          ...optional('level', call, 'level'),
        },
      });
      const instead = answer.instead.map(({ sentence }) => `  ${sentence}\n`).join('');
      return { json: answer, text: `${answer.sentence}\n${instead}` };
    },
  },
  {
    name: 'ab start',
    summary: 'Compare two versions on what they say before it happens; refused with the numbers when it is hopeless',
    args: ['MODEL', 'CONTROL', 'TREATMENT'],
    options: {
      metric: { value: 'METRIC', summary: askedMetric.options.join(', ') },
      effect: { value: 'NUMBER', summary: 'Mean loss by which the treatment should be lower' },
      assignment: { value: 'HOW', summary: 'sticky, interleaved or shadow; default shadow' },
      'block-days': { value: 'COUNT', summary: 'Sessions of a block, for interleaved; default 5' },
      'maximum-days': { value: 'COUNT', summary: 'Sessions it may last; default 500' },
      level: { value: 'SHARE', summary: 'Chance of a false difference over all looks; default 0.05' },
      power: { value: 'SHARE', summary: 'Default 0.8' },
      noise: { value: 'NUMBER', summary: 'Long-run deviation of the daily difference, where no history tells it' },
    },
    example: 'ab start volatility-direction 3 4 --metric brier --effect 0.01',
    async run(call) {
      const [model = '', control, treatment] = call.args;
      const effect = call.text('effect');
      if (effect === undefined) throw new UsageError('Say with --effect how much lower the loss should be.');
      const answer = await call.client.call(createAbTest, {
        params: { model },
        body: {
          controlVersion: numberOf(control, 'CONTROL'),
          treatmentVersion: numberOf(treatment, 'TREATMENT'),
          metric: oneOf(askedMetric.options, call.text('metric') ?? 'brier', '--metric'),
          effect: shareOf(effect, '--effect'),
          assignment: oneOf(assignment.options, call.text('assignment') ?? 'shadow', '--assignment'),
          ...optional('blockDays', call, 'block-days'),
          ...optional('maximumDays', call, 'maximum-days'),
          ...optional('level', call, 'level'),
          ...optional('power', call, 'power'),
          ...optional('longRunDeviation', call, 'noise'),
        },
      });
      return { json: answer, text: testFacts(answer) };
    },
  },
  {
    name: 'ab list',
    summary: 'A/B tests of a model, newest first',
    args: ['MODEL'],
    options: LIMIT_OPTION,
    example: 'ab list volatility-direction',
    async run(call) {
      const params = { model: call.args[0] ?? '' };
      const answer = await allPages(limitOf(call), (page) => call.client.call(listAbTests, { params, query: page }));
      const text = table(
        answer.items,
        [
          { title: 'TEST', value: (row) => row.id },
          { title: 'STATE', value: (row) => row.state },
          { title: 'VERSIONS', value: (row) => `${row.controlVersion} against ${row.treatmentVersion}` },
          { title: 'METRIC', value: (row) => row.metric },
          { title: 'EFFECT', value: (row) => row.effect },
          { title: 'NEEDS', value: (row) => `${row.neededDays} sessions` },
          { title: 'SINCE', value: (row) => row.startedAt },
        ],
        'There is none.',
      );
      return { json: answer, text };
    },
  },
  {
    name: 'ab show',
    summary: 'A test and what may be said of it now; may be looked at every day',
    args: ['TEST'],
    example: 'ab show 3',
    async run(call) {
      const answer = await call.client.call(getAbTest, { params: { testId: numberOf(call.args[0], 'TEST') } });
      return { json: answer, text: `${testFacts(answer.test)}\n${resultFacts(answer.result)}` };
    },
  },
  {
    name: 'ab arm',
    summary: 'Which version answers for an instrument on a day',
    args: ['TEST', 'SYMBOL', 'DAY'],
    example: 'ab arm 3 ALDR 2026-01-15',
    async run(call) {
      const [test, symbol = '', day = ''] = call.args;
      const answer = await call.client.call(getAbTestArm, {
        params: { testId: numberOf(test, 'TEST') },
        query: { instrumentId: await instrumentId(call, symbol), day },
      });
      return { json: answer, text: `version ${answer.version}, the ${answer.arm}\n` };
    },
  },
  {
    name: 'ab stop',
    summary: 'Stop a test, with the reason; what was measured stays',
    args: ['TEST'],
    options: { reason: { value: 'TEXT', summary: 'Why, for those who ask later' } },
    example: 'ab stop 3 --reason "The treatment is better"',
    async run(call) {
      const reason = call.text('reason');
      if (reason === undefined) throw new UsageError('Say with --reason why it ends.');
      const params = { testId: numberOf(call.args[0], 'TEST') };
      const answer = await call.client.call(stopAbTest, { params, body: { reason } });
      return { json: answer, text: testFacts(answer) };
    },
  },
];

function testFacts(test: AbTest): string {
  const { noise } = test;
  return facts([
    ['test', `${test.id} of ${test.model}, ${test.state}`],
    ['compares', `version ${test.controlVersion} with version ${test.treatmentVersion}, ${test.assignment}`],
    ['looks for', `${test.metric} lower by ${test.effect}`],
    ['needs', `${test.neededDays} of at most ${test.maximumDays} sessions`],
    ['noise', `${number(noise.longRunDeviation)} (${noise.basis.replaceAll('_', ' ')}, ${noise.dayCount} days)`],
    ['since', test.startedAt],
    ...(test.stopReason === null ? [] : [['stopped', test.stopReason] as const]),
  ]);
}

function resultFacts(result: AbTestResult): string {
  const range = ({ low, high }: { low: number | null; high: number | null }) =>
    low === null || high === null ? 'none yet' : `${number(low)} to ${number(high)}`;
  return facts([
    ['says', result.sentence],
    ['pairs', `${result.pairCount} on ${result.dayCount} days; ${result.unpairedCount} left out`],
    ['losses', `${result.controlLoss ?? 'none'} control, ${result.treatmentLoss ?? 'none'} treatment`],
    ['bounds at every look', range(result.sequential)],
    ['at one look', `${range(result.hac)}; resampled ${range(result.bootstrap)}`],
    ['treatment answered', percent(result.servedTreatmentShare)],
  ]);
}

function optional<K extends string>(field: K, call: Call, option: string): Partial<Record<K, number>> {
  const text = call.text(option);
  return text === undefined ? {} : ({ [field]: shareOf(text, `--${option}`) } as Record<K, number>);
}

function shareOf(text: string | undefined, what: string): number {
  const value = Number(text);
  if (text === undefined || text.trim() === '' || !Number.isFinite(value))
    throw new UsageError(`${what} must be a number, was "${text ?? ''}"`);
  return value;
}

function oneOf<T extends string>(options: readonly T[], text: string, what: string): T {
  const option = options.find((one) => one === text);
  if (option === undefined) throw new UsageError(`${what} must be one of ${options.join(', ')}, was "${text}"`);
  return option;
}
