import type { Hop, HopCode, Prediction, ServedBy } from '@touchstone/contracts/predictions';
import { dayNumber, dayText } from '@touchstone/quant/series/day';
import { createFeatureComputer, type SeriesService, type Subject } from '../../features/index.ts';
import type { ReadTime } from '../../market-data/index.ts';
import { createRecent, type Recent } from '../../platform/cache/recent.ts';
import type { Compute } from '../../platform/compute/compute.ts';
import type { Database, Principal } from '../../platform/database/database.ts';
import { found, ProblemError } from '../../platform/problem-error.ts';
import type { Registry, ResolvedVersion } from '../registry/registry.types.ts';
import { dueDayOf } from './due-day.ts';
import { createForecastInputReader, encodeInputs, type FeatureSet } from './forecast-inputs.ts';
import { forecastOf, TookTooLong } from './forecast-of.ts';
import { createIntervalLevels } from './interval-levels.ts';
import { createKnownNow, type KnownNow } from './known-now.ts';
import { makeForecast } from './make-forecast.ts';
import { findTold, keyText, type SaidKey, toPrediction } from './prediction.repository.ts';
import { seal, wayOf } from './seal.ts';
import { createSealLine } from './seal-line.ts';
import type { Candidate, PredictionQuestion, Step, Which } from './serving.types.ts';
import type { ServingWatch } from './serving-watch.ts';
import { createWarmForecasters, type Warm } from './warm-forecasters.ts';

export type ServingService = ReturnType<typeof createServingService>;

export type ServingParts = {
  database: Database;
  registry: Registry;
  series: SeriesService;
  compute: Compute;
  codeVersion: string;
  watch: ServingWatch;
};

/** Answers held in memory; the ones asked longest ago go first. */
const ANSWERS_MAX = 10_000;
/** Of one pass over the features of one subject, far above what it takes. */
const FEATURES_LIMIT_MS = 5_000;
/** Subjects of a batch computed beside each other. */
const BATCH_AT_ONCE = 16;
/** Fewer are read one by one. */
const PRELOAD_MIN = 4;
const NO_FEATURES: FeatureSet = { features: [], stepCount: 1 };
const CHAMPION = 'champion';

type Ready = { version: ResolvedVersion; warm: Warm };
const NOTHING_BEFORE: Step = {
  ...{ from: 'previous', version: null, code: 'nothing_before' },
  sentence: 'No version was champion before it.',
};

/** Why a candidate has no answer: the next one is asked. */
class Hops extends Error {
  readonly code: HopCode;
  constructor(code: HopCode, sentence: string) {
    super(sentence);
    this.code = code;
  }
}

/**
 * Forecasts that are written before they are answered. The champion is asked first; where it cannot answer, the champion
 * before it, then the simple rule, and in the end nobody: each step is told with its reason.
 */
