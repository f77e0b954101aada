import {
  createFeed,
  deleteFeed,
  type Feed,
  type FeedSettings,
  feedName,
  type Gap,
  getRefresh,
  listFeeds,
  listGaps,
  listRefreshes,
  lookGap,
  planRefresh,
  priceTick,
  type RefreshSummary,
  readQuotes,
  readSymbol,
  rotateFeedKey,
  startRefresh,
  testFeed,
  updateFeed,
  watchPrices,
} from '@touchstone/contracts/feeds';
import { type Call, type Command, LIMIT_OPTION, type Output, UsageError } from '../command.ts';
import { allPages, limitOf, numberOf, universeId } from '../look-up.ts';
import { facts, number, percent, show, table } from '../render.ts';
import { watchTask } from '../watch-task.ts';

const SETTINGS_OPTIONS = {
  // --url already says which server is meant.
  template: { value: 'TEMPLATE', summary: 'stooq: https address with {symbol}, {from} and {to}' },
  basis: { value: 'BASIS', summary: 'stooq: raw, split-adjusted or total-return' },
  series: { value: 'LIST', summary: 'fred and alfred: series to fetch, like UNRATE,CPIAUCSL' },
  quotes: { value: 'LIST', summary: 'ecb: currencies to keep, like USD,GBP; default all' },
  years: { value: 'COUNT', summary: 'Years of history for a new symbol; default 5' },
  overlap: { value: 'COUNT', summary: 'Sessions asked again each time; default 10' },
  'credits-per-minute': { value: 'COUNT', summary: 'twelvedata: credits a minute of the plan; default 8' },
  'credits-per-day': { value: 'COUNT', summary: 'twelvedata: credits a day of the plan; default 800' },
};
const KEY_OPTION = { 'key-stdin': { summary: 'Read the key from standard input instead of asking for it' } };

