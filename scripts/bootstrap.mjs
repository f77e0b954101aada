/**
 * Makes a fresh clone ready to run, and then starts programs under the right Node.
 *
 * This file and those that import it run under an old Node too (20), before anything is installed: plain JavaScript, no
 * packages.
 */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { delimiter, dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

const modules = join(root, 'node_modules');
const programs = join(modules, '.bin');
const NODE_MAJOR = 24;
const NODE_OLDEST = [22, 18];
const UNREACHABLE = /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ERR_SOCKET_TIMEOUT/;
const STILL_WORKING_MS = 5_000;
const COMPLAINT_LENGTH_MAX = 100_000;

/** Something the user can mend; the message says how. */
class BootstrapError extends Error {}

/**
 * Installs packages and builds the pages where that is needed. Ends the process with a sentence if it cannot.
 *
 * @param {{ pages?: boolean }} [options] `pages: false` leaves the web pages alone.
 */
export async function bootstrap(options = {}) {
  try {
    await ensurePackages();
    const node = findNode();
    if (options.pages !== false) await ensurePages(node);
  } catch (error) {
    if (!(error instanceof BootstrapError)) throw error;
    console.error(`\n${error.message}`);
    process.exit(1);
  }
}

/**
 * Runs the right Node with these arguments until it ends, signals passed on.
 *
 * @param {string[]} args
 * @param {{ env?: Record<string, string | undefined> }} [options]
 * @returns {Promise<number>} The exit code; 128 + the signal's number if a signal ended it.
 */
export function runNode(args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(findNode(), args, { cwd: root, stdio: 'inherit', env: { ...environment(), ...options.env } });
    const pass = (signal) => child.kill(signal);
    // A terminal sends Ctrl-C to the child as well; a second one would look like impatience.
    const passInterrupt = () => process.stdin.isTTY || child.kill('SIGINT');
    process.on('SIGTERM', pass);
    process.on('SIGHUP', pass);
    process.on('SIGINT', passInterrupt);
    child.on('error', reject);
    child.on('exit', (code, signal) => {
      process.off('SIGTERM', pass);
      process.off('SIGHUP', pass);
      process.off('SIGINT', passInterrupt);
      resolve(signal === null ? (code ?? 1) : 128 + constants.signals[signal]);
    });
  });
}

/** The environment with the installed programs first, so that `node` is the right one there too. */
export function environment() {
  return {
    // Compiled code is kept between starts: it saves a third of the time to the first answer.
    NODE_COMPILE_CACHE: join(modules, '.cache', 'node'),
    ...process.env,
    PATH: `${programs}${delimiter}${process.env.PATH ?? ''}`,
  };
}

/** The installed Node 24, else the one that runs this if it can run TypeScript. */
export function findNode() {
  const installed = join(programs, process.platform === 'win32' ? 'node.exe' : 'node');
  if (existsSync(installed)) {
    const { stdout } = spawnSync(installed, ['--version'], { encoding: 'utf8' });
    if (Number(/^v(\d+)/.exec(stdout ?? '')?.[1]) >= NODE_MAJOR) return installed;
  }
  const [major, minor] = process.versions.node.split('.').map(Number);
  const [oldestMajor, oldestMinor] = NODE_OLDEST;
  if (major > oldestMajor || (major === oldestMajor && minor >= oldestMinor)) return process.execPath;
  throw new BootstrapError(
    `Touchstone needs Node ${NODE_OLDEST.join('.')} or newer, this is ${process.versions.node}, and no Node came with the packages for ${process.platform}-${process.arch}. Install Node ${NODE_MAJOR} and start again.`,
  );
}

/**
 * A hash over the names and contents of files.
 *
 * @param {string[]} paths Files and folders; missing ones count as empty.
 */
export function hashFiles(paths) {
  const hash = createHash('sha256');
  for (const file of paths.flatMap(listFiles).sort()) {
    hash
      .update(`${relative(root, file).split(sep).join('/')}\n`)
      .update(readFileSync(file))
      .update('\0');
  }
  return hash.digest('hex');
}

/**
 * All files under a path, build results and packages left out.
 *
 * @param {string} path
 * @returns {string[]}
 */
export function listFiles(path) {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return [];
  if (stat.isFile()) return [path];
  return readdirSync(path)
    .filter((name) => name !== 'node_modules' && name !== 'dist' && !name.startsWith('.'))
    .sort()
    .flatMap((name) => listFiles(join(path, name)));
}

/** The folders of the workspaces, sorted. */
export function listPackages() {
  const folder = join(root, 'packages');
  return readdirSync(folder)
    .sort()
    .map((name) => join(folder, name))
    .filter((path) => existsSync(join(path, 'package.json')));
}

// ------------------------------------------------------------------------------------------------------- packages

async function ensurePackages() {
  const manifests = [root, ...listPackages()].map((folder) => join(folder, 'package.json'));
  const wanted = hashFiles([join(root, 'package-lock.json'), ...manifests]);
  const stamp = join(modules, '.touchstone-packages');
  if (readStamp(stamp) === wanted) return;
  if (!isInstalled()) {
    console.error('Installing packages (npm ci). This takes a minute the first time.');
    const startedAt = Date.now();
    await install();
    console.error(`Packages installed in ${secondsSince(startedAt)} s.`);
  }
  writeStamp(stamp, wanted);
}

