/** A line of the difference of two plans. */
export type PlanLine = { change: 'same' | 'added' | 'removed'; line: string };

const TEXT_LENGTH_MAX = 20_000;
const LINES_MAX = 2_000;

/**
 * A statement with every value taken out: literals become `?`, lists of parameters one `$…`, white space one blank.
 * Two runs with other values have one text, and the text holds nobody's data.
 */
export function normaliseSql(text: string): string {
  return hideLiterals(text.slice(0, TEXT_LENGTH_MAX))
    .replace(/\s+/g, ' ')
    .replace(/\(\s*(?:\$\d+|\?)(?:::[\w[\] ]+)?(?:\s*,\s*(?:\$\d+|\?)(?:::[\w[\] ]+)?)+\s*\)/g, '($…)')
    .replace(/\(\$…\)(?:\s*,\s*\(\$…\))+/g, '($…), …')
    .trim();
}

/** A plan as the database tells it, with the values of its conditions taken out. */
export function normalisePlan(lines: readonly string[]): string {
  return lines.slice(0, LINES_MAX).map(hideLiterals).join('\n');
}

/** Texts, then names in quotes, comments and numbers, in the order they stand: a quote inside one of them begins none. */
const LITERAL =
  /\bE'(?:[^'\\]|\\[\s\S]|'')*'|'(?:[^']|'')*'|\$([A-Za-z_]*)\$[\s\S]*?\$\1\$|("(?:[^"]|"")*")|(--[^\n]*|\/\*[\s\S]*?\*\/)|(?<![\w$.])\d+(?:\.\d+)?(?:e[+-]?\d+)?(?![\w.])/gi;

function hideLiterals(text: string): string {
  return text.replace(LITERAL, (whole, _tag, name?: string, comment?: string) => {
    if (name !== undefined) return name;
    if (comment !== undefined) return ' ';
    return /^\d/.test(whole) ? '?' : "'?'";
  });
}

/** What is to be explained: of a COPY of a query, the query. */
export function queryOf(text: string): string {
  const copied = /^\s*copy\s*\(([\s\S]*)\)\s*to\s+stdout[^)]*(?:\([^)]*\))?\s*$/i.exec(text)?.[1];
  return (copied ?? text).replace(/;\s*$/, '');
}

/** Why a statement cannot be explained; null when it can. */
export function whyNoPlan(text: string): string | null {
  const plain = hideLiterals(queryOf(text)).trim();
  if (!/^(?:select|with|insert|update|delete|values)\b/i.test(plain))
    return 'Only queries and changes of rows have a plan.';
  // Several statements in one text would be run, not explained.
  if (/;\s*\S/.test(plain)) return 'It is several statements in one.';
  return null;
}

/** The lines of both plans in order, by their longest common subsequence. Empty when they are the same. */
export function diffPlans(before: string, after: string): PlanLine[] {
  if (before === after) return [];
  const a = before.split('\n');
  const b = after.split('\n');
  const width = b.length + 1;
  const common = new Int32Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      const at = i * width + j;
      common[at] = a[i] === b[j] ? common[at + width + 1]! + 1 : Math.max(common[at + width]!, common[at + 1]!);
    }
  }
  const lines: PlanLine[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      lines.push({ change: 'same', line: a[i]! });
      i++;
      j++;
    } else if (j >= b.length || (i < a.length && common[(i + 1) * width + j]! >= common[i * width + j + 1]!)) {
      lines.push({ change: 'removed', line: a[i++]! });
    } else {
      lines.push({ change: 'added', line: b[j++]! });
    }
  }
  return lines;
}
