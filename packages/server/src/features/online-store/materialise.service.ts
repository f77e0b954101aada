import type { Materialisation } from '@touchstone/contracts/features';
import { dayNumber } from '@touchstone/quant/series/day';
import { sql } from 'kysely';
import { resolveTime } from '../../market-data/index.ts';
import type { Database, Principal, Transaction } from '../../platform/database/database.ts';
import { appendEvidence } from '../../platform/evidence/evidence.ts';
import { ProblemError } from '../../platform/problem-error.ts';
import type { TaskContext, TaskInput, Tasks } from '../../platform/tasks/tasks.ts';
import { findRunsSince, findTouched } from '../blast-radius/change.repository.ts';
import type { HistoricalService, ResolveUniverseBars } from '../feature-store/historical.service.ts';
import { type FeatureViewService, latestOf, VIEW_SUBJECT, type Views } from '../feature-view/feature-view.service.ts';
import type { ViewVersion } from '../feature-view/feature-view.ts';
import { writeValues } from './database-store.ts';
import type { OnlineStore, StoredRow, ViewKey } from './online-store.ts';
import { packValue } from './packed-value.ts';

export const MATERIALISE_TASK = 'features.online-store.materialise';

export type MaterialiseService = ReturnType<typeof createMaterialiseService>;

/** Written, and given to the store, at a time. */
const INSTRUMENTS_AT_ONCE = 16;
/** More publications than this since the last time, and everything is computed again. */
const RUNS_MAX = 500;

type Parts = {
  database: Database;
  tasks: Tasks;
  views: FeatureViewService;
  historical: HistoricalService;
  store: OnlineStore;
  universeBars: ResolveUniverseBars;
};

/** Where a version of a view stands for a universe. */
type State = ViewKey & { recordedAt: string; knownAt: string; complete: boolean; since: string | null; last: number };

