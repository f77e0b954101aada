import {
  addCorporateAction,
  type Bar,
  correctBar,
  getInstrument,
  listBars,
  listBarVersions,
  listInstruments,
  listSources,
} from '@touchstone/contracts/data';
import type { timeAnswer } from '@touchstone/contracts/fields';
import type { z } from 'zod';
import { type Call, type Command, LIMIT_OPTION, TIME_OPTIONS, timesOf, UsageError } from '../command.ts';
import { allPages, instrumentId, limitOf, sourceId } from '../look-up.ts';
import { facts, show, table } from '../render.ts';

const SOURCE_OPTION = { source: { value: 'CODE', summary: 'Whose telling; needed when there are several' } };
const REASON_OPTION = { reason: { value: 'TEXT', summary: 'Why, for whoever looks back' } };

export const dataCommands: Command[] = [
  {
    name: 'sources',
    summary: 'Where facts come from',
    args: [],
    example: 'sources',
    async run({ client }) {
      const answer = await client.call(listSources);
      const text = table(
        answer.items,
        [
          { title: 'CODE', value: (row) => row.code },
          { title: 'NAME', value: (row) => row.name },
          { title: 'KIND', value: (row) => row.kind },
          { title: 'BASIS', value: (row) => row.priceBasis },
          { title: 'CURRENCY', value: (row) => row.currency },
          { title: 'INSTRUMENTS', value: (row) => row.instrumentCount },
          { title: 'FIRST', value: (row) => row.firstDay },
          { title: 'LAST', value: (row) => row.lastDay },
          { title: 'OPEN CASES', value: (row) => row.openCaseCount },
        ],
        'There is no source yet. Bring one in with: touchstone import prices FILE',
      );
      return { json: answer, text };
    },
  },
  {
    name: 'instruments',
    summary: 'Things with a price',
    args: ['[SEARCH]'],
    options: { ...LIMIT_OPTION, source: { value: 'CODE', summary: 'Only those of this source' } },
    example: 'instruments ald',
    async run(call) {
      const source = call.text('source');
      const query = {
        search: call.args[0],
        sourceId: source === undefined ? undefined : await sourceId(call, source),
      };
      const answer = await allPages(limitOf(call), (page) =>
        call.client.call(listInstruments, { query: { ...query, ...page } }),
      );
      const text = table(
        answer.items,
        [
          { title: 'SYMBOL', value: (row) => row.symbol },
          { title: 'NAME', value: (row) => row.name },
          { title: 'KIND', value: (row) => row.kind },
          { title: 'CURRENCY', value: (row) => row.currency },
          { title: 'CALENDAR', value: (row) => row.calendar },
          { title: 'SECTOR', value: (row) => row.sector },
          { title: 'FIRST', value: (row) => row.firstDay },
          { title: 'LAST', value: (row) => row.lastDay },
          { title: 'BARS', value: (row) => row.barCount },
        ],
        'No instrument fits.',
      );
      return { json: answer, text };
    },
  },
  {
    name: 'bars',
    summary: 'Daily bars of one instrument as known at a moment',
    args: ['SYMBOL'],
    options: {
      from: { value: 'DAY', summary: 'First day' },
      to: { value: 'DAY', summary: 'Last day' },
      ...TIME_OPTIONS,
      basis: { value: 'BASIS', summary: 'raw, split_adjusted or total_return; default as delivered' },
      ...SOURCE_OPTION,
    },
    example: 'bars ALDR --from 2026-01-01 --known-at 2026-01-15',
    async run(call) {
      const [symbol = ''] = call.args;
      const source = call.text('source');
      const answer = await call.client.call(listBars, {
        params: { instrumentId: await instrumentId(call, symbol) },
        query: {
          ...timesOf(call),
          from: call.text('from'),
          to: call.text('to'),
          basis: basisOf(call.text('basis')),
          sourceId: source === undefined ? undefined : await sourceId(call, source),
        },
      });
      const { instrument, basis } = answer;
      const head = `${instrument.symbol} ${instrument.name}, ${instrument.currency}, ${basis ?? 'no basis'}\n`;
      return { json: answer, text: `${head}${timeLine(answer.time)}\n${barTable(answer.items)}` };
    },
  },
  {
    name: 'versions',
    summary: 'Everything ever told about one bar',
    args: ['SYMBOL', 'DAY'],
    example: 'versions ALDR 2026-01-15',
    async run(call) {
      const [symbol = '', day = ''] = call.args;
      const params = { instrumentId: await instrumentId(call, symbol), day };
      const answer = await call.client.call(listBarVersions, { params });
      const text = table(
        answer.items,
        [
          { title: 'RUN', value: (row) => row.runId },
          { title: 'REVISION', value: (row) => row.revision },
          ...PRICE_COLUMNS,
          { title: 'KNOWN', value: (row) => row.knownAt },
          { title: 'RECORDED', value: (row) => row.recordedAt },
          { title: 'STATE', value: (row) => (row.quarantined ? 'held back' : row.retractedAt ? 'retracted' : 'told') },
          { title: 'REASON', value: (row) => row.reason },
        ],
        `Nothing was ever told about ${symbol} on ${day}.`,
      );
      return { json: answer, text };
    },
  },
  {
    name: 'correct',
    summary: 'Tell a bar again; what is not given stays as it is. The old telling stays too',
    args: ['SYMBOL', 'DAY'],
    options: {
      open: { value: 'PRICE', summary: 'New open' },
      high: { value: 'PRICE', summary: 'New high' },
      low: { value: 'PRICE', summary: 'New low' },
      close: { value: 'PRICE', summary: 'New close' },
      volume: { value: 'SHARES', summary: 'New volume' },
      ...REASON_OPTION,
      ...SOURCE_OPTION,
    },
    example: 'correct ALDR 2026-01-15 --close 101.25 --reason "Vendor notice of 16 January"',
    async run(call) {
      const [symbol = '', day = ''] = call.args;
      const id = await instrumentId(call, symbol);
      const source = await tellingSource(call, id, symbol);
      const { items } = await call.client.call(listBars, {
        params: { instrumentId: id },
        query: { from: day, to: day, sourceId: source },
      });
      const told = items[0];
      const given = (name: 'open' | 'high' | 'low' | 'close') => {
        const value = call.number(name) ?? told?.[name] ?? undefined;
        if (value === undefined)
          throw new UsageError(`There is no ${name} of ${symbol} on ${day} yet: give --${name}.`);
        return value;
      };
      const bar = await call.client.call(correctBar, {
        body: {
          ...{ instrumentId: id, sourceId: source, day, reason: reasonOf(call) },
          ...{ open: given('open'), high: given('high'), low: given('low'), close: given('close') },
          volume: call.number('volume') ?? told?.volume ?? null,
        },
      });
      return {
        json: bar,
        text: `Told again in run ${bar.runId}, known since ${show(bar.knownAt)}.\n${barTable([bar])}`,
      };
    },
  },
  {
    name: 'action add',
    summary: 'Add a split (new shares per old share) or a dividend (cash per share)',
    args: ['SYMBOL', 'split|dividend', 'DAY', 'VALUE'],
    options: { ...REASON_OPTION, ...SOURCE_OPTION },
    example: 'action add ALDR split 2026-01-15 2 --reason "Company notice"',
    async run(call) {
      const [symbol = '', kind = '', day = '', value = ''] = call.args;
      if (kind !== 'split' && kind !== 'dividend') throw new UsageError(`It is a split or a dividend, not "${kind}".`);
      if (!(Number(value) > 0)) throw new UsageError(`VALUE must be a number above 0, was "${value}".`);
      const id = await instrumentId(call, symbol);
      const source = await tellingSource(call, id, symbol);
      const action = await call.client.call(addCorporateAction, {
        body: { instrumentId: id, sourceId: source, kind, day, value: Number(value), reason: reasonOf(call) },
      });
      const pairs = [['instrument', symbol] as const, ...Object.entries(action)];
      return { json: action, text: facts(pairs) };
    },
  },
];

