import type { Clock } from '../../platform/clock/clock.ts';
import type { Database, Principal } from '../../platform/database/database.ts';
import { type ReasonCode, reasonOfByte } from '../feature-compute/reasons.ts';
import { findInstruments } from '../feature-store/historical.service.ts';
import { type Resolution, type ResolvedFeature, resolveFeatures } from '../feature-store/resolve-features.ts';
import type { FeatureViewService, Views } from '../feature-view/feature-view.service.ts';
import type { ViewVersion } from '../feature-view/feature-view.ts';
import type { OnlineStore } from './online-store.ts';
import type { OnlineValue } from './packed-value.ts';
import type { ServedSamples } from './served-samples.ts';

export type OnlineEntity = {
  instrument: string;
  instrumentId: number | null;
  /** In the order of the features asked for; null: see reasons. */
  values: (number | null)[];
  reasons: (ReasonCode | null)[];
  /** In the order of the views. */
  stored: (OnlineValue | null)[];
};

export type OnlineAnswer = {
  store: OnlineStore['kind'];
  features: Resolution['features'];
  problems: Resolution['problems'];
  views: ViewVersion[];
  entities: OnlineEntity[];
};

export type OnlineService = ReturnType<typeof createOnlineService>;

const DAY_MS = 86_400_000;
/** Symbols hardly change; one that did is seen after this, or at once when it was changed here. */
const NAMES_KEPT_MS = 5_000;
const NAMES_MAX = 50_000;
const REQUESTS_MAX = 200;

type Request = {
  views: Views;
  resolution: Resolution;
  keys: ViewVersion[];
  places: { view: number; position: number }[];
};

/** The newest features of some instruments, as they were brought into the store. */
export function createOnlineService(parts: {
  database: Database;
  clock: Clock;
  views: FeatureViewService;
  store: OnlineStore;
  samples: ServedSamples;
}) {
  const { database, clock, views, store, samples } = parts;
  const names = new Map<number, { at: number; ids: Map<number | string, number | null> }>();
  database.onCommit({
    async after(changes) {
      for (const { tenantId, subjectKind } of changes) if (subjectKind === 'instrument') names.delete(tenantId);
    },
  });
  /** Callers ask for the same features again and again. */
  const requests = new Map<string, Request>();

  async function findIds(principal: Principal, keys: readonly (number | string)[]): Promise<(number | null)[]> {
    const before = names.get(principal.tenantId);
    const isFresh =
      before !== undefined && performance.now() - before.at < NAMES_KEPT_MS && before.ids.size < NAMES_MAX;
    const kept = isFresh ? before : { at: performance.now(), ids: new Map<number | string, number | null>() };
    if (!isFresh) names.set(principal.tenantId, kept);
    const missing = new Set(keys.filter((key) => !kept.ids.has(key)));
    if (missing.size > 0) {
      const found = await database.transaction(principal, (tx) => findInstruments(tx, missing), { readOnly: true });
      for (const key of missing) kept.ids.set(key, found.get(key) ?? null);
    }
    return keys.map((key) => kept.ids.get(key) ?? null);
  }

  function prepare(principal: Principal, all: Views, features: readonly string[]): Request {
    const name = `${principal.tenantId} ${features.join(' ')}`;
    const before = requests.get(name);
    if (before?.views === all) return before;
    const { features: found, problems } = resolveFeatures(all, features);
    const resolution = { features: found.map((feature) => inSomeView(feature, all)), problems };
    const keys: ViewVersion[] = [];
    const places = resolution.features.map((feature) => {
      if (feature?.view == null) return { view: -1, position: 0 };
      if (!keys.includes(feature.view)) keys.push(feature.view);
      return { view: keys.indexOf(feature.view), position: feature.position };
    });
    const request = { views: all, resolution, keys, places };
    requests.delete(name);
    requests.set(name, request);
    if (requests.size > REQUESTS_MAX) requests.delete(requests.keys().next().value ?? '');
    return request;
  }

  return {
    kind: store.kind,

    /** Never throws for what it does not know: unknown features and instruments are told as missing, with the reason. */
    async read(
      principal: Principal,
      features: readonly string[],
      instruments: readonly (number | string)[],
    ): Promise<OnlineAnswer> {
      const { resolution, keys, places } = prepare(principal, await views.views(principal), features);
      const ids = await findIds(principal, instruments);
      const known = ids.filter((id) => id !== null);
      const viewKeys = keys.map(({ definition, version }) => ({ view: definition.name, version }));
      const isAsked = viewKeys.length > 0 && known.length > 0;
      const stored = isAsked ? await store.read(principal, viewKeys, known) : viewKeys.map(() => []);
      const now = clock.now();
      let next = 0;
      const entities = instruments.map((instrument, i): OnlineEntity => {
        const id = ids[i] ?? null;
        const place = id === null ? -1 : next++;
        const own = stored.map((row) => row[place] ?? null);
        const isOld = keys.map(({ definition }, k) => isExpired(own[k], definition.ttlDays, now));
        for (const [k, value] of own.entries())
          if (value !== null && id !== null)
            samples.note(principal, viewKeys[k]!.view, viewKeys[k]!.version, id, value);
        const reasons = places.map((place, column) =>
          resolution.features[column] === null
            ? 'unknown_feature'
            : id === null
              ? 'unknown_entity'
              : whyMissing(place, own, isOld),
        );
        const values = places.map(({ view, position }, column) =>
          reasons[column] === null ? (own[view]?.values[position] ?? null) : null,
        );
        return { instrument: String(instrument), instrumentId: id, values, reasons, stored: own };
      });
      return { store: store.kind, features: resolution.features, problems: resolution.problems, views: keys, entities };
    },
  };
}

function whyMissing(
  { view, position }: Request['places'][number],
  own: readonly (OnlineValue | null)[],
  isOld: readonly boolean[],
): ReasonCode | null {
  const value = own[view];
  if (value == null) return 'not_materialised';
  return isOld[view] ? 'expired' : reasonOfByte(value.reasons[position] ?? 0);
}

/** An output of the catalogue is served from the view of the program that holds it. */
function inSomeView(feature: ResolvedFeature | null, all: Views): ResolvedFeature | null {
  if (feature === null || feature.view !== null) return feature;
  for (const versions of all.values()) {
    const view = versions.at(-1);
    if (!view?.builtIn) continue;
    const position = view.definition.features.findIndex(({ name }) => name === feature.feature);
    if (position >= 0) return { ...feature, view, position };
  }
  return feature;
}

function isExpired(value: OnlineValue | null | undefined, ttlDays: number | null, now: number): boolean {
  return value != null && ttlDays !== null && now - value.knownAt > ttlDays * DAY_MS;
}
