/**
 * The walls between the rooms of ARCHITECTURE.md. Workspaces and types do not keep a file from importing what it should
 * not know; this does. `test/house/import-walls.test.ts` breaks every wall on purpose.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root as ownRoot } from './bootstrap.mjs';
import { listSources, readImports, readTokens } from './import-graph.mjs';

/**
 * @typedef {{ rule: string, from: string, to: string, sentence: string }} Violation
 * @typedef {{ file: string, room: string, stage?: string, slice: string, isTest: boolean, isTool: boolean }} Place
 *   `room` is a package's name, `test` or `scripts`; `isTool`: a bench or a study.
 */

/** The way of the data. A stage imports those before it. */
const STAGES = ['market-data', 'features', 'models', 'portfolio', 'insight', 'operate'];
/** From the ground up. A floor imports lower floors and its own. */
const FLOORS = [
  ['checks', 'random', 'linalg', 'series', 'stats'],
  [
    ...['indicators', 'expressions', 'labels', 'volatility', 'regime', 'dependence', 'factors', 'anomaly', 'patterns'],
    ...['optimize', 'learn', 'explain', 'text', 'quality'],
  ],
  ['accounting', 'evaluation', 'backtest', 'simulate'],
];
const PACKAGE_IMPORTS = {
  quant: [],
  contracts: [],
  server: ['quant', 'contracts'],
  web: ['contracts'],
  cli: ['contracts'],
};
/** What holds the server together may know every stage, and nothing imports it. */
const WIRING = '(wiring)';
const PLATFORM = 'platform';
/** The other program of the server: backup, restore and password reset, run beside it or without it. */
const OPERATE_PROGRAM = 'packages/server/src/operate/main.ts';
/** Where a kernel would get the time, chance or the outside world from. */
const IMPURE = [
  ['Math', '.', 'random'],
  ['Date', '.', 'now'],
  ['new', 'Date', '(', ')'],
  ['performance', '.', 'now'],
  ['process', '.'],
  ['fetch', '('],
  ['globalThis'],
];

/**
 * @param {string} root The repository, or a made-up one in a test.
 * @returns {Violation[]} Sorted by file.
 */
export function findViolations(root) {
  const files = ['packages', 'test', 'scripts'].flatMap((folder) => listSources(root, folder));
  const edges = files.flatMap((file) => readImports(root, file));
  const violations = [
    ...files.flatMap((file) => judgePlace(findPlace(file))),
    ...files.flatMap((file) => judgePurity(root, findPlace(file))),
    ...edges.flatMap((edge) => judgeEdge(edge)),
    ...judgeCycles(edges),
  ];
  return violations.sort((a, b) => (a.from < b.from ? -1 : a.from > b.from ? 1 : 0));
}

/**
 * @param {string} file
 * @returns {Place}
 */
function findPlace(file) {
  const parts = file.split('/');
  // A script in TypeScript is a tool for developers, run after everything is installed, and may look anywhere.
  const isDeveloperTool = parts[0] === 'scripts' && file.endsWith('.ts');
  const isNamedTest = /\.test\.tsx?$/.test(file) || parts.includes('test') || parts.includes('conformance');
  const isTest = isNamedTest || isDeveloperTool;
  const isTool = parts[0] === 'packages' && (parts[2] === 'bench' || parts[2] === 'study');
  if (parts[0] !== 'packages') return { file, room: parts[0] ?? '', slice: '', isTest, isTool };
  const [, room = '', area = ''] = parts;
  if (area !== 'src') return { file, room, slice: `${room}/${area}`, isTest, isTool };
  const folders = parts.slice(3, -1);
  const isProgram = room === 'server' && (folders.length === 0 || file === OPERATE_PROGRAM);
  const stage = isProgram ? WIRING : folders[0];
  // A floor of quant is a slice; in the server and the web a slice is one folder deeper; the command line is one slice.
  const depth = { quant: 1, contracts: 1, cli: 0 }[room] ?? 2;
  return { file, room, stage, slice: [room, ...folders.slice(0, depth)].join('/'), isTest, isTool };
}

/** @param {Place} place */
function judgePlace({ file, room, stage, isTest }) {
  const known =
    room === 'quant'
      ? stage === undefined || FLOORS.flat().includes(stage)
      : room !== 'server' || stage === undefined || [...STAGES, PLATFORM, WIRING].includes(stage);
  if (known || isTest) return [];
  return [violation('unknown room', file, '', `${stage} is no ${room === 'quant' ? 'floor' : 'stage'} of ${room}.`)];
}

