import { covarianceEstimator, getDependence, getRelations } from '@touchstone/contracts/dependence';
import { type Call, type Command, TIME_OPTIONS, timesOf, UsageError } from '../command.ts';
import { universeId } from '../look-up.ts';
import { facts, percent, table } from '../render.ts';
import { timeLine } from './data.ts';

export const SESSIONS_OPTION = { sessions: { value: 'COUNT', summary: 'Sessions looked at' } };
/** Rows of each table that people see; `--json` has all. */
const ROWS_SHOWN = 30;

export const dependenceCommands: Command[] = [
  {
    name: 'dependence',
    summary: 'Groups, tree and estimators of the correlations of a universe',
    args: ['UNIVERSE'],
    options: {
      estimator: {
        value: 'NAME',
        summary: 'denoised (default), sample, ledoit_wolf, non_linear or weighted',
      },
      ...SESSIONS_OPTION,
      ...TIME_OPTIONS,
    },
    example: 'dependence "My universe" --estimator ledoit_wolf --known-at 2026-01-15',
    async run(call) {
      const answer = await call.client.call(getDependence, {
        params: await paramsOf(call),
        query: { ...timesOf(call), ...sessionsOf(call), estimator: estimatorOf(call) },
      });
      const symbol = (place: number) => answer.names[place]?.symbol ?? String(place);
      const text = [
        headOf(answer),
        facts([['eigenvalues beyond chance', answer.signalCount]]),
        table(
          answer.clusters,
          [
            { title: 'GROUP', value: (row) => row.cluster },
            { title: 'MEAN CORRELATION', value: (row) => digits(row.meanCorrelation), right: true },
            { title: 'NAMES', value: (row) => row.members.map(symbol).join(' ') },
          ],
          'There are no groups.',
        ),
        table(
          answer.tree.toSorted((a, b) => b.correlation - a.correlation).slice(0, ROWS_SHOWN),
          [
            { title: 'TREE', value: (row) => `${symbol(row.a)} – ${symbol(row.b)}` },
            { title: 'CORRELATION', value: (row) => digits(row.correlation), right: true },
            { title: 'STABILITY', value: (row) => percent(row.stability), right: true },
          ],
          'There is no tree.',
        ),
        table(
          answer.estimators,
          [
            { title: 'ESTIMATOR', value: (row) => row.estimator },
            { title: 'VOLATILITY HELD', value: (row) => percent(row.realisedVolatility.value), right: true },
            {
              title: '95 %',
              value: ({ realisedVolatility: { low, high } }) => `${percent(low)} to ${percent(high)}`,
              right: true,
            },
            { title: 'WHY NOT', value: (row) => row.realisedVolatility.reason?.sentence },
          ],
          'No estimator was held against another.',
        ),
        leftOutOf(answer),
      ].join('\n');
      return { json: answer, text };
    },
  },
  {
    name: 'relations',
    summary: 'Direct links, who leads whom, and which relationships broke in a universe',
    args: ['UNIVERSE'],
    options: { ...SESSIONS_OPTION, ...TIME_OPTIONS },
    example: 'relations "My universe" --sessions 504',
    async run(call) {
      const query = { ...timesOf(call), ...sessionsOf(call) };
      const answer = await call.client.call(getRelations, { params: await paramsOf(call), query });
      const symbol = (place: number) => answer.names[place]?.symbol ?? String(place);
      const text = [
        headOf(answer),
        `${answer.sentence}\n`,
        table(
          answer.direct.slice(0, ROWS_SHOWN),
          [
            { title: 'DIRECT LINK', value: (row) => `${symbol(row.a)} – ${symbol(row.b)}` },
            { title: 'PARTIAL CORRELATION', value: (row) => digits(row.partialCorrelation), right: true },
            { title: 'STABILITY', value: (row) => percent(row.stability), right: true },
          ],
          'There is no stable direct link.',
        ),
        table(
          answer.leads.slice(0, ROWS_SHOWN),
          [
            { title: 'LEADER', value: (row) => symbol(row.leader) },
            { title: 'FOLLOWER', value: (row) => symbol(row.follower) },
            { title: 'SESSIONS', value: (row) => row.lagSessions },
            { title: 'CORRELATION', value: (row) => digits(row.correlation), right: true },
            { title: 'ADJUSTED P', value: (row) => row.adjustedP, right: true },
          ],
          'Nobody leads.',
        ),
        table(
          answer.breaks.slice(0, ROWS_SHOWN),
          [
            { title: 'SINCE', value: (row) => row.day },
            { title: 'WHAT BROKE', value: (row) => row.sentence, whole: true },
            { title: 'ITS PAST ALLOWS', value: (row) => `${digits(row.low)} to ${digits(row.high)}` },
            { title: 'ADJUSTED P', value: (row) => row.adjustedP, right: true },
          ],
          'No relationship broke.',
        ),
        leftOutOf(answer),
      ].join('\n');
      return { json: answer, text };
    },
  },
];

async function paramsOf(call: Call) {
  return { universeId: await universeId(call, call.args[0] ?? '') };
}

export function sessionsOf(call: Call): { sessions?: number } {
  const sessions = call.number('sessions');
  return sessions === undefined ? {} : { sessions };
}

function estimatorOf(call: Call) {
  const text = call.text('estimator');
  if (text === undefined) return undefined;
  const read = covarianceEstimator.safeParse(text);
  if (read.success) return read.data;
  throw new UsageError(`--estimator must be one of ${covarianceEstimator.options.join(', ')}, was "${text}".`);
}

type Answer = {
  universe: { name: string };
  time: Parameters<typeof timeLine>[0];
  sessions: number;
  firstDay: string | null;
  lastDay: string | null;
  names: readonly unknown[];
  leftOut: readonly { symbol: string; reason: { sentence: string } }[];
  reason: { sentence: string } | null;
};

function headOf({ universe, time, sessions, firstDay, lastDay, names, reason }: Answer): string {
  const window = `${names.length} names, ${sessions} sessions from ${firstDay ?? '–'} to ${lastDay ?? '–'}`;
  return `${timeLine(time)}${universe.name}: ${window}\n${reason === null ? '' : `${reason.sentence}\n`}`;
}

function leftOutOf({ leftOut }: Answer): string {
  if (leftOut.length === 0) return '';
  const shown = leftOut.slice(0, ROWS_SHOWN);
  const rest = leftOut.length - shown.length;
  const rows = table(
    shown,
    [
      { title: 'LEFT OUT', value: (row) => row.symbol },
      { title: 'WHY', value: (row) => row.reason.sentence },
    ],
    '',
  );
  return rest === 0 ? rows : `${rows}and ${rest} more\n`;
}

function digits(value: number | null): string {
  return value === null ? '–' : value.toFixed(2);
}