export function createServingService(parts: ServingParts) {
  const { database, registry, series, codeVersion, watch } = parts;
  const computer = createFeatureComputer(parts.compute, { limitMs: FEATURES_LIMIT_MS });
  const readInputs = createForecastInputReader({ database, series, computer });
  const forecasters = createWarmForecasters(registry.readArtefact);
  const knownNow = createKnownNow(database);
  const levels = createIntervalLevels(database);
  const line = createSealLine(database);
  let answers: Recent<Prediction> = createRecent(ANSWERS_MAX);
  // An outcome that was joined belongs to the answer.
  const forget = ({ subjectKind }: { subjectKind: string }) => {
    if (subjectKind === 'prediction_outcome') answers = createRecent(ANSWERS_MAX);
  };
  database.onCommit({
    async after(changes) {
      changes.forEach(forget);
    },
  });
  database.elsewhere.listen({
    onChange: forget,
    onGap: () => {
      answers = createRecent(ANSWERS_MAX);
    },
  });

  async function candidatesOf(principal: Principal, model: string, { alias, version }: Which): Promise<Candidate[]> {
    if (version !== undefined)
      return [{ from: 'model', version: await registry.resolve(principal, model, { version }) }];
    if (alias !== undefined && alias !== CHAMPION)
      return [{ from: 'model', version: await registry.resolve(principal, model, { alias }) }];
    const { champion, previous } = await registry.servingChain(principal, model);
    if (champion === null)
      throw new ProblemError(
        'NOT_POSSIBLE_NOW',
        `${model} has no champion, so that nothing is served. Promote a version, or ask for one by its number.`,
      );
    const after: Candidate[] = previous === null ? [] : [{ from: 'previous', version: previous }];
    return [{ from: 'model', version: champion }, ...after];
  }

  /** Everything one answer rests on. */
  type Case = {
    principal: Principal;
    subject: Subject;
    time: ReadTime;
    alias: string | null;
    /** True for the champion: whoever asks for a version wants that one or none. */
    mayFallBack: boolean;
    candidates: Candidate[];
  };

  async function answer(one: Case): Promise<Prediction> {
    const steps: Step[] = [];
    const ready: Ready[] = [];
    for (const candidate of one.candidates) {
      const prediction = await askCandidate(one, candidate, steps, ready);
      if (prediction !== null) return prediction;
    }
    if (one.mayFallBack) {
      if (one.candidates.length === 1) steps.push(NOTHING_BEFORE);
      const [simplest] = ready;
      const prediction = simplest === undefined ? null : await ask(one, simplest, 'baseline', steps);
      if (prediction !== null) return prediction;
    }
    const { version } = one.candidates[0]!;
    return told(one, version, await forecasters.get(version), 'nobody', steps, steps[0] ?? null);
  }

  async function askCandidate(one: Case, { from, version }: Candidate, steps: Step[], ready: Ready[]) {
    const step = (code: HopCode, sentence: string) => {
      steps.push({ from, version: version.version, code, sentence });
      return null;
    };
    const warm = await forecasters.get(version);
    if (!warm.ok) return step(warm.code, warm.sentence);
    const late = expiryOf(version, one.time.asOf);
    // The rule beside it learnt from the same days and is as old.
    if (late !== null) return step('expired', late);
    ready.push({ version, warm });
    return ask(one, { version, warm }, from, steps);
  }

  /** Null: it could not, and the steps say why. */
  async function ask(one: Case, { version, warm }: Ready, from: Step['from'], steps: Step[]) {
    try {
      return await told(one, version, warm, from, steps, null);
    } catch (error) {
      if (!(error instanceof Hops)) throw error;
      const code = from === 'baseline' ? 'no_baseline' : error.code;
      steps.push({ from, version: version.version, code, sentence: error.message });
      return null;
    }
  }

  /** @throws Hops when who was asked cannot answer. */
  async function told(
    { principal, subject, time, alias }: Case,
    version: ResolvedVersion,
    warm: Warm,
    servedBy: ServedBy,
    steps: readonly Step[],
    abstain: { code: HopCode; sentence: string } | null,
  ): Promise<Prediction> {
    const hops = toHops(steps, servedBy);
    const key: SaidKey = {
      ...{ modelId: version.modelId, version: version.version, subjectKind: subject.kind, subjectId: subject.id },
      ...{ asOf: time.asOf, knownAt: time.knownAt, recordedAt: time.recordedAt, waySha256: wayOf(servedBy, hops) },
    };
    // A private index is its maker's alone, and so is what is said of it.
    const who = subject.kind === 'index' ? `${principal.tenantId} ${principal.actorId}` : `${principal.tenantId}`;
    let isFresh = false;
    const prediction = await answers.get(`${who} ${keyText(key)}`, async () => {
      isFresh = true;
      return makeAnswer(principal, { subject, time, alias }, version, warm, servedBy, hops, abstain, key);
    });
    return isFresh ? prediction : { ...prediction, alias, fromStore: true, modelMilliseconds: null };
  }

  async function makeAnswer(
    principal: Principal,
    { subject, time, alias }: Pick<Case, 'subject' | 'time' | 'alias'>,
    version: ResolvedVersion,
    warm: Warm,
    servedBy: ServedBy,
    hops: Hop[],
    abstain: { code: HopCode; sentence: string } | null,
    key: SaidKey,
  ): Promise<Prediction> {
    const said = await database.transaction(principal, (tx) => findTold(tx, key), { readOnly: true });
    if (said !== undefined) return toPrediction(said);
    const set: FeatureSet = warm.ok ? warm.forecaster : NO_FEATURES;
    const inputs = await readInputs.read(principal, subject, time, set, warm.ok ? warm.featureKey : '');
    const name = inputs.subject.symbol ?? inputs.subject.name;
    if (inputs.eventDay === null)
      throw new ProblemError(
        'NOT_ENOUGH_HISTORY',
        `No bar of ${name} is known by then, so that there is nothing to go by.`,
      );
    if (servedBy !== 'nobody' && inputs.failure !== null) throw new Hops(inputs.failure.code, inputs.failure.sentence);

    const { manifest } = version;
    const level = warm.ok ? await levels.find(principal, version, subject, inputs) : null;
    const {
      forecast,
      explanation,
      milliseconds: modelMilliseconds,
    } = await tryToMake(warm.ok ? warm.forecaster : null, {
      ...{ servedBy, unit: manifest.unit, values: inputs.values, level, abstain },
    });
    const { abstained } = forecast;
    const cannot = abstained !== null && abstained.code !== 'not_sure_enough' && servedBy !== 'nobody';
    if (cannot) throw new Hops(abstained.code, abstained.sentence);

    const encoded = encodeInputs(set, inputs.values);
    const body = {
      ...{ format: 'prediction/1' as const, model: version.model, version: version.version },
      ...{ manifestSha256: version.manifestSha256, artefactSha256: version.artefactSha256, servedBy },
      subject: { kind: subject.kind, id: subject.id },
      time: { asOf: time.asOf, knownAt: time.knownAt, recordedAt: time.recordedAt },
      eventDay: dayText(inputs.eventDay),
      dueDay: dueDayOf(inputs.calendar, inputs.eventDay, manifest.horizonDays),
      ...{ target: manifest.target, horizonDays: manifest.horizonDays, level, hops },
      ...{ inputSha256: encoded.sha256, dataSha256: inputs.dataSha256, featureSha256: manifest.featureSha256 },
      ...{ codeVersion, seed: manifest.seed, forecast },
    };
    const sealed = seal(body, explanation);
    const { stored, isOld } = await line.write(principal, {
      ...{ key, servedBy, alias, reconstructed: time.reconstructed, body: { ...body, explanationSha256: '' } },
      ...{ text: sealed.body, explanation: sealed.explanation, sha256: sealed.sha256, input: encoded },
    });
    await watch.note(principal, version, { servedBy, hops, forecast, milliseconds: modelMilliseconds });
    const prediction = toPrediction({ stored, subject: inputs.subject, outcome: null });
    return isOld ? prediction : { ...prediction, fromStore: false, modelMilliseconds };
  }

  async function prepare(principal: Principal, model: string, question: Omit<PredictionQuestion, 'subject'>) {
    const candidates = await candidatesOf(principal, model, question);
    const known = knownNow(principal);
    const time = await known.time(question);
    const alias = question.version === undefined ? (question.alias ?? CHAMPION) : null;
    return { known, base: { principal, time, alias, candidates, mayFallBack: alias === CHAMPION } };
  }

  /** Histories of a batch are read together. What cannot be read is told with the subject that it is of. */
  async function preload(
    { principal, time, candidates }: Pick<Case, 'principal' | 'time' | 'candidates'>,
    known: KnownNow,
    subjects: readonly PredictionQuestion['subject'][],
  ): Promise<void> {
    const { version } = candidates[0]!;
    const warm = await forecasters.get(version);
    if (!warm.ok || subjects.length < PRELOAD_MIN || expiryOf(version, time.asOf) !== null) return;
    const found = await Promise.all(
      subjects.filter(({ kind }) => kind === 'instrument').map((asked) => known.find(asked).catch(() => undefined)),
    );
    const ids = found.flatMap((subject) => subject?.id ?? []);
    await readInputs.preload(principal, ids, time, warm.forecaster, warm.featureKey);
  }

  return {
    /** @throws NOT_FOUND, NOT_POSSIBLE_NOW without a champion, NOT_ENOUGH_HISTORY without a bar, INVALID_REQUEST. */
    async predict(principal: Principal, model: string, question: PredictionQuestion): Promise<Prediction> {
      const { known, base } = await prepare(principal, model, question);
      const subject = found(await known.find(question.subject), missing(question.subject));
      return answer({ ...base, subject });
    },

    /** In the order asked. What is wrong with one is told with it. @throws NOT_FOUND for the model, NOT_POSSIBLE_NOW */
    async predictMany(
      principal: Principal,
      model: string,
      {
        subjects,
        ...question
      }: Omit<PredictionQuestion, 'subject'> & { subjects: readonly PredictionQuestion['subject'][] },
      onDone: (done: number) => void = () => {},
    ) {
      const { known, base } = await prepare(principal, model, question);
      type Item = { prediction: Prediction | null; problem: { code: string; detail: string } | null };
      const items: Item[] = new Array(subjects.length);
      await preload(base, known, subjects);
      let next = 0;
      let done = 0;
      const work = async () => {
        for (let i = next++; i < subjects.length; i = next++) {
          try {
            const subject = found(await known.find(subjects[i]!), missing(subjects[i]!));
            items[i] = { prediction: await answer({ ...base, subject }), problem: null };
          } catch (error) {
            items[i] = { prediction: null, problem: problemOf(error) };
          }
          onDone(++done);
        }
      };
      await Promise.all(Array.from({ length: Math.min(BATCH_AT_ONCE, subjects.length) }, work));
      return { items };
    },
  };
}

