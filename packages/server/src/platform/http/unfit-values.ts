/** Deeper values are refused: whoever walks them next may not be prepared. */
const DEPTH_MAX = 32;
const TEXT_RULE = 'Must be a text without NUL characters and without halves of characters.';

export type BrokenRule = { path: string; rule: string };

/** Finds what no schema and no table takes: texts PostgreSQL cannot keep, names of fields among them, and deep nesting. */
export function findUnfit(value: unknown, path: string, depth = 0): BrokenRule[] {
  if (typeof value === 'string') return isStorable(value) ? [] : [{ path, rule: TEXT_RULE }];
  if (typeof value !== 'object' || value === null) return [];
  if (depth === DEPTH_MAX) return [{ path, rule: `Must not be nested deeper than ${DEPTH_MAX}.` }];
  if (Array.isArray(value)) return value.flatMap((item, i) => findUnfit(item, `${path}[${i}]`, depth + 1));
  return Object.entries(value).flatMap(([key, member]) =>
    isStorable(key) ? findUnfit(member, `${path}.${key}`, depth + 1) : [{ path, rule: TEXT_RULE }],
  );
}

function isStorable(text: string): boolean {
  return !text.includes('\0') && text.isWellFormed();
}
