import { createHash } from 'node:crypto';
import { dayNumber } from '@touchstone/quant/series/day';
import { firstKnownOf, type History, loadHistories, resolveTime } from '../../market-data/index.ts';
import type { Database, Principal, Transaction } from '../../platform/database/database.ts';
import { ProblemError } from '../../platform/problem-error.ts';
import type { FeatureComputer } from '../feature-compute/feature-computer.ts';
import type { FeatureJob } from '../feature-compute/features.worker.ts';
import { reasonByte } from '../feature-compute/reasons.ts';
import type { FeatureViewService } from '../feature-view/feature-view.service.ts';
import { type FeatureRun, planRuns } from './plan-runs.ts';
import { findPushed, type PushedRow } from './push.repository.ts';
import { type ResolvedFeature, resolveFeatures, type UnknownFeature } from './resolve-features.ts';

/** What is asked: rows, or all bars of a universe in a period. */
export type Spine = {
  rows?: readonly { instrument: number | string; asOf: string; knownAt?: string | undefined }[] | undefined;
  universe?: { universeId: number; from: string; to: string; everyDays: number } | undefined;
  features: readonly string[];
  recordedAt?: string | undefined;
};

export type HistoricalRow = {
  /** As it was asked for. */
  instrument: string;
  instrumentId: number | null;
  asOf: string;
  /** EpochMs; null: nothing was known. */
  knownAt: number | null;
  /** Day number of the last bar it rests on. */
  eventDay: number | null;
  /** Bars known by then. */
  barCount: number;
};

/** Features of many rows, each as it could be known at the row's own moment. */
export type Historical = {
  recordedAt: string;
  reconstructed: boolean;
  dataSha256: string;
  features: (ResolvedFeature | null)[];
  problems: UnknownFeature[];
  rows: HistoricalRow[];
  /** Row-major, a row for each row, a column for each feature asked for; NaN: see reasons. */
  values: Float64Array;
  /** Bytes of `REASON_CODES`; 0 where there is a value. */
  reasons: Uint8Array;
  /** What features said that failed. */
  failures: UnknownFeature[];
};

export type HistoricalOptions = {
  signal?: AbortSignal;
  onProgress?: (fraction: number, note: string) => void;
  /** Refused beyond this. */
  valuesMax?: number;
};

export type ResolveUniverseBars = (
  tx: Transaction,
  universeId: number,
) => Promise<{ name: string; sourceId: number; instrumentIds: readonly number[] }>;

export type HistoricalService = ReturnType<typeof createHistoricalService>;

/** Of one read: histories of more instruments would not fit beside each other. */
const INSTRUMENTS_AT_ONCE = 64;
/** Values a thread gives back at once: 16 MB. */
const VALUES_A_CALL = 2_000_000;
/** Calls on their way beside each other; more than threads, so that none waits for the next. */
const CALLS_AT_ONCE = 4;
const ROWS_MAX = 200_000;

