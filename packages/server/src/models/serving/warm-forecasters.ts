import type { Forecaster } from '@touchstone/quant/learn/forecaster/forecaster';
import { loadForecaster } from '@touchstone/quant/learn/forecaster/save-forecaster';
import { ProblemError } from '../../platform/problem-error.ts';
import type { Registry, ResolvedVersion } from '../registry/registry.types.ts';

/** A forecaster ready to answer, or why there is none. */
export type Warm =
  | { ok: true; forecaster: Forecaster; featureKey: string }
  | { ok: false; code: 'artefact_damaged' | 'artefact_missing' | 'cannot_be_served'; sentence: string };

/** Forecasters of so many versions are held; the one used longest ago goes first. */
const HELD_MAX = 64;
/** A damaged artefact may be restored: it is looked at again after this. */
const FAILURE_KEPT_MS = 5_000;

/** Loads the forecaster of a version once in a process. Requests that began with an older one keep it to their end. */
export function createWarmForecasters(readArtefact: Registry['readArtefact']) {
  const held = new Map<string, { at: number; warm: Promise<Warm> }>();
  return {
    async get(version: ResolvedVersion): Promise<Warm> {
      const key = version.artefactSha256;
      const before = held.get(key);
      const now = performance.now();
      if (before !== undefined) {
        const warm = await before.warm;
        if (warm.ok || now - before.at < FAILURE_KEPT_MS) {
          held.delete(key);
          held.set(key, before);
          return warm;
        }
      }
      const warm = load(readArtefact, version);
      held.set(key, { at: now, warm });
      if (held.size > HELD_MAX) held.delete(held.keys().next().value ?? key);
      return warm;
    },
    heldCount: () => held.size,
  };
}

async function load(readArtefact: Registry['readArtefact'], version: ResolvedVersion): Promise<Warm> {
  const name = `version ${version.version} of ${version.model}`;
  if (version.manifest.format === 'mlflow')
    return {
      ...{ ok: false, code: 'cannot_be_served' },
      sentence: `The artefact of ${name} is of the format ${version.manifest.format}, which is kept and not served.`,
    };
  try {
    const forecaster = loadForecaster(await readArtefact(version.artefactSha256));
    const expressions = forecaster.features.map(({ expression }) => expression);
    return { ok: true, forecaster, featureKey: `${forecaster.stepCount} ${expressions.join(' ; ')}` };
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    const isGone = error instanceof ProblemError && /missing|gone|not there/i.test(said);
    return {
      ...{ ok: false, code: isGone ? 'artefact_missing' : 'artefact_damaged' },
      sentence: `The artefact of ${name} cannot be read: ${said}`,
    };
  }
}