export const feedCommands: Command[] = [
  {
    name: 'feeds',
    summary: 'Vendors that facts are fetched from, with credits, state and open gaps',
    args: [],
    example: 'feeds',
    async run(call) {
      const answer = await call.client.call(listFeeds);
      const text = table(
        answer.items,
        [
          { title: 'FEED', value: (row) => row.code },
          { title: 'NAME', value: (row) => row.name },
          { title: 'VENDOR', value: (row) => row.feed },
          { title: 'STATE', value: (row) => row.state },
          { title: 'CREDITS TODAY', value: (row) => creditsOf(row), right: true },
          { title: 'GAPS', value: (row) => number(row.openGapCount), right: true },
          { title: 'LAST DAY', value: (row) => row.lastDay },
          { title: 'LAST REFRESH', value: (row) => row.lastRefresh?.state },
        ],
        'There is no feed. Add one: touchstone feeds add ecb',
      );
      const waiting = answer.items.filter(({ state }) => state !== 'ready');
      const notes = waiting.map((feed) => `${feed.code}: ${feed.stateSentence}\n`).join('');
      return { json: answer, text: text + notes };
    },
  },
  {
    name: 'feeds add',
    summary: 'Add a vendor: twelvedata, stooq, ecb, fred or alfred',
    args: ['VENDOR'],
    options: {
      ...SETTINGS_OPTIONS,
      ...KEY_OPTION,
      code: { value: 'CODE', summary: 'Short name; default the vendor’s' },
      name: { value: 'NAME', summary: 'Name for people' },
      calendar: { value: 'CODE', summary: 'Trading calendar of its prices; default XNYS' },
      currency: { value: 'CODE', summary: 'Of prices whose currency the vendor does not tell; default USD' },
    },
    example: 'feeds add ecb --quotes USD,GBP',
    async run(call) {
      const vendor = feedName.safeParse(call.args[0]);
      if (!vendor.success)
        throw new UsageError(`VENDOR must be one of ${feedName.options.join(', ')}, was "${call.args[0] ?? ''}".`);
      const key = vendor.data === 'twelvedata' ? await readKey(call) : undefined;
      const made = await call.client.call(createFeed, {
        body: {
          ...{ feed: vendor.data, settings: settingsOf(call), code: call.text('code'), name: call.text('name') },
          ...{ calendar: call.text('calendar'), currency: call.text('currency')?.toUpperCase(), key },
        },
      });
      return { json: made, text: describe(made) };
    },
  },
  {
    name: 'feeds set',
    summary: 'Change the name or the settings of a feed',
    args: ['FEED'],
    options: { ...SETTINGS_OPTIONS, name: { value: 'NAME', summary: 'Name for people' } },
    example: 'feeds set my-prices --years 10',
    async run(call) {
      const { id, version } = await findFeed(call);
      const settings = settingsOf(call);
      const body = { version, name: call.text('name'), ...(Object.keys(settings).length === 0 ? {} : { settings }) };
      const changed = await call.client.call(updateFeed, { params: { sourceId: id }, body });
      return { json: changed, text: describe(changed) };
    },
  },
  {
    name: 'feeds key',
    summary: 'Give a feed its key, another key, or none',
    args: ['FEED'],
    options: { ...KEY_OPTION, remove: { summary: 'Take the key away' } },
    example: 'feeds key my-prices --remove',
    async run(call) {
      const { id, version } = await findFeed(call);
      const key = call.flag('remove') ? null : await readKey(call);
      const changed = await call.client.call(rotateFeedKey, { params: { sourceId: id }, body: { key, version } });
      return { json: changed, text: describe(changed) };
    },
  },
  {
    name: 'feeds test',
    summary: 'Ask the vendor one small question',
    args: ['FEED'],
    example: 'feeds test my-prices',
    async run(call) {
      const { id } = await findFeed(call);
      const answer = await call.client.call(testFeed, { params: { sourceId: id } });
      const text = `${answer.sentence} (${number(answer.millis)} ms)\n`;
      return { json: answer, text, exitCode: answer.works ? 0 : 1 };
    },
  },
  {
    name: 'feeds remove',
    summary: 'Stop fetching from a feed and forget its key; its facts stay',
    args: ['FEED'],
    example: 'feeds remove my-prices',
    async run(call) {
      const { id, name } = await findFeed(call);
      await call.client.call(deleteFeed, { params: { sourceId: id } });
      return { json: { id }, text: `${name} is removed. Its facts stay.\n` };
    },
  },
  {
    name: 'feeds quote',
    summary: 'Prices of this moment, at most 8 symbols; costs a credit each, and nothing is stored',
    args: ['FEED', 'SYMBOL…'],
    example: 'feeds quote my-prices AAPL MSFT',
    async run(call) {
      const { id } = await findFeed(call);
      const query = { symbols: symbolsOf(call) };
      const answer = await call.client.call(readQuotes, { params: { sourceId: id }, query });
      const text = table(
        answer.quotes,
        [
          { title: 'SYMBOL', value: (row) => row.symbol },
          { title: 'PRICE', value: (row) => row.price, right: true },
          { title: 'CURRENCY', value: (row) => row.currency },
          { title: 'CHANGE', value: (row) => (row.change === null ? null : percent(row.change)), right: true },
          { title: 'AT', value: (row) => row.at },
          {
            title: 'MARKET',
            value: (row) => (row.isMarketOpen === null ? null : row.isMarketOpen ? 'open' : 'closed'),
          },
        ],
        'No quote came.',
      );
      return { json: answer, text: `${text}${gapLines(answer.gaps)}${answer.note}\n` };
    },
  },
  {
    name: 'feeds watch',
    summary: 'Prices as they happen, until Ctrl-C; nothing is stored',
    args: ['FEED', 'SYMBOL…'],
    options: { count: { value: 'COUNT', summary: 'End after so many prices' } },
    example: 'feeds watch my-prices AAPL MSFT --count 5',
    run: watch,
  },
  {
    name: 'feeds about',
    summary: 'What the vendor knows of one symbol; costs up to 91 credits, and nothing is stored',
    args: ['FEED', 'SYMBOL'],
    example: 'feeds about my-prices AAPL',
    async run(call) {
      const { id } = await findFeed(call);
      const params = { sourceId: id, symbol: call.args[1] ?? '' };
      const answer = await call.client.call(readSymbol, { params });
      const { splits, dividends, statistics } = answer;
      const text = facts([
        ['symbol', answer.symbol],
        ['first day', answer.firstDay],
        ...Object.entries(statistics ?? {}),
        ['splits', splits?.map(({ day, ratio }) => `${day}: ${ratio} for 1`).join(', ')],
        ['dividends', dividends?.map(({ day, amount }) => `${day}: ${amount}`).join(', ')],
      ]);
      return { json: answer, text: `${text}${gapLines(answer.gaps)}${answer.note}\n` };
    },
  },
  {
    name: 'refresh',
    summary: 'Fetch what is new of a universe or of symbols; nothing known is ever lost by it',
    args: ['[UNIVERSE]'],
    options: {
      feed: { value: 'FEED', summary: 'Which vendor; may be left out when there is only one' },
      symbols: { value: 'LIST', summary: 'These symbols, like AAPL,MSFT' },
      universe: { value: 'NAME', summary: 'Also make a universe of everything the feed has' },
      plan: { summary: 'Say what it would ask and cost; ask nothing' },
      watch: { summary: 'Wait for the end' },
    },
    example: 'refresh "My universe" --feed my-prices --watch',
    async run(call) {
      const { id } = await findFeed(call, call.text('feed') ?? null);
      const params = { sourceId: id };
      const [universe] = call.args;
      const what = {
        universeId: universe === undefined ? undefined : await universeId(call, universe),
        symbols: listOf(call, 'symbols'),
      };
      if (call.flag('plan')) {
        const plan = await call.client.call(planRefresh, { params, body: what });
        return { json: plan, text: facts(Object.entries(plan)) };
      }
      const body = { ...what, universeName: call.text('universe') };
      const { task } = await call.client.call(startRefresh, { params, body });
      if (!call.flag('watch'))
        return { json: { task }, text: `Task ${task.id} refreshes. Look after it with: touchstone task ${task.id}\n` };
      const ended = await watchTask(call, task);
      const { state, sentence, gaps } = Object(ended.result ?? {});
      const lines = Array.isArray(gaps) ? gaps.map((gap) => `  ${show(Object(gap).sentence)}\n`).join('') : '';
      const text = `${show(state ?? ended.state)}: ${show(sentence ?? '')}\n${lines}`;
      return { json: { task: ended }, text, exitCode: state === 'degraded' ? 1 : 0 };
    },
  },
  {
    name: 'refreshes',
    summary: 'Refreshes, newest first',
    args: [],
    options: LIMIT_OPTION,
    example: 'refreshes --limit 5',
    async run(call) {
      const answer = await allPages(limitOf(call), (page) => call.client.call(listRefreshes, { query: page }));
      const text = table(
        answer.items,
        [
          { title: 'REFRESH', value: (row) => row.id },
          { title: 'FEED', value: (row) => row.sourceName },
          { title: 'STATE', value: (row) => row.state },
          { title: 'SYMBOLS', value: (row) => number(row.symbolCount), right: true },
          { title: 'NEW ROWS', value: (row) => number(row.acceptedCount), right: true },
          { title: 'GAPS', value: (row) => number(row.gapCount), right: true },
          { title: 'STARTED', value: (row) => row.startedAt },
          { title: 'WHAT HAPPENED', value: (row) => row.sentence, whole: true },
        ],
        'Nothing was refreshed yet.',
      );
      return { json: answer, text };
    },
  },
  {
    name: 'refresh report',
    summary: 'One refresh: its deliveries, and what is missing and why',
    args: ['REFRESH'],
    example: 'refresh report 12',
    async run(call) {
      const params = { refreshId: numberOf(call.args[0], 'REFRESH') };
      const report = await call.client.call(getRefresh, { params });
      const text = `${reportFacts(report)}up to date  ${percent(report.freshShare)}\n\n${gapTable(report.gaps)}`;
      return { json: report, text };
    },
  },
  {
    name: 'gaps',
    summary: 'What could not be fetched and why, newest first',
    args: [],
    options: {
      ...LIMIT_OPTION,
      feed: { value: 'FEED', summary: 'Only those of this feed' },
      universe: { value: 'NAME', summary: 'Only members of this universe' },
      all: { summary: 'Also those that were filled' },
    },
    example: 'gaps --universe "My universe"',
    async run(call) {
      const feed = call.text('feed');
      const universe = call.text('universe');
      const query = {
        sourceId: feed === undefined ? undefined : (await findFeed(call, feed)).id,
        universeId: universe === undefined ? undefined : await universeId(call, universe),
        state: call.flag('all') ? ('all' as const) : ('open' as const),
      };
      const answer = await allPages(limitOf(call), (page) =>
        call.client.call(listGaps, { query: { ...query, ...page } }),
      );
      return { json: answer, text: `${gapTable(answer.items)}\n${number(answer.openCount)} open in all\n` };
    },
  },
];

