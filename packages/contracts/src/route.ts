import type { z } from 'zod';
import type { Scope } from './policy.ts';
import type { ProblemCode } from './problems.ts';

export type Method = 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';

/** Groups of the API document. */
export type Group =
  | 'auth'
  | 'data'
  | 'dataset'
  | 'universe'
  | 'index'
  | 'benchmark'
  | 'strategy'
  | 'market'
  | 'feature'
  | 'model'
  | 'prediction'
  | 'tasks'
  | 'diagnostics';

/** One operation of the API: the server serves it, the client calls it, the document shows it, the policy guards it. */
export type Route<
  Params extends z.ZodType = z.ZodType,
  Query extends z.ZodType = z.ZodType,
  Body extends z.ZodType = z.ZodType,
  Answer extends z.ZodType = z.ZodType,
> = {
  /** Name of the operation, unique. */
  id: string;
  method: Method;
  /** Below /api/v1, with `:name` for parameters. */
  path: string;
  group: Group;
  summary: string;
  scope: Scope | 'public';
  params?: Params;
  query?: Query;
  body?: Body;
  /** `json` unless the route takes or gives something else. */
  takes?: 'json' | 'bytes';
  gives?: 'json' | 'csv' | 'bytes' | 'events';
  status: 200 | 201 | 202 | 204;
  answer?: Answer;
  /**
   * The answer may be kept until something of one of these kinds changes. Only for a GET of JSON whose every cause of
   * change appends evidence with one of these subject kinds, and that reads no clock.
   */
  cache?: readonly SubjectKind[];
  /** `auth`: a tighter limit, counted by address; when the count cannot be kept, nobody gets in. */
  limit?: 'auth';
  /** Problems beside those every route can have (see COMMON_PROBLEMS). */
  problems: readonly ProblemCode[];
};

/** What evidence is about, as far as answers are kept until it changes. */
export type SubjectKind = 'anomaly_case' | 'case' | 'index' | 'instrument' | 'model' | 'run' | 'source' | 'universe';

/** Problems any route can answer with. */
export const COMMON_PROBLEMS = [
  'INVALID_REQUEST',
  'NOT_SIGNED_IN',
  'FORBIDDEN',
  'TOO_MANY_REQUESTS',
  'DATABASE_AWAY',
  'UNEXPECTED',
] as const;

/** Problems any route with a body can answer with. */
export const BODY_PROBLEMS = ['TOO_LARGE', 'TOO_SLOW'] as const;
/** Problems of any POST that is sent with an Idempotency-Key by somebody signed in. */
export const KEY_PROBLEMS = ['KEY_REUSED', 'KEY_IN_USE', 'ANSWER_LOST'] as const;

/** True for a route whose first answer is kept for a repeat with the same Idempotency-Key. */
export function takesKey(route: Route): boolean {
  // A stranger has no name under which an answer could be kept, and these answers hold sessions.
  return route.method === 'POST' && route.scope !== 'public' && (route.gives ?? 'json') === 'json';
}

/** The problems a route can answer with, each once. */
export function problemsOf(route: Route): ProblemCode[] {
  const hasBody = route.takes === 'bytes' || route.body !== undefined;
  const all = [
    ...COMMON_PROBLEMS.filter((code) => route.scope !== 'public' || (code !== 'NOT_SIGNED_IN' && code !== 'FORBIDDEN')),
    ...(hasBody ? BODY_PROBLEMS : []),
    ...(takesKey(route) ? KEY_PROBLEMS : []),
    ...(route.limit === 'auth' ? (['LIMITS_AWAY'] as const) : []),
    ...route.problems,
  ];
  return [...new Set(all)];
}

/** Keeps the exact types of a route's schemas. */
export function defineRoute<
  Params extends z.ZodType = z.ZodNever,
  Query extends z.ZodType = z.ZodNever,
  Body extends z.ZodType = z.ZodNever,
  Answer extends z.ZodType = z.ZodNever,
>(route: Route<Params, Query, Body, Answer>): Route<Params, Query, Body, Answer> {
  return route;
}

/** What a caller hands over: the parts the route has, as the schema takes them in. */
export type Input<R> =
  R extends Route<infer P, infer Q, infer B, z.ZodType>
    ? ([P] extends [z.ZodNever] ? unknown : { params: z.input<P> }) &
        ([Q] extends [z.ZodNever] ? unknown : { query?: z.input<Q> }) &
        ([B] extends [z.ZodNever] ? unknown : { body: z.input<B> })
    : never;

export type Answer<R> =
  R extends Route<z.ZodType, z.ZodType, z.ZodType, infer A>
    ? [A] extends [z.ZodNever]
      ? undefined
      : z.output<A>
    : never;
