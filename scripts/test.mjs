// `npm test [-- PATH …] [-- --test-name-pattern=…]`: all tests, or those whose path contains one of the words.
import { bootstrap, runNode } from './bootstrap.mjs';

await bootstrap();
// Under CI nothing that was meant to be there may be missing silently.
const env = process.env.CI
  ? { TOUCHSTONE_REQUIRE: process.env.TOUCHSTONE_REQUIRE ?? 'postgres15,chromium,redis,s3' }
  : {};
process.exitCode = await runNode(['scripts/run-tests.ts', ...process.argv.slice(2)], { env });
