import { dayText } from '@touchstone/quant/series/day';
import type { Database, Principal } from '../../platform/database/database.ts';
import { hashOf } from '../../platform/object-store/bundle.ts';
import { found } from '../../platform/problem-error.ts';
import type { FeatureComputer } from '../feature-compute/feature-computer.ts';
import { sentenceOf } from '../feature-compute/reasons.ts';
import type { FeatureViewService } from '../feature-view/feature-view.service.ts';
import type { SeriesQuery, SeriesService } from '../series/series.ts';
import { findInstruments } from './historical.service.ts';
import { resolveFeatures } from './resolve-features.ts';

export type FeatureSeriesService = ReturnType<typeof createFeatureSeriesService>;

/** Features of one instrument day by day, all as known at one moment: for looking, not for training. */
export function createFeatureSeriesService(parts: {
  database: Database;
  series: SeriesService;
  views: FeatureViewService;
  computer: FeatureComputer;
}) {
  const { database, series, views, computer } = parts;
  return {
    /** @throws NOT_FOUND for the instrument; unknown features are columns of nothing, with the reason. */
    async read(principal: Principal, query: SeriesQuery & { instrument: string; features: string }) {
      const { instrument, features: list, from, ...times } = query;
      const ids = await database.transaction(principal, (tx) => findInstruments(tx, new Set([instrument])), {
        readOnly: true,
      });
      const id = found(ids.get(instrument), `There is no instrument ${instrument}.`);
      // Values rest on all bars before the first day told.
      const known = await series.read(principal, { kind: 'instrument', id }, times);
      const { bars } = known;
      const wanted = list
        .split(',')
        .map((name) => name.trim())
        .filter((name) => name !== '');
      const { features, problems } = resolveFeatures(await views.views(principal), wanted);
      const computed = features.flatMap((feature) => (feature?.expression == null ? [] : [feature]));
      const at = Int32Array.from(bars.day, (_, i) => i).filter(
        (i) => from === undefined || dayText(bars.day[i]!) >= from,
      );
      const expressions = computed.map(({ expression }) => expression ?? '');
      const made = computed.length === 0 ? null : await computer.compute(expressions, [{ bars, at }]);
      const orNull = (column: Float64Array) => Array.from(at, (i) => (Number.isFinite(column[i]) ? column[i]! : null));
      const textAt = (i: number) => (bars.day.length === 0 ? null : dayText(bars.day.at(i)!));
      return {
        ...{ subject: known.subject, time: known.time, basis: known.basis, barCount: bars.day.length },
        ...{ firstDay: textAt(0), lastDay: textAt(-1), suspectDays: Array.from(known.suspectDays, dayText) },
        lineage: {
          ...{ dataSha256: known.dataSha256, codeVersion: views.codeVersion, seed: 0 },
          configSha256: hashOf(computed.map(({ definitionSha256 }) => definitionSha256)),
        },
        days: Array.from(at, (i) => dayText(bars.day[i]!)),
        bars: {
          ...{ open: orNull(bars.open), high: orNull(bars.high), low: orNull(bars.low), close: orNull(bars.close) },
          volume: orNull(bars.volume),
        },
        columns: wanted.map((name, i) => {
          const feature = features[i] ?? null;
          const position = feature === null ? -1 : computed.indexOf(feature);
          const values = Array.from(at, (_, row): number | null => {
            const value = position < 0 ? Number.NaN : made!.values[0]![row * computed.length + position]!;
            return Number.isNaN(value) ? null : value;
          });
          return {
            ...{ feature: name, values, version: feature?.view?.version ?? null },
            ...{ unit: feature?.unit ?? null, warmUp: feature?.warmUp ?? null },
            reason: reasonOf(name, values, position),
          };
        }),
      };

      function reasonOf(name: string, values: readonly (number | null)[], position: number) {
        const unknown = problems.find((problem) => problem.feature === name);
        if (unknown !== undefined) return unknown.reason;
        const failure = position < 0 ? undefined : made?.failures.get(position);
        if (failure !== undefined) return { code: failure.code, sentence: failure.sentence };
        if (values.some((value) => value !== null)) return null;
        const feature = features[wanted.indexOf(name)];
        if (feature?.expression === null)
          return {
            code: 'not_defined' as const,
            sentence: 'Pushed values have no series here; ask for historical features.',
          };
        const needed = (feature?.warmUp ?? 0) + 1;
        if (bars.day.length >= needed) return { code: 'not_defined' as const, sentence: sentenceOf('not_defined') };
        return {
          code: 'too_little_history' as const,
          sentence: `Needs ${needed} sessions; ${bars.day.length} are known by then.`,
        };
      }
    },
  };
}
