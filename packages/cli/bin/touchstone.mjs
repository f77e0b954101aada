#!/usr/bin/env node
// Plain JavaScript for an old Node (20): finds the Node that came with the packages and starts the command under it.
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url)))));
const bootstrap = join(root, 'scripts', 'bootstrap.mjs');

if (existsSync(bootstrap) && !existsSync(join(root, 'node_modules', 'zod'))) {
  console.error('The packages are not installed yet. Run "npm start" or "npm ci" once, then try again.');
  process.exit(1);
}
const { spawn } = await import('node:child_process');
const { constants } = await import('node:os');
const installed = join(root, 'node_modules', '.bin', 'node');
const [major, minor] = process.versions.node.split('.').map(Number);
const runsTypeScript = major > 22 || (major === 22 && minor >= 18);
if (!existsSync(installed) && !runsTypeScript) {
  console.error(
    `Touchstone needs Node 22.18 or newer, this is ${process.versions.node}. Install Node 24 and try again.`,
  );
  process.exit(1);
}
const node = existsSync(installed) ? installed : process.execPath;
const main = join(root, 'packages', 'cli', 'src', 'main.ts');
const child = spawn(node, [main, ...process.argv.slice(2)], { stdio: 'inherit' });
// A terminal sends Ctrl-C to the child as well, and the child decides what it means.
process.on('SIGINT', () => process.stdin.isTTY || child.kill('SIGINT'));
process.on('SIGTERM', () => child.kill('SIGTERM'));
child.on('error', (error) => {
  console.error(`Cannot start ${node}: ${error.message}`);
  process.exit(1);
});
child.on('exit', (code, signal) => process.exit(signal === null ? (code ?? 1) : 128 + constants.signals[signal]));
