import { createRecent } from '../../platform/cache/recent.ts';
import { readBundle } from '../../platform/object-store/bundle.ts';
import type { ObjectStore } from '../../platform/object-store/object-store.ts';
import type { DatasetQuestion } from '../dataset/freeze.ts';

/** What rows a frozen dataset was asked for, from its manifest. */
export type Coverage = {
  kind: DatasetQuestion['kind'];
  /** Null: of each instrument the source that published last. */
  sourceId: number | null;
  calendar: string;
  instruments: ReadonlySet<number>;
  benchmark: { instrumentId: number; sourceId: number } | null;
  from: string | null;
  /** The last day it could hold. */
  to: string | null;
  asOf: string;
  /** Pairs of exchange rates it holds, `EURUSD`. */
  ratePairs: readonly string[];
};

/** Rows that changed: of which kind, told by whom, about what. */
export type Touched = {
  /** `bars`: of one source. `suspicions`: split suspicions opened or settled. */
  fact: 'bars' | 'actions' | 'caps' | 'rates' | 'suspicions' | 'none';
  /** Null: any source. */
  sourceId: number | null;
  rows: readonly { instrumentId: number; rowCount: number; firstDay: string; lastDay: string }[];
  ratePairs: readonly { pair: string; firstDay: string; lastDay: string }[];
};

/** The part of a change that falls into a dataset. */
export type Overlap = { instrumentCount: number; firstDay: string | null; lastDay: string | null; exact: boolean };

export type ReadCoverage = (sha256: string) => Promise<Coverage>;

/** Manifests are small and never change. */
const KEPT = 2_000;

/** Reads what datasets cover, each manifest once. */
export function createCoverage(objects: ObjectStore): ReadCoverage {
  const recent = createRecent<Coverage>(KEPT);
  return (sha256) =>
    recent.get(sha256, async () => {
      const { about, parts } = await readBundle(objects, sha256);
      const { question, time }: { question: DatasetQuestion; time: { asOf: string } } = JSON.parse(
        JSON.stringify(about),
      );
      return {
        kind: question.kind,
        sourceId: question.sourceId,
        calendar: question.calendar,
        instruments: new Set(question.instruments.map(({ id }) => id)),
        benchmark:
          question.benchmark === null
            ? null
            : { instrumentId: question.benchmark.instrument.id, sourceId: question.benchmark.sourceId },
        from: question.from,
        to: question.to,
        asOf: time.asOf,
        ratePairs: parts.filter(({ name }) => name.startsWith('rate_')).map(({ name }) => name.slice(5)),
      };
    });
}

/**
 * What of a change falls into a dataset, or null for nothing.
 *
 * Exact when a changed row itself lies in the days of the dataset. Only the first and the last changed day of an
 * instrument are looked at: where the dataset lies between the two, it is named to be safe.
 *
 * @param isOpenEnded Count days after the dataset's last as well: what an index would take in when it is run again.
 */
export function overlapOf(touched: Touched, coverage: Coverage, isOpenEnded = false): Overlap | null {
  if (touched.fact === 'rates') return overlapOfRates(touched, coverage);
  const first = coverage.from ?? '0000-01-01';
  const last = (isOpenEnded ? coverage.to : least(coverage.to, coverage.asOf)) ?? '9999-12-31';
  const rows = touched.rows.filter(
    ({ instrumentId, firstDay, lastDay }) =>
      firstDay <= last && lastDay >= first && holds(touched, coverage, instrumentId),
  );
  if (rows.length === 0) return null;
  const days = rows.flatMap(({ firstDay, lastDay }) => [later(first, firstDay), earlier(last, lastDay)]);
  return {
    instrumentCount: rows.length,
    ...endsOf(days),
    exact: rows.some(({ firstDay, lastDay }) => firstDay >= first || lastDay <= last),
  };
}

function overlapOfRates({ ratePairs }: Touched, coverage: Coverage): Overlap | null {
  const pairs = ratePairs.filter(({ pair }) => coverage.ratePairs.includes(pair));
  if (pairs.length === 0) return null;
  return { instrumentCount: 0, ...endsOf(pairs.flatMap(({ firstDay, lastDay }) => [firstDay, lastDay])), exact: true };
}

function endsOf(days: readonly string[]): { firstDay: string | null; lastDay: string | null } {
  const sorted = days.toSorted();
  return { firstDay: sorted[0] ?? null, lastDay: sorted.at(-1) ?? null };
}

/** Bars count where the dataset takes them from; actions, caps and suspicions go into the input of an index only. */
function holds(touched: Touched, coverage: Coverage, instrumentId: number): boolean {
  const isFrom = (sourceId: number | null) =>
    touched.sourceId === null || sourceId === null || touched.sourceId === sourceId;
  const isMember = coverage.instruments.has(instrumentId);
  const isBenchmark = coverage.benchmark?.instrumentId === instrumentId;
  switch (touched.fact) {
    case 'bars':
      return (isMember && isFrom(coverage.sourceId)) || (isBenchmark && isFrom(coverage.benchmark?.sourceId ?? -1));
    case 'actions':
      return coverage.kind !== 'prices' && (isMember || isBenchmark);
    case 'caps':
      return coverage.kind === 'index-input' && isMember;
    case 'suspicions':
      return coverage.kind !== 'prices' && isMember && isFrom(coverage.sourceId);
    default:
      return false;
  }
}

function least(a: string | null, b: string): string {
  return a === null ? b : earlier(a, b);
}

function earlier(a: string, b: string): string {
  return [a, b].sort()[0]!;
}

function later(a: string, b: string): string {
  return [a, b].sort()[1]!;
}