/** Features as they could be known: the one way in which values are computed, for training and for serving alike. */
export function createHistoricalService(
  database: Database,
  views: FeatureViewService,
  computer: FeatureComputer,
  universeBars: ResolveUniverseBars,
) {
  const options = { readOnly: true, isolation: 'repeatable read' } as const;

  return {
    /**
     * @throws NOT_FOUND for the universe, TOO_LARGE, INVALID_REQUEST when it says neither rows nor a universe. Unknown
     * features and instruments are no problem: their values are missing, with the reason.
     */
    async read(principal: Principal, spine: Spine, settings: HistoricalOptions = {}): Promise<Historical> {
      const { features, problems } = resolveFeatures(await views.views(principal), spine.features);
      const width = features.length;
      const time = await database.transaction(
        principal,
        (tx) => resolveTime(tx, { recordedAt: spine.recordedAt }),
        options,
      );
      const asked = await database.transaction(principal, (tx) => toRows(tx, spine, universeBars), options);
      const valuesMax = settings.valuesMax ?? Number.POSITIVE_INFINITY;
      if (asked.universe === undefined) checkSize(asked.rows.length, width, valuesMax);
      const byInstrument = Map.groupBy(asked.rows.keys(), (row) => asked.rows[row]!.instrumentId);
      const ids = [...byInstrument.keys()].filter((id) => id !== null).sort((a, b) => a - b);
      const rows: HistoricalRow[] = [];
      const parts: Part[] = [];
      const hash = createHash('sha256');
      const failures = new Map<number, UnknownFeature>();
      for (let from = 0; from < ids.length; from += INSTRUMENTS_AT_ONCE) {
        const some = ids.slice(from, from + INSTRUMENTS_AT_ONCE);
        settings.signal?.throwIfAborted();
        const { histories, pushed } = await database.transaction(
          principal,
          async (tx) => ({
            // Of each instrument the source that published last, for training and for serving alike.
            histories: await loadHistories(tx, { instrumentIds: some, to: asked.to, recordedAt: time.recordedAt }),
            pushed: await findPushed(tx, pushedViews(features), some),
          }),
          options,
        );
        for (const id of some) addToHash(hash, histories.get(id), id);
        const planned = some.map((id) => planInstrument(asked, byInstrument.get(id)!, histories.get(id)));
        for (const { rows: told, runs } of planned) {
          parts.push({ first: rows.length, runs });
          rows.push(...told);
        }
        checkSize(rows.length, width, valuesMax);
        parts.at(-1)!.pushed = pushed;
        settings.onProgress?.(
          (0.3 * (from + some.length)) / ids.length,
          `Read ${from + some.length} of ${ids.length} instruments`,
        );
      }
      const strangers = byInstrument.get(null) ?? [];
      const known = rows.length;
      for (const row of strangers) {
        const { instrument, asOf } = asked.rows[row]!;
        rows.push({ instrument, instrumentId: null, asOf, knownAt: null, eventDay: null, barCount: 0 });
      }
      checkSize(rows.length, width, valuesMax);
      const values = new Float64Array(rows.length * width).fill(Number.NaN);
      const reasons = new Uint8Array(rows.length * width);
      fillReasons(rows, known, features, reasons);
      await computeParts(parts, features, values, reasons, failures, computer, settings);
      fillPushed(parts, rows, features, values, reasons);
      const answer: Historical = {
        ...{ recordedAt: time.recordedAt, reconstructed: time.reconstructed, dataSha256: hash.digest('hex') },
        ...{ features, problems, rows, values, reasons, failures: [...failures.values()] },
      };
      return asked.isOrdered ? inOrder(answer, byInstrument, ids, strangers) : answer;
    },
  };
}

type AskedRow = { instrument: string; instrumentId: number | null; asOf: string; knownAt: string | undefined };
type Asked = {
  rows: AskedRow[];
  to: string;
  /** Of a universe: which of the bars are rows. */
  universe: Spine['universe'];
  /** Rows are given back in the order in which they were asked for. */
  isOrdered: boolean;
};

type Part = { first: number; runs: FeatureRun[]; pushed?: PushedRow[] };

async function toRows(tx: Transaction, spine: Spine, universeBars: ResolveUniverseBars): Promise<Asked> {
  const { rows, universe } = spine;
  if ((rows === undefined) === (universe === undefined))
    throw new ProblemError('INVALID_REQUEST', 'Ask either with rows or with a universe.');
  if (universe !== undefined) {
    const { instrumentIds } = await universeBars(tx, universe.universeId);
    const names = await findSymbols(tx, instrumentIds);
    const told = Array.from(names, ([instrumentId, instrument]) => ({
      ...{ instrument, instrumentId, asOf: universe.to, knownAt: undefined },
    }));
    return { rows: told, to: universe.to, universe, isOrdered: false };
  }
  const found = await findInstruments(tx, new Set((rows ?? []).map(({ instrument }) => instrument)));
  const told = (rows ?? []).map(({ instrument, asOf, knownAt }) => ({
    ...{ instrument: String(instrument), instrumentId: found.get(instrument) ?? null, asOf, knownAt },
  }));
  const to =
    told
      .map(({ asOf }) => asOf)
      .sort()
      .at(-1) ?? '0001-01-01';
  return { rows: told, to, universe: undefined, isOrdered: true };
}

async function findSymbols(tx: Transaction, ids: readonly number[]): Promise<Map<number, string>> {
  const rows = await tx.query
    .selectFrom('instrument')
    .select(['id', 'symbol'])
    .where('id', 'in', [-1, ...ids])
    .orderBy('symbol')
    .execute();
  return new Map(rows.map(({ id, symbol }) => [id, symbol]));
}

/** Instruments by number or symbol. The tenant's own come before those of the system. */
export async function findInstruments(
  tx: Transaction,
  keys: ReadonlySet<number | string>,
): Promise<Map<number | string, number>> {
  const symbols = [...keys].filter((key) => typeof key === 'string');
  // A number written as text is a number, where no symbol is called that.
  const written = symbols.filter((key) => /^\d{1,9}$/.test(key));
  const numbers = [...[...keys].filter((key) => typeof key === 'number'), ...written.map(Number)];
  const rows = await tx.query
    .selectFrom('instrument')
    .select(['id', 'symbol'])
    .where(({ eb, or }) => or([eb('id', 'in', [-1, ...numbers]), eb('symbol', 'in', ['', ...symbols])]))
    // The last one counts below.
    .orderBy('tenant_id')
    .execute();
  const found = new Map<number | string, number>();
  for (const { id } of rows) for (const key of [id, String(id)]) if (keys.has(key)) found.set(key, id);
  for (const { id, symbol } of rows) if (keys.has(symbol)) found.set(symbol, id);
  return found;
}

