import { type DataCase, dataCase, decideCase, getCase, listCases } from '@touchstone/contracts/data';
import { type Call, type Command, LIMIT_OPTION, type Output, TIME_OPTIONS, timesOf, UsageError } from '../command.ts';
import { allPages, instrumentId, limitOf, numberOf, sourceId } from '../look-up.ts';
import { facts, number, table } from '../render.ts';
import { barTable } from './data.ts';

const NOTE_OPTION = { note: { value: 'TEXT', summary: 'A word for whoever looks back' } };

export const caseCommands: Command[] = [
  {
    name: 'cases',
    summary: 'Findings of the quality court, newest first',
    args: [],
    options: {
      ...LIMIT_OPTION,
      ...TIME_OPTIONS,
      state: { value: 'STATE', summary: 'open, confirmed or false' },
      kind: { value: 'KIND', summary: 'Only this rule, like bad_tick' },
      source: { value: 'CODE', summary: 'Only those of this source' },
      symbol: { value: 'SYMBOL', summary: 'Only those of this instrument' },
      run: { value: 'RUN', summary: 'Only those of this delivery' },
    },
    example: 'cases --state open --kind bad_tick',
    async run(call) {
      const source = call.text('source');
      const symbol = call.text('symbol');
      const query = {
        ...timesOf(call),
        state: stateOf(call.text('state')),
        kind: call.text('kind'),
        runId: call.number('run'),
        sourceId: source === undefined ? undefined : await sourceId(call, source),
        instrumentId: symbol === undefined ? undefined : await instrumentId(call, symbol),
      };
      const answer = await allPages(limitOf(call), (page) =>
        call.client.call(listCases, { query: { ...query, ...page } }),
      );
      const kinds = answer.byKind.map((row) => `${row.kind} ${number(row.open)} open`).join(', ');
      const text = table(
        answer.items,
        [
          { title: 'CASE', value: (row) => row.id },
          { title: 'STATE', value: (row) => row.state },
          { title: 'KIND', value: (row) => row.kind },
          { title: 'SYMBOL', value: (row) => row.symbol },
          { title: 'FIRST', value: (row) => row.firstDay },
          { title: 'LAST', value: (row) => row.lastDay },
          { title: 'ROWS', value: (row) => row.rowCount },
          { title: 'HELD', value: (row) => row.action === 'quarantine' },
          { title: 'REASON', value: (row) => row.reason, whole: true },
        ],
        'No case fits.',
      );
      return { json: answer, text: `${text}\n${number(answer.total)} in all${kinds && `: ${kinds}`}\n` };
    },
  },
  {
    name: 'case',
    summary: 'One finding, with the bars held back and their neighbours',
    args: ['CASE'],
    example: 'case 7',
    async run(call) {
      const params = { caseId: numberOf(call.args[0], 'CASE') };
      const found = await call.client.call(getCase, { params });
      const parts = [
        describeCase(found),
        `\nHeld back:\n${barTable(found.heldBars)}`,
        `\nNeighbours:\n${barTable(found.neighbours)}`,
      ];
      return { json: found, text: parts.join('') };
    },
  },
  {
    name: 'case confirm',
    summary: 'The finding is right; its bars stay held back',
    args: ['CASE'],
    options: NOTE_OPTION,
    example: 'case confirm 7 --note "Vendor confirmed"',
    run: (call) => decide(call, 'confirmed'),
  },
  {
    name: 'case dismiss',
    summary: 'A false alarm; its bars are released',
    args: ['CASE'],
    options: NOTE_OPTION,
    example: 'case dismiss 7 --note "A real crash day"',
    run: (call) => decide(call, 'false'),
  },
];

async function decide(call: Call, state: 'confirmed' | 'false'): Promise<Output> {
  const params = { caseId: numberOf(call.args[0], 'CASE') };
  const { version } = await call.client.call(getCase, { params });
  const body = { state, note: call.text('note') ?? '', version };
  const decided = await call.client.call(decideCase, { params, body });
  return { json: decided, text: describeCase(decided) };
}

function describeCase(found: DataCase): string {
  return facts([
    ['case', `${found.id}, ${found.kind}, ${found.state}`],
    ['symbol', found.symbol],
    ['days', `${found.firstDay} to ${found.lastDay}, ${found.rowCount} rows`],
    ['action', found.action === 'quarantine' ? 'its bars are held back' : 'noted only'],
    ['reason', found.reason],
    ['measured', found.measure],
    ['threshold', found.threshold],
    ['run', found.runId],
    ['decided', found.decidedAt],
    ['note', found.decisionNote],
  ]);
}

function stateOf(text: string | undefined): DataCase['state'] | undefined {
  if (text === undefined) return undefined;
  const parsed = dataCase.shape.state.safeParse(text);
  if (parsed.success) return parsed.data;
  throw new UsageError(`--state must be open, confirmed or false, was "${text}".`);
}
