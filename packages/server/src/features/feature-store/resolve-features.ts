import type { Reason } from '@touchstone/contracts/market';
import { compileExpression } from '@touchstone/quant/expressions/compile-expression';
import { nearestName } from '@touchstone/quant/expressions/nearest-name';
import { CATALOGUE } from '../catalogue/catalogue.ts';
import type { Views } from '../feature-view/feature-view.service.ts';
import { hashOfFeature, type ViewVersion } from '../feature-view/feature-view.ts';

/** A feature somebody asked for, found. */
export type ResolvedFeature = {
  /** As it was asked for. */
  feature: string;
  /** Null: an output of the catalogue. */
  view: ViewVersion | null;
  /** Its position in the view. */
  position: number;
  /** Null: pushed from outside. */
  expression: string | null;
  definitionSha256: string;
  warmUp: number;
  unit: string | null;
};

export type UnknownFeature = { feature: string; reason: Reason; suggestion: string | null };
export type Resolution = {
  /** In the order asked; null: see `problems`. */
  features: (ResolvedFeature | null)[];
  problems: UnknownFeature[];
};

const REFERENCE = /^([a-z][a-z0-9_]*)(?:@v?(\d+))?:([a-z][a-z0-9_]*)$/;

/** Finds features by `view:feature`, `view@2:feature` or the name of an output of the catalogue. */
export function resolveFeatures(views: Views, wanted: readonly string[]): Resolution {
  const problems: UnknownFeature[] = [];
  const features = wanted.map((feature) => {
    const [, name, number, own] = REFERENCE.exec(feature) ?? [];
    const found = name === undefined ? ofCatalogue(feature) : ofView(views, feature, name, number, own ?? '');
    if (found === null) problems.push(unknown(views, feature));
    return found;
  });
  return { features, problems };
}

function ofCatalogue(feature: string): ResolvedFeature | null {
  if (CATALOGUE.findOutput(feature) === undefined) return null;
  return { feature, view: null, position: 0, expression: feature, ...traitsOf(feature, '') };
}

function ofView(
  views: Views,
  feature: string,
  name: string,
  number: string | undefined,
  own: string,
): ResolvedFeature | null {
  const versions = views.get(name);
  const view = number === undefined ? versions?.at(-1) : versions?.find(({ version }) => version === Number(number));
  if (view === undefined) return null;
  const position = view.definition.features.findIndex((candidate) => candidate.name === own);
  const found = view.definition.features[position];
  if (found === undefined) return null;
  return { feature, view, position, expression: found.expression, ...traitsOf(found.expression, view.sha256) };
}

type Traits = Pick<ResolvedFeature, 'definitionSha256' | 'warmUp' | 'unit'>;
/** Expressions are few and come again with every request. */
const known = new Map<string, Traits>();
const KNOWN_MAX = 10_000;

function traitsOf(expression: string | null, viewSha256: string): Traits {
  const key = expression ?? `pushed ${viewSha256}`;
  const before = known.get(key);
  if (before !== undefined) return before;
  const compiled = expression === null ? null : compileExpression(expression, CATALOGUE);
  const program = compiled?.ok ? compiled.expression : null;
  const traits: Traits = {
    definitionSha256: hashOfFeature(expression, viewSha256),
    warmUp: program?.warmUp ?? 0,
    unit: program?.unit ?? null,
  };
  if (known.size >= KNOWN_MAX) known.clear();
  known.set(key, traits);
  return traits;
}

function unknown(views: Views, feature: string): UnknownFeature {
  const near = nearestName(feature, allReferences(views));
  const meant = near === null ? '' : ` Did you mean ${near}?`;
  return {
    feature,
    reason: { code: 'unknown_feature', sentence: `There is no feature ${feature}.${meant}` },
    suggestion: near,
  };
}

function* allReferences(views: Views): Generator<string> {
  for (const [name, versions] of views)
    for (const feature of versions.at(-1)?.definition.features ?? []) yield `${name}:${feature.name}`;
  yield* CATALOGUE.outputNames;
}