/** The rows of one instrument with their moments, and the passes that answer them. */
function planInstrument(asked: Asked, members: readonly number[], history: History | undefined) {
  const [first] = members;
  const wanted =
    asked.universe === undefined
      ? members.map((row) => asked.rows[row]!)
      : spineOf(asked, asked.rows[first!]!, history);
  const rows = wanted.map(({ instrument, instrumentId, asOf, knownAt }): HistoricalRow => {
    const known = history === undefined ? null : momentOf(history, asOf, knownAt);
    return { instrument, instrumentId, asOf, knownAt: known, eventDay: null, barCount: 0 };
  });
  if (history === undefined) return { rows, runs: [] };
  const told = [...rows.keys()].filter((row) => rows[row]!.knownAt !== null);
  const moments = told.map((row) => ({ asOf: dayNumber(rows[row]!.asOf), knownAt: rows[row]!.knownAt! }));
  const { runs, eventDays } = planRuns(history, moments);
  for (const [i, row] of told.entries()) rows[row]!.eventDay = eventDays[i]!;
  for (const run of runs)
    for (const member of run.rows) {
      member.row = told[member.row]!;
      rows[member.row]!.barCount = member.at + 1;
    }
  return { rows, runs };
}

/** Every bar of the period is a row, or every so many. */
function spineOf({ universe }: Asked, row: AskedRow, history: History | undefined): AskedRow[] {
  if (universe === undefined || history === undefined) return [];
  const { day } = history.tellings;
  const from = dayNumber(universe.from);
  const days = day.filter((value, i) => value >= from && value !== day[i - 1]);
  return Array.from(
    days.filter((_, i) => i % universe.everyDays === 0),
    (value) => ({ ...row, asOf: new Date(value * DAY_MS).toISOString().slice(0, 10) }),
  );
}
const DAY_MS = 86_400_000;

/** The moment a row is asked for; null: nobody could ask about that day then. */
function momentOf(history: History, asOf: string, knownAt: string | undefined): number | null {
  if (knownAt === undefined) return firstKnownOf(history, dayNumber(asOf));
  const moment = Date.parse(knownAt);
  return moment < Date.parse(`${asOf}T00:00:00Z`) ? null : moment;
}

function checkSize(rowCount: number, width: number, valuesMax: number): void {
  if (rowCount * width > valuesMax)
    throw new ProblemError(
      'TOO_LARGE',
      `${rowCount} rows of ${width} features are more than ${valuesMax} values. Freeze them as a dataset instead.`,
    );
  if (rowCount > ROWS_MAX)
    throw new ProblemError('TOO_LARGE', `At most ${ROWS_MAX} rows can be asked for at once, not ${rowCount}.`);
}

/** Reasons that are known before anything is computed. */
function fillReasons(
  rows: readonly HistoricalRow[],
  known: number,
  features: readonly (ResolvedFeature | null)[],
  reasons: Uint8Array,
): void {
  const width = features.length;
  for (const [row, { eventDay }] of rows.entries()) {
    const why = row >= known ? 'unknown_entity' : eventDay === null ? 'not_known_yet' : null;
    for (let column = 0; column < width; column++) {
      if (features[column] === null) reasons[row * width + column] = reasonByte('unknown_feature');
      else if (why !== null) reasons[row * width + column] = reasonByte(why);
    }
  }
}

/** Sends passes to threads, a few calls beside each other, and puts what comes back where it belongs. */
async function computeParts(
  parts: readonly Part[],
  features: readonly (ResolvedFeature | null)[],
  values: Float64Array,
  reasons: Uint8Array,
  failures: Map<number, UnknownFeature>,
  computer: FeatureComputer,
  { signal, onProgress }: HistoricalOptions,
): Promise<void> {
  const width = features.length;
  const columns = [...features.keys()].filter((column) => typeof features[column]?.expression === 'string');
  const expressions = columns.map((column) => features[column]?.expression ?? '');
  if (columns.length === 0) return;
  const calls = cutIntoCalls(parts, columns.length);
  let next = 0;
  let done = 0;
  const work = async () => {
    for (let call = calls[next++]; call !== undefined; call = calls[next++]) {
      const jobs = call.map(
        ({ run }): FeatureJob => ({ bars: run.bars, at: Int32Array.from(run.rows, ({ at }) => at) }),
      );
      const made = await computer.compute(expressions, jobs, signal);
      for (const [column, { code, sentence }] of made.failures) {
        const feature = features[columns[column]!]!.feature;
        failures.set(column, { feature, reason: { code, sentence }, suggestion: null });
      }
      for (const [job, { first, run }] of call.entries())
        for (const [i, { row }] of run.rows.entries())
          for (const [k, column] of columns.entries()) {
            values[(first + row) * width + column] = made.values[job]![i * columns.length + k]!;
            reasons[(first + row) * width + column] = made.reasons[job]![i * columns.length + k]!;
          }
      done++;
      onProgress?.(0.3 + (0.6 * done) / calls.length, `Computed ${done} of ${calls.length} parts`);
    }
  };
  await Promise.all(Array.from({ length: Math.min(CALLS_AT_ONCE, calls.length) }, work));
}

