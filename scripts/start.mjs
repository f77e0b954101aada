// `npm start`: from a fresh clone to a running server.
import { bootstrap, runNode } from './bootstrap.mjs';

await bootstrap();
process.exitCode = await runNode(['packages/server/src/main.ts', ...process.argv.slice(2)]);
