/** Reads which file imports which. A small reader of tokens, so that text in comments and strings does not count. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, posix, relative, sep } from 'node:path';

/**
 * @typedef {{ from: string, specifier: string, to: string | undefined }} Edge `to` is a path inside the root, or
 *   undefined for a package, a built-in module or a missing file.
 * @typedef {{ kind: 'word' | 'text' | 'mark', value: string }} Token
 */

const SOURCE = /\.(ts|tsx|mts|js|mjs|jsx)$/;
const LEFT_OUT = new Set(['node_modules', 'dist', 'out']);

/**
 * All source files below a folder as paths relative to the root, with forward slashes.
 *
 * @param {string} root
 * @param {string} folder
 * @returns {string[]}
 */
export function listSources(root, folder) {
  const path = join(root, folder);
  if (!existsSync(path)) return [];
  return readdirSync(path)
    .filter((name) => !LEFT_OUT.has(name) && !name.startsWith('.'))
    .sort()
    .flatMap((name) => {
      const child = join(path, name);
      if (statSync(child).isDirectory()) return listSources(root, join(folder, name));
      return SOURCE.test(name) ? [relative(root, child).split(sep).join('/')] : [];
    });
}

/**
 * The imports of one file: static, dynamic with a plain text, re-exports, `require`, and files named for a worker
 * (`new URL('./x.ts', import.meta.url)`).
 *
 * @param {string} root
 * @param {string} file
 * @returns {Edge[]}
 */
export function readImports(root, file) {
  const tokens = readTokens(readFileSync(join(root, file), 'utf8'));
  return findSpecifiers(tokens).map((specifier) => ({ from: file, specifier, to: resolve(root, file, specifier) }));
}

/**
 * @param {Token[]} tokens
 * @returns {string[]}
 */
function findSpecifiers(tokens) {
  const found = [];
  for (let i = 0; i < tokens.length; i++) {
    const { kind, value } = tokens[i];
    if (kind !== 'word' || tokens[i - 1]?.value === '.') continue;
    if (value === 'import' || value === 'export') found.push(...findStatic(tokens, i));
    if (value === 'require' && tokens[i + 1]?.value === '(') found.push(...textAt(tokens, i + 2));
    if (value === 'URL' && tokens[i + 3]?.value === ',' && tokens[i + 4]?.value === 'import') {
      // A folder or a data file is no import.
      found.push(...textAt(tokens, i + 2).filter((text) => SOURCE.test(text)));
    }
  }
  return found;
}

/**
 * @param {Token[]} tokens
 * @param {number} start Of `import` or `export`.
 */
function findStatic(tokens, start) {
  const [next, afterNext] = [tokens[start + 1], tokens[start + 2]];
  if (next?.kind === 'text') return [next.value];
  if (next?.value === '(') return textAt(tokens, start + 2);
  // Only these forms can be followed by `from`; `export const` and the like are left alone.
  const isList = ['{', '*', 'type'].includes(next?.value ?? '') || tokens[start]?.value === 'import';
  if (!isList || next?.value === '.' || (next?.value === 'type' && afterNext?.value === '=')) return [];
  for (let i = start + 1; i < tokens.length; i++) {
    const { kind, value } = tokens[i];
    if (kind === 'word' && value === 'from' && tokens[i + 1]?.kind === 'text') return [tokens[i + 1].value];
    if (kind === 'text' || ['=', ';', '(', 'import', 'export'].includes(value)) return [];
  }
  return [];
}

/**
 * @param {Token[]} tokens
 * @param {number} at
 */
function textAt(tokens, at) {
  const token = tokens[at];
  return token?.kind === 'text' ? [token.value] : [];
}

