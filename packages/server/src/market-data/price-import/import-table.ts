import { dayNumber } from '@touchstone/quant/series/day';
import { closeInstant } from '@touchstone/quant/series/trading-calendar';
import { sql } from 'kysely';
import type { Database, Transaction } from '../../platform/database/database.ts';
import { failPoint } from '../../platform/fail-point.ts';
import {
  type CorporateActionRow,
  type FundamentalRow,
  type MacroRow,
  type ParsedTable,
  parseTable,
  type TableKind,
} from '../csv/index.ts';
import { FACT_TABLES, type FactTable } from '../facts/fact-tables.ts';
import type { PublishPlan } from '../facts/publish-run.ts';
import { createStaging, type StagedTable, stagingName } from '../facts/staging.ts';
import { type Within, withinOwn } from '../facts/within.ts';
import { FileRefusal, placeOf, type RowProblem } from './read-prices.ts';
import { type FileKind, type ImportJob, openFile, type Progress } from './run-import.ts';

/** One fact of a small table: the values of its columns, and when it could be known at the earliest. */
export type TableFact = {
  /** Index into FACT_TABLES of the kind. */
  table: number;
  line: number;
  values: Record<string, string | number | null>;
  /** EpochMs; NaN when only our recording says when it was known. */
  declaredAt: number;
};

export const TABLE_KIND: Record<Exclude<FileKind, 'prices'>, TableKind> = {
  corporate_actions: 'corporate-actions',
  market_caps: 'fundamentals',
  exchange_rates: 'exchange-rates',
  macro: 'macro',
};
const MS_PER_HOUR = 3_600_000;
const MS_PER_DAY = 86_400_000;
const UNKNOWN_LISTED_MAX = 20;

/** Reads a small table, drops what this source has told before, and stages the rest. */
export async function importTable(
  database: Database,
  job: ImportJob,
  kind: Exclude<FileKind, 'prices'>,
  progress: Progress,
): Promise<PublishPlan> {
  const parsed = await parseTable(openFile(job.file), TABLE_KIND[kind], tableOptions(job));
  failPoint('import.after-parse');
  progress(0.4, `Read ${parsed.rows.length.toLocaleString('en')} rows`);
  const problems: RowProblem[] = parsed.errors.map(placeOf);
  const { facts, unknown, unknownRows } = await factsOf(database, job, parsed, problems);
  const errorCount = parsed.errorCount + unknownRows;
  const missing = unknownSentence(unknown, unknownRows);
  if (facts.length === 0)
    throw new FileRefusal(missing || `None of the rows of ${job.file.name} can be read.`, {
      errors: problems.slice(0, 100),
      errorCount,
      rowCount: errorCount,
    });
  const within = withinOwn(database, job.principal);
  const judged = await judgeFacts(within, job, kind, facts, (line, rule) => {
    if (problems.length < 100) problems.push({ file: job.file.name, line, column: 'value', rule });
  });
  failPoint('import.after-court');
  progress(0.6, `Copying ${judged.fresh.length.toLocaleString('en')} rows`);
  const tables = await stageFacts(within, job.runId, FACT_TABLES[kind], judged.fresh);
  failPoint('import.after-staging');
  progress(0.92, 'Publishing');
  const days = judged.fresh.map((fact) => String(fact.values.day)).sort();
  const recorded = kind === 'macro' && judged.fresh.some((fact) => Number.isNaN(fact.declaredAt));
  const notes = [...parsed.dialect.notes, missing, recorded ? MACRO_WARNING : ''];
  return {
    runId: job.runId,
    tables,
    held: null,
    cases: [],
    instrumentIds: [
      ...new Set(
        judged.fresh.flatMap(({ values }) => (typeof values.instrument_id === 'number' ? [values.instrument_id] : [])),
      ),
    ],
    contentSha256: null,
    counts: {
      rowCount: parsed.rows.length + parsed.errorCount,
      acceptedCount: judged.fresh.length,
      unchangedCount: judged.unchangedCount,
      revisedCount: judged.revisedCount,
      quarantinedCount: 0,
      errorCount: errorCount + judged.repeatedCount,
    },
    errors: problems.slice(0, 100),
    firstDay: days[0] ?? null,
    lastDay: days.at(-1) ?? null,
    priceBasis: null,
    fileSha256: parsed.contentSha256,
    note: notes.filter(Boolean).join(' '),
    reason: '',
  };
}

