import { createHash } from 'node:crypto';
import { type Artefact, readArtefact, writeArtefact } from '@touchstone/quant/learn/artefact';
import type { ForecastFeature } from '@touchstone/quant/learn/forecaster/forecaster';
import type { FeatureComputer, NamedSubject, Series, SeriesService, Subject } from '../../features/index.ts';
import { findPriceSource, type ReadTime } from '../../market-data/index.ts';
import { createRecent } from '../../platform/cache/recent.ts';
import type { Database, Principal, Transaction } from '../../platform/database/database.ts';

/** The days of features one forecast reads, and where they come from. */
export type ForecastInputs = {
  subject: NamedSubject;
  time: ReadTime;
  /** Day number of the last bar; null: no bar is known by then. */
  eventDay: number | null;
  barCount: number;
  /** Of the source the bars come from; null: it tells none. */
  calendar: string | null;
  /** Hash of the bars. */
  dataSha256: string;
  /** stepCount × features, oldest day first; NaN where missing. */
  values: Float64Array;
  /** What features said that could not be computed; null: all could. */
  failure: { code: 'failed' | 'took_too_long'; sentence: string } | null;
};

export type FeatureSet = { features: readonly ForecastFeature[]; stepCount: number };

/** Windows of some hundred numbers: 20,000 of them are some 60 MB. */
const KEPT_MAX = 20_000;
const CALENDAR_KEPT_MS = 60_000;
/** Histories read beside each other: after a publication everybody asks anew, and those answered from the store must not wait. */
const READS_AT_ONCE = 4;
/** Histories of a batch read together: a few megabytes. */
const PRELOAD = 32;
export const INPUT_KIND = 'prediction-input/1';

/**
 * Reads features of a subject as known then, by the path training uses: the bars of the series, the expressions of the
 * forecaster. The same times give the same values for ever, so that they are kept.
 */
export function createForecastInputReader({
  database,
  series,
  computer,
}: {
  database: Database;
  series: SeriesService;
  computer: FeatureComputer;
}) {
  const kept = createRecent<ForecastInputs>(KEPT_MAX);
  const gate = createGate(READS_AT_ONCE);
  const calendars = new Map<string, { at: number; calendar: Promise<string | null> }>();

  /** The calendar of a subject hardly changes; one that did is seen a minute later. */
  function calendarOf(principal: Principal, subject: Subject, time: ReadTime): Promise<string | null> {
    const key = `${principal.tenantId} ${subject.kind} ${subject.id}`;
    const known = calendars.get(key);
    if (known !== undefined && performance.now() - known.at < CALENDAR_KEPT_MS) return known.calendar;
    if (calendars.size >= KEPT_MAX) calendars.clear();
    const calendar = database.transaction(principal, (tx) => findCalendar(tx, subject, time), { readOnly: true });
    calendars.set(key, { at: performance.now(), calendar });
    calendar.catch(() => calendars.delete(key));
    return calendar;
  }

  /** The last days of features of each series, in their order. */
  async function compute(known: readonly Series[], { features, stepCount }: FeatureSet) {
    const width = features.length;
    // Days before the first bar stay missing.
    const jobs = known.map(({ bars }) => {
      const told = Math.min(stepCount, bars.day.length);
      return { bars, at: Int32Array.from({ length: told }, (_, i) => bars.day.length - told + i) };
    });
    const expressions = features.map(({ expression }) => expression);
    const made = width === 0 ? null : await computer.compute(expressions, jobs);
    const [failure = null] = made?.failures.values() ?? [];
    const values = jobs.map(({ at }, k) => {
      const window = new Float64Array(stepCount * width).fill(Number.NaN);
      if (made !== null) window.set(made.values[k]!, (stepCount - at.length) * width);
      return window;
    });
    return { values, failure };
  }

  async function complete(
    principal: Principal,
    time: ReadTime,
    known: Series,
    made: { values: Float64Array; failure: ForecastInputs['failure'] },
  ): Promise<ForecastInputs> {
    const { subject, bars, dataSha256 } = known;
    const barCount = bars.day.length;
    const calendar = await calendarOf(principal, subject, time);
    const eventDay = barCount === 0 ? null : bars.day[barCount - 1]!;
    const inputs = { subject, time, barCount, calendar, dataSha256, eventDay, ...made };
    // What failed now may succeed later: it is answered, and not kept.
    if (made.failure !== null) throw new FailedInputs(inputs);
    return inputs;
  }

  async function read(
    principal: Principal,
    subject: Subject,
    time: ReadTime,
    set: FeatureSet,
  ): Promise<ForecastInputs> {
    const known = await series.read(principal, subject, time);
    const { values, failure } = await compute([known], set);
    return complete(principal, time, known, { values: values[0]!, failure });
  }

  return {
    /** @throws NOT_FOUND */
    async read(
      principal: Principal,
      subject: Subject,
      time: ReadTime,
      set: FeatureSet,
      setKey: string,
    ): Promise<ForecastInputs> {
      try {
        const key = keyOf(principal, subject, time, setKey);
        const inputs = await kept.get(key, () => gate(() => read(principal, subject, time, set)));
        return { ...inputs, time };
      } catch (error) {
        if (error instanceof FailedInputs) return error.inputs;
        throw error;
      }
    },

    /**
     * Reads many instruments with a few statements, so that `read` finds them. What is wrong with one is told by `read`.
     *
     * @param instrumentIds That exist.
     */
    async preload(
      principal: Principal,
      instrumentIds: readonly number[],
      time: ReadTime,
      set: FeatureSet,
      setKey: string,
    ): Promise<void> {
      const missing: { id: number; resolve(inputs: Promise<ForecastInputs>): void }[] = [];
      for (const id of new Set(instrumentIds))
        kept
          .get(
            keyOf(principal, { kind: 'instrument', id }, time, setKey),
            () => new Promise((resolve) => missing.push({ id, resolve })),
          )
          .catch(() => {});
      for (let from = 0; from < missing.length; from += PRELOAD) {
        const part = missing.slice(from, from + PRELOAD);
        const ids = part.map(({ id }) => id);
        try {
          const { series: known } = await series.readMany(principal, ids, time);
          const { values, failure } = await compute(known, set);
          for (const [k, { resolve }] of part.entries())
            resolve(complete(principal, time, known[k]!, { values: values[k]!, failure }));
        } catch {
          for (const { id, resolve } of part) resolve(read(principal, { kind: 'instrument', id }, time, set));
        }
      }
    },
  };
}