/** Brings the newest values of views into the online store: only those of instruments that changed since the last time. */
export function createMaterialiseService({ database, tasks, views, historical, store, universeBars }: Parts) {
  tasks.register(MATERIALISE_TASK, run);

  function chosen(all: Views, names: readonly string[] | undefined): ViewVersion[] {
    const wanted = names ?? [...all.keys()];
    const found = wanted.map((name) => latestOf(all, name));
    return found.filter(({ definition }) => definition.source === 'bars');
  }

  async function run(input: TaskInput, context: TaskContext): Promise<Record<string, unknown>> {
    const { principal, signal, progress, taskId } = context;
    const { universeId, views: names, full } = readInput(input);
    const chosenViews = chosen(await views.views(principal), names);
    const { time, instrumentIds, states } = await database.transaction(principal, async (tx) => ({
      time: await resolveTime(tx, {}),
      instrumentIds: [...(await universeBars(tx, universeId)).instrumentIds].sort((a, b) => a - b),
      states: await findStates(tx, universeId),
    }));
    let computed = 0;
    const told: Record<string, unknown>[] = [];
    for (const [position, view] of chosenViews.entries()) {
      const key: ViewKey = { view: view.definition.name, version: view.version };
      const before = states.find((state) => state.view === key.view && state.version === key.version);
      // A run that was stopped goes on with the moment it began with, so that one view never mixes two.
      const going = before !== undefined && !before.complete && !full ? before : null;
      const moment = going ?? { recordedAt: time.recordedAt, knownAt: time.knownAt };
      const since = going === null ? (full ? null : (before?.recordedAt ?? null)) : going.since;
      const changed = await database.transaction(principal, (tx) =>
        findChanged(tx, key, instrumentIds, since, moment.recordedAt),
      );
      const left = changed.filter((id) => id > (going?.last ?? 0));
      const put = (tx: Transaction, last: number, complete: boolean) =>
        putState(
          tx,
          { ...key, ...moment, since, last, complete },
          { universeId, entityCount: instrumentIds.length, changedCount: changed.length, taskId },
        );
      await database.transaction(principal, (tx) => put(tx, going?.last ?? 0, false));
      for (let from = 0; from < left.length; from += INSTRUMENTS_AT_ONCE) {
        signal.throwIfAborted();
        const some = left.slice(from, from + INSTRUMENTS_AT_ONCE);
        const rows = await computeRows(principal, view, some, moment, signal);
        await database.transaction(principal, async (tx) => {
          await writeValues(tx, key, rows);
          await put(tx, some.at(-1)!, false);
        });
        await store.keep(principal, key, rows);
        computed += rows.length;
        const part = (from + some.length) / left.length;
        progress(
          (position + part) / chosenViews.length,
          `${key.view}: ${from + some.length} of ${left.length} instruments`,
        );
      }
      told.push({
        view: key.view,
        version: key.version,
        changedCount: changed.length,
        entityCount: instrumentIds.length,
      });
      await database.transaction(principal, async (tx) => {
        await put(tx, 0, true);
        await appendEvidence(tx, {
          kind: 'features.materialised',
          subjectKind: VIEW_SUBJECT,
          subjectId: view.id ?? key.view,
          body: { version: key.version, universeId, recordedAt: moment.recordedAt, changedCount: changed.length },
        });
      });
    }
    return { views: told, computedCount: computed, recordedAt: time.recordedAt, knownAt: time.knownAt };
  }

  /** The same values that a reading of the past at this moment gives: they are computed by it. */
  async function computeRows(
    principal: Principal,
    { definition, version }: ViewVersion,
    instrumentIds: readonly number[],
    { recordedAt, knownAt }: { recordedAt: string; knownAt: string },
    signal: AbortSignal,
  ): Promise<StoredRow[]> {
    const asOf = knownAt.slice(0, 10);
    const answer = await historical.read(
      principal,
      {
        rows: instrumentIds.map((instrument) => ({ instrument, asOf, knownAt })),
        features: definition.features.map(({ name }) => `${definition.name}@${version}:${name}`),
        recordedAt,
      },
      { signal },
    );
    const width = definition.features.length;
    return answer.rows.flatMap((row, i) => {
      if (row.instrumentId === null) return [];
      // Bars may have been taken back: that nothing is known any more takes the place of what was.
      const eventDay = row.eventDay ?? dayNumber(asOf);
      const packed = packValue({
        ...{ version, eventDay, knownAt: Date.parse(knownAt), recordedAt: Date.parse(recordedAt) },
        values: answer.values.subarray(i * width, (i + 1) * width),
        reasons: answer.reasons.subarray(i * width, (i + 1) * width),
      });
      return [{ instrumentId: row.instrumentId, packed }];
    });
  }

  return {
    /** @throws NOT_FOUND for the universe or a view. */
    async start(principal: Principal, input: { universeId: number; views?: string[] | undefined; full: boolean }) {
      chosen(await views.views(principal), input.views);
      return database.transaction(principal, async (tx) => {
        const { name } = await universeBars(tx, input.universeId);
        return tasks.start(tx, { kind: MATERIALISE_TASK, title: `Materialise features of ${name}`, input });
      });
    },

    /** Checks what a schedule is given. @throws NOT_FOUND, INVALID_REQUEST */
    async checkInput(tx: Transaction, input: TaskInput): Promise<TaskInput> {
      const given = readInput(input);
      await universeBars(tx, given.universeId);
      const all = await views.views(tx.principal);
      for (const name of given.views ?? []) latestOf(all, name);
      return { universeId: given.universeId, ...(given.views === undefined ? {} : { views: given.views }) };
    },

    /** What the online store holds of each version, by `view version`. */
    latestByView: (principal: Principal) => database.transaction(principal, findLatest, { readOnly: true }),

    list: (principal: Principal): Promise<Materialisation[]> =>
      database.transaction(principal, listStates, { readOnly: true }),
  };
}

function readInput(input: TaskInput): { universeId: number; views: string[] | undefined; full: boolean } {
  const { universeId, views, full } = input;
  const isNames = Array.isArray(views) && views.every((name) => typeof name === 'string');
  if (typeof universeId !== 'number' || !(views === undefined || isNames))
    throw new ProblemError('INVALID_REQUEST', 'The input of this kind must be { universeId, views? }.');
  return { universeId, views: isNames ? views : undefined, full: full === true };
}

