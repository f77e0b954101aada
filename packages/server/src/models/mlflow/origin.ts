import { ProblemError } from '../../platform/problem-error.ts';
import type { Tags } from './endpoint.ts';
import type { Origin } from './mlflow.repository.ts';

/** The tags that say where a foreign run comes from, as a version of ours must tell it. */
export const ORIGIN_TAGS = {
  'touchstone.dataset_sha256': 'sha256 of the training data',
  'touchstone.feature_sha256': 'sha256 of the definitions of the features',
  'touchstone.code_version': 'the code that trained it; mlflow.source.git.commit counts as well',
  'touchstone.seed': 'the seed, a whole number',
  'touchstone.first_day': 'first day of training, 2020-01-31',
  'touchstone.trained_until': 'last day whose outcome it has seen',
} as const;

const COMMIT_TAG = 'mlflow.source.git.commit';

/** @throws INVALID_REQUEST naming the tag that is not what it must be. */
export function originOf(tags: Tags): Origin {
  const seed = tags['touchstone.seed'];
  if (seed !== undefined && !/^\d{1,15}$/.test(seed)) throw wrong('touchstone.seed', 'a whole number from 0 on');
  return {
    datasetSha256: hashTag(tags, 'touchstone.dataset_sha256'),
    codeVersion: codeOf(tags),
    seed: seed === undefined ? null : Number(seed),
  };
}

export type FullOrigin = {
  datasetSha256: string;
  featureSha256: string;
  codeVersion: string;
  seed: number;
  firstDay: string;
  trainedUntil: string;
};

/** What makes a foreign model a version of ours. @throws INVALID_REQUEST naming every tag that is missing. */
export function fullOriginOf(tags: Tags): FullOrigin {
  const { datasetSha256, codeVersion, seed } = originOf(tags);
  const featureSha256 = hashTag(tags, 'touchstone.feature_sha256');
  const firstDay = dayTag(tags, 'touchstone.first_day');
  const trainedUntil = dayTag(tags, 'touchstone.trained_until');
  if (datasetSha256 !== null && featureSha256 !== null && codeVersion !== null && seed !== null) {
    if (firstDay !== null && trainedUntil !== null)
      return { datasetSha256, featureSha256, codeVersion, seed, firstDay, trainedUntil };
  }
  const missing = Object.entries(ORIGIN_TAGS)
    .filter(([tag]) => !tags[tag] && !(tag === 'touchstone.code_version' && codeVersion !== null))
    .map(([tag, meaning]) => `${tag} (${meaning})`);
  throw new ProblemError(
    'INVALID_REQUEST',
    `A version here says where it comes from, and this one lacks the tags ${missing.join(', ')}. Set them on its run with mlflow.set_tags and register it again; until then it stays a file of its run.`,
  );
}

function codeOf(tags: Tags): string | null {
  return tags['touchstone.code_version'] || tags[COMMIT_TAG] || null;
}

function hashTag(tags: Tags, tag: keyof typeof ORIGIN_TAGS): string | null {
  const value = tags[tag];
  if (value === undefined) return null;
  if (!/^[0-9a-f]{64}$/.test(value)) throw wrong(tag, 'a sha256 of 64 hexadecimal digits in lower case');
  return value;
}

function dayTag(tags: Tags, tag: keyof typeof ORIGIN_TAGS): string | null {
  const value = tags[tag];
  if (value === undefined) return null;
  const isDay = /^\d{4}-\d{2}-\d{2}$/.test(value) && new Date(`${value}T00:00:00Z`).toJSON()?.startsWith(value);
  if (!isDay) throw wrong(tag, 'a day like 2026-01-15');
  return value;
}

function wrong(tag: keyof typeof ORIGIN_TAGS, what: string): ProblemError {
  return new ProblemError('INVALID_REQUEST', `The tag ${tag} must be ${what}.`);
}
