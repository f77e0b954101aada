import { getPatterns, type PatternMark, type PatternRecord } from '@touchstone/contracts/patterns';
import { type Command, TIME_OPTIONS, timesOf } from '../command.ts';
import { indexId, instrumentId, universeId } from '../look-up.ts';
import { facts, percent, table } from '../render.ts';
import { timeLine } from './data.ts';

export const patternCommands: Command[] = [
  {
    name: 'patterns',
    summary: 'Chart patterns, candles and change points, with what followed them before',
    args: ['SYMBOL'],
    options: {
      index: { summary: 'SYMBOL is the name or number of an index' },
      days: { value: 'COUNT', summary: 'Sessions chart patterns are shown of; default 250' },
      'candle-days': { value: 'COUNT', summary: 'Sessions candles are shown of; default 60' },
      horizon: { value: 'COUNT', summary: 'Sessions after which the outcome is taken; default 10' },
      universe: { value: 'UNIVERSE', summary: 'Universe of the base rates; default the first that has it' },
      strict: { summary: 'Only patterns as clean as the study judges; far fewer' },
      candles: { summary: 'Show the candles too' },
      records: { summary: 'Show every kind tested instead of the marks' },
      ...TIME_OPTIONS,
    },
    example: 'patterns ALDR --horizon 21',
    async run(call) {
      const [symbol = ''] = call.args;
      const isIndex = call.flag('index');
      const id = isIndex ? await indexId(call, symbol) : await instrumentId(call, symbol);
      const universe = call.text('universe');
      const answer = await call.client.call(getPatterns, {
        params: { kind: isIndex ? 'index' : 'instrument', id },
        query: {
          days: call.number('days'),
          candleDays: call.number('candle-days'),
          horizonDays: call.number('horizon'),
          strictness: call.flag('strict') ? 'strict' : 'loose',
          universeId: universe === undefined ? undefined : await universeId(call, universe),
          ...timesOf(call),
        },
      });
      const marks = call.flag('candles') ? [...answer.patterns, ...answer.candles] : answer.patterns;
      const told = answer.records.filter(({ isTold }) => isTold).length;
      const about = facts([
        ['of', `${answer.subject.symbol ?? answer.subject.name}, ${answer.barCount} bars`],
        ['measured', answer.scope.sentence],
        ['tested', `${answer.scope.testCount} kinds and directions; ${told} tell more than chance`],
        ...reasonsOf(answer.reasons),
      ]);
      const list = call.flag('records') ? recordTable(answer.records) : markTable(marks);
      const changes = table(
        answer.changePoints,
        [
          { title: 'CHANGED', value: (row) => row.day },
          { title: 'TELLABLE', value: (row) => row.tellableDay },
          { title: 'VOLATILITY BEFORE', value: (row) => percent(row.before.volatilityAnnual), right: true },
          { title: 'AFTER', value: (row) => percent(row.after.volatilityAnnual), right: true },
        ],
        'Mean and variance of the returns changed nowhere that shows.',
      );
      return { json: answer, text: `${timeLine(answer.time)}${about}\n${list}\n${changes}` };
    },
  },
];

function markTable(marks: readonly PatternMark[]): string {
  return table(
    marks,
    [
      { title: 'CONFIRMED', value: (row) => row.confirmationDay },
      { title: 'PATTERN', value: (row) => row.name },
      { title: 'POINTS', value: (row) => row.direction },
      { title: 'SINCE', value: (row) => row.firstDay },
      { title: 'CASES', value: (row) => row.record.sampleCount, right: true },
      { title: 'RATE', value: (row) => percent(row.record.baseRate), right: true },
      { title: 'ALL DAYS', value: (row) => percent(row.record.unconditionalRate), right: true },
      { title: 'WHAT FOLLOWED', value: (row) => verdictOf(row.record) },
    ],
    'No pattern was confirmed in these sessions.',
  );
}

function verdictOf({ isTold, pValue }: PatternRecord): string {
  if (pValue === null) return 'too few cases';
  return isTold ? 'more than chance' : 'not told from nothing';
}

function recordTable(records: readonly PatternRecord[]): string {
  return table(
    records.filter(({ sampleCount }) => sampleCount > 0),
    [
      { title: 'KIND', value: (row) => row.kind },
      { title: 'POINTS', value: (row) => row.direction },
      { title: 'CASES', value: (row) => row.sampleCount, right: true },
      { title: 'RATE', value: (row) => percent(row.baseRate), right: true },
      { title: 'ALL DAYS', value: (row) => percent(row.unconditionalRate), right: true },
      { title: 'LIFT', value: (row) => row.lift?.toFixed(2) ?? null, right: true },
      { title: 'ADJUSTED P', value: (row) => row.adjustedP?.toFixed(3) ?? null, right: true },
      { title: 'MORE THAN CHANCE', value: (row) => row.isTold },
    ],
    'No pattern was ever seen here.',
  );
}

function reasonsOf(reasons: Record<string, { sentence: string } | null>): [string, string][] {
  return Object.entries(reasons).flatMap(([name, reason]): [string, string][] =>
    reason === null ? [] : [[name, reason.sentence]],
  );
}
