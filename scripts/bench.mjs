// `npm run bench [-- NAME …] [--json] [--list]`: the figures of speed. Each `packages/*/bench/NAME.ts` exports `run()`.
import { runHarness } from './harness.mjs';

process.exitCode = await runHarness('bench', process.argv.slice(2));