/** Instruments with rows that came or went since a moment, and those without a value; all when it began before all. */
async function findChanged(
  tx: Transaction,
  key: ViewKey,
  instrumentIds: readonly number[],
  since: string | null,
  until: string,
): Promise<number[]> {
  if (since === null) return [...instrumentIds];
  const runs = await findRunsSince(tx, since, RUNS_MAX);
  if (runs.length === RUNS_MAX) return [...instrumentIds];
  const touched = new Set<number>();
  for (const run of runs) {
    if (run.publishedAt > until && run.retractedAt === null) continue;
    for (const { instrumentId } of (await findTouched(tx, run)).rows) touched.add(instrumentId);
  }
  const { rows } = await sql<{ id: number }>`
    SELECT instrument_id AS id FROM online.feature_value
    WHERE tenant_id = ${tx.principal.tenantId} AND view = ${key.view} AND view_version = ${key.version}`.execute(
    tx.query,
  );
  const stored = new Set(rows.map(({ id }) => id));
  return instrumentIds.filter((id) => touched.has(id) || !stored.has(id));
}

async function findStates(tx: Transaction, universeId: number): Promise<State[]> {
  const { rows } = await sql<State>`
    SELECT view, view_version AS version, recorded_at AS "recordedAt", known_at AS "knownAt", complete, since,
      last_instrument_id AS last
    FROM online.materialisation WHERE tenant_id = ${tx.principal.tenantId} AND universe_id = ${universeId}`.execute(
    tx.query,
  );
  return rows;
}

async function putState(
  tx: Transaction,
  state: State,
  about: { universeId: number; entityCount: number; changedCount: number; taskId: number },
): Promise<void> {
  await sql`
    INSERT INTO online.materialisation (tenant_id, view, view_version, universe_id, recorded_at, known_at, entity_count,
      changed_count, complete, since, last_instrument_id, task_id, updated_at)
    VALUES (${tx.principal.tenantId}, ${state.view}, ${state.version}, ${about.universeId}, ${state.recordedAt},
      ${state.knownAt}, ${about.entityCount}, ${about.changedCount}, ${state.complete}, ${state.since}, ${state.last},
      ${about.taskId}, clock_timestamp())
    ON CONFLICT (tenant_id, view, view_version, universe_id) DO UPDATE SET recorded_at = excluded.recorded_at,
      known_at = excluded.known_at, entity_count = excluded.entity_count, changed_count = excluded.changed_count,
      complete = excluded.complete, since = excluded.since, last_instrument_id = excluded.last_instrument_id,
      task_id = excluded.task_id, updated_at = excluded.updated_at`.execute(tx.query);
}

type Latest = {
  entityCount: number;
  latestDay: string | null;
  latestKnownAt: string | null;
  finishedAt: string | null;
};

async function findLatest(tx: Transaction): Promise<Map<string, Latest>> {
  const { rows } = await sql<Latest & { key: string }>`
    SELECT v.view || ' ' || v.view_version AS key, count(*)::int AS "entityCount", max(v.event_day) AS "latestDay",
      max(v.known_at) AS "latestKnownAt", (
        SELECT max(m.updated_at) FROM online.materialisation m
        WHERE m.tenant_id = v.tenant_id AND m.view = v.view AND m.view_version = v.view_version AND m.complete
      ) AS "finishedAt"
    FROM online.feature_value v WHERE v.tenant_id = ${tx.principal.tenantId} GROUP BY v.tenant_id, v.view, v.view_version`.execute(
    tx.query,
  );
  return new Map(rows.map(({ key, ...latest }) => [key, latest]));
}

async function listStates(tx: Transaction): Promise<Materialisation[]> {
  const { rows } = await sql<Materialisation & { taskId: string | number | null }>`
    SELECT view, view_version AS version, universe_id AS "universeId", recorded_at AS "recordedAt", known_at AS "knownAt",
      entity_count AS "entityCount", changed_count AS "changedCount", complete, task_id AS "taskId",
      updated_at AS "updatedAt"
    FROM online.materialisation WHERE tenant_id = ${tx.principal.tenantId}
    ORDER BY updated_at DESC, view LIMIT 500`.execute(tx.query);
  return rows.map((row) => ({ ...row, taskId: row.taskId === null ? null : Number(row.taskId) }));
}