/** What was asked in vain, by its name. */
function missing({ kind, id, symbol }: PredictionQuestion['subject']): string {
  return `There is no ${kind} ${symbol ?? id}.`;
}

function problemOf(error: unknown): { code: string; detail: string } {
  if (error instanceof ProblemError) return { code: error.code, detail: error.message };
  return { code: 'UNEXPECTED', detail: error instanceof Error ? error.message : String(error) };
}

/** Null: it may still answer about that day. */
export function expiryOf({ model, version, manifest }: ResolvedVersion, asOf: string): string | null {
  const age = dayNumber(asOf) - dayNumber(manifest.trainedUntil);
  if (age <= manifest.expiresAfterDays) return null;
  return `Version ${version} of ${model} learnt until ${manifest.trainedUntil} and answers for ${manifest.expiresAfterDays} days; ${asOf} is ${age} days later.`;
}

async function tryToMake(...given: Parameters<typeof makeForecast>): ReturnType<typeof forecastOf> {
  try {
    return await forecastOf(...given);
  } catch (error) {
    // A model that throws must not take the answer with it: the next one is asked.
    const sentence = `It failed: ${error instanceof Error ? error.message : String(error)}`;
    if (given[1].servedBy !== 'nobody')
      throw new Hops(error instanceof TookTooLong ? 'took_too_long' : 'failed', sentence);
    return makeForecast(null, { ...given[1], abstain: given[1].abstain ?? { code: 'failed', sentence } });
  }
}

function toHops(steps: readonly Step[], servedBy: ServedBy): Hop[] {
  return steps.map(({ from, version, code, sentence }, i): Hop => {
    const next = steps[i + 1]?.from ?? servedBy;
    return { from, version, to: next === 'model' ? 'nobody' : next, code, sentence };
  });
}