// A comment, a text, a template, a word, a blank, or one other character.
const PIECE = /\/\/[^\n]*|\/\*[\s\S]*?\*\/|'(?:\\[\s\S]|[^'\\\n])*'|"(?:\\[\s\S]|[^"\\\n])*"|`|[\w$]+|\s+|[\s\S]/y;
const PATTERN = /\/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\[\n])+\/[a-z]*/y;
// After these a slash begins a pattern; after anything else it divides.
const BEFORE_PATTERN = /^(?:[([{,;=:!&|?+\-*%<>~^}]|return|typeof|case|in|of|await|yield|else|do|void|delete)$/;

/**
 * @param {string} source
 * @returns {Token[]}
 */
export function readTokens(source) {
  /** @type {Token[]} */
  const tokens = [];
  // For each open template, how many braces are open inside its current `${…}`.
  const templates = [];
  for (let at = 0; at < source.length; ) {
    const { end, token } =
      readPattern(source, at, tokens.at(-1)) ?? readTemplate(source, at, templates) ?? readPiece(source, at, templates);
    if (token !== undefined) tokens.push(token);
    at = end;
  }
  return tokens;
}

/**
 * A regular expression: its quotes and slashes begin nothing.
 *
 * @param {string} source
 * @param {number} at
 * @param {Token | undefined} before
 */
function readPattern(source, at, before) {
  if (source[at] !== '/' || /[/*]/.test(source[at + 1] ?? '')) return undefined;
  if (before !== undefined && !BEFORE_PATTERN.test(before.value)) return undefined;
  PATTERN.lastIndex = at;
  const pattern = PATTERN.exec(source);
  return pattern === null ? undefined : { end: at + pattern[0].length, token: textToken('') };
}

/**
 * @param {string} source
 * @param {number} at
 * @param {number[]} templates
 */
function readTemplate(source, at, templates) {
  const begins = source[at] === '`';
  const goesOn = source[at] === '}' && templates.at(-1) === 0;
  if (!begins && !goesOn) return undefined;
  if (goesOn) templates.pop();
  const { end, opens } = skipTemplate(source, at + 1);
  if (opens) templates.push(0);
  return { end, token: textToken(begins && !opens ? source.slice(at + 1, end - 1) : '') };
}

/**
 * @param {string} source
 * @param {number} at
 * @param {number[]} templates
 * @returns {{ end: number, token?: Token }}
 */
function readPiece(source, at, templates) {
  PIECE.lastIndex = at;
  const piece = PIECE.exec(source)?.[0] ?? ' ';
  const last = templates.length - 1;
  if (piece === '{' && last >= 0) templates[last]++;
  if (piece === '}' && last >= 0) templates[last]--;
  const end = at + piece.length;
  if (/^\s|^\/[/*]/.test(piece)) return { end };
  if (/^['"]/.test(piece) && piece.length > 1) return { end, token: textToken(piece.slice(1, -1)) };
  return { end, token: { kind: /^[\w$]/.test(piece) ? 'word' : 'mark', value: piece } };
}

/**
 * @param {string} value
 * @returns {Token}
 */
function textToken(value) {
  return { kind: 'text', value };
}

/**
 * Goes to the end of a template, or to just inside its next `${`.
 *
 * @param {string} source
 * @param {number} from
 */
function skipTemplate(source, from) {
  for (let i = from; i < source.length; i++) {
    if (source[i] === '\\') i++;
    else if (source[i] === '`') return { end: i + 1, opens: false };
    else if (source[i] === '$' && source[i + 1] === '{') return { end: i + 2, opens: true };
  }
  return { end: source.length, opens: false };
}

/**
 * @param {string} root
 * @param {string} from
 * @param {string} specifier
 * @returns {string | undefined}
 */
function resolve(root, from, specifier) {
  const own = /^@touchstone\/([^/]+)(?:\/(.+))?$/.exec(specifier);
  const base = own
    ? `packages/${own[1]}/src/${own[2] ?? 'index'}`
    : specifier.startsWith('.')
      ? posix.join(posix.dirname(from), specifier)
      : undefined;
  if (base === undefined) return undefined;
  const candidates = own ? [`${base}.ts`, `${base}.tsx`] : [base, `${base}.ts`, `${base}.tsx`, `${base}/index.ts`];
  // A wall counts even if the file behind it is missing.
  return candidates.find((path) => statSync(join(root, path), { throwIfNoEntry: false })?.isFile()) ?? candidates[0];
}
