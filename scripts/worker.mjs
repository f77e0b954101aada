// `npm run worker`: a process that takes background work from the same database, without pages and without an API.
import { bootstrap, runNode } from './bootstrap.mjs';

await bootstrap({ pages: false });
process.exitCode = await runNode(['packages/server/src/worker.ts', ...process.argv.slice(2)]);