function symbolsOf(call: Call): string {
  return call.args
    .slice(1)
    .flatMap((word) => word.split(','))
    .join(',');
}

function gapLines(gaps: readonly { sentence: string }[]): string {
  return gaps.map(({ sentence }) => `${sentence}\n`).join('');
}

/** Shows each price as it comes; as JSON all of them at the end. */
async function watch(call: Call): Promise<Output> {
  const { id } = await findFeed(call);
  const count = call.text('count') === undefined ? Number.POSITIVE_INFINITY : numberOf(call.text('count'), '--count');
  const response = await call.client.raw(watchPrices, {
    params: { sourceId: id },
    query: { symbols: symbolsOf(call) },
  });
  if (response.body === null) return { json: { prices: [] }, text: 'Nothing came.\n' };
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  const stopListening = call.terminal.onInterrupt(() => void reader.cancel());
  const told: unknown[] = [];
  for await (const item of readItems(reader)) {
    if ('sentence' in item) call.terminal.err(`${item.sentence}\n`);
    else {
      told.push(item);
      if (!call.flag('json')) call.terminal.out(`${item.at}  ${item.symbol}  ${item.price}\n`);
    }
    if (told.length >= count) break;
  }
  stopListening();
  return { json: { prices: told }, text: `${number(told.length)} prices seen; nothing was stored.\n` };
}

