import { createHash } from 'node:crypto';
import type { Bars } from '@touchstone/quant/series/bars';
import { dayNumber, dayText } from '@touchstone/quant/series/day';
import {
  findLastBarDay,
  type LoadedBars,
  loadBars,
  type ReadTime,
  resolveTime,
  type TimeQuery,
} from '../../market-data/index.ts';
import type { Database, Principal, Transaction } from '../../platform/database/database.ts';
import { found, ProblemError } from '../../platform/problem-error.ts';

/** What the market can be looked at: an instrument, or an index over some. */
export type SubjectKind = 'instrument' | 'index';
export type Subject = { kind: SubjectKind; id: number };
export type NamedSubject = Subject & { symbol: string | null; name: string; currency: string };

/** Daily bars of a subject as known at a moment. */
export type Series = {
  subject: NamedSubject;
  time: ReadTime;
  /** Ascending days, missing NaN. Of an index only the close is known; the other columns are NaN. */
  bars: Bars;
  /** False: only closes are known, so nothing that needs a high, a low or a volume can be told. */
  hasRange: boolean;
  /** What the prices stand on; `level` for an index; null: the source does not say. */
  basis: 'raw' | 'split_adjusted' | 'total_return' | 'level' | null;
  /** Days whose step looks like a split nobody told of, paid as no return until somebody decides. */
  suspectDays: Int32Array;
  /** Hash of the bars: the input of whatever is computed from them. */
  dataSha256: string;
};

export type UniverseSeries = {
  universe: { id: number; name: string };
  time: ReadTime;
  /** Members with bars, by symbol. */
  members: Series[];
  dataSha256: string;
};

export type SeriesQuery = TimeQuery & {
  /** First day wanted. */
  from?: string | undefined;
};

/** How a downstream stage tells the series of its own kind of subject. */
export type SubjectReader = (
  tx: Transaction,
  id: number,
  query: SeriesQuery,
) => Promise<Omit<Series, 'dataSha256' | 'subject'> & { subject: Omit<NamedSubject, 'kind'> }>;

export type SeriesService = ReturnType<typeof createSeriesService>;

/**
 * The one way to the bars of a subject, as known at (asOf, knownAt, recordedAt) and adjusted: what features, forecasts,
 * regimes and patterns are computed from.
 *
 * @param universeBars Tells a universe; universes live downstream.
 */
export function createSeriesService(
  database: Database,
  universeBars: (
    tx: Transaction,
    id: number,
  ) => Promise<{ name: string; sourceId: number; instrumentIds: readonly number[] }>,
) {
  const readers = new Map<SubjectKind, SubjectReader>();
  const options = { readOnly: true, isolation: 'repeatable read' } as const;

  return {
    registerSubject: (kind: SubjectKind, reader: SubjectReader) => void readers.set(kind, reader),

    /** @throws NOT_FOUND; a subject without bars is no problem: its series is empty. */
    read: (principal: Principal, subject: Subject, query: SeriesQuery): Promise<Series> =>
      database.transaction(
        principal,
        async (tx) => {
          if (subject.kind === 'instrument') {
            const time = await resolveTime(tx, query);
            const [series] = await readInstruments(tx, [subject.id], time, query.from);
            return found(series, `There is no instrument ${subject.id}.`);
          }
          const reader = readers.get(subject.kind);
          if (reader === undefined)
            throw new ProblemError('NOT_FOUND', `Nothing here tells the series of an ${subject.kind}.`);
          const { subject: named, ...series } = await reader(tx, subject.id, query);
          return {
            ...series,
            subject: { ...named, kind: subject.kind },
            dataSha256: hashBars(series.bars, series.basis),
          };
        },
        options,
      ),

    /** Of many instruments, in the order asked. @throws NOT_FOUND if one does not exist. */
    readMany: (principal: Principal, instrumentIds: readonly number[], query: SeriesQuery) =>
      database.transaction(
        principal,
        async (tx) => {
          const time = await resolveTime(tx, query);
          const series = await readInstruments(tx, instrumentIds, time, query.from);
          const told = new Map(series.map((one) => [one.subject.id, one]));
          const inOrder = instrumentIds.map((id) => found(told.get(id), `There is no instrument ${id}.`));
          return { time, series: inOrder, dataSha256: hashSeries(inOrder) };
        },
        options,
      ),

    /** Of the members of a universe. Members without a bar by then are left out. @throws NOT_FOUND */
    readUniverse: (
      principal: Principal,
      universeId: number,
      query: SeriesQuery & {
        /** Only so many calendar days up to the last of which a member was ever told a bar. */
        lastDays?: number;
      },
    ): Promise<UniverseSeries> =>
      database.transaction(
        principal,
        async (tx) => {
          const { name, sourceId, instrumentIds } = await universeBars(tx, universeId);
          const time = await resolveTime(tx, query);
          let { from } = query;
          if (query.lastDays !== undefined) {
            const last = await findLastBarDay(tx, instrumentIds, sourceId, time.asOf);
            if (last !== null) from = dayText(dayNumber(last) - query.lastDays);
          }
          const series = await readInstruments(tx, instrumentIds, time, from, sourceId);
          const members = series
            .filter(({ bars }) => bars.day.length > 0)
            .sort((a, b) => ((a.subject.symbol ?? '') < (b.subject.symbol ?? '') ? -1 : 1));
          return { universe: { id: universeId, name }, time, members, dataSha256: hashSeries(members) };
        },
        options,
      ),
  };
}

/** Those that exist and may be seen, in any order. */
async function readInstruments(
  tx: Transaction,
  instrumentIds: readonly number[],
  time: ReadTime,
  from: string | undefined,
  sourceId?: number,
): Promise<Series[]> {
  if (instrumentIds.length === 0) return [];
  const rows = await tx.query
    .selectFrom('instrument')
    .select(['id', 'symbol', 'name', 'currency'])
    .where('id', 'in', [...instrumentIds])
    .execute();
  const loaded = await loadBars(tx, { instrumentIds: rows.map(({ id }) => id), time, from, sourceId });
  return rows.map((row) => {
    const { bars, basis, suspectDays } = loaded.get(row.id) ?? nothing();
    const hasRange = bars.high.some((value) => !Number.isNaN(value)) && bars.low.some((value) => !Number.isNaN(value));
    const subject: NamedSubject = { kind: 'instrument', ...row };
    return { subject, time, bars, hasRange, basis, suspectDays, dataSha256: hashBars(bars, basis) };
  });
}

function nothing(): Pick<LoadedBars, 'bars' | 'basis' | 'suspectDays'> {
  const none = () => new Float64Array(0);
  const bars = { day: new Int32Array(0), open: none(), high: none(), low: none(), close: none(), volume: none() };
  return { bars, basis: null, suspectDays: new Int32Array(0) };
}

function hashBars(bars: Bars, basis: string | null): string {
  const hash = createHash('sha256').update(`bars:${basis ?? 'unknown'}:${bars.day.length}`);
  for (const column of [bars.day, bars.open, bars.high, bars.low, bars.close, bars.volume])
    hash.update(new Uint8Array(column.buffer, column.byteOffset, column.byteLength));
  return hash.digest('hex');
}

function hashSeries(series: readonly Series[]): string {
  const hash = createHash('sha256');
  for (const { subject, dataSha256 } of series) hash.update(`${subject.id}:${dataSha256}\n`);
  return hash.digest('hex');
}
