/**
 * Runs the figures of speed (`bench`) and of statistics (`study`), each file in a process of its own: what one has
 * compiled, allocated and warmed does not flatter or burden the next.
 *
 * A file exports `run()`, which gives one figure or a list of them, perhaps later:
 * `{ name?, figure, unit, peer?, peerFigure?, ratio?, goal?, met?, input? }`. The ratio is made here if it is missing;
 * machine, moment and (for a study) the hash of the code are added. A file without `run()` is a helper.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { cpus, tmpdir, totalmem } from 'node:os';
import { basename, join, relative } from 'node:path';
import { bootstrap, hashFiles, listFiles, listPackages, root, runNode } from './bootstrap.mjs';

/**
 * @typedef {{ name: string, figure: number | null, unit: string, peer?: string | null, peerFigure?: number | null,
 *   ratio?: number | null, goal?: string | number | null, met?: boolean | null, input?: unknown }} Figure
 */

/**
 * @param {'bench' | 'study'} kind
 * @param {string[]} args Names, `--json`, `--list`.
 * @returns {Promise<number>} 1 if a file failed or a name is unknown; a goal that was missed is a result, not a failure.
 */
export async function runHarness(kind, args) {
  await bootstrap();
  const json = args.includes('--json');
  const names = args.filter((arg) => !arg.startsWith('-'));
  const files = listPackages()
    .flatMap((folder) => listFiles(join(folder, kind)))
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts') && exportsRun(file));
  const known = files.map(nameOf);
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    console.error(`There is no ${kind} named ${unknown.join(', ')}. There are: ${known.join(', ') || 'none'}.`);
    return 1;
  }
  if (!json) for (const file of files) console.log(`${nameOf(file).padEnd(24)} ${relative(root, file)}`);
  if (args.includes('--list')) return 0;

  const wanted = files.filter((file) => names.length === 0 || names.includes(nameOf(file)));
  const surroundings = { machine: describeMachine(), ...(kind === 'study' ? { code: hashCode() } : {}) };
  let failures = 0;
  /** @type {Figure[]} */
  const all = [];
  for (const file of wanted) {
    if (!json) console.log(`\n── ${nameOf(file)}`);
    const figures = await runFile(file);
    if (figures === undefined) failures++;
    for (const figure of figures ?? []) {
      const whole = { ...figure, ...surroundings, at: new Date().toISOString() };
      if (json) console.log(JSON.stringify(whole));
      all.push(figure);
    }
  }
  if (!json) printTable(all, surroundings);
  return failures > 0 ? 1 : 0;
}

/**
 * @param {string} file
 * @returns {Promise<Figure[] | undefined>} Undefined if it failed; its message is printed then.
 */
async function runFile(file) {
  const folder = mkdtempSync(join(tmpdir(), 'touchstone-figure-'));
  const answer = join(folder, 'figures.json');
  const runner = join(root, 'scripts', 'harness-run.mjs');
  try {
    const code = await runNode(['--expose-gc', runner, file, answer]);
    if (code !== 0 || !existsSync(answer)) {
      console.error(`${nameOf(file)} failed (code ${code}).`);
      return undefined;
    }
    return JSON.parse(readFileSync(answer, 'utf8')).map((figure) => complete(nameOf(file), figure));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * @param {string} name
 * @param {Partial<Figure>} given
 * @returns {Figure}
 */
function complete(name, given) {
  const { figure = null, unit = '', peer = null, peerFigure = null, goal = null, met = null, input = null } = given;
  const canCompare = typeof figure === 'number' && typeof peerFigure === 'number' && peerFigure !== 0;
  const ratio = given.ratio ?? (canCompare ? figure / peerFigure : null);
  const whole = { name: given.name ?? name, figure, unit, peer, peerFigure, ratio, goal, met, input };
  return { ...whole, ...given, ...whole };
}

/** @param {string} file */
function exportsRun(file) {
  return /^export\s+(async\s+)?(function|const)\s+run\b/m.test(readFileSync(file, 'utf8'));
}

/** @param {string} file */
function nameOf(file) {
  return basename(file, '.ts');
}

/** The figures belong to this machine and this Node, which is the one that ran them. */
function describeMachine() {
  const node = execFileSync('node', ['--version'], { encoding: 'utf8', env: pathEnvironment() }).trim();
  const processors = cpus();
  return {
    processor: processors[0]?.model ?? 'unknown',
    cores: processors.length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${process.platform}-${process.arch}`,
    node,
  };
}

function pathEnvironment() {
  return { ...process.env, PATH: `${join(root, 'node_modules', '.bin')}:${process.env.PATH ?? ''}` };
}

/** What code a study ran: the commit, marked if files differ from it, or a hash of the sources where there is no git. */
function hashCode() {
  try {
    const git = (...args) => execFileSync('git', args, { cwd: root, encoding: 'utf8', stdio: 'pipe' }).trim();
    const changed = git('status', '--porcelain', '--', 'packages', 'package-lock.json') !== '';
    return changed ? `${git('rev-parse', 'HEAD')}+${hashSources()}` : git('rev-parse', 'HEAD');
  } catch {
    return hashSources();
  }
}

function hashSources() {
  return `sha256:${hashFiles([join(root, 'packages'), join(root, 'package-lock.json')]).slice(0, 16)}`;
}

/**
 * @param {Figure[]} figures
 * @param {{ machine: Record<string, unknown>, code?: string }} surroundings
 */
function printTable(figures, surroundings) {
  const rows = figures.map(({ name, figure, unit, peer, peerFigure, ratio, goal, met }) => [
    name,
    `${round(figure)} ${unit}`,
    peerFigure === null ? 'no peer' : `${peer ?? 'peer'} ${round(peerFigure)}`,
    ratio === null ? '' : `${round(ratio)}x`,
    goal === null ? '' : `goal ${goal}`,
    met === null ? '' : met ? 'met' : 'MISSED',
  ]);
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  console.log('');
  for (const row of rows)
    console.log(
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    );
  console.log(
    `\n${Object.values(surroundings.machine).join(', ')}${surroundings.code ? `; code ${surroundings.code}` : ''}`,
  );
}

/** @param {number | null | undefined} value */
function round(value) {
  return typeof value === 'number' ? Number(value.toPrecision(4)).toString() : 'undefined';
}
