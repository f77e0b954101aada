/** Statements that PREPARE takes; others, like SET and BEGIN, say nothing about a schema. */
const PREPARABLE = /^(select|insert|update|delete|with|values)\b/i;

/** A statement as PREPARE takes it, or null: what COPY reads is a query of its own. */
export function toPreparable(text: string): string | null {
  const trimmed = text.trim().replace(/;\s*$/, '');
  const copied = /^COPY \(([\s\S]*)\) TO STDOUT/i.exec(trimmed)?.[1];
  const statement = (copied ?? trimmed).trim();
  if (!PREPARABLE.test(statement) || statement.includes('staging.') || statement.includes('pg_temp.')) return null;
  // Several statements in one message cannot be prepared as one.
  return /;\s*\S/.test(statement.replace(/'[^']*'/g, '')) ? null : statement;
}

/** Equal for statements that differ in values only. */
export function shapeOf(statement: string): string {
  return statement
    .replace(/'(?:[^']|'')*'/g, '?')
    .replace(/\$?\b\d+(\.\d+)?\b/g, '?')
    .replace(/\?(\s*,\s*\?)+/g, '?')
    .replace(/\(\s*\?\s*\)(\s*,\s*\(\s*\?\s*\))+/g, '(?)')
    .replace(/\s+/g, ' ');
}
