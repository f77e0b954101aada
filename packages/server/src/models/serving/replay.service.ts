import type { Forecaster } from '@touchstone/quant/learn/forecaster/forecaster';
import { loadForecaster } from '@touchstone/quant/learn/forecaster/save-forecaster';
import { createRecent } from '../../platform/cache/recent.ts';
import type { Database, Principal } from '../../platform/database/database.ts';
import { canonicalJson } from '../../platform/evidence/canonical-json.ts';
import { found } from '../../platform/problem-error.ts';
import type { Registry } from '../registry/registry.types.ts';
import { decodeInputs } from './forecast-inputs.ts';
import { forecastOf } from './forecast-of.ts';
import { findExplanation, findInput, findPrediction } from './prediction.repository.ts';
import { type SealedBody, seal, sha256Of } from './seal.ts';

export type ReplayService = ReturnType<typeof createReplayService>;

export type Difference = { part: string; sealed: string; replayed: string };

const FORECASTERS_KEPT = 16;
const DIFFERENCES_MAX = 50;
const TEXT_MAX = 300;

/** Computes stored predictions again: from the bytes of their inputs and of their model, and from nothing else. */
export function createReplayService(parts: {
  database: Database;
  readArtefact: Registry['readArtefact'];
  codeVersion: string;
}) {
  const { database, readArtefact, codeVersion } = parts;
  const forecasters = createRecent<Forecaster>(FORECASTERS_KEPT);

  return {
    /** @throws NOT_FOUND */
    async replay(principal: Principal, predictionId: number) {
      const { stored, explanation, input } = await database.transaction(
        principal,
        async (tx) => {
          const sentence = `There is no prediction ${predictionId}.`;
          const told = found(await findPrediction(tx, predictionId), sentence);
          const explained = found(await findExplanation(tx, predictionId), sentence);
          return {
            stored: told.stored,
            explanation: explained,
            input: await findInput(tx, told.stored.body.inputSha256),
          };
        },
        { readOnly: true },
      );
      const { body } = stored;
      const base = { predictionId, sealedSha256: stored.sealedSha256 };
      const versions = { codeVersionThen: body.codeVersion, codeVersionNow: codeVersion };
      const differences = checkStored(stored.text, stored.sealedSha256, explanation.text, body, input);
      let replayedSha256: string | null = null;
      try {
        const again = await computeAgain(body, input);
        replayedSha256 = again.sha256;
        differences.push(...compare('', JSON.parse(stored.text), JSON.parse(again.body)));
        if (again.explanation !== explanation.text)
          differences.push(...compare('explanation', JSON.parse(explanation.text), JSON.parse(again.explanation)));
      } catch (error) {
        const said = error instanceof Error ? error.message : String(error);
        differences.push({
          part: 'model',
          sealed: body.artefactSha256,
          replayed: `cannot be read: ${said}`.slice(0, TEXT_MAX),
        });
      }
      const equal = differences.length === 0 && replayedSha256 === stored.sealedSha256;
      const sentence = equal
        ? 'The same inputs and the same model gave the same bytes.'
        : `It differs in ${
            differences
              .map(({ part }) => part)
              .slice(0, 3)
              .join(', ') || 'its hash'
          }.`;
      return {
        ...base,
        equal,
        replayedSha256,
        ...versions,
        differences: differences.slice(0, DIFFERENCES_MAX),
        sentence,
      };
    },
  };

  async function computeAgain(body: SealedBody, input: Buffer | undefined) {
    const { explanationSha256: _, forecast, ...rest } = body;
    const forecaster = await forecasterOf(body);
    const values = decodeInputs(found(input, `The inputs ${body.inputSha256.slice(0, 12)} are gone.`));
    const isReadable = forecaster !== null && values.length === forecaster.stepCount * forecaster.features.length;
    const made = await forecastOf(isReadable ? forecaster : null, {
      ...{ servedBy: body.servedBy, unit: forecast.unit, values, level: body.level },
      abstain: body.servedBy === 'nobody' ? forecast.abstained : null,
    });
    return seal({ ...rest, forecast: made.forecast }, made.explanation);
  }

  /** Null: it could not be read when it was asked either. */
  async function forecasterOf({ servedBy, artefactSha256, hops }: SealedBody): Promise<Forecaster | null> {
    const wasUnreadable = servedBy === 'nobody' && hops.some(({ code }) => UNREADABLE.has(code));
    try {
      return await forecasters.get(artefactSha256, async () => loadForecaster(await readArtefact(artefactSha256)));
    } catch (error) {
      if (wasUnreadable) return null;
      throw error;
    }
  }
}

const UNREADABLE = new Set<string>(['artefact_damaged', 'artefact_missing', 'cannot_be_served']);

/** What is stored must be what was hashed, before anything is computed from it. */
function checkStored(
  text: string,
  sealedSha256: string,
  explanation: string,
  body: SealedBody,
  input: Buffer | undefined,
): Difference[] {
  const differences: Difference[] = [];
  const check = (part: string, sealed: string, found: string | null) => {
    if (sealed !== found) differences.push({ part, sealed, replayed: found ?? 'gone' });
  };
  check('stored body', sealedSha256, sha256Of(text));
  check('stored explanation', body.explanationSha256, sha256Of(explanation));
  check('stored inputs', body.inputSha256, input === undefined ? null : sha256Of(input));
  return differences;
}

/** The leaves in which two JSON values differ, by their path. */
function compare(path: string, sealed: unknown, replayed: unknown): Difference[] {
  const [a, b] = [canonicalJson(sealed), canonicalJson(replayed)];
  if (a === b) return [];
  if (isObject(sealed) && isObject(replayed)) {
    const keys = [...new Set([...Object.keys(sealed), ...Object.keys(replayed)])].sort();
    return keys.flatMap((key) =>
      compare(path === '' ? key : `${path}.${key}`, sealed[key] ?? null, replayed[key] ?? null),
    );
  }
  return [{ part: path, sealed: a.slice(0, TEXT_MAX), replayed: b.slice(0, TEXT_MAX) }];
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
