/** What a route asks for. `public` needs nobody; every other scope comes from a role. */
export const SCOPES = [
  'market:read',
  'market:write',
  'portfolio:read',
  'portfolio:write',
  'task:read',
  'task:write',
  'evidence:read',
  'system:read',
  'system:write',
  'account:self',
] as const;
export type Scope = (typeof SCOPES)[number];

/** `visitor` is anybody on loopback while no owner exists: may look at the simulated market. */
export const ROLES = ['owner', 'manager', 'analyst', 'viewer', 'auditor', 'service', 'visitor'] as const;
export type Role = (typeof ROLES)[number];

const reading: readonly Scope[] = ['market:read', 'portfolio:read', 'task:read', 'system:read'];

/** The one table of who may do what. What is not here is denied. */
export const POLICY: Record<Role, readonly Scope[]> = {
  owner: SCOPES,
  manager: [...reading, 'market:write', 'portfolio:write', 'task:write', 'evidence:read', 'account:self'],
  analyst: [...reading, 'portfolio:write', 'task:write', 'account:self'],
  viewer: [...reading, 'account:self'],
  auditor: [...reading, 'evidence:read', 'account:self'],
  service: [...reading, 'market:write', 'portfolio:write', 'task:write'],
  visitor: reading,
};

export function hasScope(role: Role, scope: Scope | 'public'): boolean {
  return scope === 'public' || POLICY[role].includes(scope);
}
