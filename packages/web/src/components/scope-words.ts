import type { Scope } from '@touchstone/contracts/policy';

/** What each right lets somebody do. */
export const SCOPE_WORDS: Record<Scope, string> = {
  'market:read': 'See prices, findings and deliveries',
  'market:write': 'Bring in data, connect feeds, decide findings',
  'portfolio:read': 'See universes and indexes',
  'portfolio:write': 'Make and change universes and indexes',
  'model:read': 'See models, forecasts and how they did',
  'model:write': 'Train models, ask for forecasts, compare versions',
  'model:promote': 'Put a model into production, and take it back',
  'task:read': 'See background work and schedules',
  'task:write': 'Start, stop and schedule work; acknowledge alerts',
  'evidence:read': 'See the chain, trials and who did what',
  'system:read': 'See health, alerts and slow queries',
  'system:write': 'Back up, archive, ask the doctor',
  'people:read': 'See who works here',
  'people:write': 'Invite people, change roles, shut out',
  'tenant:write': 'Make tenants',
  'account:self': 'Own password, sessions, second factor and keys',
};

export function scopeWords(scope: string): string | null {
  return Object.entries(SCOPE_WORDS).find(([one]) => one === scope)?.[1] ?? null;
}
