// Runs one figure file in this process: `node harness-run.mjs FILE ANSWER`. What the file prints goes to stderr, so that
// `--json` prints nothing but figures.
import { writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

const [file, answer] = process.argv.slice(2);
console.log = console.error;
console.info = console.error;

const { run } = await import(pathToFileURL(file).href);
if (typeof run !== 'function') throw new Error(`${file} must export run().`);
const figures = await run();
writeFileSync(answer, JSON.stringify([figures].flat()));
// A figure may leave a database pool or a worker behind; its answer is safe, so the process may end.
process.exit(0);
