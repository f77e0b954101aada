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
  const head = ['Operation', 'Right', ...columns];
  const rows = ALL_ROUTES.map(({ method, path, scope }) => [
    `\`${method} ${path}\``,
    scope === 'public' ? 'none' : `\`${scope}\``,
    ...columns.map((column) => (scope === 'public' || may(column, scope) ? 'yes' : '–')),
  ]);
  // As the formatter of the documents has it: columns of one width, the answers in their middle.
  const widths = head.map((_, at) => Math.max(...[head, ...rows].map((cells) => cells[at]!.length)));
  const fit = (cell: string, at: number) => {
    const before = at < 2 ? 0 : Math.floor((widths[at]! - cell.length) / 2);
    return (' '.repeat(before) + cell).padEnd(widths[at]!);
  };
  const row = (cells: readonly string[]) => `| ${cells.map(fit).join(' | ')} |`;
  const lines = [
    '# Access matrix',
    '',
    'Written by `node scripts/write-access-matrix.ts` from the contracts. A test asks every route as every column, in its own',
    'tenant and in another, and compares the answers with this table; what belongs to another tenant does not exist (404).',
    '',
    '- _operator_: an owner of the first tenant. _visitor_: somebody at the machine itself, before the owner is made.',
    '- _API key_: the most a key can be given. It never has more than its user, and only what it was made with.',
    '',
    row(head),
    row(widths.map((width, at) => (at < 2 ? '-'.repeat(width) : `:${'-'.repeat(width - 2)}:`))),
    ...rows.map(row),
  ];
  return `${lines.join('\n')}\n`;
}
