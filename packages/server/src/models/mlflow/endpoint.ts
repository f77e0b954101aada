import type { Scope } from '@touchstone/contracts/policy';
import type { Method } from '@touchstone/contracts/route';
import { z } from 'zod';
import type { Database } from '../../platform/database/database.ts';
import type { WireCall, WireRoute } from '../../platform/http/serve-wire.ts';
import type { ObjectStore } from '../../platform/object-store/object-store.ts';
import { ProblemError } from '../../platform/problem-error.ts';
import type { Registry } from '../registry/registry.types.ts';

export type MlflowParts = { database: Database; objects: ObjectStore; registry: Registry };

export const API = '/api/2.0/mlflow';

/**
 * One call of MLflow's API. Its fields stand in the query, the body or the path, as the method has it; what we do not know
 * is left alone, since its clients send more with every version.
 */
export function endpoint<S extends z.ZodType>(
  method: Method,
  path: string,
  scope: Scope,
  schema: S,
  handle: (fields: z.output<S>, call: WireCall) => Promise<unknown>,
): WireRoute {
  return {
    ...{ method, path: `${API}${path}`, scope },
    handle(call) {
      const told = [call.query, call.body, call.params].filter((part) => typeof part === 'object' && part !== null);
      return handle(readFields(schema, Object.assign({}, ...told)), call);
    },
  };
}

/** @throws INVALID_REQUEST naming the first field that does not fit. */
function readFields<S extends z.ZodType>(schema: S, fields: unknown): z.output<S> {
  const parsed = schema.safeParse(fields);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new ProblemError('INVALID_REQUEST', `${issue?.path.join('.')}: ${issue?.message}.`);
}

/** What MLflow has and we do not, each with the sentence that says why. */
export function refusal(method: Method, path: string, scope: Scope, sentence: string): WireRoute {
  return endpoint(method, path, scope, z.looseObject({}), async () => {
    throw new ProblemError('NOT_POSSIBLE_NOW', sentence);
  });
}

const ID_MAX = 2_147_483_647;

/** A number of ours as MLflow tells it: in a text. */
export const numberId = z.coerce.string().transform((text, context) => {
  const id = /^\d{1,10}$/.test(text) ? Number(text) : 0;
  // There is nothing under such a name, which is what its asker must hear.
  if (id > ID_MAX) context.addIssue('is no number that was given out here');
  return id;
});
export const name = z.string().min(1).max(250);
export const pageToken = z.string().max(100).optional();
export const limitOf = (most: number, usual: number) => z.coerce.number().int().min(1).max(most).default(usual);
export const tagList = z
  .array(z.object({ key: name, value: z.coerce.string().max(8_000).default('') }))
  .max(1_000)
  .default([]);

export type Tags = Record<string, string>;

export function fromTags(tags: readonly { key: string; value: string }[]): Tags {
  return Object.fromEntries(tags.map(({ key, value }) => [key, value]));
}

export function toTags(tags: Tags): { key: string; value: string }[] {
  return Object.entries(tags).map(([key, value]) => ({ key, value }));
}

/** Values that JSON has no word for are texts on this wire. */
export const double = z.union([z.number(), z.enum(['NaN', 'Infinity', '-Infinity']).transform(Number)]);

export function toDouble(value: number): number | string {
  return Number.isFinite(value) ? value : String(value);
}

export function toMs(instant: string): number {
  return Date.parse(instant);
}