class FailedInputs extends Error {
  readonly inputs: ForecastInputs;
  constructor(inputs: ForecastInputs) {
    super(inputs.failure?.sentence ?? 'the inputs failed');
    this.inputs = inputs;
  }
}

function keyOf(principal: Principal, { kind, id }: Subject, { asOf, knownAt, recordedAt }: ReadTime, setKey: string) {
  // A private index is its maker's alone.
  const who = kind === 'index' ? `${principal.tenantId}/${principal.actorId}` : principal.tenantId;
  return `${who} ${kind} ${id} ${asOf} ${knownAt} ${recordedAt} ${setKey}`;
}

async function findCalendar(tx: Transaction, subject: Subject, { recordedAt }: ReadTime): Promise<string | null> {
  if (subject.kind !== 'instrument') return null;
  const source = await findPriceSource(tx, subject.id, recordedAt);
  if (source === undefined) return null;
  const row = await tx.query.selectFrom('source').select('calendar').where('id', '=', source.id).executeTakeFirst();
  return row?.calendar ?? null;
}

/** Lets so many run at once; the others wait in line. */
function createGate(countMax: number) {
  let running = 0;
  const waiting: (() => void)[] = [];
  return async <T>(work: () => Promise<T>): Promise<T> => {
    if (running >= countMax) await new Promise<void>((resolve) => waiting.push(resolve));
    running += 1;
    try {
      return await work();
    } finally {
      running -= 1;
      waiting.shift()?.();
    }
  };
}

/** The inputs as they are kept, to the byte. */
export function encodeInputs(set: FeatureSet, values: Float64Array): { content: Buffer; sha256: string } {
  const artefact: Artefact = {
    kind: INPUT_KIND,
    meta: { features: set.features.map(({ name, expression }) => ({ name, expression })), stepCount: set.stepCount },
    arrays: { values },
  };
  const content = Buffer.from(writeArtefact(artefact));
  return { content, sha256: createHash('sha256').update(content).digest('hex') };
}

/** @throws RangeError for bytes that are damaged or something else. */
export function decodeInputs(content: Uint8Array): Float64Array {
  const { values } = readArtefact(content, INPUT_KIND).arrays;
  if (!(values instanceof Float64Array)) throw new RangeError('these inputs hold no values');
  return values;
}