/**
 * @param {string} root
 * @param {Place} place
 */
function judgePurity(root, { file, room, isTest, isTool }) {
  if (room !== 'quant' || isTest || isTool || !file.startsWith('packages/quant/src/')) return [];
  const values = readTokens(readFileSync(join(root, file), 'utf8')).map(({ kind, value }) =>
    kind === 'text' ? '' : value,
  );
  return IMPURE.filter((words) =>
    values.some((_, i) => values[i - 1] !== '.' && words.every((word, k) => values[i + k] === word)),
  ).map((words) => violation('impure kernel', file, '', `A kernel has no ${words.join('')}: pass it in.`));
}

/** @param {import('./import-graph.mjs').Edge} edge */
function judgeEdge({ from, specifier, to }) {
  const source = findPlace(from);
  const accuse = (rule, sentence) => [violation(rule, from, specifier, sentence)];
  if (to === undefined) return judgeOutside(source, specifier, accuse);

  const target = findPlace(to);
  // A bench may drive the same double of a vendor as the tests do.
  const mayImportTests = source.isTest || (source.isTool && source.room === target.room);
  if (target.isTest && !mayImportTests) return accuse('tests are leaves', 'Only tests and benches import tests.');
  if (source.room !== target.room) return judgeRooms(source, target, specifier, accuse);
  if (source.room === 'quant') return judgeFloors(source, target, accuse);
  if (source.room === 'server') return judgeStages(source, target, accuse);
  if (source.room === 'web') return judgeScreens(source, target, accuse);
  return [];
}

/**
 * Packages and built-in modules.
 *
 * @param {Place} source
 * @param {string} specifier
 * @param {(rule: string, sentence: string) => Violation[]} accuse
 */
function judgeOutside(source, specifier, accuse) {
  const isBuiltIn = specifier.startsWith('node:');
  if (source.isTest) return [];
  if (source.room === 'quant' && !source.isTool) {
    return accuse('quant imports nothing', 'quant is pure: no packages, no built-in modules.');
  }
  if (source.room === 'contracts' && specifier !== 'zod') {
    return accuse('contracts import zod only', 'contracts import the schema library and nothing else.');
  }
  if (source.room === 'web' && isBuiltIn && source.stage !== undefined) {
    return accuse('web runs in a browser', 'The pages have no built-in modules of Node.');
  }
  if (source.room === 'scripts' && !isBuiltIn) {
    return accuse('scripts run bare', 'Scripts run before anything is installed: built-in modules only.');
  }
  return [];
}

/**
 * @param {Place} source
 * @param {Place} target
 * @param {string} specifier
 * @param {(rule: string, sentence: string) => Violation[]} accuse
 */
function judgeRooms(source, target, specifier, accuse) {
  if (source.room === 'test' || (source.room === 'scripts' && source.isTest)) return judgeDoor(source, target, accuse);
  if (source.room === 'scripts') return accuse('scripts run bare', 'Scripts import no package of ours.');
  if (target.room === 'scripts' || target.room === 'test') {
    return accuse('tests are leaves', 'Packages import neither scripts nor tests.');
  }
  const allowed = PACKAGE_IMPORTS[source.room] ?? [];
  if (!allowed.includes(target.room)) {
    return accuse(`${source.room} imports`, `${source.room} may not import ${target.room}.`);
  }
  if (specifier.startsWith('.')) {
    return accuse('package names', `Say @touchstone/${target.room}/…, not a path out of the package.`);
  }
  const knowsQuant = source.stage !== PLATFORM || source.slice === 'server/platform/compute' || source.isTest;
  if (target.room === 'quant' && !knowsQuant) {
    return accuse('platform imports', 'Of the platform only compute knows quant.');
  }
  return [];
}

/** @type {(source: Place, target: Place, accuse: (rule: string, sentence: string) => Violation[]) => Violation[]} */
function judgeFloors(source, target, accuse) {
  if (source.stage === undefined || target.stage === undefined) return [];
  // A test may look from above: it judges a low floor with the tools of a higher one.
  if (source.isTest || source.isTool || floorOf(source.stage) >= floorOf(target.stage)) return [];
  return accuse('quant floors', `${source.stage} lies below ${target.stage} and may not import it.`);
}