function cutIntoCalls(parts: readonly Part[], width: number): { first: number; run: FeatureRun }[][] {
  const calls: { first: number; run: FeatureRun }[][] = [];
  let size = Number.POSITIVE_INFINITY;
  for (const { first, runs } of parts)
    for (const run of runs) {
      // A pass costs what its bars cost, whatever few of its values are wanted.
      const more = width * Math.max(run.rows.length, run.bars.day.length / 8);
      if (size + more > VALUES_A_CALL) {
        calls.push([]);
        size = 0;
      }
      calls.at(-1)!.push({ first, run });
      size += more;
    }
  return calls;
}

function pushedViews(features: readonly (ResolvedFeature | null)[]): { viewId: number; version: number }[] {
  const found = new Map<string, { viewId: number; version: number }>();
  for (const feature of features)
    if (feature?.expression === null && feature.view?.id != null)
      found.set(`${feature.view.id} ${feature.view.version}`, {
        viewId: feature.view.id,
        version: feature.view.version,
      });
  return [...found.values()];
}

/** Of pushed values the newest counts that is about the day or earlier and had come by the row's moment. */
function fillPushed(
  parts: readonly Part[],
  rows: readonly HistoricalRow[],
  features: readonly (ResolvedFeature | null)[],
  values: Float64Array,
  reasons: Uint8Array,
): void {
  const columns = [...features.keys()].filter((column) => features[column]?.expression === null);
  if (columns.length === 0) return;
  const width = features.length;
  const pushed = Map.groupBy(
    parts.flatMap((part) => part.pushed ?? []),
    ({ viewId, version, instrumentId }) => `${viewId} ${version} ${instrumentId}`,
  );
  for (const [row, { instrumentId, asOf, knownAt }] of rows.entries()) {
    if (instrumentId === null) continue;
    const end = Date.parse(`${asOf}T00:00:00Z`) + DAY_MS;
    const moment = knownAt ?? end - 1;
    for (const column of columns) {
      const { view, position } = features[column]!;
      const told = pushed.get(`${view?.id} ${view?.version} ${instrumentId}`) ?? [];
      const last = told.findLast(({ eventAt, pushedAt }) => eventAt < end && pushedAt <= moment);
      const value = last?.values[position] ?? Number.NaN;
      values[row * width + column] = value;
      reasons[row * width + column] =
        last === undefined ? reasonByte('not_known_yet') : Number.isNaN(value) ? reasonByte('not_defined') : 0;
    }
  }
}

function addToHash(hash: ReturnType<typeof createHash>, history: History | undefined, id: number): void {
  hash.update(`${id}:${history?.tellings.day.length ?? 0}:${history?.delivered}\n`);
  if (history === undefined) return;
  for (const column of [...Object.values(history.tellings), history.suspectDays])
    hash.update(new Uint8Array(column.buffer, column.byteOffset, column.byteLength));
  hash.update(JSON.stringify(history.actions));
}

/** Rows were taken instrument by instrument; they are told in the order in which they were asked for. */
function inOrder(
  answer: Historical,
  byInstrument: ReadonlyMap<number | null, readonly number[]>,
  ids: readonly number[],
  strangers: readonly number[],
): Historical {
  const asked = [...ids.flatMap((id) => byInstrument.get(id)!), ...strangers];
  const width = answer.features.length;
  const rows: HistoricalRow[] = new Array(asked.length);
  const values = new Float64Array(answer.values.length);
  const reasons = new Uint8Array(answer.reasons.length);
  for (const [from, to] of asked.entries()) {
    rows[to] = answer.rows[from]!;
    values.set(answer.values.subarray(from * width, (from + 1) * width), to * width);
    reasons.set(answer.reasons.subarray(from * width, (from + 1) * width), to * width);
  }
  return { ...answer, rows, values, reasons };
}
