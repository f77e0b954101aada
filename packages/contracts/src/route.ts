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
  /** Problems beside those every route can have (see COMMON_PROBLEMS). */
  problems: readonly ProblemCode[];
};

/** Problems any route can answer with. */
export const COMMON_PROBLEMS = [
  'INVALID_REQUEST',
  'NOT_SIGNED_IN',
  'FORBIDDEN',
  'DATABASE_AWAY',
  'UNEXPECTED',
] as const;

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
