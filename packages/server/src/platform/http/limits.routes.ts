import { getLimits } from '@touchstone/contracts/limits';
import type { LimitName, Limits } from '../limits/limits.ts';
import { accountOf, addressGroup } from './count-request.ts';
import type { Serve } from './serve.ts';

/** Tells everybody what they may. */
export function registerLimitRoutes(serve: Serve, limits: Limits): void {
  serve(getLimits, async ({ caller, request }) => {
    const who: Record<LimitName, string | null> = {
      auth: addressGroup(request.ip),
      address: caller.actorId === null ? addressGroup(request.ip) : null,
      account: caller.actorId === null ? null : accountOf(caller),
      tenant: caller.actorId === null ? null : String(caller.tenantId),
    };
    const { store, degraded } = limits.describe();
    const items = Object.entries(limits.rates ?? {}).flatMap(([key, rate]) => {
      const name = NAMES.find((candidate) => candidate === key);
      if (name === undefined) return [];
      const counted = who[name];
      return [{ name, ...rate, remaining: counted === null ? null : limits.peek(name, counted) }];
    });
    return { store, degraded, items };
  });
}

const NAMES = ['auth', 'address', 'account', 'tenant'] as const;
