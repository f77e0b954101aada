import {
  getRegimes,
  listRegimeRecords,
  type RegimeRecord,
  type Regimes,
  regimeState,
  sealRegime,
} from '@touchstone/contracts/regimes';
import { type Command, LIMIT_OPTION, TIME_OPTIONS, timesOf } from '../command.ts';
import { allPages, limitOf } from '../look-up.ts';
import { facts, percent, short, table } from '../render.ts';
import { SUBJECT_OPTIONS, subjectOf } from '../subject.ts';
import { timeLine } from './data.ts';

/** Spells shown to people; --json has all. */
const SPELLS_SHOWN = 10;

export const regimeCommands: Command[] = [
  {
    name: 'regimes',
    summary: 'Filtered regime of an instrument or index, its lag note, its spells and what other methods say',
    args: ['SUBJECT'],
    options: { ...SUBJECT_OPTIONS, ...TIME_OPTIONS },
    example: 'regimes ALDR --as-of 2026-01-15',
    async run(call) {
      const answer = await call.client.call(getRegimes, { params: await subjectOf(call), query: timesOf(call) });
      return { json: answer, text: regimesText(answer) };
    },
  },
  {
    name: 'regimes seal',
    summary: 'Put on record what is said of the last known day; never changed afterwards',
    args: ['SUBJECT'],
    options: { ...SUBJECT_OPTIONS, ...TIME_OPTIONS },
    example: 'regimes seal ALDR',
    async run(call) {
      const answer = await call.client.call(sealRegime, { params: await subjectOf(call), body: timesOf(call) });
      return { json: answer, text: recordText(answer) };
    },
  },
  {
    name: 'regimes history',
    summary: 'What was said then, newest first, beside what is said now of the same day',
    args: ['SUBJECT'],
    options: { ...SUBJECT_OPTIONS, ...LIMIT_OPTION },
    example: 'regimes history ALDR',
    async run(call) {
      const params = await subjectOf(call);
      const answer = await allPages(limitOf(call), (page) =>
        call.client.call(listRegimeRecords, { params, query: page }),
      );
      const text = table(
        answer.items,
        [
          { title: 'RECORD', value: (row) => row.sequence },
          { title: 'DAY', value: (row) => row.day },
          { title: 'SAID THEN', value: (row) => `${row.state} ${percent(row.probabilities[row.state])}` },
          { title: 'SAID NOW', value: (row) => nowOf(row) },
          { title: 'DIFFERS', value: (row) => row.differs },
          { title: 'SEAL', value: (row) => `${short(row.recordSha256)}${row.isSealIntact ? '' : ' BROKEN'}` },
          { title: 'SEALED', value: (row) => row.sealedAt },
        ],
        'Nothing is on record.',
      );
      return { json: answer, text };
    },
  },
];

function nowOf({
  now,
}: {
  now: { state: Regimes['state'][number]; probabilities: RegimeRecord['probabilities'] | null };
}): string {
  if (now.state === null) return 'nothing';
  return `${now.state} ${percent(now.probabilities?.[now.state] ?? null)}`;
}

function regimesText(answer: Regimes): string {
  const head = `${answer.subject.symbol ?? answer.subject.name}\n${timeLine(answer.time)}\n`;
  const { current, reason } = answer;
  if (current === null) return `${head}${reason?.sentence ?? 'The last day has no regime.'}\n`;
  const now = facts([
    ['regime', `${current.state} since ${current.since}, ${current.sessionCount} sessions`],
    ...regimeState.options.map((state) => [state, percent(current.probabilities[state])] as const),
    ['change within 21 sessions', percent(current.changePointProbability)],
    ['lag', answer.lagNote],
  ]);
  const fit = answer.fits.at(-1);
  const states = table(
    fit?.states ?? [],
    [
      { title: 'STATE', value: (row) => row.state },
      { title: 'MEAN A YEAR', value: (row) => percent(row.meanAnnual) },
      { title: 'VOLATILITY A YEAR', value: (row) => percent(row.volatilityAnnual) },
      { title: 'STAYS', value: (row) => `${Math.round(row.stayDays)} sessions` },
      { title: 'LONG RUN', value: (row) => percent(row.longRunShare) },
    ],
    'No fit.',
  );
  const spells = table(
    answer.spells.slice(-SPELLS_SHOWN).toReversed(),
    [
      { title: 'SPELL', value: (row) => row.state },
      { title: 'FIRST', value: (row) => row.firstDay },
      { title: 'LAST', value: (row) => row.lastDay },
      { title: 'SESSIONS', value: (row) => row.sessionCount },
    ],
    'No spell.',
  );
  const comparison = table(
    answer.comparison,
    [
      { title: 'METHOD', value: (row) => row.method.replaceAll('_', ' ') },
      { title: 'NOW', value: (row) => row.current },
      { title: 'SWITCHES A YEAR', value: (row) => row.switchesPerYear },
      { title: 'AGREES', value: (row) => percent(row.agreement) },
    ],
    'No other method.',
  );
  return `${head}${now}\nFitted through ${fit?.fittedThrough ?? 'no day'}:\n${states}\n${spells}\n${comparison}`;
}

function recordText(record: RegimeRecord): string {
  return facts([
    ['record', record.sequence],
    ['day', record.day],
    ['regime', `${record.state} ${percent(record.probabilities[record.state])}`],
    ['seal', record.recordSha256],
    ['sealed', record.sealedAt],
  ]);
}
