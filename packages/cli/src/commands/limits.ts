import { getLimits } from '@touchstone/contracts/limits';
import type { Command } from '../command.ts';
import { facts, number, table } from '../render.ts';

export const limitCommands: Command[] = [
  {
    name: 'limits',
    summary: 'How many requests are allowed, and what you have left',
    args: [],
    example: 'limits',
    async run(call) {
      const answer = await call.client.call(getLimits);
      const head = facts([
        ['counted in', answer.store],
        ['each process by itself', answer.degraded ? 'yes, the store is away' : 'no'],
      ]);
      const rows = table(
        answer.items,
        [
          { title: 'LIMIT', value: (row) => row.name },
          { title: 'A MINUTE', value: (row) => number(row.requestsPerMinute), right: true },
          { title: 'AT ONCE', value: (row) => number(row.burst), right: true },
          { title: 'LEFT', value: (row) => (row.remaining === null ? '' : number(row.remaining)), right: true },
        ],
        'Nothing is limited here.',
      );
      return { json: answer, text: head + rows };
    },
  },
];
