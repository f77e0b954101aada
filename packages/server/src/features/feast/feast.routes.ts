import { feastGetOnlineFeatures, feastPush } from '@touchstone/contracts/feast';
import type { Serve } from '../../platform/http/serve.ts';
import { ProblemError } from '../../platform/problem-error.ts';
import { type FeatureViewService, latestOf } from '../feature-view/feature-view.service.ts';
import type { OnlineEntity, OnlineService } from '../online-store/online.service.ts';
import type { PushService } from './push.service.ts';

const INSTRUMENT = 'instrument';
/** What Feast says of a value that has no time. */
const NO_TIME = '1970-01-01T00:00:00Z';

/** The wire of Feast's Python feature server: what its clients ask, answered as it would. */
export function registerFeastRoutes(
  serve: Serve,
  views: FeatureViewService,
  online: OnlineService,
  push: PushService,
): void {
  serve(feastGetOnlineFeatures, async ({ caller, body }) => {
    const { entities, full_feature_names: isFull } = body;
    const [instruments] = Object.values(entities);
    if (Object.keys(entities).join() !== INSTRUMENT || instruments === undefined)
      throw new ProblemError('INVALID_REQUEST', `The one join key here is "${INSTRUMENT}".`);
    const named = body.feature_service;
    const features = named == null ? (body.features ?? []) : await allOf(named);
    if (features.length === 0) throw new ProblemError('INVALID_REQUEST', 'Ask for features or for a feature_service.');
    // Feast gives an answer for an entity without a key as well: nothing was found.
    const keys = instruments.map((key) => key ?? '');
    const answer = await online.read(caller, features, keys);
    const [problem] = answer.problems;
    if (problem !== undefined) throw new ProblemError('NOT_FOUND', problem.reason.sentence);
    const nameOf = (feature: string) => {
      const [view = '', own = view] = feature.split(':');
      return isFull && own !== view ? `${view.replace(/@.*$/, '')}__${own}` : own;
    };
    return {
      metadata: {
        feature_names: [INSTRUMENT, ...features.map(nameOf)],
        ...(body.include_feature_view_version_metadata
          ? {
              feature_view_metadata: answer.views.map(({ definition, version }) => ({
                name: definition.name,
                version,
              })),
            }
          : {}),
      },
      results: [
        {
          values: [...instruments],
          statuses: instruments.map(() => 'PRESENT' as const),
          event_timestamps: instruments.map(() => NO_TIME),
        },
        ...features.map((_, column) => ({
          values: answer.entities.map(({ values }) => values[column] ?? null),
          statuses: answer.entities.map(({ reasons }) => statusOf(reasons[column] ?? null)),
          event_timestamps: answer.entities.map((entity) => timeOf(entity, answer, column)),
        })),
      ],
    };

    async function allOf(name: string): Promise<string[]> {
      const { definition } = latestOf(await views.views(caller), name);
      return definition.features.map((feature) => `${definition.name}:${feature.name}`);
    }
  });

  serve(feastPush, async ({ caller, body }) => {
    await push.push(caller, body.push_source_name, body.df);
    return {};
  });
}

function statusOf(reason: OnlineEntity['reasons'][number]) {
  if (reason === null) return 'PRESENT';
  if (reason === 'expired') return 'OUTSIDE_MAX_AGE';
  return reason === 'unknown_entity' || reason === 'not_materialised' ? 'NOT_FOUND' : 'NULL_VALUE';
}

/** When the values were known: that is what a time to live counts from. */
function timeOf(
  { stored }: OnlineEntity,
  { views, features }: Awaited<ReturnType<OnlineService['read']>>,
  column: number,
): string {
  const view = features[column]?.view;
  const value = view == null ? null : stored[views.indexOf(view)];
  // Whole seconds are written without a fraction, as protobuf does.
  return value == null ? NO_TIME : new Date(value.knownAt).toISOString().replace('.000Z', 'Z');
}
