import type { Role, Scope } from '@touchstone/contracts/policy';
import type { Answer, Route } from '@touchstone/contracts/route';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import type { Principal } from '../database/database.ts';

/** Who sent a request. A visitor has tenant 0 and no user. */
export type Caller = Principal & {
  role: Role;
  /** What they may do: what the role may, or less with an API key. */
  scopes: readonly Scope[];
  /** The session they came with, or null. */
  family: string | null;
  /** The API key they came with, or null. */
  keyId: number | null;
};

type Part<S> = S extends z.ZodType ? ([S] extends [z.ZodNever] ? undefined : z.output<S>) : undefined;

/** A validated request. */
export type Call<R> =
  R extends Route<infer P, infer Q, infer B, z.ZodType>
    ? {
        caller: Caller;
        params: Part<P>;
        query: Part<Q>;
        body: Part<B>;
        requestId: string;
        request: FastifyRequest;
        /** For headers, and for routes that give CSV, bytes or events: return `reply` after sending. */
        reply: FastifyReply;
      }
    : never;

/** Serves one route of the contracts: validates in and out, checks the scope, answers problems. */
export type Serve = <R extends Route>(route: R, handle: (call: Call<R>) => Promise<Answer<R> | FastifyReply>) => void;
