import {
  type Anomalies,
  type AnomalyCase,
  anomalyState,
  getAnomalies,
  getAnomalyCase,
  judgeAnomalyCase,
  listAnomalyCases,
  sealAnomalies,
} from '@touchstone/contracts/anomalies';
import { type Command, LIMIT_OPTION, TIME_OPTIONS, timesOf, UsageError } from '../command.ts';
import { allPages, limitOf, numberOf } from '../look-up.ts';
import { facts, number, percent, show, table } from '../render.ts';
import { SUBJECT_OPTIONS, subjectOf } from '../subject.ts';
import { timeLine } from './data.ts';

/** Alarms shown to people; --json has all. */
const ALARMS_SHOWN = 30;

export const anomalyCommands: Command[] = [
  {
    name: 'anomalies',
    summary: 'Alarms of every detector with score, threshold and how often it alarms on its own past',
    args: ['SUBJECT'],
    options: { ...SUBJECT_OPTIONS, ...TIME_OPTIONS },
    example: 'anomalies ALDR',
    async run(call) {
      const answer = await call.client.call(getAnomalies, { params: await subjectOf(call), query: timesOf(call) });
      return { json: answer, text: anomaliesText(answer) };
    },
  },
  {
    name: 'anomalies seal',
    summary: 'Open a case for each alarm of the last sessions that has none',
    args: ['SUBJECT'],
    options: {
      ...SUBJECT_OPTIONS,
      ...TIME_OPTIONS,
      sessions: { value: 'COUNT', summary: 'How many of the last sessions; default 1' },
    },
    example: 'anomalies seal ALDR --sessions 21',
    async run(call) {
      const body = { ...timesOf(call), sessions: call.number('sessions') };
      const answer = await call.client.call(sealAnomalies, { params: await subjectOf(call), body });
      return { json: answer, text: caseTable(answer.opened, 'No alarm without a case.') };
    },
  },
  {
    name: 'anomalies cases',
    summary: 'Anomalies on record, newest first, with the confirmed share of each detector',
    args: [],
    options: { ...LIMIT_OPTION, state: { value: 'STATE', summary: anomalyState.options.join(', ') } },
    example: 'anomalies cases --state open',
    async run(call) {
      const text = call.text('state');
      const state = text === undefined ? undefined : stateOf(text);
      const answer = await allPages(limitOf(call), (page) =>
        call.client.call(listAnomalyCases, { query: { state, ...page } }),
      );
      const shares = table(
        answer.detectors,
        [
          { title: 'DETECTOR', value: (row) => row.detector.replaceAll('_', ' ') },
          { title: 'CASES', value: (row) => row.caseCount },
          { title: 'JUDGED', value: (row) => row.judgedCount },
          { title: 'CONFIRMED', value: (row) => percent(row.confirmedShare) },
        ],
        '',
      );
      return { json: answer, text: `${caseTable(answer.items, 'No case fits.')}\n${shares}` };
    },
  },
  {
    name: 'anomalies judge',
    summary: 'Say whether an anomaly was real: confirmed, false, or open to take a judgement back',
    args: ['CASE', 'STATE'],
    options: { note: { value: 'TEXT', summary: 'A word for whoever looks back' } },
    example: 'anomalies judge 5 confirmed --note "Earnings surprise"',
    async run(call) {
      const params = { caseId: numberOf(call.args[0], 'CASE') };
      const state = stateOf(call.args[1] ?? '');
      const { version } = await call.client.call(getAnomalyCase, { params });
      const body = { state, note: call.text('note') ?? '', version };
      const judged = await call.client.call(judgeAnomalyCase, { params, body });
      return { json: judged, text: caseText(judged) };
    },
  },
];

function stateOf(text: string): AnomalyCase['state'] {
  const parsed = anomalyState.safeParse(text);
  if (parsed.success) return parsed.data;
  throw new UsageError(`The state must be ${anomalyState.options.join(', ')}, was "${text}".`);
}

function anomaliesText(answer: Anomalies): string {
  const head = `${answer.subject.symbol ?? answer.subject.name}\n${timeLine(answer.time)}\n`;
  if (answer.reason !== null) return `${head}${answer.reason.sentence}\n`;
  const detectors = table(
    answer.detectors,
    [
      { title: 'DETECTOR', value: (row) => row.label },
      { title: 'TODAY', value: (row) => row.scoreToday },
      { title: 'THRESHOLD', value: (row) => row.threshold },
      { title: 'FALSE ALARMS A YEAR', value: (row) => row.alarmsPerYear },
      { title: 'AT MOST', value: (row) => row.alarmsPerYearMax },
      { title: 'CONFIRMED', value: (row) => `${percent(row.confirmedShare)} of ${row.judgedCount}` },
      { title: 'SILENT BECAUSE', value: (row) => row.reason?.sentence ?? null },
    ],
    'No detector.',
  );
  const alarms = table(
    answer.items.slice(0, ALARMS_SHOWN),
    [
      { title: 'DAY', value: (row) => row.day },
      { title: 'CASE', value: (row) => row.caseId },
      { title: 'STATE', value: (row) => row.state },
      { title: 'WHAT', value: (row) => row.sentence, whole: true },
    ],
    'No alarm.',
  );
  const more = answer.items.length > ALARMS_SHOWN ? `${number(answer.items.length - ALARMS_SHOWN)} more: --json\n` : '';
  return `${head}${answer.note}\n\n${detectors}\n${alarms}${more}`;
}

function caseTable(cases: readonly AnomalyCase[], none: string): string {
  return table(
    cases,
    [
      { title: 'CASE', value: (row) => row.id },
      { title: 'STATE', value: (row) => row.state },
      { title: 'ABOUT', value: (row) => `${row.subjectKind} ${row.subjectId}` },
      { title: 'DETECTOR', value: (row) => row.detector.replaceAll('_', ' ') },
      { title: 'DAY', value: (row) => row.day },
      { title: 'SCORE', value: (row) => row.score },
      { title: 'THRESHOLD', value: (row) => row.threshold },
      { title: 'NOTE', value: (row) => row.note },
    ],
    none,
  );
}

function caseText(found: AnomalyCase): string {
  return facts([
    ['case', `${found.id}, ${found.state}`],
    ['about', `${found.subjectKind} ${found.subjectId}`],
    ['detector', `${found.detector.replaceAll('_', ' ')} on ${found.day}`],
    ['score', `${show(found.score)}, threshold ${show(found.threshold)}`],
    ['judged', found.judgedAt],
    ['note', found.note],
  ]);
}
