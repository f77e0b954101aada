// `npm run study [-- NAME …] [--json] [--list]`: the statistical figures. Each `packages/*/study/NAME.ts` exports `run()`.
import { runHarness } from './harness.mjs';

process.exitCode = await runHarness('study', process.argv.slice(2));