const MACRO_WARNING =
  'Rows without a vintage date say what they are about, not when they were published: they count as known from this import on.';

export function tableOptions({ choices, onBadRow }: Pick<ImportJob, 'choices' | 'onBadRow'>) {
  return {
    onBadRow,
    ...(choices.columns === undefined ? {} : { columns: choices.columns }),
    ...(choices.decimalMark === undefined ? {} : { decimal: choices.decimalMark }),
    ...(choices.dateOrder === undefined || choices.dateOrder === 'ymd' ? {} : { dateFormat: choices.dateOrder }),
    ...(choices.currency === undefined ? {} : { currency: choices.currency, base: choices.currency }),
  };
}

function unknownSentence(unknown: ReadonlySet<string>, rows: number): string {
  if (rows === 0) return '';
  const listed = [...unknown].slice(0, UNKNOWN_LISTED_MAX).join(', ');
  const more = unknown.size > UNKNOWN_LISTED_MAX ? ', …' : '';
  return `${rows} rows name ${unknown.size} symbols that are not here and were left out: ${listed}${more}.`;
}

async function factsOf(
  database: Database,
  job: ImportJob,
  parsed: ParsedTable<TableKind>,
  problems: RowProblem[],
): Promise<{ facts: TableFact[]; unknown: Set<string>; unknownRows: number }> {
  const symbols = new Set(parsed.rows.flatMap((row) => ('symbol' in row ? [row.symbol] : [])));
  const idOf = await database.transaction(job.principal, (tx) => findInstruments(tx, [...symbols]));
  const unknown = new Set<string>();
  let unknownRows = 0;
  const facts: TableFact[] = [];
  const vintages = new Map<string, number>();
  for (const row of parsed.rows) {
    if ('symbol' in row) {
      const id = idOf.get(row.symbol);
      if (id !== undefined) {
        facts.push(...companyFacts(row, id, job));
        continue;
      }
      unknown.add(row.symbol);
      unknownRows++;
      const rule = `a symbol must be an instrument here; found '${row.symbol}'.`;
      if (problems.length < 100) problems.push({ file: job.file.name, line: row.line, column: 'symbol', rule });
    } else if ('rate' in row) {
      const { line, base, quote, day, rate } = row;
      facts.push({ table: 0, line, declaredAt: rateKnownAt(base, day), values: { base, quote, day, value: rate } });
    } else facts.push(macroFact(row, vintages));
  }
  return { facts, unknown, unknownRows };
}

function companyFacts(row: CorporateActionRow | FundamentalRow, instrument_id: number, job: ImportJob): TableFact[] {
  const { line, day } = row;
  if ('type' in row) {
    // Only the ex-day is told. At its close everybody knew.
    const declaredAt = closeInstant(job.source.calendar, dayNumber(day)) + MS_PER_HOUR;
    return [{ table: 0, line, declaredAt, values: { instrument_id, day, kind: row.type, value: row.value } }];
  }
  const declaredAt = (dayNumber(day) + 1) * MS_PER_DAY;
  const facts = Object.entries(row.values).map(
    ([field, value]): TableFact => ({ table: 1, line, declaredAt, values: { instrument_id, field, day, value } }),
  );
  if (row.marketCap !== null && row.marketCap > 0)
    facts.push({ table: 0, line, declaredAt, values: { instrument_id, day, value: row.marketCap } });
  return facts;
}

