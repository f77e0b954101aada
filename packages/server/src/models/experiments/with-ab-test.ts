import type { Prediction } from '@touchstone/contracts/predictions';
import type { Principal } from '../../platform/database/database.ts';
import type { ServingService } from '../serving/serving.service.ts';
import type { PredictionQuestion } from '../serving/serving.types.ts';
import type { AbTestService } from './ab-test.service.ts';

export type Predict = Pick<ServingService, 'predict'>['predict'];

/**
 * Answers through the running A/B test of a model, where there is one and the caller left the choice to us: the assigned version
 * is returned, the other one answers unseen, and both are on record before the outcome.
 *
 * What the other one does never harms the answer: it is asked afterwards, and when it fails that is logged. Where the assigned
 * version cannot answer, the champion does, with its fallbacks. Whoever names a version or an alias gets that one.
 */
export function withAbTest(
  serving: Pick<ServingService, 'predict'>,
  tests: Pick<AbTestService, 'assign'>,
  log: { warn(fields: object, text: string): void },
): { predict: Predict; settled(): Promise<void> } {
  const unseen = new Set<Promise<unknown>>();

  function askUnseen(principal: Principal, model: string, question: PredictionQuestion): void {
    const asked = serving
      .predict(principal, model, question)
      .catch((error: unknown) => log.warn({ err: error, model }, 'the other version of an A/B test did not answer'))
      .finally(() => unseen.delete(asked));
    unseen.add(asked);
  }

  return {
    async predict(principal, model, question): Promise<Prediction> {
      if (question.version !== undefined || question.alias !== undefined)
        return serving.predict(principal, model, question);
      const champion = await serving.predict(principal, model, question);
      const { subject, time } = champion;
      const assigned = await tests.assign(principal, model, subject, time.asOf);
      if (assigned === null) return champion;
      // The same times for all: a publication in between must not set them apart.
      const { reconstructed: _, ...times } = time;
      const same: PredictionQuestion = { ...times, subject: { kind: subject.kind, id: subject.id } };
      const isChampion = (version: number) => champion.servedBy === 'model' && champion.version === version;
      if (!isChampion(assigned.otherVersion)) askUnseen(principal, model, { ...same, version: assigned.otherVersion });
      if (isChampion(assigned.version)) return champion;
      const told = await serving.predict(principal, model, { ...same, version: assigned.version }).catch(() => null);
      return told === null || told.servedBy === 'nobody' ? champion : told;
    },
    /** When everything asked unseen has answered; for tests and before closing. */
    async settled() {
      await Promise.all(unseen);
    },
  };
}
