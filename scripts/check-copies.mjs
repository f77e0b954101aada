/** Finds code that was copied instead of shared: the same long run of lines in two places outside of tests. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root as ownRoot } from './bootstrap.mjs';
import { listSources } from './import-graph.mjs';

const RUN_LINES = 20;

/**
 * @param {string} root
 * @returns {{ first: string, second: string, lines: number }[]} Places as `file:line`.
 */
export function findCopies(root) {
  const seen = new Map();
  const copies = [];
  for (const file of ['packages', 'scripts'].flatMap((folder) => listSources(root, folder))) {
    if (/\.test\.|\.gen\.|schema-types/.test(file)) continue;
    const lines = readLines(join(root, file));
    for (let i = 0; i + RUN_LINES <= lines.length; i++) {
      const key = lines
        .slice(i, i + RUN_LINES)
        .map(({ text }) => text)
        .join('\n');
      const here = { file, at: i, lines };
      const there = seen.get(key);
      if (there === undefined) seen.set(key, here);
      else if (there.file !== file || there.at + RUN_LINES <= i) {
        const length = measure(there, here);
        copies.push({ first: place(there), second: place(here), lines: length });
        i += length - 1;
      }
    }
  }
  return copies;
}

/** Lines with something in them; imports, comments and lone brackets are alike everywhere and mean nothing. */
function readLines(path) {
  return readFileSync(path, 'utf8')
    .split('\n')
    .map((line, index) => ({ text: line.trim(), number: index + 1 }))
    .filter(({ text }) => /\w/.test(text) && !/^(import\b|\/\/|\/?\*)/.test(text));
}

function measure(there, here) {
  let length = RUN_LINES;
  while (there.lines[there.at + length]?.text === here.lines[here.at + length]?.text && here.lines[here.at + length])
    length++;
  return length;
}

function place({ file, at, lines }) {
  return `${file}:${lines[at].number}`;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const copies = findCopies(ownRoot);
  for (const { first, second, lines } of copies) console.error(`${lines} lines of ${first} are again at ${second}.`);
  console.log(copies.length === 0 ? `No run of ${RUN_LINES} lines stands twice.` : `${copies.length} copies.`);
  process.exitCode = copies.length === 0 ? 0 : 1;
}