/** `vintages` counts the rows of each series and day, so that several vintages of a file have keys of their own. */
export function macroFact(
  { line, series, day, value, vintageDay }: MacroRow,
  vintages: Map<string, number>,
): TableFact {
  const key = `${series}|${day}`;
  const vintage = vintages.get(key) ?? 0;
  vintages.set(key, vintage + 1);
  // A vintage's day does not say the hour; at its end it was surely out.
  const declaredAt = vintageDay === null ? Number.NaN : (dayNumber(vintageDay) + 1) * MS_PER_DAY;
  return { table: 0, line, declaredAt, values: { series, day, vintage, value } };
}

async function findInstruments(tx: Transaction, symbols: readonly string[]): Promise<Map<string, number>> {
  const { rows } = await sql<{ id: number; symbol: string }>`
    SELECT id, symbol FROM instrument
    WHERE tenant_id = ${tx.principal.tenantId} AND symbol = ANY (${[...symbols]}::text[]) AND deleted_at IS NULL
  `.execute(tx.query);
  return new Map(rows.map((row) => [row.symbol, row.id]));
}

const rateClock = new Intl.DateTimeFormat('en', { timeZone: 'Europe/Berlin', hour: 'numeric', hourCycle: 'h23' });
const ECB_HOUR = 16;

/** Euro rates come at 16:00 in Frankfurt; of others only the day is known, so they count from its end. */
export function rateKnownAt(base: string, day: string): number {
  const midnight = dayNumber(day) * MS_PER_DAY;
  if (base !== 'EUR') return midnight + MS_PER_DAY;
  const guess = midnight + (ECB_HOUR - 1) * MS_PER_HOUR;
  return guess + (ECB_HOUR - Number(rateClock.format(guess))) * MS_PER_HOUR;
}

// ---- What was told before ---------------------------------------------------------------------------------------------

export type JudgedFacts = { fresh: TableFact[]; unchangedCount: number; revisedCount: number; repeatedCount: number };

const KEY_COLUMNS: Record<string, readonly string[]> = {
  corporate_action: ['instrument_id', 'day', 'kind'],
  market_cap: ['instrument_id', 'day'],
  fundamental: ['instrument_id', 'field', 'day'],
  exchange_rate: ['base', 'quote', 'day'],
  macro_observation: ['series', 'day'],
};

/**
 * Leaves out what the source has told before, to the last digit.
 *
 * @param onRepeat Told of a row that contradicts another one of the same delivery, which is left out.
 */
export async function judgeFacts(
  within: Within,
  job: { source: Pick<ImportJob['source'], 'id' | 'knownAtRule'>; now: number },
  kind: Exclude<FileKind, 'prices'>,
  facts: readonly TableFact[],
  onRepeat: (line: number, rule: string) => void,
): Promise<JudgedFacts> {
  const tables = FACT_TABLES[kind];
  const known = await within(async (tx) => {
    const maps: Map<string, number | null>[] = [];
    for (const { table } of tables) maps.push(await loadTold(tx, table, job.source.id));
    return maps;
  });
  const judged: JudgedFacts = { fresh: [], unchangedCount: 0, revisedCount: 0, repeatedCount: 0 };
  const seen = new Map<string, number | null>();
  for (const fact of facts) {
    const { table } = tables[fact.table]!;
    const key = keyOf(table, fact);
    const value = Number(fact.values.value ?? Number.NaN);
    const told = known[fact.table]!.get(key);
    if (told !== undefined && Object.is(told ?? Number.NaN, value)) {
      judged.unchangedCount++;
      continue;
    }
    const before = seen.get(`${table}|${key}`);
    if (before !== undefined) {
      if (!Object.is(before ?? Number.NaN, value)) {
        judged.repeatedCount++;
        const rule = `a ${table.replace('_', ' ')} must come once a day; found ${value} after ${before}.`;
        onRepeat(fact.line, rule);
      } else judged.unchangedCount++;
      continue;
    }
    seen.set(`${table}|${key}`, fact.values.value === null ? null : value);
    if (told !== undefined) judged.revisedCount++;
    const isNew = told === undefined && job.source.knownAtRule !== 'recorded' && fact.declaredAt <= job.now;
    judged.fresh.push(isNew ? fact : { ...fact, declaredAt: Number.NaN });
  }
  return judged;
}

