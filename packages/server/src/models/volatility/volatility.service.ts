import type { DrawdownReading, ValueAtRiskReading, VolatilityReading } from '@touchstone/contracts/volatility';
import { dayText } from '@touchstone/quant/series/day';
import type { Series, SeriesQuery, SeriesService, Subject } from '../../features/index.ts';
import { createRecent } from '../../platform/cache/recent.ts';
import type { Compute } from '../../platform/compute/compute.ts';
import type { Principal } from '../../platform/database/database.ts';
import { hashOf } from '../../platform/object-store/bundle.ts';
import { ProblemError } from '../../platform/problem-error.ts';
import { readingOf } from '../market/reading.ts';
import { combineHoldings, type Holding } from './combine-holdings.ts';
import { DRAWDOWN_SETTINGS } from './read-drawdown.ts';
import { VALUE_AT_RISK_SETTINGS } from './read-value-at-risk.ts';
import { VOLATILITY_SETTINGS } from './read-volatility.ts';
import type { RiskInput } from './risk-bars.ts';

const WORKER = new URL('./volatility.worker.ts', import.meta.url);
/** Seed of the resamples behind intervals and confidence sets. */
const SEED = 1;
/** Readings kept by what they were computed from; each is some tens of kilobytes. */
const KEPT_COUNT = 64;

/** What each reading is called in the worker, what it gives, and what it was computed with. */
type Readings = {
  readVolatility: VolatilityReading;
  readDrawdown: DrawdownReading;
  readValueAtRisk: ValueAtRiskReading;
};
const SETTINGS: Record<keyof Readings, object> = {
  readVolatility: VOLATILITY_SETTINGS,
  readDrawdown: DRAWDOWN_SETTINGS,
  readValueAtRisk: VALUE_AT_RISK_SETTINGS,
};

export type VolatilityService = ReturnType<typeof createVolatilityService>;

/** Forecasts of risk for a subject or for weights over instruments, from what was known at a moment. */
export function createVolatilityService(parts: { series: SeriesService; compute: Compute; codeVersion: string }) {
  const { series, compute, codeVersion } = parts;
  const kept = createRecent<Readings[keyof Readings]>(KEPT_COUNT);

  /** The same data, code and settings give the same reading, so it is computed once in the life of a process. */
  function computeOnce<K extends keyof Readings>(name: K, input: RiskInput, dataSha256: string): Promise<Readings[K]> {
    const make = () => compute.run<Readings[K]>(WORKER, name, input);
    // The key begins with the name, so what is kept under it is what that function gave.
    return kept.get(`${name}:${dataSha256}`, make) as Promise<Readings[K]>;
  }

  async function readSubject<K extends keyof Readings>(
    name: K,
    principal: Principal,
    subject: Subject,
    query: SeriesQuery,
  ) {
    const one = await series.read(principal, subject, query);
    const reading = await computeOnce(name, inputOf(one), one.dataSha256);
    return { ...readingOf(one, { codeVersion, settings: SETTINGS[name], seed: SEED }), ...reading };
  }

  return {
    /** @throws NOT_FOUND */
    volatility: (principal: Principal, subject: Subject, query: SeriesQuery) =>
      readSubject('readVolatility', principal, subject, query),

    /** @throws NOT_FOUND */
    drawdown: (principal: Principal, subject: Subject, query: SeriesQuery) =>
      readSubject('readDrawdown', principal, subject, query),

    /** @throws NOT_FOUND */
    valueAtRisk: (principal: Principal, subject: Subject, query: SeriesQuery) =>
      readSubject('readValueAtRisk', principal, subject, query),

    /**
     * The three readings for weights that are held constant over the past; hypothetical.
     *
     * @throws NOT_FOUND for an unknown instrument, INVALID_REQUEST for one that is named twice.
     */
    async portfolioRisk(principal: Principal, holdings: readonly Holding[], query: SeriesQuery) {
      const ids = holdings.map(({ instrumentId }) => instrumentId);
      if (new Set(ids).size < ids.length)
        throw new ProblemError('INVALID_REQUEST', 'Each instrument may be named once.');
      const { time, series: members, dataSha256 } = await series.readMany(principal, ids, query);
      const input: RiskInput = { prices: combineHoldings(members, holdings), seed: SEED };
      const { day } = input.prices;
      // The weights are part of what it was computed from.
      const inputSha256 = hashOf({ dataSha256, weights: holdings.map(({ weight }) => weight) });
      const [volatility, drawdown, valueAtRisk] = await Promise.all([
        computeOnce('readVolatility', input, inputSha256),
        computeOnce('readDrawdown', input, inputSha256),
        computeOnce('readValueAtRisk', input, inputSha256),
      ]);
      const textAt = (at: number) => (day.length === 0 ? null : dayText(day.at(at)!));
      return {
        label: 'hypothetical' as const,
        time,
        lineage: { dataSha256: inputSha256, codeVersion, configSha256: hashOf(SETTINGS), seed: SEED },
        holdings: holdings.map(({ instrumentId, weight }, k) => ({
          ...{ instrumentId, weight, dataSha256: members[k]!.dataSha256 },
          symbol: members[k]!.subject.symbol ?? String(instrumentId),
        })),
        barCount: day.length,
        firstDay: textAt(0),
        lastDay: textAt(-1),
        note: currencyNote(members),
        ...{ volatility, drawdown, valueAtRisk },
      };
    },
  };
}

/** Risk in several currencies is more than the sum told here, and whoever reads it must know. */
function currencyNote(members: readonly Series[]): string | null {
  const currencies = [...new Set(members.map(({ subject }) => subject.currency))].sort();
  if (currencies.length < 2) return null;
  return `The instruments are quoted in ${currencies.join(' and ')}; each moves in its own, and rates between them are left out.`;
}

function inputOf({ bars }: Series): RiskInput {
  const { day, open, high, low, close } = bars;
  return { prices: { day, open, high, low, close }, seed: SEED };
}
