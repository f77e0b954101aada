import { getStatus } from '@touchstone/contracts/diagnostics';
import type { Command } from '../command.ts';
import { bytes, facts, table } from '../render.ts';

export const statusCommands: Command[] = [
  {
    name: 'status',
    summary: 'How the installation is',
    args: [],
    example: 'status',
    async run({ client, connection }) {
      const status = await client.call(getStatus);
      const { database, queue } = status;
      const text = facts([
        ['server', `${connection.url}, version ${status.version}`],
        ['started', status.startedAt],
        ['database', `PostgreSQL ${database.version} (${database.kind}), ${bytes(database.byteCount)}`],
        ['schema', `${database.migrations.at(-1) ?? 'empty'} (${database.migrations.length} migrations)`],
        ['partitions', database.partitioning],
        ['memory', `${bytes(status.memory.residentBytes)} resident, ${bytes(status.memory.heapBytes)} heap`],
        ['event loop', `${status.eventLoopDelayMsP99.toFixed(1)} ms delay (p99)`],
        ['disk free', bytes(status.diskFreeBytes)],
        ['tasks', `${queue.queued} queued, ${queue.running} running, ${queue.failed} failed`],
      ]);
      const rows = table(
        status.rows,
        [
          { title: 'TABLE', value: (row) => row.table },
          { title: 'ROWS, ABOUT', value: (row) => row.estimate },
        ],
        'No table has rows.',
      );
      return { json: status, text: `${text}\n${rows}` };
    },
  },
];
