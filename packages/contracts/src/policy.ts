/** What a route asks for. `public` needs nobody; every other scope comes from a role. */
export const SCOPES = [
  'market:read',
  'market:write',
  'portfolio:read',
  'portfolio:write',
  'model:read',
  'model:write',
  'model:promote',
  'task:read',
  'task:write',
  'evidence:read',
  'system:read',
  'system:write',
  'people:read',
  'people:write',
  'tenant:write',
  'account:self',
] as const;
export type Scope = (typeof SCOPES)[number];

/** `visitor` is anybody on loopback while no owner exists: may look at the simulated market. */
export const ROLES = ['owner', 'manager', 'analyst', 'viewer', 'auditor', 'service', 'visitor'] as const;
export type Role = (typeof ROLES)[number];

/** Roles a person can be given. A service is made without an invitation, and a visitor is nobody. */
export const PERSON_ROLES = ['owner', 'manager', 'analyst', 'viewer', 'auditor'] as const;

const reading: readonly Scope[] = ['market:read', 'portfolio:read', 'model:read', 'task:read', 'system:read'];
/** They touch what every tenant has. */
const ofOperator: readonly Scope[] = ['system:write', 'tenant:write'];

/** The one table of who may do what. What is not here is denied. */
export const POLICY: Record<Role, readonly Scope[]> = {
  owner: SCOPES.filter((scope) => !ofOperator.includes(scope)),
  manager: [
    ...reading,
    ...(['market:write', 'portfolio:write', 'model:write', 'model:promote', 'task:write'] as const),
    ...(['evidence:read', 'people:read', 'account:self'] as const),
  ],
  analyst: [...reading, 'portfolio:write', 'model:write', 'task:write', 'account:self'],
  viewer: [...reading, 'account:self'],
  auditor: [...reading, 'evidence:read', 'people:read', 'account:self'],
  service: [...reading, 'market:write', 'portfolio:write', 'model:write', 'task:write'],
  visitor: reading,
};

/** What an owner of the first tenant may do beyond that: they run the installation. */
export const OPERATOR_SCOPES = ofOperator;

/** Rights over people and accounts. No API key can hold them, so that a stolen key cannot make itself at home. */
export const PERSONAL_SCOPES: readonly Scope[] = ['people:write', 'tenant:write', 'account:self'];

/** @param isOperator True for owners of the first tenant. */
export function scopesOf(role: Role, isOperator: boolean): readonly Scope[] {
  return role === 'owner' && isOperator ? [...POLICY.owner, ...OPERATOR_SCOPES] : POLICY[role];
}

/** Whether a role has a right of its own, without being the operator. */
export function hasScope(role: Role, scope: Scope | 'public'): boolean {
  return scope === 'public' || POLICY[role].includes(scope);
}