/** @type {(source: Place, target: Place, accuse: (rule: string, sentence: string) => Violation[]) => Violation[]} */
function judgeStages(source, target, accuse) {
  const { stage: from } = source;
  const { stage: to } = target;
  if (from === WIRING || source.isTest || source.isTool || to === undefined) return judgeDoor(source, target, accuse);
  if (to === WIRING) return accuse('wiring', 'Dependencies meet in main.ts; nothing imports it, app.ts or config.ts.');
  if (from === to || to === PLATFORM) return [];
  if (from === PLATFORM) return accuse('platform imports', `The platform knows no stage, and ${to} is one.`);
  if (STAGES.indexOf(from ?? '') < STAGES.indexOf(to)) {
    return accuse('way of the data', `${from} comes before ${to} and may not look downstream.`);
  }
  return judgeDoor(source, target, accuse);
}

/** @type {(source: Place, target: Place, accuse: (rule: string, sentence: string) => Violation[]) => Violation[]} */
function judgeDoor(source, target, accuse) {
  const { stage } = target;
  if (target.room !== 'server' || stage === undefined || !STAGES.includes(stage) || source.stage === stage) return [];
  // The wiring and the server's own tests build a stage from its parts.
  if (source.room === 'server' && (source.stage === WIRING || source.isTest || source.isTool)) return [];
  if (target.file === `packages/server/src/${stage}/index.ts`) return [];
  return accuse('stage door', `Enter ${stage} through packages/server/src/${stage}/index.ts.`);
}

/** @type {(source: Place, target: Place, accuse: (rule: string, sentence: string) => Violation[]) => Violation[]} */
function judgeScreens(source, target, accuse) {
  if (target.stage === 'features' && source.stage === 'features' && source.slice !== target.slice) {
    return accuse('web features', 'Features of the web do not import each other.');
  }
  const isShared = source.stage === 'components' || source.stage === 'lib';
  if (isShared && (target.stage === 'features' || target.stage === 'app')) {
    return accuse('web features', `What is shared (${source.stage}) imports no ${target.stage}.`);
  }
  return [];
}

/**
 * Slices that import each other in a circle, each circle once.
 *
 * @param {import('./import-graph.mjs').Edge[]} edges
 * @returns {Violation[]}
 */
function judgeCycles(edges) {
  /** @type {Map<string, Map<string, { from: string, specifier: string }>>} */
  const graph = new Map();
  for (const { from, specifier, to } of edges) {
    if (to === undefined) continue;
    const [source, target] = [findPlace(from), findPlace(to)];
    const counts = source.room === target.room && source.room in PACKAGE_IMPORTS && source.slice !== target.slice;
    if (!counts || source.isTest || source.isTool || source.stage === WIRING) continue;
    const targets = graph.get(source.slice) ?? new Map();
    graph.set(source.slice, targets.set(target.slice, targets.get(target.slice) ?? { from, specifier }));
  }
  const seen = new Set();
  return [...graph.keys()].sort().flatMap((slice) => {
    const circle = seen.has(slice) ? undefined : findCircle(graph, slice);
    if (circle === undefined) return [];
    for (const member of circle) seen.add(member);
    const first = graph.get(slice)?.get(circle[1] ?? slice);
    const way = [...circle, slice].join(' → ');
    return [violation('circle', first?.from ?? slice, first?.specifier ?? '', `Slices import each other: ${way}.`)];
  });
}

/**
 * The shortest way from a slice back to itself.
 *
 * @param {Map<string, Map<string, unknown>>} graph
 * @param {string} start
 * @returns {string[] | undefined}
 */
function findCircle(graph, start) {
  const ways = [[start]];
  const visited = new Set();
  for (const way of ways) {
    for (const next of graph.get(way.at(-1) ?? '')?.keys() ?? []) {
      if (next === start) return way;
      if (!visited.has(next)) ways.push([...way, next]);
      visited.add(next);
    }
  }
  return undefined;
}

/** @param {string} name */
function floorOf(name) {
  return FLOORS.findIndex((floor) => floor.includes(name));
}

/**
 * @param {string} rule
 * @param {string} from
 * @param {string} to
 * @param {string} sentence
 * @returns {Violation}
 */
function violation(rule, from, to, sentence) {
  return { rule, from, to, sentence };
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const violations = findViolations(ownRoot);
  for (const { rule, from, to, sentence } of violations) {
    console.error(`${from}${to === '' ? '' : ` imports ${to}`}\n  ${rule}: ${sentence}`);
  }
  const packages = existsSync(join(ownRoot, 'packages')) ? readdirSync(join(ownRoot, 'packages')).length : 0;
  console.log(
    violations.length === 0 ? `The walls of ${packages} packages stand.` : `${violations.length} violations.`,
  );
  process.exitCode = violations.length === 0 ? 0 : 1;
}
