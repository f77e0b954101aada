import { factorSet, getFactors } from '@touchstone/contracts/factors';
import { type Call, type Command, TIME_OPTIONS, timesOf, UsageError } from '../command.ts';
import { instrumentId, universeId } from '../look-up.ts';
import { facts, percent, table } from '../render.ts';
import { SUBJECT_OPTIONS, subjectOf } from '../subject.ts';
import { timeLine } from './data.ts';
import { SESSIONS_OPTION, sessionsOf } from './dependence.ts';

export const factorsCommands: Command[] = [
  {
    name: 'factors',
    summary: 'What an instrument or index is made of: exposures, variance and return by factor',
    args: ['SUBJECT'],
    options: {
      ...SUBJECT_OPTIONS,
      set: { value: 'SET', summary: 'style (default), statistical, proxies or macro' },
      universe: { value: 'UNIVERSE', summary: 'What the factors are made from; default its own' },
      proxies: { value: 'SYMBOLS', summary: 'Instruments that stand for factors, with commas between' },
      series: { value: 'CODES', summary: 'Macro series, with commas between' },
      exclude: { value: 'FACTORS', summary: 'Factors to leave out, with commas between' },
      ...SESSIONS_OPTION,
      ...TIME_OPTIONS,
    },
    example: 'factors ALDR --exclude size --sessions 504',
    async run(call) {
      const universe = call.text('universe');
      const answer = await call.client.call(getFactors, {
        params: await subjectOf(call),
        query: {
          ...{ ...timesOf(call), ...sessionsOf(call), set: setOf(call) },
          ...(universe === undefined ? {} : { universeId: await universeId(call, universe) }),
          ...{ proxies: await proxiesOf(call), series: call.text('series'), exclude: call.text('exclude') },
        },
      });
      const { residual, total } = answer;
      const rows = [
        ...answer.factors,
        {
          ...{ factor: 'none of them', about: '', exposure: null, low: null, high: null, pValue: null },
          ...residual,
        },
      ];
      const made = table(
        rows,
        [
          { title: 'FACTOR', value: (row) => row.factor },
          { title: 'EXPOSURE', value: (row) => digits(row.exposure), right: true },
          { title: '95 %', value: (row) => `${digits(row.low)} to ${digits(row.high)}`, right: true },
          { title: 'VARIANCE', value: (row) => percent(row.varianceShare), right: true },
          { title: 'RETURN A YEAR', value: (row) => percent(row.returnPart), right: true },
          { title: 'HOW IT IS MADE', value: (row) => row.about },
        ],
        '',
      );
      const held = table(
        answer.holdings,
        [
          { title: 'HELD', value: (row) => row.symbol },
          { title: 'WEIGHT', value: (row) => percent(row.weight), right: true },
          { title: 'SHARE OF RISK', value: (row) => percent(row.riskShare), right: true },
        ],
        '',
      );
      const text = [
        timeLine(answer.time),
        facts([
          ['of', answer.subject.symbol ?? answer.subject.name],
          ['made from', answer.universe?.name],
          ['window', `${answer.windowFirstDay ?? '–'} to ${answer.windowLastDay ?? '–'}, ${answer.sessions} returns`],
          ['volatility a year', percent(total.volatilityAnnual)],
          ['return a year', percent(total.meanReturnAnnual)],
          ['R² out of sample', digits(answer.fit.value)],
        ]),
        `${answer.sentence}\n`,
        made,
        answer.holdings.length === 0 ? '' : held,
      ];
      return { json: answer, text: text.filter((part) => part !== '').join('\n') };
    },
  },
];

async function proxiesOf(call: Call): Promise<string | undefined> {
  const symbols = call.text('proxies')?.split(',') ?? [];
  const ids = [];
  for (const symbol of symbols) ids.push(await instrumentId(call, symbol.trim()));
  return ids.length === 0 ? undefined : ids.join(',');
}

function setOf(call: Call) {
  const text = call.text('set');
  if (text === undefined) return undefined;
  const read = factorSet.safeParse(text);
  if (read.success) return read.data;
  throw new UsageError(`--set must be one of ${factorSet.options.join(', ')}, was "${text}".`);
}

function digits(value: number | null): string {
  return value === null ? '–' : value.toFixed(2);
}