function keyOf(table: string, fact: TableFact): string {
  const parts = KEY_COLUMNS[table]!.map((column) => String(fact.values[column]));
  // Vintages of a day are tellings of their own; without one there is a single telling that may be revised.
  if (table === 'macro_observation') parts.push(Number.isNaN(fact.declaredAt) ? '' : String(fact.declaredAt));
  return parts.join('|');
}

/** The last value this source told for every key. */
async function loadTold(tx: Transaction, table: string, sourceId: number): Promise<Map<string, number | null>> {
  const keys = KEY_COLUMNS[table]!.map((column) => `f.${column}`);
  const vintage = table === 'macro_observation' ? `, f.known_at` : '';
  const { rows } = await sql<Record<string, string | number | null>>`
    SELECT DISTINCT ON (${sql.raw(keys.join(', ') + vintage)}) ${sql.raw(keys.join(', '))}, f.known_at, f.value
    FROM ${sql.raw(table)} f JOIN visible_run r ON r.run_id = f.run_id
    WHERE f.source_id = ${sourceId} AND r.retracted_at IS NULL
    ORDER BY ${sql.raw(keys.join(', ') + vintage)}, coalesce(f.known_at, r.published_at) DESC, f.run_id DESC
  `.execute(tx.query);
  const told = new Map<string, number | null>();
  for (const row of rows) {
    const parts = KEY_COLUMNS[table]!.map((column) => String(row[column]));
    if (table === 'macro_observation')
      parts.push(row.known_at === null ? '' : String(Date.parse(String(row.known_at))));
    told.set(parts.join('|'), row.value === null ? null : Number(row.value));
  }
  return told;
}

// ---- Staging ----------------------------------------------------------------------------------------------------------

const TYPES: Record<string, string> = {
  instrument_id: 'int4',
  vintage: 'int4',
  day: 'date',
  known_at: 'timestamptz',
  value: 'float8',
};
const BATCH_ROWS = 10_000;

/** Puts facts into one staging table for each fact table of the kind. */
export async function stageFacts(
  within: Within,
  runId: number,
  tables: readonly FactTable[],
  facts: readonly TableFact[],
): Promise<StagedTable[]> {
  const staged: StagedTable[] = [];
  for (const [index, { table, columns }] of tables.entries()) {
    const name = stagingName(runId, table);
    const own = facts.filter((fact) => fact.table === index);
    await within(async (tx) => {
      await createStaging(tx, name, table, columns);
      for (let from = 0; from < own.length; from += BATCH_ROWS)
        await insertFacts(tx, name, columns, own.slice(from, from + BATCH_ROWS));
    });
    const declared = own.map((fact) => fact.declaredAt).filter((at) => !Number.isNaN(at));
    staged.push({
      name,
      table,
      columns,
      rowCount: own.length,
      knownAtMin: declared.length === 0 ? null : declared.reduce((a, b) => Math.min(a, b)),
      knownAtMax: declared.length === 0 ? null : declared.reduce((a, b) => Math.max(a, b)),
      hasRecorded: declared.length < own.length,
    });
  }
  return staged;
}

async function insertFacts(tx: Transaction, name: string, columns: readonly string[], facts: readonly TableFact[]) {
  const value = (fact: TableFact, column: string) => {
    if (column !== 'known_at') return fact.values[column] ?? null;
    return Number.isNaN(fact.declaredAt) ? null : new Date(fact.declaredAt).toISOString();
  };
  const arrays = columns.map(
    (column) => sql`${facts.map((fact) => value(fact, column))}::${sql.raw(TYPES[column] ?? 'text')}[]`,
  );
  await sql`INSERT INTO ${sql.raw(name)} (${sql.raw(columns.join(', '))}) SELECT * FROM unnest(${sql.join(arrays)})`.execute(
    tx.query,
  );
}