/** The prices and gaps of a stream until it ends or nobody wants more. */
async function* readItems(reader: ReadableStreamDefaultReader<string>) {
  let rest = '';
  try {
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      const blocks = (rest + part.value).split('\n\n');
      rest = blocks.pop() ?? '';
      for (const block of blocks) {
        const item = readBlock(block);
        if (item !== null) yield item;
      }
    }
  } finally {
    await reader.cancel();
  }
}

/** A price or a gap; null for anything else. */
function readBlock(block: string) {
  const [, name = '', data = ''] = /^event: (\w+)\ndata: (.*)$/.exec(block) ?? [];
  if (name === 'price') return priceTick.parse(JSON.parse(data));
  return name === 'gap' ? lookGap.parse(JSON.parse(data)) : null;
}

function gapTable(gaps: readonly Gap[]): string {
  return table(
    gaps,
    [
      { title: 'GAP', value: (row) => row.id },
      { title: 'FEED', value: (row) => row.sourceName },
      { title: 'SYMBOL', value: (row) => row.symbol },
      { title: 'KIND', value: (row) => row.kind },
      { title: 'FROM', value: (row) => row.fromDay },
      { title: 'TO', value: (row) => row.toDay },
      { title: 'TIMES', value: (row) => row.times, right: true },
      { title: 'RETRY', value: (row) => row.retryAt },
      { title: 'WHY', value: (row) => row.sentence, whole: true },
    ],
    'Nothing is missing.',
  );
}

function reportFacts(report: RefreshSummary): string {
  return facts([
    ['refresh', `${report.id}, ${report.state}`],
    ['feed', report.sourceName],
    ['symbols', number(report.symbolCount)],
    ['days', `${show(report.firstDay)} to ${show(report.lastDay)}`],
    ['new rows', number(report.acceptedCount)],
    ['revised', number(report.revisedCount)],
    ['held back', number(report.quarantinedCount)],
    ['cases', number(report.caseCount)],
    ['deliveries', number(report.batchCount)],
    ['what happened', report.sentence],
  ]);
}

function describe(feed: Feed): string {
  return facts([
    ['feed', `${feed.code}, ${feed.name}`],
    ['vendor', feed.feed],
    ['state', `${feed.state}: ${feed.stateSentence}`],
    ['key', feed.needsKey ? (feed.hasKey ? 'given' : 'missing') : 'not needed'],
    ...Object.entries(feed.settings),
  ]);
}

function creditsOf({ credits }: Feed): string {
  return credits === null ? '' : `${number(credits.dayLeft)} of ${number(credits.perDay)}`;
}

/** A feed by code, name or number; without a name the only one there is. */
async function findFeed(call: Call, text: string | null = call.args[0] ?? null): Promise<Feed> {
  const { items } = await call.client.call(listFeeds);
  const wanted = text?.toLowerCase();
  const found = items.filter(
    ({ id, code, name }) => wanted === undefined || [String(id), code, name.toLowerCase()].includes(wanted),
  );
  if (found.length === 1) return found[0]!;
  const known = items.map(({ code }) => code).join(', ') || 'none';
  if (text === null) throw new UsageError(`Say which feed with --feed. There are: ${known}.`);
  throw new UsageError(`There is no feed ${text}. There are: ${known}.`);
}

async function readKey(call: Call): Promise<string> {
  const isPiped = call.flag('key-stdin');
  if (!isPiped && !call.terminal.isInteractive)
    throw new UsageError('There is nobody to ask for the key. Send it to standard input with --key-stdin.');
  const said = isPiped
    ? await call.terminal.readInput()
    : await call.terminal.ask('Key of the vendor: ', { hidden: true });
  const key = said.trim();
  if (key === '') throw new UsageError('The key is empty. The vendor shows it on the page of your account there.');
  return key;
}

function listOf(call: Call, option: string): string[] | undefined {
  return call
    .text(option)
    ?.split(',')
    .map((each) => each.trim())
    .filter((each) => each !== '');
}

/** What was said about settings; what was not said stays as it is. */
function settingsOf(call: Call): Partial<FeedSettings> {
  const basis = call.text('basis')?.replace('-', '_');
  if (basis !== undefined && basis !== 'raw' && basis !== 'split_adjusted' && basis !== 'total_return')
    throw new UsageError(`--basis must be raw, split-adjusted or total-return, was "${basis}".`);
  const said: { [name in keyof FeedSettings]: FeedSettings[name] | undefined } = {
    urlTemplate: call.text('template'),
    basis,
    series: listOf(call, 'series'),
    quotes: listOf(call, 'quotes')?.map((code) => code.toUpperCase()),
    years: call.number('years'),
    overlapDays: call.number('overlap'),
    creditsPerMinute: call.number('credits-per-minute'),
    creditsPerDay: call.number('credits-per-day'),
  };
  return Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined));
}