const PRICE_COLUMNS = (['open', 'high', 'low', 'close', 'volume'] as const).map((name) => ({
  title: name.toUpperCase(),
  value: (row: Pick<Bar, 'open' | 'high' | 'low' | 'close' | 'volume'>) => row[name],
}));

export function barTable(bars: readonly Omit<Bar, 'revision'>[]): string {
  return table(
    bars,
    [
      { title: 'DAY', value: (row) => row.day },
      ...PRICE_COLUMNS,
      { title: 'KNOWN', value: (row) => row.knownAt },
      { title: 'RUN', value: (row) => row.runId },
    ],
    'No bar is known there.',
  );
}

/** Every answer says for which times it was given. */
export function timeLine(time: z.infer<typeof timeAnswer>): string {
  const note = time.reconstructed ? ', reconstructed: knowledge times are declared by a rule' : '';
  return `as of ${time.asOf}, known at ${time.knownAt}, recorded at ${time.recordedAt}${note}\n`;
}

export function basisOf(text: string | undefined): 'raw' | 'split_adjusted' | 'total_return' | undefined {
  const basis = text?.replace('-', '_');
  if (basis === undefined || basis === 'raw' || basis === 'split_adjusted' || basis === 'total_return') return basis;
  throw new UsageError(`--basis must be raw, split_adjusted or total_return, was "${text}".`);
}

function reasonOf(call: Call): string {
  const reason = call.text('reason');
  if (reason === undefined) throw new UsageError('Say why with --reason TEXT.');
  return reason;
}

async function tellingSource(call: Call, id: number, symbol: string): Promise<number> {
  const source = call.text('source');
  if (source !== undefined) return sourceId(call, source);
  const { sources } = await call.client.call(getInstrument, { params: { instrumentId: id } });
  const [only] = sources;
  if (only !== undefined && sources.length === 1) return only.id;
  const names = sources.map((each) => `${each.id} (${each.name})`).join(', ');
  throw new UsageError(`${symbol} has ${sources.length} sources${names && `: ${names}`}. Name one with --source.`);
}
