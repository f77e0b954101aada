import type { KnownSplit } from '@touchstone/quant/quality/court-context';
import { dayNumber, dayText } from '@touchstone/quant/series/day';
import { sql } from 'kysely';
import { type CopyType, copyOut } from '../../platform/database/copy-binary.ts';
import type { Transaction } from '../../platform/database/database.ts';
import { openBars } from '../archive/open-bars.ts';
import { dayLiteral } from '../facts/literals.ts';
import { caseKey, caseStartKey, type HeldBar, type KnownBars } from './judge-delivery.ts';

/** Days before a delivery that the court may look at to know what is usual. */
const CONTEXT_DAYS = 200;
const TYPES: CopyType[] = ['int4', 'date', 'int4', 'int4', 'float8', 'float8', 'float8', 'float8', 'float8', 'float8'];

export type KnownQuestion = { sourceId: number; instrumentIds: readonly number[]; firstDay: number; lastDay: number };

/** What a source has told of these instruments around these days: the last telling of each bar. Null for nothing. */
export async function loadKnownBars(tx: Transaction, question: KnownQuestion): Promise<KnownBars | null> {
  if (question.instrumentIds.length === 0 || !(await hasPublished(tx, question.sourceId))) return null;
  const from = dayText(question.firstDay - CONTEXT_DAYS);
  const to = dayText(question.lastDay);
  const relation = await openBars(tx, { instrumentIds: question.instrumentIds, from, to });
  const isLive = '(r.retracted_at IS NULL)';
  const query = `
    SELECT DISTINCT ON (o.instrument_id, o.day) o.instrument_id, o.day,
      max(o.revision) OVER (PARTITION BY o.instrument_id, o.day), ${isLive}::int,
      o.open, o.high, o.low, o.close, o.volume, o.adjusted_close
    FROM ${relation} o JOIN visible_run r ON r.run_id = o.run_id
    WHERE o.source_id = ${Math.trunc(question.sourceId)}
      AND o.instrument_id = ANY (ARRAY[${question.instrumentIds.map(Math.trunc).join(',')}]::int[])
      AND o.day BETWEEN ${dayLiteral(from)} AND ${dayLiteral(to)}
    ORDER BY o.instrument_id, o.day, ${isLive} DESC, coalesce(o.known_at, r.published_at) DESC, o.run_id DESC`;
  const { rowCount, columns } = await copyOut(tx.client, query, TYPES);
  const ints = columns.filter((column) => column instanceof Int32Array);
  const floats = columns.filter((column) => column instanceof Float64Array);
  return {
    rowCount,
    instrument: ints[0]!,
    day: ints[1]!,
    revision: ints[2]!,
    live: ints[3]!,
    open: floats[0]!,
    high: floats[1]!,
    low: floats[2]!,
    close: floats[3]!,
    volume: floats[4]!,
    adjClose: floats[5]!,
  };
}

async function hasPublished(tx: Transaction, sourceId: number): Promise<boolean> {
  const row = await tx.query
    .selectFrom('visible_run')
    .select('run_id')
    .where('source_id', '=', sourceId)
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}

/** Bars of this source that are held back and were not released, and tellings that a confirmed case has withheld. */
export async function loadHeldBars(tx: Transaction, question: KnownQuestion): Promise<HeldBar[]> {
  const days = { from: dayText(question.firstDay), to: dayText(question.lastDay) };
  const bars = await openBars(tx, { instrumentIds: question.instrumentIds, ...days });
  const { rows } = await sql<{ id: number; day: string } & Record<(typeof NAMES)[number], number | null>>`
    SELECT q.instrument_id AS id, q.day, q.open, q.high, q.low, q.close, q.volume, q.adjusted_close AS adj
    FROM price_quarantine q JOIN data_case c ON c.id = q.case_id JOIN visible_run r ON r.run_id = q.run_id
    WHERE q.source_id = ${question.sourceId} AND q.instrument_id = ANY (${[...question.instrumentIds]}::int[])
      AND q.day BETWEEN ${dayText(question.firstDay)}::date AND ${dayText(question.lastDay)}::date
      AND r.retracted_at IS NULL AND c.state <> 'false'
    UNION ALL
    SELECT o.instrument_id, o.day, o.open, o.high, o.low, o.close, o.volume, o.adjusted_close
    FROM data_case c
    JOIN ${sql.raw(bars)} o ON o.instrument_id = c.instrument_id AND o.source_id = c.source_id
      AND o.day BETWEEN c.first_day AND c.last_day
    WHERE c.withholds AND c.state = 'confirmed' AND o.close IS NOT NULL
      AND c.source_id = ${question.sourceId} AND c.instrument_id = ANY (${[...question.instrumentIds]}::int[])
      AND o.day BETWEEN ${dayText(question.firstDay)}::date AND ${dayText(question.lastDay)}::date
  `.execute(tx.query);
  return rows.map((row) => ({
    instrumentId: row.id,
    day: dayNumber(row.day),
    values: NAMES.map((name) => row[name] ?? Number.NaN),
  }));
}

const NAMES = ['open', 'high', 'low', 'close', 'volume', 'adj'] as const;

/** Splits anybody has told of these instruments, by instrument id. */
export async function loadSplits(
  tx: Transaction,
  instrumentIds: readonly number[],
): Promise<Map<number, KnownSplit[]>> {
  const { rows } = await sql<{ id: number; day: string; ratio: number }>`
    SELECT DISTINCT a.instrument_id AS id, a.day, a.value AS ratio
    FROM corporate_action a JOIN visible_run r ON r.run_id = a.run_id
    WHERE a.kind = 'split' AND r.retracted_at IS NULL AND a.instrument_id = ANY (${[...instrumentIds]}::int[])
    ORDER BY 1, 2
  `.execute(tx.query);
  const splits = new Map<number, KnownSplit[]>();
  for (const { id, day, ratio } of rows) splits.set(id, [...(splits.get(id) ?? []), { day: dayNumber(day), ratio }]);
  return splits;
}

/** Cases this source has already, so that the same note is not written by every import. */
export async function loadCaseKeys(tx: Transaction, sourceId: number): Promise<Set<string>> {
  const { rows } = await sql<{ kind: string; id: number | null; first: string; last: string }>`
    SELECT c.kind, c.instrument_id AS id, c.first_day AS first, c.last_day AS last
    FROM data_case c JOIN visible_run r ON r.run_id = c.run_id
    WHERE c.source_id = ${sourceId} AND r.retracted_at IS NULL
  `.execute(tx.query);
  return new Set(
    rows.flatMap(({ kind, id, first, last }) => {
      const name = kind.replaceAll('_', '-');
      return [caseKey(name, id, dayNumber(first), dayNumber(last)), caseStartKey(name, id, dayNumber(first))];
    }),
  );
}
