import { createHash } from 'node:crypto';
import type { Explanation, Forecast, Hop, ServedBy } from '@touchstone/contracts/predictions';
import { canonicalJson } from '../../platform/evidence/canonical-json.ts';
import { hashOf } from '../../platform/object-store/bundle.ts';

/** Everything a seal covers, beside the explanation and the inputs, whose hashes it holds. */
export type SealedBody = {
  format: 'prediction/1';
  model: string;
  version: number;
  manifestSha256: string;
  artefactSha256: string;
  servedBy: ServedBy;
  subject: { kind: 'instrument' | 'index'; id: number };
  time: { asOf: string; knownAt: string; recordedAt: string };
  eventDay: string;
  dueDay: string;
  target: string | null;
  horizonDays: number;
  /** Level asked of the interval; null: that of the forecaster. */
  level: number | null;
  hops: Hop[];
  inputSha256: string;
  dataSha256: string;
  featureSha256: string;
  explanationSha256: string;
  codeVersion: string;
  seed: number;
  forecast: Forecast;
};

export type Sealed = { body: string; explanation: string; sha256: string };

/** The one text of a prediction, and its hash: one changed byte is another hash. */
export function seal(body: Omit<SealedBody, 'explanationSha256'>, explanation: Explanation): Sealed {
  const explained = canonicalJson(explanation);
  const text = canonicalJson({ ...body, explanationSha256: sha256Of(explained) });
  return { body: text, explanation: explained, sha256: sha256Of(text) };
}

export function sha256Of(text: string | Uint8Array): string {
  return createHash('sha256').update(text).digest('hex');
}

/** What makes two answers about the same question different: the steps that led to who answered. */
export function wayOf(servedBy: ServedBy, hops: readonly Hop[]): string {
  return hashOf({ servedBy, hops: hops.map(({ from, version, to, code }) => ({ from, version, to, code })) });
}

export function readBody(text: string): SealedBody {
  return JSON.parse(text);
}
