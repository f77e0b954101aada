import {
  freezeFeatures,
  getFeatureSeries,
  getFeatureSkew,
  getHistoricalFeatures,
  getOnlineFeatures,
  HISTORICAL_VALUES_MAX,
  listMaterialisations,
  materialiseFeatures,
  startFeatureSkew,
} from '@touchstone/contracts/features';
import { dayText } from '@touchstone/quant/series/day';
import type { Serve } from '../../platform/http/serve.ts';
import { reasonOfByte, sentenceOf } from '../feature-compute/reasons.ts';
import type { FeatureSeriesService } from '../feature-store/feature-series.service.ts';
import type { FreezeFeaturesService } from '../feature-store/freeze-features.service.ts';
import type { HistoricalService } from '../feature-store/historical.service.ts';
import type { ResolvedFeature } from '../feature-store/resolve-features.ts';
import type { MaterialiseService } from '../online-store/materialise.service.ts';
import type { OnlineService } from '../online-store/online.service.ts';
import type { SkewService } from '../skew/skew.service.ts';

export type FeatureStoreServices = {
  series: FeatureSeriesService;
  historical: HistoricalService;
  freeze: FreezeFeaturesService;
  online: OnlineService;
  materialise: MaterialiseService;
  skew: SkewService;
  codeVersion: string;
};

/** Features of the past, of now, and whether both agree. */
export function registerFeatureStoreRoutes(serve: Serve, services: FeatureStoreServices): void {
  const { series, historical, freeze, online, materialise, skew, codeVersion } = services;
  serve(getFeatureSeries, ({ caller, query }) => series.read(caller, query));

  serve(getHistoricalFeatures, async ({ caller, body }) => {
    const answer = await historical.read(caller, body, { valuesMax: HISTORICAL_VALUES_MAX });
    const { features, values, reasons } = answer;
    const width = features.length;
    const bytes = new Set<number>();
    const rows = answer.rows.map(({ instrument, instrumentId, asOf, knownAt, eventDay }, row) => {
      const missing: Record<string, string> = {};
      const own: (number | null)[] = [];
      for (let column = 0; column < width; column++) {
        const byte = reasons[row * width + column]!;
        const why = reasonOfByte(byte);
        own.push(why === null ? values[row * width + column]! : null);
        if (why === null) continue;
        bytes.add(byte);
        missing[body.features[column]!] = why;
      }
      return {
        ...{ instrument, instrumentId, asOf, values: own, missing },
        knownAt: knownAt === null ? null : new Date(knownAt).toISOString(),
        eventDay: eventDay === null ? null : dayText(eventDay),
      };
    });
    const codes = [...bytes].sort((a, b) => a - b).flatMap((byte) => reasonOfByte(byte) ?? []);
    return {
      ...{ recordedAt: answer.recordedAt, reconstructed: answer.reconstructed, codeVersion },
      dataSha256: answer.dataSha256,
      features: features.flatMap((feature) => (feature === null ? [] : [tellFeature(feature)])),
      rows,
      problems: [...answer.problems, ...answer.failures],
      reasons: codes.map((code) => ({ code, sentence: sentenceOf(code) })),
    };
  });
  serve(freezeFeatures, async ({ caller, body }) => ({ task: await freeze.start(caller, body) }));

  serve(getOnlineFeatures, async ({ caller, body }) => {
    const answer = await online.read(caller, body.features, body.instruments);
    return {
      store: answer.store,
      features: [...body.features],
      views: answer.views.map(({ definition, version }) => ({
        view: definition.name,
        version,
        ttlDays: definition.ttlDays,
      })),
      entities: answer.entities.map(({ instrument, values, reasons, stored }) => ({
        ...{ instrument, values, reasons },
        known: stored.map((value) =>
          value === null
            ? null
            : {
                eventDay: dayText(value.eventDay),
                knownAt: new Date(value.knownAt).toISOString(),
                version: value.version,
              },
        ),
      })),
      problems: answer.problems,
    };
  });

  serve(materialiseFeatures, async ({ caller, body }) => ({ task: await materialise.start(caller, body) }));
  serve(listMaterialisations, async ({ caller }) => ({ store: online.kind, items: await materialise.list(caller) }));
  serve(getFeatureSkew, ({ caller }) => skew.read(caller));
  serve(startFeatureSkew, async ({ caller }) => ({ task: await skew.start(caller) }));
}

function tellFeature({ feature, view, definitionSha256 }: ResolvedFeature) {
  return { feature, view: view?.definition.name ?? null, version: view?.version ?? null, definitionSha256 };
}
