import { getBlastRadius } from '@touchstone/contracts/blast-radius';
import { type Command, UsageError } from '../command.ts';
import { instrumentId, numberOf, sourceId } from '../look-up.ts';
import { facts, table } from '../render.ts';

export const blastRadiusCommands: Command[] = [
  {
    name: 'blast-radius',
    summary: 'What rests on rows that changed: datasets, index runs, universes, trials',
    args: [],
    options: {
      run: { value: 'NUMBER', summary: 'The run that changed them' },
      instrument: { value: 'SYMBOL', summary: 'Instead of --run: suppose its bars changed now' },
      source: { value: 'CODE', summary: 'With --instrument: only bars of this source' },
      from: { value: 'DAY', summary: 'With --instrument: from this day' },
      to: { value: 'DAY', summary: 'With --instrument: to this day' },
    },
    example: 'blast-radius --run 12',
    async run(call) {
      const [run, symbol, source] = [call.text('run'), call.text('instrument'), call.text('source')];
      if ((run === undefined) === (symbol === undefined))
        throw new UsageError('Say what changed with --run NUMBER, or with --instrument SYMBOL and days.');
      const answer = await call.client.call(getBlastRadius, {
        query: {
          ...(run === undefined ? {} : { runId: numberOf(run, '--run') }),
          ...(symbol === undefined ? {} : { instrumentId: await instrumentId(call, symbol) }),
          ...(source === undefined ? {} : { sourceId: await sourceId(call, source) }),
          ...{ from: call.text('from'), to: call.text('to') },
        },
      });
      const { change } = answer;
      const text = facts([
        ['change', change.runId === null ? change.what : `run ${change.runId} ${change.what}`],
        ['at', change.at],
        ['rows', `${change.rowCount} of ${change.instrumentCount} instruments`],
        ['days', change.firstDay === null ? null : `${change.firstDay} to ${change.lastDay}`],
        ...answer.dependents.map(({ kind, count }) => [kind, count] as const),
        ['exact', answer.exact],
      ]);
      const indexes = table(
        answer.indexes,
        [
          { title: 'INDEX', value: (row) => row.name },
          { title: 'STALE', value: (row) => row.isStale },
          { title: 'FROM', value: (row) => row.staleFrom },
          { title: 'DAYS', value: (row) => `${row.staleDayCount} of ${row.dayCount}`, right: true },
          { title: 'RUNS', value: (row) => row.runNumbers.join(', ') },
        ],
        'No index rests on them.',
      );
      const notes = answer.approximations.map((sentence) => `${sentence}\n`).join('');
      return { json: answer, text: `${text}\n${indexes}${notes === '' ? '' : `\n${notes}`}` };
    },
  },
];
