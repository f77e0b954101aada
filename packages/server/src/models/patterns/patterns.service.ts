import type { Reason } from '@touchstone/contracts/market';
import type { ChangePoint, getPatterns, PatternMark, PatternRecord } from '@touchstone/contracts/patterns';
import type { Answer } from '@touchstone/contracts/route';
import type { BaseRate } from '@touchstone/quant/patterns/base-rates';
import type { ChartPattern, ChartPoint } from '@touchstone/quant/patterns/chart-patterns';
import { createRandom } from '@touchstone/quant/random/random';
import { dayNumber, dayText } from '@touchstone/quant/series/day';
import type { Series, SeriesService, Subject } from '../../features/index.ts';
import { resolveTime, type TimeQuery } from '../../market-data/index.ts';
import { createRecent } from '../../platform/cache/recent.ts';
import type { Compute } from '../../platform/compute/compute.ts';
import type { Database, Principal, Transaction } from '../../platform/database/database.ts';
import { readingOf, tooLittle } from '../market/reading.ts';
import {
  CANDLE_BARS_MIN,
  CHANGE_BARS_MIN,
  CHART_BARS_MIN,
  keyOf,
  LENIENCY,
  MEASURE_SETTINGS,
  PATTERN_KEYS,
  PATTERN_SETTINGS,
  type Strictness,
} from './pattern-settings.ts';
import { toRecord } from './pattern-words.ts';
import type { FoundChange, MeasureInput, Scan } from './patterns.worker.ts';

export type PatternsService = ReturnType<typeof createPatternsService>;

/** The universe whose days a subject's patterns are measured on; null when it is in none. Universes live downstream. */
type UniverseOf = (
  tx: Transaction,
  subject: Subject,
  universeId: number | undefined,
) => Promise<{ id: number; name: string; instrumentIds: readonly number[] } | null>;

type PatternsQuery = TimeQuery & {
  days: number;
  candleDays: number;
  horizonDays: number;
  strictness: Strictness;
  universeId?: number | undefined;
};

const WORKER = new URL('./patterns.worker.ts', import.meta.url);
const SCANS_KEPT = 400;
const RATES_KEPT = 40;

