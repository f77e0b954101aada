import { OPERATOR_SCOPES, PERSONAL_SCOPES, POLICY, ROLES, type Scope } from '@touchstone/contracts/policy';
import { ALL_ROUTES } from '@touchstone/contracts/routes';

/** The page docs/operate/access-matrix.md: who may ask what, from the contracts alone. */
export function describeAccess(): string {
  const columns = [...ROLES.filter((role) => role !== 'visitor'), 'operator', 'API key', 'visitor'] as const;
  const may = (column: (typeof columns)[number], scope: Scope): boolean => {
    if (column === 'operator') return POLICY.owner.includes(scope) || OPERATOR_SCOPES.includes(scope);
    if (column === 'API key') return !PERSONAL_SCOPES.includes(scope);
    return POLICY[column].includes(scope);
  };
  const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const lines = [
    '# Access matrix',
    '',
    'Written by `node scripts/write-access-matrix.ts` from the contracts. A test asks every route as every column, in its own',
    'tenant and in another, and compares the answers with this table; what belongs to another tenant does not exist (404).',
    '',
    '- _operator_: an owner of the first tenant. _visitor_: somebody at the machine itself, before the owner is made.',
    '- _API key_: the most a key can be given. It never has more than its user, and only what it was made with.',
    '',
    row(['Operation', 'Right', ...columns]),
    row(['---', '---', ...columns.map(() => ':-:')]),
  ];
  for (const route of ALL_ROUTES) {
    const { scope } = route;
    const cells = columns.map((column) => (scope === 'public' || may(column, scope) ? 'yes' : '–'));
    lines.push(row([`\`${route.method} ${route.path}\``, scope === 'public' ? 'none' : `\`${scope}\``, ...cells]));
  }
  return `${lines.join('\n')}\n`;
}
