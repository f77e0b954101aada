import type { CatalogueEntry, FeatureView, FeatureViewBody } from '@touchstone/contracts/features';
import {
  changeFeatureView,
  checkFeatureView,
  createFeatureView,
  deleteFeatureView,
  getFeatureCatalogue,
  getFeatureView,
  listFeatureViews,
} from '@touchstone/contracts/features';
import { EXPRESSION_FUNCTIONS } from '@touchstone/quant/expressions/compile-expression';
import type { Caller, Serve } from '../../platform/http/serve.ts';
import { found } from '../../platform/problem-error.ts';
import { ALL_INDICATORS } from '../catalogue/catalogue.ts';
import { type FeatureViewService, latestOf, type Views } from '../feature-view/feature-view.service.ts';
import type { ViewDefinition, ViewVersion } from '../feature-view/feature-view.ts';
import type { MaterialiseService } from '../online-store/materialise.service.ts';

/** The catalogue, and views: those of the program and the caller's own. */
export function registerFeatureViewRoutes(
  serve: Serve,
  views: FeatureViewService,
  materialise: Pick<MaterialiseService, 'latestByView'>,
): void {
  serve(getFeatureCatalogue, async ({ query }) => {
    const badges = await views.catalogueBadges();
    const items = ALL_INDICATORS.map(
      (indicator, i): CatalogueEntry => ({
        ...{ name: indicator.name, title: indicator.title, family: indicator.family, unit: indicator.unit },
        ...{ inputs: [...indicator.inputs], outputs: [...indicator.outputs], parameters: indicator.parameters },
        ...{ warmUp: indicator.warmUp, reference: indicator.reference },
        memory: {
          kind: indicator.memory.kind,
          settle: indicator.memory.kind === 'recursive' ? indicator.memory.settle : null,
        },
        badges: badges[i]!,
      }),
    );
    return {
      codeVersion: views.codeVersion,
      items: items.filter(({ family }) => query.family === undefined || family === query.family),
      functions: [...EXPRESSION_FUNCTIONS],
    };
  });

  serve(listFeatureViews, async ({ caller }) => {
    const all = await views.views(caller);
    const online = await materialise.latestByView(caller);
    const items: (Omit<FeatureView, 'features'> & Listed)[] = [];
    for (const versions of all.values()) {
      const latest = versions.at(-1)!;
      const { features, ...told } = await tell(latest, all);
      items.push({
        ...told,
        featureNames: features.map(({ name }) => name),
        checksPassed: features.every(({ badges }) => badges === null || (badges.canary.passed && badges.warmUp.passed)),
        materialised: online.get(`${latest.definition.name} ${latest.version}`) ?? null,
      });
    }
    return { items };
  });

  serve(getFeatureView, async ({ caller, params, query }) => {
    const all = await views.views(caller);
    const wanted =
      query.version === undefined
        ? latestOf(all, params.view)
        : all.get(params.view)?.find(({ version }) => version === query.version);
    return tell(found(wanted, `There is no version ${query.version} of ${params.view}.`), all);
  });

  serve(checkFeatureView, ({ body }) => views.check(toDefinition(body)));
  serve(createFeatureView, async ({ caller, body }) =>
    tellSaved(caller, await views.create(caller, toDefinition(body))),
  );
  serve(changeFeatureView, async ({ caller, params, body }) => {
    const { features, description, owner, ttlDays, version } = body;
    const change = {
      ...(description === undefined ? {} : { description }),
      ...(owner === undefined ? {} : { owner }),
      ...(ttlDays === undefined ? {} : { ttlDays }),
      ...(features === undefined ? {} : { features: features.map(toFeature) }),
    };
    return tellSaved(caller, await views.change(caller, params.view, { ...change, version }));
  });
  serve(deleteFeatureView, async ({ caller, params }) => {
    await views.remove(caller, params.view);
    return undefined;
  });

  async function tellSaved(caller: Caller, view: ViewVersion): Promise<FeatureView> {
    return tell(view, await views.views(caller));
  }

  async function tell(view: ViewVersion, all: Views): Promise<FeatureView> {
    const { definition, version, sha256, builtIn, codeVersion, createdAt, createdBy } = view;
    const { features: _features, ...about } = definition;
    const latestVersion = latestOf(all, definition.name).version;
    const features = await views.checksOf(view);
    return {
      ...about,
      version,
      latestVersion,
      builtIn,
      sha256,
      features,
      codeVersion,
      createdAt,
      createdBy,
      deletedAt: null,
    };
  }
}

type Listed = {
  featureNames: string[];
  checksPassed: boolean;
  materialised: {
    entityCount: number;
    latestDay: string | null;
    latestKnownAt: string | null;
    finishedAt: string | null;
  } | null;
};

function toDefinition(body: FeatureViewBody): ViewDefinition {
  return { ...body, features: body.features.map(toFeature) };
}

function toFeature({ name, expression }: FeatureViewBody['features'][number]) {
  return { name, expression: expression ?? null };
}
