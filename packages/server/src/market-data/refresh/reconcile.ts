import { dayNumber, dayText } from '@touchstone/quant/series/day';
import { sql } from 'kysely';
import type { Transaction } from '../../platform/database/database.ts';
import { openBars } from '../archive/open-bars.ts';
import type { PriceBasis } from '../price-import/judge-delivery.ts';
import { loadSplits } from '../price-import/known-bars.ts';
import { splitOf } from './check-answer.ts';

export type ReconcileQuestion = {
  /** The run that told something new. */
  runId: number;
  source: { id: number; name: string; basis: PriceBasis };
  instrumentIds: readonly number[];
  /** Texts; both included. */
  firstDay: string;
  lastDay: string;
};

/** Closes that differ by more are a question for a person. */
export const DISAGREEMENT = 0.005;
/** Days from one disagreement to the next that make them one stretch: a weekend with a holiday on either side. */
const NEAR_DAYS = 5;
const SPLIT_BARS_MIN = 3;
/** More stretches of one instrument become one case. */
const STRETCHES_MAX = 20;
/** A decided disagreement that doubles is asked about again. */
const WORSE = 2;

export type Disagreement = { day: number; own: number; other: number };
export type Stretch = {
  kind: 'source_disagreement' | 'source_split_ratio';
  firstDay: number;
  lastDay: number;
  rowCount: number;
  /** The largest relative difference, or for a split-shaped one the factor between the two. */
  measure: number;
  worst: Disagreement;
};

type Other = { id: number; name: string; basis: string | null };

/**
 * Compares the closes of the instruments of a run with those of every other source of the tenant, and opens a case for
 * each stretch of days on which two differ by more than 0.5 %, or by a split. Decided cases stay decided; one that goes on
 * is made longer. The same number of statements whatever the number of instruments.
 *
 * @returns how many cases were opened.
 */
export async function reconcile(tx: Transaction, question: ReconcileQuestion): Promise<number> {
  const others = (await findOthers(tx, question)).filter(({ basis }) => isComparable(question.source.basis, basis));
  if (others.length === 0) return 0;
  const rows = await findDifferences(tx, question, others);
  if (rows.length === 0) return 0;
  const splits = await loadSplits(tx, question.instrumentIds);
  const known = await findKnownCases(tx, question);
  const fresh: (Stretch & { instrumentId: number; other: Other })[] = [];
  const longer = new Map<number, KnownCase>();
  for (const [key, told] of Map.groupBy(rows, (row) => `${row.id}|${row.source}`)) {
    const [instrumentId = 0, otherId = 0] = key.split('|').map(Number);
    const other = others.find(({ id }) => id === otherId)!;
    const scale = scaleOf(question.source.basis, other.basis, splits.get(instrumentId) ?? []);
    const differences = told.map((row) => ({ day: dayNumber(row.day), own: row.own, other: row.other }));
    for (const stretch of findStretches(differences, scale)) {
      const same = known.find((each) => each.id === instrumentId && each.other === otherId && goesOn(each, stretch));
      if (same === undefined) fresh.push({ ...stretch, instrumentId, other });
      else if (stretch.lastDay > same.last) longer.set(same.caseId, { ...same, last: stretch.lastDay });
    }
  }
  await insertCases(tx, question, fresh);
  await lengthenCases(tx, [...longer.values()]);
  return fresh.length;
}

/** A total return and a price have no common level; raw and split-adjusted prices have, by the known splits. */
function isComparable(own: PriceBasis, other: string | null): boolean {
  return other === own || (other !== null && own !== 'total_return' && other !== 'total_return');
}

/** What the own and the other close of a day are divided by to be on one basis. */
type Scale = (day: number) => { own: number; other: number };

function scaleOf(own: PriceBasis, other: string | null, splits: readonly { day: number; ratio: number }[]): Scale {
  const later = (day: number) =>
    splits.reduce((product, split) => (split.day > day ? product * split.ratio : product), 1);
  return (day) => ({
    own: own === 'raw' && other !== 'raw' ? later(day) : 1,
    other: other === 'raw' && own !== 'raw' ? later(day) : 1,
  });
}

