import { dayNumber, dayText } from '@touchstone/quant/series/day';
import type { Clock } from '../../platform/clock/clock.ts';
import { CsvRefusal, type MacroRow, parseTable } from '../csv/index.ts';
import { macroFact, type TableFact } from '../price-import/import-table.ts';
import type { AskVendor } from './ask-vendor.ts';
import { textChunks } from './ecb-feed.ts';
import type { FactFeed, FactQuestion, FeedContext, FeedGap } from './feed.ts';

/** The latest values of a series. */
export const FRED_URL = 'https://fred.stlouisfed.org/graph/fredgraph.csv';
/** Values of a series as they stood on given days. */
export const ALFRED_URL = 'https://alfred.stlouisfed.org/graph/alfredgraph.csv';

export type FredOptions = { ask: AskVendor; clock: Clock; url: string; series: readonly string[] };

const RETRY_MS = 15 * 60_000;
const MS_PER_DAY = 86_400_000;
/** Vintages one address asks for. */
const VINTAGES_MAX = 12;

/**
 * Latest values, `observation_date,SERIES`. They do not say when they were published, so they are known from our recording
 * on; a changed value is a new telling.
 */
export function createFredFeed(options: FredOptions): FactFeed {
  return {
    kind: 'macro',
    symbols: options.series,
    async fetchFacts({ symbol, from, to }, context) {
      const url = new URL(options.url);
      url.searchParams.set('id', symbol);
      url.searchParams.set('cosd', dayText(from));
      url.searchParams.set('coed', dayText(to));
      const answer = await askRows(options, url, symbol, [null], context);
      if ('gap' in answer) return { facts: [], gaps: [answer.gap] };
      return { facts: answer.rows.map((row) => macroFact(row, new Map())), gaps: [] };
    },
  };
}

/**
 * Values as they stood on chosen days: `observation_date,SERIES_20240105,SERIES_20240202`, or rows with
 * `realtime_start`. A value counts as known from the end of the first asked day that shows it: that may be later than its
 * publication, and never earlier. At first the ends of the months are asked, then the day before each refresh.
 */
export function createAlfredFeed(options: FredOptions): FactFeed {
  return {
    kind: 'macro',
    symbols: options.series,
    async fetchFacts(question, context) {
      const { symbol, told } = question;
      const latest = new Map(told);
      const facts: TableFact[] = [];
      const places = new Map<string, number>();
      const vintages = vintageDays(question);
      for (let at = 0; at < vintages.length; at += VINTAGES_MAX) {
        const asked = vintages.slice(at, at + VINTAGES_MAX);
        const answer = await askRows(options, vintageUrl(options.url, symbol, asked), symbol, asked, context);
        // Vintages follow each other: after one that is missing the next would hide when a value changed.
        if ('gap' in answer) return { facts, gaps: [answer.gap] };
        facts.push(...changesOf(answer.rows, latest, places));
      }
      return { facts, gaps: [] };
    },
  };
}

function vintageUrl(base: string, symbol: string, vintages: readonly number[]): URL {
  const url = new URL(base);
  url.searchParams.set('id', vintages.map(() => symbol).join(','));
  url.searchParams.set('vintage_date', vintages.map(dayText).join(','));
  return url;
}

/** Month ends after what is known, and the last day that is over. */
function vintageDays({ from, to, knownThrough }: FactQuestion): number[] {
  const last = to - 1;
  const days: number[] = [];
  for (let day = (knownThrough ?? from - 1) + 1; day < last; day++)
    if (dayText(day + 1).endsWith('-01')) days.push(day);
  if (knownThrough === null || last > knownThrough) days.push(last);
  return days;
}

