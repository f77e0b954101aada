import {
  type BiasGroup,
  type DriftFinding,
  getBiasReport,
  getDrift,
  getLeaderboard,
  startDriftCheck,
} from '@touchstone/contracts/drift';
import { TARGETS, type TargetName } from '@touchstone/contracts/model-manifest';
import { type Call, type Command, LIMIT_OPTION, type Output, UsageError } from '../command.ts';
import { limitOf, numberOf } from '../look-up.ts';
import { facts, number, percent, table } from '../render.ts';
import { watchTask } from '../watch-task.ts';

export const driftCommands: Command[] = [
  {
    name: 'drift',
    summary: 'What has moved of a served model, by what it does to the predictions',
    args: ['MODEL'],
    options: {
      ...LIMIT_OPTION,
      check: { value: 'NUMBER', summary: 'This check instead of the last one' },
      alarms: { summary: 'Only what is over its limit' },
      now: { summary: 'Check first, and wait for it' },
    },
    example: 'drift volatility-direction --alarms',
    run: showDrift,
  },
  {
    name: 'bias',
    summary: 'Whether a model does worse on some sectors, sizes, volatilities or regimes',
    args: ['MODEL'],
    options: { version: { value: 'NUMBER', summary: 'Default: the champion, else the newest' } },
    example: 'bias volatility-direction',
    async run(call) {
      const version = call.number('version');
      const answer = await call.client.call(getBiasReport, {
        params: { model: call.args[0] ?? '' },
        query: version === undefined ? {} : { version },
      });
      if (answer.reason !== null) return { json: answer, text: `${answer.reason.sentence}\n` };
      const about = facts([
        ['of', `${answer.model} v${answer.version}`],
        [
          'loss',
          `${answer.loss === null ? 'unknown' : number(answer.loss)} (${answer.metric}) on ${answer.sampleCount} predictions`,
        ],
        ['tested', `${answer.testCount} parts together`],
        ['survivors', answer.survivorship],
      ]);
      return { json: answer, text: `${about}\n${biasTable(answer.groups)}` };
    },
  },
  {
    name: 'leaderboard',
    summary: 'Models and simple rules together, by what they are worth at least',
    args: [],
    options: {
      target: { value: 'TARGET', summary: TARGETS.join(', ') },
      served: { summary: 'Only versions an alias points at' },
    },
    example: 'leaderboard --target volatility_direction',
    async run(call) {
      const target = targetOf(call.text('target'));
      const query = {
        ...(target === undefined ? {} : { target }),
        ...(call.flag('served') ? { servedOnly: 'true' } : {}),
      };
      const answer = await call.client.call(getLeaderboard, { query });
      const boards = answer.boards.map(({ title, rows }) => {
        const list = table(
          rows,
          [
            { title: 'RANK', value: (row) => row.rank, right: true },
            { title: 'NAME', value: (row) => (row.version === null ? row.name : `${row.name} v${row.version}`) },
            { title: 'IS', value: (row) => (row.aliases.length > 0 ? row.aliases.join(', ') : row.kind) },
            { title: 'VALUE', value: (row) => shown(row.value), right: true },
            { title: 'AT WORST', value: (row) => shown(row.lowerBound), right: true },
            { title: 'FORECASTS', value: (row) => row.sampleCount, right: true },
            { title: 'LIVE LOSS', value: (row) => shown(row.live?.loss ?? null), right: true },
          ],
          'Nothing was judged yet.',
        );
        return `${title}\n${list}`;
      });
      const text = boards.length === 0 ? 'No model was judged yet.\n' : `${boards.join('\n')}\n${answer.note}\n`;
      return { json: answer, text };
    },
  },
];

async function showDrift(call: Call): Promise<Output> {
  const params = { model: call.args[0] ?? '' };
  if (call.flag('now')) {
    const { task } = await call.client.call(startDriftCheck, { params });
    await watchTask(call, task);
  }
  const check = call.text('check');
  const answer = await call.client.call(getDrift, {
    params,
    query: {
      limit: limitOf(call),
      ...(check === undefined ? {} : { checkId: numberOf(check, '--check') }),
      ...(call.flag('alarms') ? { alarmsOnly: 'true' } : {}),
    },
  });
  if (answer.check === null) return { json: answer, text: 'It was never checked. Check it now with --now.\n' };
  const { version, asOf, findingCount, alarmCount, checkedAt } = answer.check;
  const about = facts([
    ['of', `${params.model} v${version}, as of ${asOf}`],
    ['checked', checkedAt],
    ['looked at', `${findingCount} things, ${alarmCount} over their limit`],
    ['false alarms', answer.budget.sentence],
  ]);
  // A table cuts what is long; of an alarm everything is told.
  const alarms = answer.findings.filter(({ alarm }) => alarm).map(({ sentence }) => `  ${sentence}\n`);
  const told = alarms.length === 0 ? '' : `\nOver their limit:\n${alarms.join('')}`;
  return { json: answer, text: `${about}\n${findingTable(answer.findings)}${told}` };
}

function findingTable(findings: readonly DriftFinding[]): string {
  return table(
    findings,
    [
      { title: 'RANK', value: (row) => row.rank, right: true },
      { title: 'ALARM', value: (row) => row.alarm },
      { title: 'AREA', value: (row) => row.area },
      { title: 'EFFECT', value: (row) => shown(row.effect), right: true },
      { title: 'WHAT', value: (row) => row.sentence },
    ],
    'Nothing is over its limit.',
  );
}

function biasTable(groups: readonly BiasGroup[]): string {
  return table(
    groups,
    [
      { title: 'BY', value: (row) => row.dimension },
      { title: 'PART', value: (row) => row.group },
      { title: 'CASES', value: (row) => row.sampleCount, right: true },
      { title: 'LOSS', value: (row) => shown(row.loss), right: true },
      { title: 'ELSEWHERE', value: (row) => shown(row.lossOfOthers), right: true },
      { title: 'SILENT', value: (row) => percent(row.abstainedShare), right: true },
      { title: 'VERDICT', value: (row) => verdictOf(row) },
    ],
    'There is only one part of everything: nothing to compare.',
  );
}

function verdictOf({ isTold, difference, reason }: BiasGroup): string {
  if (reason !== null) return 'too few days';
  if (!isTold) return 'not told from chance';
  return (difference ?? 0) > 0 ? 'worse' : 'better';
}

function targetOf(text: string | undefined): TargetName | undefined {
  const target = TARGETS.find((one) => one === text);
  if (text !== undefined && target === undefined)
    throw new UsageError(`--target must be one of ${TARGETS.join(', ')}, was "${text}"`);
  return target;
}

function shown(value: number | null): string | null {
  return value === null ? null : number(value);
}
