import { acknowledgeAlert, alertSeverity, alertState, listAlerts } from '@touchstone/contracts/alerts';
import type { z } from 'zod';
import { type Call, type Command, LIMIT_OPTION, UsageError } from '../command.ts';
import { allPages, limitOf, numberOf } from '../look-up.ts';
import { facts, table } from '../render.ts';

export const alertCommands: Command[] = [
  {
    name: 'alerts',
    summary: 'What somebody should see, newest first',
    args: [],
    options: {
      ...LIMIT_OPTION,
      state: { value: 'STATE', summary: alertState.options.join(', ') },
      severity: { value: 'SEVERITY', summary: alertSeverity.options.join(', ') },
    },
    example: 'alerts --state open',
    async run(call) {
      const query = { state: choice(call, 'state', alertState), severity: choice(call, 'severity', alertSeverity) };
      const answer = await allPages(limitOf(call), (page) =>
        call.client.call(listAlerts, { query: { ...query, ...page } }),
      );
      const text = table(
        answer.items,
        [
          { title: 'ALERT', value: (row) => row.id },
          { title: 'SEVERITY', value: (row) => row.severity },
          { title: 'STATE', value: (row) => row.state },
          { title: 'WHAT', value: (row) => row.title },
          { title: 'ABOUT', value: (row) => `${row.subjectKind} ${row.subjectId}` },
          { title: 'TIMES', value: (row) => row.times },
          { title: 'LAST', value: (row) => row.lastRaisedAt },
        ],
        'There is nothing to see to.',
      );
      const { critical, warning, info } = answer.open;
      const sums = `${critical} critical, ${warning} warnings, ${info} notes nobody has acknowledged\n`;
      return { json: answer, text: `${text}\n${sums}` };
    },
  },
  {
    name: 'alerts ack',
    summary: 'Say that an alert was seen; it is resolved by itself when its cause is gone',
    args: ['ALERT'],
    example: 'alerts ack 12',
    async run({ client, args }) {
      const alert = await client.call(acknowledgeAlert, { params: { alertId: numberOf(args[0], 'ALERT') } });
      const text = facts([
        ['alert', `${alert.id}, ${alert.severity}, ${alert.state}`],
        ['what', alert.title],
        ['means', alert.detail],
        ['acknowledged', alert.acknowledgedAt],
      ]);
      return { json: alert, text };
    },
  },
];

function choice<T extends z.ZodEnum>(call: Call, name: string, values: T): z.infer<T> | undefined {
  const given = call.text(name);
  if (given === undefined) return undefined;
  const parsed = values.safeParse(given);
  if (!parsed.success) throw new UsageError(`--${name} must be one of ${values.options.join(', ')}, was "${given}".`);
  return parsed.data;
}