/** Of rows by vintage those that say something new; `latest` is brought up to date. */
function changesOf(
  rows: readonly MacroRow[],
  latest: Map<number, number | null>,
  places: Map<string, number>,
): TableFact[] {
  const facts: TableFact[] = [];
  for (const row of rows.toSorted(
    (a, b) => (a.vintageDay ?? '').localeCompare(b.vintageDay ?? '') || a.line - b.line,
  )) {
    const day = dayNumber(row.day);
    const before = latest.get(day);
    // A day without a value that never had one says nothing.
    if (before === row.value || (before === undefined && row.value === null)) continue;
    latest.set(day, row.value);
    facts.push(macroFact(row, places));
  }
  return facts;
}

async function askRows(
  { ask, clock }: FredOptions,
  url: URL,
  symbol: string,
  vintages: readonly (number | null)[],
  { signal }: FeedContext,
): Promise<{ rows: MacroRow[] } | { gap: FeedGap }> {
  const answer = await ask(url, symbol, signal);
  if ('gap' in answer) return { gap: { symbol, ...answer.gap } };
  const lie = (sentence: string): { gap: FeedGap } => ({
    gap: { symbol, kind: 'lies', sentence: `${symbol}: ${sentence}`, retryAt: clock.now() + RETRY_MS },
  });
  const long = toLong(answer.text, symbol, vintages);
  if (long === null) return lie('the answer is no table of this series.');
  try {
    const { rows, errorCount, errors } = await parseTable(
      { name: `${symbol}.csv`, chunks: textChunks(long) },
      ...(['macro', { dateFormat: 'ymd', decimal: '.' }] as const),
    );
    if (errorCount > 0) return lie(`${errorCount} rows cannot be read; the first: ${errors[0]?.sentence ?? ''}`);
    const limit = clock.now() + MS_PER_DAY;
    const late = rows.find((row) => Date.parse(row.vintageDay ?? row.day) > limit);
    if (late !== undefined) return lie(`a value is dated ${late.vintageDay ?? late.day}, which has not come yet.`);
    return { rows };
  } catch (error) {
    if (error instanceof CsvRefusal) return lie(error.sentence);
    throw error;
  }
}

/**
 * One line a value: date, series, value, vintage. Takes a column a vintage, one value column, or rows with `realtime_start`.
 * Null when the columns are those of another series, or no table at all.
 */
function toLong(text: string, symbol: string, vintages: readonly (number | null)[]): string | null {
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '');
  const head = (lines[0] ?? '').split(',').map((name) => name.trim().replace(/^"|"$/g, ''));
  const dateAt = head.findIndex((name) => /^(observation_)?date$/i.test(name));
  const startAt = head.findIndex((name) => /^realtime_start$/i.test(name));
  const columns = valueColumns(head, symbol, vintages[0] ?? null, startAt >= 0);
  if (dateAt < 0 || columns.length === 0) return null;
  const out = ['date,series,value,vintage_date'];
  const hasVintage = startAt >= 0 || columns.some(({ vintage }) => vintage !== null);
  if (!hasVintage) out[0] = 'date,series,value';
  for (const line of lines.slice(1)) {
    const fields = line.split(',').map((field) => field.trim());
    for (const { at, vintage } of columns) {
      const told = [fields[dateAt] ?? '', symbol, fields[at] || '.'];
      if (hasVintage) told.push(vintage === null ? (fields[startAt] ?? '') : dayText(vintage));
      out.push(told.join(','));
    }
  }
  return `${out.join('\n')}\n`;
}

/** Columns that hold values of the series, each with the vintage its name tells; null: the row tells it, or nobody does. */
function valueColumns(head: readonly string[], symbol: string, asked: number | null, rowsTell: boolean) {
  return head.flatMap((name, at): { at: number; vintage: number | null }[] => {
    if (rowsTell) return name.toLowerCase() === 'value' || name === symbol ? [{ at, vintage: null }] : [];
    if (name === symbol) return [{ at, vintage: asked }];
    const match = /^(.+)_(\d{4})(\d{2})(\d{2})$/.exec(name);
    return match?.[1] === symbol ? [{ at, vintage: dayNumber(`${match[2]}-${match[3]}-${match[4]}`) }] : [];
  });
}