/** Whether somebody has installed exactly what the lock file asks for already. */
function isInstalled() {
  const hidden = join(modules, '.package-lock.json');
  if (!existsSync(hidden)) return false;
  const have = readPackages(hidden);
  return Object.entries(readPackages(join(root, 'package-lock.json')))
    .filter(([path, entry]) => path.startsWith('node_modules/') && !entry.link && !entry.optional && !entry.peer)
    .every(([path, entry]) => have[path]?.version === entry.version);
}

/**
 * @param {string} lockFile
 * @returns {Record<string, { version?: string, link?: boolean, optional?: boolean, peer?: boolean }>}
 */
function readPackages(lockFile) {
  return JSON.parse(readFileSync(lockFile, 'utf8')).packages ?? {};
}

async function install() {
  const quiet = ['--no-audit', '--no-fund', '--loglevel=error'];
  let { code, complaint } = await runNpm(['ci', ...quiet], isGap);
  if (code !== 0 && hasGapsOnly(complaint)) {
    // `npm install` takes the same locked versions and checks the same hashes, and passes over the gaps.
    console.error('The registry lacks some packages of other systems; installing without them.');
    ({ code, complaint } = await runNpm(['install', '--no-save', ...quiet]));
  }
  if (code === 0) return;
  if (UNREACHABLE.test(complaint)) {
    throw new BootstrapError(
      'The package registry cannot be reached, so the packages cannot be installed. Check the network and the registry and proxy settings of npm ("npm config get registry"), then start again.',
    );
  }
  if (/ENOSPC/.test(complaint)) {
    throw new BootstrapError('The disk is full. Free about 1 GB for the packages and start again.');
  }
  throw new BootstrapError(`npm ended with code ${code}; its message is above. Mend that and start again.`);
}

/**
 * @param {string[]} args
 * @param {(complaint: string) => boolean} [isExpected] Complaints that are not shown.
 */
function runNpm(args, isExpected) {
  const npm = process.env.npm_execpath;
  const [command, first] = npm?.endsWith('.js') ? [process.execPath, [npm]] : ['npm', []];
  return runWithProgress(command, [...first, ...args], root, isExpected);
}

/** @param {string} complaint */
function isGap(complaint) {
  return complaint.includes('EUSAGE') && hasGapsOnly(complaint);
}

/**
 * A lock file made beside a registry that lacks a package of another system has a gap there, and `npm ci` refuses it: it
 * names such a package without a version. A named version means that the lock file really is behind.
 *
 * @param {string} complaint
 */
function hasGapsOnly(complaint) {
  const differences = complaint.split('\n').filter((line) => /\b(Missing|Invalid): /.test(line));
  return differences.length > 0 && differences.every((line) => /Missing: \S+@ from lock file/.test(line));
}

// ---------------------------------------------------------------------------------------------------------- pages

/** @param {string} node */
async function ensurePages(node) {
  const web = join(root, 'packages', 'web');
  if (!existsSync(join(web, 'index.html'))) return;
  const sources = readdirSync(web).filter((name) => name !== 'dist' && name !== 'node_modules' && name !== 'test');
  const wanted = hashFiles([
    ...sources.map((name) => join(web, name)),
    join(root, 'packages', 'contracts', 'src'),
    join(root, 'package-lock.json'),
  ]);
  const stamp = join(modules, '.touchstone-pages');
  if (readStamp(stamp) === wanted && existsSync(join(web, 'dist', 'index.html'))) return;

  console.error('Building the pages.');
  const startedAt = Date.now();
  const vite = join(modules, 'vite', 'bin', 'vite.js');
  const { code } = await runWithProgress(node, [vite, 'build', '--logLevel', 'warn'], web);
  if (code !== 0) {
    throw new BootstrapError(`The pages cannot be built ("vite build" ended with code ${code}); its message is above.`);
  }
  console.error(`Pages built in ${secondsSince(startedAt)} s.`);
  writeStamp(stamp, wanted);
}

// --------------------------------------------------------------------------------------------------------- helpers

/**
 * @param {string} command
 * @param {string[]} args
 * @param {string} cwd
 * @param {(complaint: string) => boolean} [isExpected] Asked at the end, with all that was complained.
 * @returns {Promise<{ code: number, complaint: string }>}
 */
function runWithProgress(command, args, cwd, isExpected) {
  return new Promise((resolve) => {
    const startedAt = Date.now();
    const child = spawn(command, args, {
      cwd,
      env: environment(),
      stdio: ['ignore', 'inherit', 'pipe'],
      shell: process.platform === 'win32' && command === 'npm',
    });
    let complaint = '';
    child.stderr.setEncoding('utf8').on('data', (text) => {
      complaint = (complaint + text).slice(-COMPLAINT_LENGTH_MAX);
      if (isExpected === undefined) process.stderr.write(text);
    });
    const ticker = setInterval(() => console.error(`  … ${secondsSince(startedAt)} s`), STILL_WORKING_MS);
    const finish = (code, message) => {
      clearInterval(ticker);
      if (isExpected !== undefined && code !== 0 && !isExpected(complaint)) process.stderr.write(complaint);
      resolve({ code, complaint: complaint + message });
    };
    child.on('error', (error) => {
      console.error(error.message);
      finish(1, error.message);
    });
    child.on('close', (code) => finish(code ?? 1, ''));
  });
}

/** @param {number} startedAt */
function secondsSince(startedAt) {
  return Math.round((Date.now() - startedAt) / 1000);
}

/** @param {string} path */
function readStamp(path) {
  return existsSync(path) ? readFileSync(path, 'utf8').trim() : undefined;
}

/**
 * @param {string} path
 * @param {string} value
 */
function writeStamp(path, value) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${value}\n`);
}
