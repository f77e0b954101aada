import type { SkewCheck } from '@touchstone/contracts/features';
import { dayText } from '@touchstone/quant/series/day';
import { raiseAlert, resolveAlert } from '../../platform/alerts/alerts.ts';
import type { Database, Principal, Transaction } from '../../platform/database/database.ts';
import { appendEvidence } from '../../platform/evidence/evidence.ts';
import type { TaskContext, TaskInput, Tasks } from '../../platform/tasks/tasks.ts';
import type { HistoricalService } from '../feature-store/historical.service.ts';
import { type FeatureViewService, VIEW_SUBJECT, type Views } from '../feature-view/feature-view.service.ts';
import { type OnlineValue, unpackValue } from '../online-store/packed-value.ts';
import {
  countSamples,
  findSamples,
  forgetSamples,
  type ServedSample,
  type ServedSamples,
} from '../online-store/served-samples.ts';

export const SKEW_TASK = 'features.skew.check';

export type SkewService = ReturnType<typeof createSkewService>;

const EXAMPLES_MAX = 20;
const CHECKS_MAX = 30;

type Sample = ServedSample & { value: OnlineValue };
type Example = SkewCheck['examples'][number];

/** Holds what the online store served against what follows from the facts as known at that moment, bit for bit. */
export function createSkewService(parts: {
  database: Database;
  tasks: Tasks;
  views: FeatureViewService;
  historical: HistoricalService;
  samples: ServedSamples;
}) {
  const { database, tasks, views, historical, samples } = parts;
  tasks.register(SKEW_TASK, run);

  async function run(
    _input: TaskInput,
    { principal, signal, progress }: TaskContext,
  ): Promise<Record<string, unknown>> {
    await samples.flush();
    const waiting = await database.transaction(principal, findSamples);
    const all = await views.views(principal);
    const known = waiting.flatMap((sample) => {
      const value = unpackValue(sample.packed);
      return value !== null && isComputed(all, sample) ? [{ ...sample, value }] : [];
    });
    const figures = {
      sampleCount: known.length,
      valueCount: 0,
      mismatchCount: 0,
      outdatedCount: waiting.length - known.length,
    };
    const examples: Example[] = [];
    const groups = Map.groupBy(known, ({ view, version, value }) => `${view}@${version} ${value.recordedAt}`);
    let done = 0;
    for (const members of groups.values()) {
      await compare(principal, all, members, figures, examples, signal);
      progress(++done / groups.size, `Computed ${done} of ${groups.size} groups again`);
    }
    await database.transaction(principal, async (tx) => {
      const last = waiting.at(-1);
      if (last !== undefined) await forgetSamples(tx, last.id);
      await insertCheck(tx, figures, examples);
      await tell(tx, figures, examples);
      await appendEvidence(tx, {
        ...{ kind: 'features.skew-checked', subjectKind: VIEW_SUBJECT, subjectId: 'all' },
        body: { ...figures },
      });
    });
    return figures;
  }

  async function compare(
    principal: Principal,
    all: Views,
    members: readonly Sample[],
    figures: { valueCount: number; mismatchCount: number },
    examples: Example[],
    signal: AbortSignal,
  ): Promise<void> {
    const { view, version, value: first } = members[0]!;
    const { features } = all.get(view)!.find((candidate) => candidate.version === version)!.definition;
    const references = features.map(({ name }) => `${view}@${version}:${name}`);
    const instant = (ms: number) => new Date(ms).toISOString();
    const answer = await historical.read(
      principal,
      {
        rows: members.map(({ instrumentId, value }) => ({
          ...{ instrument: instrumentId, asOf: instant(value.knownAt).slice(0, 10), knownAt: instant(value.knownAt) },
        })),
        features: references,
        recordedAt: instant(first.recordedAt),
      },
      { signal },
    );
    for (const [row, { value, instrumentId }] of members.entries())
      for (const [column, feature] of references.entries()) {
        const again = answer.values[row * references.length + column]!;
        const served = value.values[column]!;
        figures.valueCount++;
        if (Object.is(served, again)) continue;
        figures.mismatchCount++;
        if (examples.length >= EXAMPLES_MAX) continue;
        const times = { eventDay: dayText(value.eventDay), knownAt: instant(value.knownAt) };
        examples.push({ feature, instrumentId, ...times, served: orNull(served), recomputed: orNull(again) });
      }
  }

  return {
    start: (principal: Principal) =>
      database.transaction(principal, (tx) =>
        tasks.start(tx, { kind: SKEW_TASK, title: 'Check features that were served', input: {} }),
      ),

    read: (principal: Principal) =>
      database.transaction(
        principal,
        async (tx) => {
          const items = await findChecks(tx);
          return { waitingCount: await countSamples(tx), latest: items[0] ?? null, items };
        },
        { readOnly: true },
      ),
  };
}

function isComputed(all: Views, { view, version }: ServedSample): boolean {
  return all.get(view)?.find((candidate) => candidate.version === version)?.definition.source === 'bars';
}

function orNull(value: number): number | null {
  return Number.isNaN(value) ? null : value;
}

async function insertCheck(
  tx: Transaction,
  figures: Pick<SkewCheck, 'sampleCount' | 'valueCount' | 'mismatchCount' | 'outdatedCount'>,
  examples: readonly Example[],
): Promise<void> {
  await tx.query
    .insertInto('feature_skew_check')
    .values({
      tenant_id: tx.principal.tenantId,
      sample_count: figures.sampleCount,
      value_count: figures.valueCount,
      mismatch_count: figures.mismatchCount,
      outdated_count: figures.outdatedCount,
      examples: JSON.stringify(examples),
    })
    .execute();
}

/** A difference is an alert until a check finds none. */
async function tell(
  tx: Transaction,
  { valueCount, mismatchCount }: { valueCount: number; mismatchCount: number },
  [first]: readonly Example[],
): Promise<void> {
  const sameAs = 'features.skew';
  if (mismatchCount === 0) {
    await resolveAlert(tx, sameAs);
    return;
  }
  await raiseAlert(tx, {
    ...{ kind: 'features.skew', severity: 'critical', subjectKind: 'instrument', subjectId: first?.instrumentId ?? 0 },
    title: `${mismatchCount} of ${valueCount} served feature values do not follow from the facts`,
    detail:
      `The first is ${first?.feature} of instrument ${first?.instrumentId} on ${first?.eventDay}: ${first?.served} was ` +
      `served, ${first?.recomputed} follows from what was known. Materialise the view again in full, and look for a change ` +
      'of the program between the two.',
    sameAs,
  });
}

async function findChecks(tx: Transaction): Promise<SkewCheck[]> {
  const rows = await tx.query
    .selectFrom('feature_skew_check')
    .selectAll()
    .where('tenant_id', '=', tx.principal.tenantId)
    .orderBy('id', 'desc')
    .limit(CHECKS_MAX)
    .execute();
  return rows.map((row) => ({
    ...{ id: row.id, checkedAt: row.created_at, sampleCount: row.sample_count, valueCount: row.value_count },
    ...{ mismatchCount: row.mismatch_count, outdatedCount: row.outdated_count },
    examples: JSON.parse(JSON.stringify(row.examples)),
  }));
}