export function createPatternsService(parts: {
  database: Database;
  series: Pick<SeriesService, 'read' | 'readMany'>;
  universeOf: UniverseOf;
  compute: Compute;
  codeVersion: string;
}) {
  const { database, series, universeOf, compute, codeVersion } = parts;
  // Keyed by the hash of the bars, so that nothing kept ever goes stale.
  const scans = createRecent<Scan>(SCANS_KEPT);
  const measured = createRecent<BaseRate[]>(RATES_KEPT);
  const scan = ({ bars, hasRange, dataSha256 }: Series, strictness: Strictness) =>
    scans.get(`${strictness}:${dataSha256}`, () =>
      compute.run<Scan>(WORKER, 'scanBars', { bars, hasRange, leniency: LENIENCY[strictness] }),
    );

  /** The subject, the universe and its members drawn, all as known at one moment. */
  const read = async (principal: Principal, subject: Subject, query: PatternsQuery) => {
    const { time, universe } = await database.transaction(
      principal,
      async (tx) => ({
        time: await resolveTime(tx, query),
        universe: await universeOf(tx, subject, query.universeId),
      }),
      { readOnly: true },
    );
    const from = dayText(dayNumber(time.asOf) - MEASURE_SETTINGS.daysBack);
    const at = { asOf: time.asOf, knownAt: time.knownAt, recordedAt: time.recordedAt, from };
    const own = await series.read(principal, subject, at);
    const drawn = drawMembers(subject, universe?.instrumentIds ?? []);
    const members = drawn.length === 0 ? null : await series.readMany(principal, drawn, at);
    return { own, universe, members: members?.series.filter(({ bars }) => bars.day.length > 0) ?? [own] };
  };

  const measure = (members: readonly Series[], found: readonly Scan[], query: PatternsQuery, asOf: string) => {
    const { horizonDays: horizon, strictness } = query;
    const name = [horizon, strictness, asOf, ...members.map(({ dataSha256 }) => dataSha256)].join();
    return measured.get(name, () => {
      const input: MeasureInput = {
        series: members.map(({ bars }, k) => ({ day: bars.day, close: bars.close, signals: signalsOf(found[k]!) })),
        keys: [...PATTERN_KEYS].map(([key, { direction }]) => [key, direction === 'down' ? -1 : 1]),
        horizon,
        asOf: dayNumber(asOf),
        seed: MEASURE_SETTINGS.seed,
      };
      return compute.run<BaseRate[]>(WORKER, 'measure', input);
    });
  };

  return {
    /** Patterns of a subject with what followed their kinds in its universe, and the change points of its returns. */
    async read(principal: Principal, subject: Subject, query: PatternsQuery): Promise<Answer<typeof getPatterns>> {
      const { own, universe, members } = await read(principal, subject, query);
      const [ownScan, changes, ...found] = await Promise.all([
        scan(own, query.strictness),
        compute.run<FoundChange[]>(WORKER, 'findChanges', { close: own.bars.close }),
        ...members.map((member) => scan(member, query.strictness)),
      ]);
      const rates = await measure(members, found, query, own.time.asOf);
      const records = new Map(
        rates.map((rate) => [rate.key, toRecord(PATTERN_KEYS.get(rate.key)!, rate, query.horizonDays)]),
      );
      const settings = {
        ...PATTERN_SETTINGS,
        horizonDays: query.horizonDays,
        leniency: LENIENCY[query.strictness],
      };
      const firstMarked = Math.max(0, own.bars.day.length - query.days);
      return {
        ...readingOf(own, { codeVersion, settings, seed: MEASURE_SETTINGS.seed }),
        patterns: chartMarks(own, ownScan.charts, firstMarked, records),
        candles: candleMarks(own, ownScan, Math.max(0, own.bars.day.length - query.candleDays), records),
        changePoints: changes.map((change) => toChangePoint(own, change)),
        records: [...records.values()],
        scope: scopeOf(universe, members, rates),
        reasons: {
          patterns: tooLittle(own, CHART_BARS_MIN) ?? constantReason(own),
          candles: tooLittle(own, CANDLE_BARS_MIN) ?? rangeReason(own),
          changePoints: tooLittle(own, CHANGE_BARS_MIN) ?? constantReason(own),
        },
      };
    },
  };
}

/** The subject first, then others in an order drawn by the seed that does not depend on who else is a member. */
function drawMembers({ kind, id }: Subject, instrumentIds: readonly number[]): number[] {
  const random = createRandom(MEASURE_SETTINGS.seed).split('members');
  const drawn = instrumentIds
    .filter((other) => kind !== 'instrument' || other !== id)
    .map((other) => ({ other, draw: random.split(other).uniform() }))
    .sort((a, b) => a.draw - b.draw || a.other - b.other)
    .map(({ other }) => other);
  if (instrumentIds.length === 0) return [];
  return (kind === 'instrument' ? [id, ...drawn] : drawn).slice(0, MEASURE_SETTINGS.membersMax);
}

function signalsOf({ charts, candles }: Scan): MeasureInput['series'][number]['signals'] {
  const byKey = new Map<string, number[]>();
  for (const { kind, direction, confirmationBar } of charts) {
    const key = keyOf('chart', kind, direction === 1 ? 'up' : 'down');
    byKey.set(key, [...(byKey.get(key) ?? []), confirmationBar]);
  }
  return [
    ...[...byKey].map(([key, bars]) => ({ key, bars: Int32Array.from(bars) })),
    ...candles.map(({ name, direction, bars }) => ({ key: keyOf('candle', name, direction), bars })),
  ];
}

type Records = ReadonlyMap<string, PatternRecord>;

