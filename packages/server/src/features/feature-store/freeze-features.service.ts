import { dayNumber } from '@touchstone/quant/series/day';
import type { Database, Principal } from '../../platform/database/database.ts';
import { appendEvidence } from '../../platform/evidence/evidence.ts';
import { type BundleTable, writeBundle } from '../../platform/object-store/bundle.ts';
import type { ObjectStore } from '../../platform/object-store/object-store.ts';
import type { TaskContext, TaskInput, Tasks } from '../../platform/tasks/tasks.ts';
import { insertMissingDataset } from '../dataset/dataset.repository.ts';
import type { FeatureViewService } from '../feature-view/feature-view.service.ts';
import type { Historical, HistoricalService, ResolveUniverseBars, Spine } from './historical.service.ts';

export const FREEZE_FEATURES_TASK = 'features.historical.freeze';

export type FreezeFeaturesService = ReturnType<typeof createFreezeFeaturesService>;

/** Freezes features of the past as a dataset under the hash of its content: the same question gives the same bytes. */
export function createFreezeFeaturesService(parts: {
  database: Database;
  objects: ObjectStore;
  tasks: Tasks;
  views: FeatureViewService;
  historical: HistoricalService;
  universeBars: ResolveUniverseBars;
}) {
  const { database, objects, tasks, views, historical, universeBars } = parts;
  tasks.register(FREEZE_FEATURES_TASK, run);

  async function run(input: TaskInput, { principal, signal, progress }: TaskContext): Promise<Record<string, unknown>> {
    const spine: Spine = JSON.parse(JSON.stringify(input));
    const answer = await historical.read(principal, spine, { signal, onProgress: progress });
    progress(0.92, 'Write the dataset');
    const bundle = await writeBundle(objects, aboutOf(spine, answer), { features: toTable(spine, answer) });
    const asOf =
      answer.rows
        .map((row) => row.asOf)
        .sort()
        .at(-1) ?? answer.recordedAt.slice(0, 10);
    const knownAt = new Date(Math.max(0, ...answer.rows.map((row) => row.knownAt ?? 0))).toISOString();
    const query = {
      ...spine,
      rows: undefined,
      rowCount: answer.rows.length,
      dataSha256: answer.dataSha256,
      codeVersion: views.codeVersion,
    };
    await database.transaction(principal, async (tx) => {
      const time = { asOf, knownAt, recordedAt: answer.recordedAt, reconstructed: answer.reconstructed };
      await insertMissingDataset(tx, 'features', query, bundle, time);
      await appendEvidence(tx, {
        ...{ kind: 'dataset.frozen', subjectKind: 'dataset', subjectId: bundle.sha256 },
        body: { rowCount: answer.rows.length, featureCount: spine.features.length, parts: bundle.parts },
      });
    });
    return {
      ...{ datasetSha256: bundle.sha256, byteCount: bundle.byteCount, rowCount: answer.rows.length },
      ...{ featureCount: spine.features.length, problems: [...answer.problems, ...answer.failures].slice(0, 50) },
    };
  }

  return {
    run,
    /** @throws NOT_FOUND for the universe. */
    start: (principal: Principal, spine: Spine) =>
      database.transaction(principal, async (tx) => {
        const about =
          spine.universe === undefined ? '' : ` of ${(await universeBars(tx, spine.universe.universeId)).name}`;
        const title = `Freeze ${spine.features.length} features${about}`;
        return tasks.start(tx, { kind: FREEZE_FEATURES_TASK, title, input: { ...spine } });
      }),
  };
}

/** What the dataset is about: the question, as others read it from a manifest, and what each column is computed by. */
function aboutOf(spine: Spine, { rows, features, recordedAt, dataSha256 }: Historical): Record<string, unknown> {
  const days = rows.map(({ asOf }) => asOf).sort();
  const ids = [...new Set(rows.flatMap(({ instrumentId }) => instrumentId ?? []))].sort((a, b) => a - b);
  return {
    question: {
      ...{
        kind: 'features',
        sourceId: null,
        priceBasis: 'total_return',
        calendar: '',
        currency: null,
        benchmark: null,
      },
      instruments: ids.map((id) => ({ id })),
      // A value rests on all bars before it.
      ...{ from: null, to: days.at(-1) ?? null },
      universe: spine.universe ?? null,
      features: features.map((feature, i) => ({
        feature: spine.features[i],
        view: feature?.view?.definition.name ?? null,
        version: feature?.view?.version ?? null,
        definitionSha256: feature?.definitionSha256 ?? null,
      })),
      dataSha256,
    },
    time: { asOf: days.at(-1) ?? recordedAt.slice(0, 10), knownAt: recordedAt, recordedAt },
  };
}

/** Keys first, then a column for each feature; missing values are NaN, missing days and instruments −1. */
function toTable(spine: Spine, { rows, values }: Historical): BundleTable {
  const width = spine.features.length;
  const columns: BundleTable['columns'] = {
    instrument: { type: 'int32', values: Int32Array.from(rows, ({ instrumentId }) => instrumentId ?? -1) },
    day: { type: 'date', values: Int32Array.from(rows, ({ asOf }) => dayNumber(asOf)) },
    known_at_ms: { type: 'float64', values: Float64Array.from(rows, ({ knownAt }) => knownAt ?? Number.NaN) },
    event_day: { type: 'date', values: Int32Array.from(rows, ({ eventDay }) => eventDay ?? -1) },
  };
  for (const [column, feature] of spine.features.entries())
    columns[feature] = { type: 'float64', values: Float64Array.from(rows, (_, row) => values[row * width + column]!) };
  return { rowCount: rows.length, columns };
}
