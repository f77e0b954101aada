import type { Prediction } from '@touchstone/contracts/predictions';
import type { Principal } from '../../platform/database/database.ts';
import type { ServingService } from '../serving/serving.service.ts';
import type { PredictionQuestion } from '../serving/serving.types.ts';
import type { AbTestService, AssignedArm } from './ab-test.service.ts';

export type Answering = Pick<ServingService, 'predict' | 'predictMany'>;

/**
 * Answers through the running A/B test of a model, where there is one and the caller left the choice to us: the assigned version
 * is returned, the other one answers unseen, and both are on record before the outcome.
 *
 * What the other one does never harms an answer: a single question is answered first, and a failure is logged. Where the
 * assigned version cannot answer, the champion does, with its fallbacks. Whoever names a version or an alias gets that one.
 */
export function withAbTest(
  serving: Answering,
  tests: Pick<AbTestService, 'assign'>,
  log: { warn(fields: object, text: string): void },
): Answering & { settled(): Promise<void> } {
  const unseen = new Set<Promise<unknown>>();

  function askUnseen(principal: Principal, model: string, question: PredictionQuestion): void {
    const asked = serving
      .predict(principal, model, question)
      .catch((error: unknown) => log.warn({ err: error, model }, 'the other version of an A/B test did not answer'))
      .finally(() => unseen.delete(asked));
    unseen.add(asked);
  }

  /** Who was assigned to each place, and which places are still to be asked of which version; null: no test runs. */
  async function planOf(principal: Principal, model: string, items: readonly { prediction: Prediction | null }[]) {
    const assigned = new Map<number, AssignedArm>();
    const missing = new Map<number, number[]>();
    for (const [place, { prediction }] of items.entries()) {
      if (prediction === null) continue;
      const arm = await tests.assign(principal, model, prediction.subject, prediction.time.asOf);
      if (arm === null) return null;
      assigned.set(place, arm);
      for (const version of [arm.version, arm.otherVersion])
        if (!isBy(prediction, version)) missing.set(version, [...(missing.get(version) ?? []), place]);
    }
    return { assigned, missing };
  }

  return {
    async predict(principal, model, question) {
      const champion = await serving.predict(principal, model, question);
      if (isNamed(question)) return champion;
      const assigned = await tests.assign(principal, model, champion.subject, champion.time.asOf);
      if (assigned === null) return champion;
      const same = sameQuestion(champion);
      if (!isBy(champion, assigned.otherVersion))
        askUnseen(principal, model, { ...same, version: assigned.otherVersion });
      if (isBy(champion, assigned.version)) return champion;
      const told = await serving.predict(principal, model, { ...same, version: assigned.version }).catch(() => null);
      return preferred(champion, told);
    },

    async predictMany(principal, model, question, onDone) {
      const { items } = await serving.predictMany(principal, model, question, onDone);
      if (isNamed(question)) return { items };
      const plan = await planOf(principal, model, items);
      if (plan === null) return { items };
      const told = items.map((item) => item);
      for (const [version, places] of plan.missing) {
        const { subject: _, ...times } = sameQuestion(items[places[0]!]!.prediction!);
        const subjects = places.map((place) => sameQuestion(items[place]!.prediction!).subject);
        const answers = await serving.predictMany(principal, model, { ...times, subjects, version });
        for (const [k, place] of places.entries()) {
          if (plan.assigned.get(place)!.version !== version) continue;
          const champion = items[place]!.prediction!;
          told[place] = { prediction: preferred(champion, answers.items[k]!.prediction), problem: null };
        }
      }
      return { items: told };
    },

    /** When everything asked unseen has answered; for tests and before closing. */
    async settled() {
      await Promise.all(unseen);
    },
  };
}

function isNamed({ version, alias }: { version?: number | undefined; alias?: string | undefined }): boolean {
  return version !== undefined || alias !== undefined;
}

function isBy(prediction: Prediction, version: number): boolean {
  return prediction.servedBy === 'model' && prediction.version === version;
}

/** At the same times: a publication in between must not set two answers apart. */
function sameQuestion({ subject, time }: Prediction): PredictionQuestion {
  const { asOf, knownAt, recordedAt } = time;
  return { asOf, knownAt, recordedAt, subject: { kind: subject.kind, id: subject.id } };
}

function preferred(champion: Prediction, told: Prediction | null): Prediction {
  return told === null || told.servedBy === 'nobody' ? champion : told;
}