/** The stretches of days on which two tellings differ, ascending. `rows` ascend by day. */
export function findStretches(rows: readonly Disagreement[], scale: Scale): Stretch[] {
  const differing = rows
    .map((row) => {
      const by = scale(row.day);
      const factor = row.own / by.own / (row.other / by.other);
      return { ...row, factor, split: splitOf(factor) };
    })
    .filter(({ factor }) => Math.abs(factor - 1) > DISAGREEMENT);
  const runs: (typeof differing)[] = [];
  for (const row of differing) {
    const run = runs.at(-1);
    if (run !== undefined && row.day - run.at(-1)!.day <= NEAR_DAYS && run[0]!.split === row.split) run.push(row);
    else runs.push([row]);
  }
  const stretches: Stretch[] = [];
  let loose: typeof differing = [];
  const endLoose = () => {
    if (loose.length > 0) stretches.push(stretchOf('source_disagreement', loose));
    loose = [];
  };
  for (const run of runs) {
    if (run[0]!.split !== null && run.length >= SPLIT_BARS_MIN) {
      endLoose();
      stretches.push(stretchOf('source_split_ratio', run));
      continue;
    }
    if (loose.length > 0 && run[0]!.day - loose.at(-1)!.day > NEAR_DAYS) endLoose();
    loose.push(...run);
  }
  endLoose();
  return stretches.length <= STRETCHES_MAX ? stretches : [stretchOf('source_disagreement', differing)];
}

function stretchOf(kind: Stretch['kind'], rows: readonly (Disagreement & { factor: number })[]): Stretch {
  const worst = rows.reduce((a, b) => (Math.abs(Math.log(b.factor)) > Math.abs(Math.log(a.factor)) ? b : a));
  return {
    kind,
    firstDay: rows[0]!.day,
    lastDay: rows.at(-1)!.day,
    rowCount: rows.length,
    measure: kind === 'source_split_ratio' ? worst.factor : Math.abs(worst.factor - 1),
    worst: { day: worst.day, own: worst.own, other: worst.other },
  };
}

type KnownCase = {
  caseId: number;
  id: number;
  other: number;
  kind: string;
  state: string;
  first: number;
  last: number;
  measure: number;
};

/** True when a case speaks of a stretch already, or of the days just before it. */
function goesOn(known: KnownCase, stretch: Stretch): boolean {
  if (known.kind !== stretch.kind) return false;
  if (stretch.firstDay > known.last + NEAR_DAYS || stretch.lastDay < known.first - NEAR_DAYS) return false;
  if (known.kind === 'source_split_ratio') return Math.abs(Math.log(stretch.measure / known.measure)) < 0.02;
  return known.state === 'open' || stretch.measure <= WORSE * known.measure;
}

// ---- Questions to the database ----------------------------------------------------------------------------------------

async function findOthers(tx: Transaction, { source, instrumentIds, firstDay, lastDay }: ReconcileQuestion) {
  const { rows } = await sql<Other>`
    SELECT s.id, s.name, s.price_basis AS basis FROM source s
    WHERE s.tenant_id = ${tx.principal.tenantId} AND s.id <> ${source.id} AND s.price_basis IS NOT NULL
      AND EXISTS (SELECT FROM bar_key o WHERE o.source_id = s.id AND o.instrument_id = ANY (${[...instrumentIds]}::int[])
                  AND o.day BETWEEN ${firstDay}::date AND ${lastDay}::date)
    ORDER BY s.id
  `.execute(tx.query);
  return rows;
}

type Row = { id: number; source: number; day: string; own: number; other: number };

async function findDifferences(tx: Transaction, question: ReconcileQuestion, others: readonly Other[]): Promise<Row[]> {
  const { source, instrumentIds, firstDay, lastDay } = question;
  const bars = await openBars(tx, { instrumentIds, from: firstDay, to: lastDay });
  const otherBasis = others.filter(({ basis }) => basis !== source.basis).map(({ id }) => id);
  const { rows } = await sql<Row>`
    WITH told AS (
      SELECT DISTINCT ON (o.instrument_id, o.day, o.source_id) o.instrument_id, o.day, o.source_id, o.close
      FROM ${sql.raw(bars)} o JOIN visible_run r ON r.run_id = o.run_id
      WHERE o.source_id = ANY (${[source.id, ...others.map(({ id }) => id)]}::int[])
        AND o.instrument_id = ANY (${[...instrumentIds]}::int[])
        AND o.day BETWEEN ${firstDay}::date AND ${lastDay}::date AND r.retracted_at IS NULL
      ORDER BY o.instrument_id, o.day, o.source_id, coalesce(o.known_at, r.published_at) DESC, o.run_id DESC)
    -- One pass over sorted rows: joining them with themselves was planned as a loop in a loop, and did not end.
    SELECT w.instrument_id AS id, w.source_id AS source, w.day, w.own, w.close AS other
    FROM (SELECT t.*, max(t.close) FILTER (WHERE t.source_id = ${source.id}) OVER (PARTITION BY t.instrument_id, t.day) AS own
          FROM told t) w
    WHERE w.source_id <> ${source.id} AND w.own > 0 AND w.close > 0
      AND (w.source_id = ANY (${otherBasis}::int[]) OR abs(w.own / w.close - 1) > ${DISAGREEMENT})
    ORDER BY 1, 2, 3
  `.execute(tx.query);
  return rows;
}

