import { getRun, listRuns, retractRun } from '@touchstone/contracts/data';
import { type Command, LIMIT_OPTION, UsageError } from '../command.ts';
import { allPages, limitOf, numberOf, sourceId } from '../look-up.ts';
import { table } from '../render.ts';
import { describeRun } from './import.ts';

export const runCommands: Command[] = [
  {
    name: 'runs',
    summary: 'Deliveries of facts, newest first',
    args: [],
    options: { ...LIMIT_OPTION, source: { value: 'CODE', summary: 'Only those of this source' } },
    example: 'runs --limit 10',
    async run(call) {
      const source = call.text('source');
      const query = { sourceId: source === undefined ? undefined : await sourceId(call, source) };
      const answer = await allPages(limitOf(call), (page) =>
        call.client.call(listRuns, { query: { ...query, ...page } }),
      );
      const text = table(
        answer.items,
        [
          { title: 'RUN', value: (row) => row.id },
          { title: 'SOURCE', value: (row) => row.sourceName },
          { title: 'KIND', value: (row) => row.kind },
          { title: 'STATE', value: (row) => (row.retractedAt === null ? row.state : 'retracted') },
          { title: 'ROWS', value: (row) => row.rowCount },
          { title: 'ACCEPTED', value: (row) => row.acceptedCount },
          { title: 'HELD', value: (row) => row.quarantinedCount },
          { title: 'MALFORMED', value: (row) => row.errorCount },
          { title: 'PUBLISHED', value: (row) => row.publishedAt },
          { title: 'FILE', value: (row) => row.fileName },
        ],
        'Nothing was delivered yet.',
      );
      return { json: answer, text };
    },
  },
  {
    name: 'run',
    summary: 'One delivery',
    args: ['RUN'],
    example: 'run 12',
    async run(call) {
      const run = await call.client.call(getRun, { params: { runId: numberOf(call.args[0], 'RUN') } });
      return { json: run, text: describeRun(run) };
    },
  },
  {
    name: 'run retract',
    summary: 'Take a wrong delivery out of sight; nothing is deleted',
    args: ['RUN'],
    options: { reason: { value: 'TEXT', summary: 'Why, for whoever looks back' } },
    example: 'run retract 12 --reason "Wrong file"',
    async run(call) {
      const reason = call.text('reason');
      if (reason === undefined) throw new UsageError('Say why with --reason TEXT.');
      const params = { runId: numberOf(call.args[0], 'RUN') };
      const run = await call.client.call(retractRun, { params, body: { reason } });
      return { json: run, text: describeRun(run) };
    },
  },
];
