// Rewrites the tables of docs/methods/indicators.md from the catalogue. Run it after an indicator changed; a test compares.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { indicatorList } from '../packages/quant/src/indicators/list-page.ts';

const path = join(import.meta.dirname, '..', 'docs', 'methods', 'indicators.md');
const START = '<!-- list: written by scripts/write-indicator-list.ts -->\n';
const END = '<!-- end of list -->\n';
const page = readFileSync(path, 'utf8');
const before = page.slice(0, page.indexOf(START) + START.length);
const after = page.slice(page.indexOf(END));
writeFileSync(path, `${before}${indicatorList()}${after}`);
console.log(`Wrote ${path}.`);
