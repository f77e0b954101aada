import { getHealth, getSlowQuery, listSlowQueries } from '@touchstone/contracts/diagnostics';
import { type Command, LIMIT_OPTION, UsageError } from '../command.ts';
import { limitOf, numberOf } from '../look-up.ts';
import { bytes, facts, percent, table } from '../render.ts';

const SORTS = ['total', 'max', 'p95', 'count', 'recent'] as const;
const CHANGE_SIGNS = { same: ' ', added: '+', removed: '-' } as const;

export const healthCommands: Command[] = [
  {
    name: 'health',
    summary: 'Is all well? Age of the data, queue, pool, disk, alerts; exit code 1 if something is not',
    args: [],
    example: 'health',
    async run({ client }) {
      const health = await client.call(getHealth);
      const { queue, pool, disk, alerts, cache } = health;
      const verdict = health.ok ? 'All is well.\n' : health.reasons.map((reason) => `! ${reason}\n`).join('');
      const about = facts([
        ['version', health.codeVersion],
        ['schema', health.migration],
        ['tasks', `${queue.queued} queued, ${queue.running} running, ${queue.failed} failed`],
        ['oldest waits', queue.oldestWaitingSeconds === null ? null : `${Math.round(queue.oldestWaitingSeconds)} s`],
        ['connections', `${pool.size} of ${pool.max} open, ${pool.waiting} waiting`],
        ['connection wait', pool.waitMsP95 === null ? null : `${pool.waitMsP95.toFixed(1)} ms (p95)`],
        ['cache', cache === null ? null : `${cache.kind}, ${percent(cache.hitFraction)} hits`],
        ['event loop', `${health.eventLoopDelayMsP99.toFixed(1)} ms delay (p99)`],
        ['disk free', `${bytes(disk.freeBytes)} of ${bytes(disk.totalBytes)} (${percent(disk.freeFraction)})`],
        ['alerts', `${alerts.critical} critical, ${alerts.warning} warnings, ${alerts.info} notes`],
      ]);
      const ages = table(
        health.freshness,
        [
          { title: 'UNIVERSE', value: (row) => row.universeName },
          { title: 'LAST DAY', value: (row) => row.lastDay },
          { title: 'TRADING DAYS OLD', value: (row) => row.ageTradingDays },
          { title: 'KEPT CURRENT', value: (row) => row.isExpectedFresh },
          { title: 'NOTE', value: (row) => (row.isStale ? 'stale' : row.reason) },
        ],
        'There is no universe.',
      );
      const parts = table(
        health.parts,
        [
          { title: 'PART', value: (row) => row.name },
          { title: 'STATE', value: (row) => row.state },
          { title: 'MEANS', value: (row) => row.sentence, whole: true },
        ],
        'Nothing is optional here.',
      );
      return { json: health, text: [verdict, about, ages, parts].join('\n'), exitCode: health.ok ? 0 : 1 };
    },
  },
  {
    name: 'slow-queries',
    summary: 'Statements that took longer than the threshold',
    args: [],
    options: { ...LIMIT_OPTION, sort: { value: 'BY', summary: SORTS.join(', ') } },
    example: 'slow-queries --sort p95',
    async run(call) {
      const given = call.text('sort');
      const sort = SORTS.find((known) => known === given);
      if (given !== undefined && sort === undefined) throw new UsageError(`--sort must be one of ${SORTS.join(', ')}.`);
      const limit = Math.min(500, limitOf(call));
      const answer = await call.client.call(listSlowQueries, { query: { limit, ...(sort && { sort }) } });
      const milliseconds = (value: number) => value.toFixed(1);
      const text = table(
        answer.items,
        [
          { title: 'QUERY', value: (row) => row.id },
          { title: 'TIMES', value: (row) => row.count },
          { title: 'TOTAL MS', value: (row) => milliseconds(row.totalMs), right: true },
          { title: 'P95 MS', value: (row) => milliseconds(row.p95Ms), right: true },
          { title: 'MAX MS', value: (row) => milliseconds(row.maxMs), right: true },
          { title: 'LAST', value: (row) => row.lastSeenAt },
          { title: 'STATEMENT', value: (row) => row.text },
        ],
        `Nothing took longer than ${answer.thresholdMs} ms.`,
      );
      return { json: answer, text };
    },
  },
  {
    name: 'slow-query',
    summary: 'One slow statement with its plan, and how the plan changed',
    args: ['QUERY'],
    example: 'slow-query 12',
    async run({ client, args }) {
      const query = await client.call(getSlowQuery, { params: { queryId: numberOf(args[0], 'QUERY') } });
      const about = facts([
        ['statement', query.text],
        ['times', query.count],
        ['mean, p95, max', [query.meanMs, query.p95Ms, query.maxMs].map((ms) => `${ms.toFixed(1)} ms`).join(', ')],
        ['seen', `${query.firstSeenAt} to ${query.lastSeenAt}`],
        ['plan changed', query.planChangedAt],
      ]);
      const plan = query.plan === null ? `${query.planReason}\n` : `${query.plan.text}\n`;
      const change = query.planDiff.map(({ change, line }) => `${CHANGE_SIGNS[change]} ${line}\n`).join('');
      const changed = change === '' ? '' : `\nFrom the plan before:\n${change}`;
      return { json: query, text: `${about}\n${plan}${changed}` };
    },
  },
];
