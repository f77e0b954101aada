import * as contract from '@touchstone/contracts/predictions';
import type { Database } from '../../platform/database/database.ts';
import { decodeCursor, toPage } from '../../platform/http/cursor.ts';
import type { Serve } from '../../platform/http/serve.ts';
import { found, ProblemError } from '../../platform/problem-error.ts';
import type { CalibrationService } from './calibration.service.ts';
import type { OutcomeTasks } from './outcomes.task.ts';
import type { UniversePredictions } from './predict-universe.task.ts';
import { findExplanation, findPrediction, listPredictionsPage, toPrediction } from './prediction.repository.ts';
import type { ReplayService } from './replay.service.ts';
import type { ServingService } from './serving.service.ts';

export type ServingRouteParts = {
  database: Database;
  serving: ServingService;
  replay: ReplayService;
  calibration: CalibrationService;
  outcomes: OutcomeTasks;
  universes: UniversePredictions;
};

export function registerServingRoutes(serve: Serve, parts: ServingRouteParts): void {
  const { database, serving, replay, calibration, outcomes, universes } = parts;
  serve(contract.postPrediction, ({ caller, params, body }) => {
    const { subject, symbol, ...question } = body;
    if ((subject === undefined) === (symbol === undefined))
      throw new ProblemError('INVALID_REQUEST', 'Name the subject either as subject or as symbol, one of the two.');
    return serving.predict(caller, params.model, {
      ...question,
      subject: subject ?? { kind: 'instrument', symbol: symbol ?? '' },
    });
  });
  serve(contract.postPredictions, ({ caller, params, body }) => serving.predictMany(caller, params.model, body));
  serve(contract.startUniversePredictions, async ({ caller, params, body }) => ({
    task: await universes.start(caller, { model: params.model, ...body }),
  }));
  serve(contract.joinOutcomes, async ({ caller }) => ({ task: await outcomes.start(caller) }));
  serve(contract.listPredictions, ({ caller, query }) =>
    database.transaction(
      caller,
      async (tx) => {
        const { cursor, limit, ...filter } = query;
        const [text] = decodeCursor(cursor, ['string']) ?? [];
        const before = text === undefined ? undefined : numberOf(String(text));
        const rows = await listPredictionsPage(tx, filter, { before, limit: limit + 1 });
        return toPage(rows.map(toPrediction), limit, ({ predictionId }) => [String(predictionId)]);
      },
      { readOnly: true },
    ),
  );
  serve(contract.getPrediction, ({ caller, params: { predictionId } }) =>
    database.transaction(
      caller,
      async (tx) => toPrediction(found(await findPrediction(tx, predictionId), noPrediction(predictionId))),
      { readOnly: true },
    ),
  );
  serve(contract.getPredictionExplanation, ({ caller, params: { predictionId } }) =>
    database.transaction(
      caller,
      async (tx) => {
        found(await findPrediction(tx, predictionId), noPrediction(predictionId));
        const { explanation, sealedSha256 } = found(
          await findExplanation(tx, predictionId),
          noPrediction(predictionId),
        );
        return { ...explanation, predictionId, sealSha256: sealedSha256 };
      },
      { readOnly: true },
    ),
  );
  serve(contract.replayPrediction, ({ caller, params }) => replay.replay(caller, params.predictionId));
  serve(contract.getCalibration, ({ caller, params, query }) => calibration.read(caller, params.model, query));
}

function noPrediction(id: number): string {
  return `There is no prediction ${id}.`;
}

/** Numbers of predictions outgrow what a cursor of numbers holds. */
function numberOf(text: string): number {
  if (!/^\d{1,15}$/.test(text))
    throw new ProblemError('INVALID_REQUEST', 'This cursor is not one of ours. Start again without it.');
  return Number(text);
}