async function findKnownCases(tx: Transaction, { source, instrumentIds }: ReconcileQuestion): Promise<KnownCase[]> {
  const { rows } = await sql<Omit<KnownCase, 'first' | 'last'> & { first: string; last: string }>`
    SELECT c.id AS "caseId", c.instrument_id AS id, c.kind, c.state, c.first_day AS first, c.last_day AS last,
           CASE c.source_id WHEN ${source.id} THEN c.other_source_id ELSE c.source_id END AS other,
           CASE WHEN c.source_id <> ${source.id} AND c.kind = 'source_split_ratio' THEN 1 / c.measure ELSE c.measure END AS measure
    FROM data_case c JOIN visible_run r ON r.run_id = c.run_id
    WHERE c.kind IN ('source_disagreement', 'source_split_ratio') AND c.instrument_id = ANY (${[...instrumentIds]}::int[])
      AND ${source.id} IN (c.source_id, c.other_source_id) AND r.retracted_at IS NULL
    ORDER BY c.id DESC
  `.execute(tx.query);
  return rows.map((row) => ({ ...row, first: dayNumber(row.first), last: dayNumber(row.last) }));
}

async function insertCases(
  tx: Transaction,
  { runId, source }: ReconcileQuestion,
  cases: readonly (Stretch & { instrumentId: number; other: Other })[],
): Promise<void> {
  if (cases.length === 0) return;
  const told = cases.map((each) => ({
    ...{ instrumentId: each.instrumentId, kind: each.kind, otherId: each.other.id, rowCount: each.rowCount },
    ...{ firstDay: dayText(each.firstDay), lastDay: dayText(each.lastDay), measure: each.measure },
    reason: reasonOf(each, source.name, each.other.name),
  }));
  await sql`
    INSERT INTO data_case (tenant_id, run_id, source_id, other_source_id, instrument_id, kind, action, first_day, last_day,
                           row_count, measure, threshold, reason)
    SELECT ${tx.principal.tenantId}, ${runId}, ${source.id}, (c->>'otherId')::int, (c->>'instrumentId')::int, c->>'kind',
           'note', (c->>'firstDay')::date, (c->>'lastDay')::date, (c->>'rowCount')::int, (c->>'measure')::float8,
           ${DISAGREEMENT}::float8, c->>'reason'
    FROM jsonb_array_elements(${JSON.stringify(told)}::jsonb) WITH ORDINALITY AS t (c, no) ORDER BY no
  `.execute(tx.query);
}

function reasonOf(stretch: Stretch, own: string, other: string): string {
  const { day, own: ownClose, other: otherClose } = stretch.worst;
  const days = stretch.rowCount === 1 ? 'one day' : `${stretch.rowCount} days`;
  const both = `on ${dayText(day)} ${own} closes at ${shown(ownClose)}, ${other} at ${shown(otherClose)}`;
  if (stretch.kind === 'source_split_ratio')
    return `Two sources differ by a factor of ${stretch.measure.toFixed(3)} on ${days}: ${both}. One of them has a split in its prices that the other has not.`;
  return `Two sources differ by up to ${(100 * stretch.measure).toFixed(2)} % on ${days}: ${both}.`;
}

function shown(price: number): string {
  return String(Number(price.toPrecision(8)));
}

async function lengthenCases(tx: Transaction, cases: readonly KnownCase[]): Promise<void> {
  if (cases.length === 0) return;
  await sql`
    UPDATE data_case SET last_day = w.day, row_count = data_case.row_count + 1
    FROM unnest(${cases.map(({ caseId }) => caseId)}::int[], ${cases.map(({ last }) => dayText(last))}::date[]) AS w (id, day)
    WHERE data_case.id = w.id
  `.execute(tx.query);
}