function chartMarks(
  { bars }: Series,
  charts: readonly ChartPattern[],
  firstMarked: number,
  records: Records,
): PatternMark[] {
  const at = ({ bar, price }: ChartPoint) => ({ day: dayText(bars.day[bar]!), price });
  return charts
    .filter(({ confirmationBar }) => confirmationBar >= firstMarked)
    .flatMap((pattern) => {
      const direction = pattern.direction === 1 ? 'up' : 'down';
      const key = keyOf('chart', pattern.kind, direction);
      const [about, record] = [PATTERN_KEYS.get(key), records.get(key)];
      if (about === undefined || record === undefined) return [];
      return [
        {
          family: 'chart' as const,
          kind: pattern.kind,
          name: about.name,
          direction,
          firstDay: dayText(bars.day[pattern.firstBar]!),
          confirmationDay: dayText(bars.day[pattern.confirmationBar]!),
          points: pattern.points.map(at),
          lines: [{ role: 'break' as const, from: at(pattern.line[0]), to: at(pattern.line[1]) }],
          height: pattern.height,
          noise: pattern.noise,
          record,
        },
      ];
    });
}

function candleMarks({ bars }: Series, { candles }: Scan, firstMarked: number, records: Records): PatternMark[] {
  const marks: { bar: number; mark: PatternMark }[] = [];
  for (const { name, direction, bars: hits } of candles) {
    const key = keyOf('candle', name, direction);
    const [about, record] = [PATTERN_KEYS.get(key), records.get(key)];
    if (about === undefined || record === undefined) continue;
    for (const bar of hits) {
      if (bar < firstMarked) continue;
      const day = dayText(bars.day[bar]!);
      const mark: PatternMark = {
        family: 'candle',
        kind: name,
        name: about.name,
        direction,
        firstDay: dayText(bars.day[Math.max(0, bar - about.bars + 1)]!),
        confirmationDay: day,
        points: [],
        lines: [],
        height: null,
        noise: null,
        record,
      };
      marks.push({ bar, mark });
    }
  }
  return marks.sort((a, b) => a.bar - b.bar).map(({ mark }) => mark);
}

function toChangePoint({ bars }: Series, change: FoundChange): ChangePoint {
  const year = ({ mean, deviation }: FoundChange['before']) => ({
    meanAnnual: 252 * mean,
    volatilityAnnual: Math.sqrt(252) * deviation,
  });
  return {
    day: dayText(bars.day[change.bar]!),
    tellableDay: dayText(bars.day[change.tellableBar]!),
    statistic: 'mean-and-variance',
    before: year(change.before),
    after: year(change.after),
  };
}

function scopeOf(
  universe: { id: number; name: string; instrumentIds: readonly number[] } | null,
  members: readonly Series[],
  rates: readonly BaseRate[],
): Answer<typeof getPatterns>['scope'] {
  const days = members.flatMap(({ bars }) => [bars.day.at(0), bars.day.at(-1)]).filter((day) => day !== undefined);
  const span = days.length === 0 ? null : [Math.min(...days), Math.max(...days)];
  const usedCount = members.filter(({ bars }) => bars.day.length > 0).length;
  const memberCount = universe?.instrumentIds.length ?? usedCount;
  return {
    universeId: universe?.id ?? null,
    name: universe?.name ?? null,
    memberCount,
    usedCount,
    barCount: members.reduce((sum, { bars }) => sum + bars.day.length, 0),
    firstDay: span === null ? null : dayText(span[0]!),
    lastDay: span === null ? null : dayText(span[1]!),
    testCount: rates.filter(({ pValue }) => !Number.isNaN(pValue)).length,
    sentence:
      universe === null
        ? 'It is in no universe that you see: measured on its own bars alone, which is little.'
        : `Measured on ${usedCount} of ${memberCount} members as they are listed in the universe now: who has gone by then may be missing, and survivors flatter what rises.`,
  };
}

function constantReason({ bars }: Series): Reason | null {
  const known = bars.close.filter((price) => !Number.isNaN(price));
  if (known.length === 0) return { code: 'all_missing', sentence: 'No close is known by then.' };
  if (known.some((price) => price !== known[0])) return null;
  return { code: 'constant_prices', sentence: `All ${known.length} closes are equal.` };
}

function rangeReason({ hasRange, subject }: Series): Reason | null {
  if (hasRange) return null;
  return { code: 'no_range', sentence: `Candles need highs and lows; of this ${subject.kind} only closes are known.` };
}
