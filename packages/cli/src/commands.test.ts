import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { getStatus } from '@touchstone/contracts/diagnostics';
import { exampleOf as bodyExampleOf } from '@touchstone/contracts/example';
import type { Route } from '@touchstone/contracts/route';
import { ALL_ROUTES } from '@touchstone/contracts/routes';
import { type Answers, exampleOf, fakeTerminal, Refusal, startDouble } from '../test/double.ts';
import { COMMANDS } from './commands/index.ts';
import { run } from './run.ts';

const PASSWORD = 'correct horse battery';
const HASH = '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08';
const VERDICT = { ok: true, checks: [{ name: 'evidence', count: 3, ok: true, sentence: 'All 3 records fit.' }] };

let folder: string;
let home: string;
before(async () => {
  folder = await mkdtemp('/tmp/touchstone-cli-');
  for (const name of ['prices.csv.gz', 'caps.csv', 'actions.csv', 'rates.csv', 'cpi.csv', 'second.csv']) {
    await writeFile(path.join(folder, name), 'date,symbol,close\n2026-01-15,ALDR,10\n');
  }
  await writeFile(path.join(folder, 'rows.csv'), 'instrument,as_of,known_at\nALDR,2026-01-15,\n');
  const { body } = ALL_ROUTES.find(({ id }) => id === 'createFeatureView') as Route;
  const { body: foreign } = ALL_ROUTES.find(({ id }) => id === 'registerForeignModel') as Route;
  const { manifest } = Object(bodyExampleOf(foreign!));
  await writeFile(path.join(folder, 'manifest.json'), JSON.stringify(manifest));
  await writeFile(path.join(folder, 'model.onnx'), 'a model');
  await mkdir(path.join(folder, 'my-rows'));
  await writeFile(path.join(folder, 'my-rows', 'model.onnx'), 'a model');
  await writeFile(path.join(folder, 'my-rows', 'spec.json'), JSON.stringify(like('getTrainingTable', {})));
  const { datasetSha256 } = Object(like('getTrainingTable', {}));
  await writeFile(path.join(folder, 'my-rows', 'metadata.json'), JSON.stringify({ ...manifest, datasetSha256 }));
  await writeFile(path.join(folder, 'view.json'), JSON.stringify(bodyExampleOf(body!)));
});
beforeEach(async () => {
  home = await mkdtemp(path.join(folder, 'home-'));
});
after(() => rm(folder, { recursive: true, force: true }));

/** The example of a route with some of it replaced. */
function like(id: string, changes: object): object {
  const route = ALL_ROUTES.find((each) => each.id === id) as Route;
  return { ...Object(exampleOf(route)), ...changes };
}
const doneTask = (result: object = {}) => like('getTask', { state: 'done', progress: 1, result, problem: null });
const session = (changes: object = {}) =>
  like('signIn', {
    refreshToken: '1.refresh',
    accessToken: 'access-1',
    accessTokenExpiresAt: new Date(Date.now() + 900_000).toISOString(),
    ...changes,
  });
const NORMAL: Answers = {
  getTask: () => doneTask({ runId: 12, datasetSha256: HASH, ...VERDICT }),
  signIn: () => session(),
  createOwner: () => session(),
  acceptInvitation: () => session(),
  answerSecondFactor: () => session(),
  listInstruments: ({ query }) => ({
    items: [like('getInstrument', { symbol: Object(query).search ?? 'ALDR' })],
    nextCursor: null,
  }),
  listIndexes: () => ({ items: [like('getIndex', { id: 4, name: 'My index' })], nextCursor: null }),
  listDatasets: () => ({ items: [like('getDataset', { sha256: HASH })], nextCursor: null }),
};

type Options = { answers?: Answers; replies?: string[]; input?: string; isInteractive?: boolean };

async function call(words: string[], { answers, replies, ...rest }: Options = {}) {
  const double = await startDouble({ ...NORMAL, ...answers });
  const fake = fakeTerminal({ TOUCHSTONE_URL: double.url, TOUCHSTONE_HOME: home }, { ...rest, answers: replies });
  try {
    const code = await run(words, fake.terminal, COMMANDS);
    return { code, ...fake.said, seen: double.seen, ids: double.seen.map((each) => each.id) };
  } finally {
    await double.close();
  }
}

/** Words of an example as a shell would split them; files are those of the test. */
function split(example: string): string[] {
  const words = [...example.matchAll(/"([^"]*)"|(\S+)/g)].map((match) => match[1] ?? match[2] ?? '');
  return words.map((word) =>
    /\.(csv|csv\.gz|arrow|json|bin|onnx)$|^my-repository$|^my-rows$/.test(word) ? path.join(folder, word) : word,
  );
}

const BY_SERVER = ['backup', 'restore', 'drill', 'migrate', 'doctor', 'user reset'];

for (const command of COMMANDS.filter(({ name }) => !BY_SERVER.includes(name))) {
  test(`the example of "${command.name}" is a request the contract takes, for people and as JSON`, async () => {
    const words = [
      ...split(command.example),
      ...(/^(login|owner|join|password)/.test(command.name) ? ['--password-stdin'] : []),
    ];
    const input = command.name === 'password change' ? `${PASSWORD}\n${PASSWORD} 2\n` : `${PASSWORD}\n`;
    const forPeople = await call(words, { input });
    assert.equal(forPeople.code, 0, forPeople.err);
    assert.ok(forPeople.out.endsWith('\n'), forPeople.out);
    assert.ok(!/undefined|\[object/.test(forPeople.out), forPeople.out);
    const asJson = await call([...words, '--json'], { input });
    assert.equal(asJson.code, 0, asJson.err);
    assert.equal(typeof JSON.parse(asJson.out), 'object');
  });
}

test('a folder whose metadata is of another dataset is refused before anything is sent', async () => {
  const file = path.join(folder, 'my-rows', 'metadata.json');
  const before = await readFile(file, 'utf8');
  await writeFile(file, JSON.stringify({ ...JSON.parse(before), datasetSha256: 'f'.repeat(64) }));
  const { code, err, ids } = await call(['train', 'import', path.join(folder, 'my-rows')]);
  await writeFile(file, before);
  assert.deepEqual([code, ids], [2, []]);
  assert.match(err, /learnt from dataset ffffffffffff, spec\.json is of/);
});

test('doctor says why a finding matters and what to do, and ends with 1 when something is broken', async () => {
  const finding = { check: 'backups', state: 'broken', what: 'No backup.', why: 'All may be lost.', command: 'do it' };
  const answers = { getDoctor: () => like('getDoctor', { ok: false, findings: [finding] }) };
  const { code, out } = await call(['doctor', '--server'], { answers });
  assert.equal(code, 1);
  assert.match(out, /BROKEN +backups +No backup\.\n +Why: All may be lost\.\n +Do: {2}do it\n\n1 broken, 0 warnings/);
  assert.equal((await call(['doctor', '--server'])).code, 0);
  assert.equal((await call(['archive', 'start', 'ten'])).code, 2);
});

test('--json prints the answer of the contract as it came', async () => {
  const { out } = await call(['status', '--json']);
  assert.deepEqual(JSON.parse(out), getStatus.answer?.parse(exampleOf(getStatus)));
});

test('the choices of an import reach the server in the words of the contract', async () => {
  const file = path.join(folder, 'prices.csv.gz');
  const words = `import prices ${file} --source my-prices --basis split-adjusted --currency eur --separator semicolon
    --decimal comma --date-order dmy --on-bad-row refuse-file --universe All --calendar XETR --column date=Datum`;
  const { code, seen, ids, out } = await call(words.split(/\s+/));
  assert.equal(code, 0);
  assert.deepEqual(ids, ['uploadFile', 'startImport', 'getTask', 'getRun', 'listCases']);
  assert.equal(seen[0]?.body, 'date,symbol,close\n2026-01-15,ALDR,10\n');
  const { choices, source, onBadRow, universeName, kind } = Object(seen[1]?.body);
  assert.deepEqual(choices, {
    separator: ';',
    decimalMark: ',',
    dateOrder: 'dmy',
    currency: 'EUR',
    priceBasis: 'split_adjusted',
    columns: { date: 'Datum' },
  });
  assert.deepEqual(
    { source, onBadRow, universeName, kind },
    { source: { code: 'my-prices', calendar: 'XETR' }, onBadRow: 'refuse-file', universeName: 'All', kind: 'prices' },
  );
  assert.match(out, /findings: bad_tick 3/);
});

test('a preview shows what was detected and why, and starts no import', async () => {
  const { out, ids } = await call(['import', 'prices', path.join(folder, 'prices.csv.gz'), '--preview']);
  assert.deepEqual(ids, ['uploadFile', 'previewImport']);
  assert.match(out, /separator +, +certain +All 200 lines have 7 fields between commas\./);
});

test('row problems name file, line, column and rule', async () => {
  const errors = [{ file: 'prices.csv', line: 17, column: 'close', rule: 'A close must be a number, was "abc".' }];
  const { out } = await call(['run', '12'], { answers: { getRun: () => like('getRun', { errors, errorCount: 3 }) } });
  assert.match(out, /prices\.csv +17 +close +A close must be a number, was "abc"\./);
  assert.match(out, /and 2 more/);
});

test('one refused file of several does not stop the others, and the exit code tells of it', async () => {
  const files = ['prices.csv.gz', 'second.csv'].map((name) => path.join(folder, name));
  const { code, out, ids } = await call(['import', 'prices', ...files], {
    answers: {
      startImport: (_seen, count) =>
        count === 1 ? new Refusal('FILE_REFUSED', 'The file is empty.') : like('startImport', {}),
    },
  });
  assert.equal(code, 1);
  assert.equal(ids.filter((id) => id === 'startImport').length, 2);
  assert.match(out, /The file is empty\./);
  assert.match(out, /1 of 2 files were not imported/);
});

test('a correction keeps what is not given and names the version it speaks of', async () => {
  const corrected = await call(['correct', 'ALDR', '2026-01-15', '--close', '11', '--reason', 'Vendor notice']);
  const body = Object(corrected.seen.at(-1)?.body);
  assert.equal(body.close, 11);
  assert.equal(body.open, 101.25);
  assert.equal(body.reason, 'Vendor notice');
  const decided = await call(['case', 'dismiss', '7', '--note', 'A real crash']);
  assert.deepEqual(decided.seen.at(-1)?.body, { state: 'false', note: 'A real crash', version: 1 });
});

test('a schedule names its index by number, keeps what is not changed, and must say when', async () => {
  const made = await call(['schedule', 'create', 'index-run', '--index', 'My index', '--cron', '0 22 * * 1-5']);
  assert.equal(made.code, 0, made.err);
  assert.deepEqual(made.ids, ['listIndexes', 'createSchedule']);
  assert.deepEqual(made.seen.at(-1)?.body, {
    ...{ kind: 'index-run', title: 'Compute My index', cron: '0 22 * * 1-5', input: { indexId: 4 }, enabled: true },
  });
  const verify = await call(['schedule', 'create', 'verify', '--cron', '0 3 * * *', '--title', 'Nightly']);
  assert.deepEqual(verify.seen.at(-1)?.body, {
    ...{ kind: 'verify', title: 'Nightly', cron: '0 3 * * *', input: {}, enabled: true },
  });
  const paused = await call(['schedule', 'update', '12', '--enabled', 'false']);
  assert.deepEqual(paused.seen.at(-1)?.body, { enabled: false, version: 1 });
  const moved = await call(['schedule', 'update', '12', '--cron', '0 4 * * *', '--enabled', 'true']);
  assert.deepEqual(moved.seen.at(-1)?.body, { cron: '0 4 * * *', enabled: true, version: 1 });
  const followed = await call(['schedule', 'update', '12', '--after-close', 'XNYS', '--minutes', '90']);
  assert.deepEqual(followed.seen.at(-1)?.body, { afterClose: { calendar: 'XNYS', minutes: 90 }, version: 1 });
  const gone = await call(['schedule', 'delete', '12']);
  assert.deepEqual([gone.ids, gone.seen[0]?.params], [['deleteSchedule'], { scheduleId: 12 }]);
  for (const [words, sentence] of [
    ['create verify', /Say when with --cron/],
    ['create index-run --cron x', /Say which index with --index/],
    ['create verify --cron x --index A', /--index says nothing to verify/],
    [
      'create dance --cron x',
      /KIND must be one of index-run, verify, refresh, court, backup, archive, materialise, feature-skew, market-record, predict, outcomes, drift, was "dance"/,
    ],
    ['create refresh --cron x', /Say which universe with --universe/],
    ['create verify --after-close XNYS --cron x', /either by --cron or by --after-close/],
    ['create verify --cron x --minutes 3', /--minutes goes with --after-close/],
    ['update 12', /Say what to change/],
    ['update 12 --enabled maybe', /--enabled must be true or false/],
    ['update 13 --enabled true', /There is no schedule 13/],
  ] as const) {
    const refused = await call(['schedule', ...words.split(' ')]);
    assert.equal(refused.code, 2, words);
    assert.match(refused.err, sentence);
  }
});

test('the truth of the simulated market says what was planted and what was found', async () => {
  const { code, out } = await call(['truth', '--faults'], {
    answers: {
      getSimulatedTruth: () =>
        like('getSimulatedTruth', {
          byKind: [{ kind: 'stale-run', planted: 20, found: 19, findings: ['stale_run'], note: '' }],
        }),
    },
  });
  assert.equal(code, 0);
  assert.match(out, /seed +20260115\n/);
  assert.match(out, /stale-run +20 +19 +stale_run/);
  assert.match(out, /bad-tick +ALDR +2026-01-15 +2026-01-15 +close +12\.00 % +2026-01-15 21:00 +yes/);
  assert.doesNotMatch(out, /REGIME/);
});

test('a list of more rows than a page holds is read page by page', async () => {
  const item = exampleOf(ALL_ROUTES.find((route) => route.id === 'getTask') as Route);
  const { out, seen } = await call(['tasks', '--limit', '700', '--json'], {
    answers: {
      listTasks: (_seen, count) => ({
        items: Array.from({ length: count === 1 ? 500 : 200 }, () => item),
        nextCursor: count === 1 ? 'NTAw' : null,
      }),
    },
  });
  assert.equal(JSON.parse(out).items.length, 700);
  assert.deepEqual(
    seen.map((each) => each.query),
    [{ limit: 500 }, { limit: 200, cursor: 'NTAw' }],
  );
});

test('a problem is told with its sentence, code and request, and the exit code is 1', async () => {
  const details = [{ path: 'body.reason', rule: 'Must not be empty.' }];
  const refusal = () => new Refusal('NOT_POSSIBLE_NOW', 'Run 12 was retracted already.', details);
  const { code, out, err } = await call(['run', 'retract', '12', '--reason', 'Wrong file'], {
    answers: { retractRun: refusal },
  });
  assert.equal(code, 1);
  assert.equal(out, '');
  assert.match(
    err,
    /Run 12 was retracted already\.\n {2}body\.reason: Must not be empty\.\ncode NOT_POSSIBLE_NOW, request R1/,
  );
});

test('a failed task ends with its problem, and verify with 1 when something differs', async () => {
  const problem = { code: 'FILE_REFUSED', detail: 'The file is binary.', details: [] };
  const failed = await call(['import', 'prices', path.join(folder, 'prices.csv.gz')], {
    answers: { getTask: () => like('getTask', { state: 'failed', problem }) },
  });
  assert.equal(failed.code, 1);
  assert.match(failed.err, /The file is binary\.\ncode FILE_REFUSED, task 12/);
  const checks = [{ name: 'evidence', count: 2, ok: false, sentence: 'Record 2 was changed: its hash differs.' }];
  const differs = await call(['verify'], { answers: { getTask: () => doneTask({ ok: false, checks }) } });
  assert.equal(differs.code, 1);
  assert.match(differs.out, /DIFFERS/);
  assert.match(differs.out, /Record 2 was changed/);
});

test('without a server there is a sentence that says what to do', async () => {
  const { terminal, said } = fakeTerminal({ TOUCHSTONE_URL: 'http://127.0.0.1:9', TOUCHSTONE_HOME: home });
  assert.equal(await run(['status'], terminal, COMMANDS), 1);
  assert.match(said.err, /No server answers at http:\/\/127\.0\.0\.1:9\. Start it with "npm start"/);
});

test('a session is kept for its owner only, renewed when it runs out, and gone after logout', async () => {
  const file = path.join(home, 'cli-session.json');
  const double = await startDouble({
    ...NORMAL,
    signIn: () => session({ accessTokenExpiresAt: new Date(Date.now() + 5_000).toISOString() }),
    refreshSession: () => session({ refreshToken: '2.refresh', accessToken: 'access-2' }),
  });
  const at = (input = '') => fakeTerminal({ TOUCHSTONE_URL: double.url, TOUCHSTONE_HOME: home }, { input }).terminal;
  try {
    assert.equal(await run(['login', 'a@example.org', '--password-stdin'], at('long enough here\n'), COMMANDS), 0);
    assert.equal((await stat(file)).mode & 0o777, 0o600);
    assert.equal(Object(double.seen.at(-1)?.body).asProgram, true);
    // Five seconds are too few to trust: four commands at once renew once.
    const codes = await Promise.all([1, 2, 3, 4].map(() => run(['sources'], at(), COMMANDS)));
    assert.deepEqual(codes, [0, 0, 0, 0]);
    const refreshes = double.seen.filter((each) => each.id === 'refreshSession');
    assert.deepEqual(
      refreshes.map((each) => each.body),
      [{ refreshToken: '1.refresh' }],
    );
    assert.equal(double.seen.at(-1)?.authorization, 'Bearer access-2');
    assert.equal(JSON.parse(await readFile(file, 'utf8')).refreshToken, '2.refresh');
    assert.equal(await run(['logout'], at(), COMMANDS), 0);
    assert.deepEqual(double.seen.at(-1)?.body, { refreshToken: '2.refresh' });
    await assert.rejects(stat(file));
  } finally {
    await double.close();
  }
});

test('a session the server has ended is forgotten, and the sentence says how to sign in', async () => {
  const refused = () => new Refusal('SESSION_ENDED', 'The session has ended.');
  await writeFile(
    path.join(home, 'cli-session.json'),
    JSON.stringify({ ...session({ accessTokenExpiresAt: '2026-01-01T00:00:00.000Z' }), url: 'http://other' }),
  );
  const asVisitor = await call(['sources']);
  assert.equal(asVisitor.seen[0]?.authorization, undefined, 'a session of another server is not sent');
  const double = await startDouble({
    refreshSession: refused,
    listSources: ({ authorization }) =>
      authorization === undefined ? new Refusal('NOT_SIGNED_IN', 'Sign in first.') : undefined,
  });
  const file = path.join(home, 'cli-session.json');
  const old = session({ accessTokenExpiresAt: '2026-01-01T00:00:00.000Z' });
  await writeFile(file, JSON.stringify({ ...old, url: double.url }));
  const { terminal, said } = fakeTerminal({ TOUCHSTONE_URL: double.url, TOUCHSTONE_HOME: home });
  assert.equal(await run(['sources'], terminal, COMMANDS), 1);
  assert.match(said.err, /Sign in with: touchstone login EMAIL/);
  await assert.rejects(stat(file));
  await double.close();
});

test('a new password is asked twice without echo; two that differ are refused', async () => {
  const options = { isInteractive: true, replies: ['correct horse battery', 'correct horse buttery'] };
  const { code, err, ids, questions } = await call(['owner', 'create', 'a@example.org'], options);
  assert.equal(code, 2);
  assert.match(err, /The two passwords differ/);
  assert.equal(questions.length, 2);
  assert.deepEqual(ids, []);
  const nobody = await call(['login', 'a@example.org']);
  assert.equal(nobody.code, 2);
  assert.match(nobody.err, /--password-stdin/);
});

/** A task that runs until somebody cancels it. */
function endless() {
  let isCancelled = false;
  const answers: Answers = {
    cancelTask: () => {
      isCancelled = true;
      return like('getTask', { state: 'running' });
    },
    getTask: () => like('getTask', { state: isCancelled ? 'cancelled' : 'running', problem: null }),
  };
  return { answers, isCancelled: () => isCancelled };
}

for (const [title, options, cancels, exitCode] of [
  ['Ctrl-C without a person cancels the task', {}, true, 1],
  ['Ctrl-C asks, and yes cancels the task', { isInteractive: true, answers: ['y'] }, true, 1],
  ['Ctrl-C asks, and no leaves the task running', { isInteractive: true, answers: [''] }, false, 130],
] as const) {
  test(title, async () => {
    const { answers, isCancelled } = endless();
    const double = await startDouble({ ...NORMAL, ...answers });
    const fake = fakeTerminal(
      { TOUCHSTONE_URL: double.url, TOUCHSTONE_HOME: home },
      { ...options, answers: 'answers' in options ? [...options.answers] : [] },
    );
    try {
      const running = run(['index', 'run', '4'], fake.terminal, COMMANDS);
      while (fake.listeners.size === 0) await new Promise((resolve) => setTimeout(resolve, 5));
      fake.interrupt();
      assert.equal(await running, exitCode);
      assert.equal(isCancelled(), cancels);
      assert.equal(fake.said.questions.length, 'answers' in options ? 1 : 0);
      assert.equal(fake.listeners.size, 0);
    } finally {
      await double.close();
    }
  });
}

test('the command starts under an old Node as well and ends with the exit code of its work', (t) => {
  const old = '/usr/bin/node';
  const program = path.join(import.meta.dirname, '../bin/touchstone.mjs');
  for (const node of [process.execPath, old]) {
    const { status, stdout, error } = spawnSync(node, [program, 'help', 'run', 'retract'], { encoding: 'utf8' });
    if (error !== undefined) {
      t.diagnostic(`There is no ${node} here.`);
      continue;
    }
    assert.equal(status, 0);
    assert.match(stdout, /touchstone run retract RUN/);
    assert.equal(spawnSync(node, [program, 'nonsense'], { encoding: 'utf8' }).status, 2);
  }
});

test('an account with a second factor is asked for its code, or needs it in --code', async () => {
  const answers: Answers = {
    signIn: () => new Refusal('SECOND_FACTOR_NEEDED', 'Enter a code.', [], 'the challenge'),
  };
  const input = `${PASSWORD}\n`;
  const asked = await call(['login', 'a@example.org'], {
    ...{ answers, isInteractive: true, replies: [PASSWORD, '492039'] },
  });
  assert.equal(asked.code, 0, asked.err);
  assert.deepEqual(asked.seen.at(-1)?.body, { challenge: 'the challenge', code: '492039', asProgram: true });
  const given = await call(['login', 'a@example.org', '--password-stdin', '--code', '123456'], { answers, input });
  assert.equal(Object(given.seen.at(-1)?.body).code, '123456');
  const alone = await call(['login', 'a@example.org', '--password-stdin'], { answers, input });
  assert.equal(alone.code, 2);
  assert.match(alone.err, /Repeat with --code CODE/);
});

test('an API key in the environment speaks for itself, and no session is touched', async () => {
  const double = await startDouble(NORMAL);
  const file = path.join(home, 'cli-session.json');
  const old = JSON.stringify({ ...session({ accessTokenExpiresAt: '2026-01-01T00:00:00.000Z' }), url: double.url });
  await writeFile(file, old);
  const key = `tsk_aaaaaaaa_${'a'.repeat(43)}`;
  const { terminal } = fakeTerminal({
    ...{ TOUCHSTONE_URL: double.url, TOUCHSTONE_HOME: home, TOUCHSTONE_API_KEY: key },
  });
  try {
    assert.equal(await run(['people', 'list'], terminal, COMMANDS), 0);
    assert.deepEqual(
      double.seen.map((each) => [each.id, each.authorization]),
      [['listPeople', `Bearer ${key}`]],
    );
    assert.equal(await readFile(file, 'utf8'), old);
  } finally {
    await double.close();
  }
});

test('a key in the environment that is not good is said to be so, and nobody is sent to sign in', async () => {
  const refused = () => new Refusal('NOT_SIGNED_IN', 'Sign in first.');
  const double = await startDouble({
    ...{ listPeople: refused, getAuthState: () => like('getAuthState', { signedIn: null }) },
  });
  const key = `tsk_aaaaaaaa_${'a'.repeat(43)}`;
  const environment = { TOUCHSTONE_URL: double.url, TOUCHSTONE_HOME: home };
  try {
    for (const words of [['whoami'], ['people', 'list']]) {
      const { terminal, said } = fakeTerminal({ ...environment, TOUCHSTONE_API_KEY: key });
      assert.equal(await run(words, terminal, COMMANDS), 1);
      assert.match(said.out + said.err, /TOUCHSTONE_API_KEY is not good: it is revoked, expired or mistyped/);
      assert.doesNotMatch(said.out + said.err, /touchstone login|tsk_/);
    }
    const { terminal, said } = fakeTerminal(environment);
    assert.equal(await run(['whoami'], terminal, COMMANDS), 0);
    assert.match(said.out, /Nobody is signed in. Sign in with: touchstone login EMAIL/);
  } finally {
    await double.close();
  }
});

test('an empty key of a vendor is refused in a sentence, and nothing is sent', async () => {
  for (const words of [
    ['feeds', 'add', 'twelvedata'],
    ['feeds', 'key', 'mine'],
  ]) {
    const answers: Answers = { listFeeds: () => ({ items: [like('createFeed', { code: 'mine' })] }) };
    const typed = await call(words, { answers, isInteractive: true, replies: [' '] });
    const piped = await call([...words, '--key-stdin'], { answers, input: '\n' });
    for (const { code, err, ids } of [typed, piped]) {
      assert.equal(code, 2, err);
      assert.match(err, /^The key is empty\./);
      assert.ok(!ids.includes('createFeed') && !ids.includes('rotateFeedKey'));
    }
  }
});

test('a person is named by number, address or name; two of one name need the number', async () => {
  const people = [
    like('getPerson', { userId: 4, displayName: 'Ada', email: 'ada@example.org' }),
    like('getPerson', { userId: 5, displayName: 'Ada', email: 'lovelace@example.org' }),
  ];
  const answers: Answers = { listPeople: () => ({ items: people, nextCursor: null }) };
  const byAddress = await call(['people', 'show', 'Lovelace@example.org'], { answers });
  assert.deepEqual(byAddress.seen.at(-1)?.params, { userId: 5 });
  const byNumber = await call(['people', 'deactivate', '4'], { answers });
  assert.deepEqual(byNumber.ids, ['deactivatePerson']);
  const twice = await call(['people', 'show', 'ada'], { answers });
  assert.match(twice.err, /"ada" names 4 and 5: use the number/);
  const nobody = await call(['people', 'show', 'bob'], { answers });
  assert.match(nobody.err, /There is nobody called "bob" here/);
});

test('forgetting somebody asks first, and where nobody can be asked it wants --yes', async () => {
  const alone = await call(['people', 'forget', '4']);
  assert.deepEqual([alone.code, alone.ids], [2, []]);
  assert.match(alone.err, /Repeat with --yes/);
  const no = await call(['people', 'forget', '4'], { isInteractive: true, replies: ['y'] });
  assert.deepEqual([no.code, no.ids], [2, []]);
  const yes = await call(['people', 'forget', '4'], { isInteractive: true, replies: ['yes'] });
  assert.deepEqual([yes.code, yes.ids], [0, ['forgetPerson']]);
});

test('a role names the one it replaces, so that two owners do not overwrite each other', async () => {
  const { seen, ids } = await call(['people', 'role', '4', 'manager']);
  assert.deepEqual(ids, ['getPerson', 'changeRole']);
  assert.deepEqual(seen.at(-1)?.body, { from: 'analyst', role: 'manager' });
  const wrong = await call(['people', 'invite', 'a@example.org', 'king']);
  assert.match(wrong.err, /ROLE must be one of owner, manager, analyst, viewer, auditor, was "king"/);
  const scope = await call(['keys', 'create', 'x', '--scopes', 'people:write']);
  assert.match(scope.err, /not "people:write"/);
});

test('prices are shown as they come, up to a count, and what is not streamed is said beside them', async () => {
  const tick = (price: number) =>
    `event: price\ndata: {"symbol":"ALDR","price":${price},"at":"2026-01-15T21:00:00.000Z"}\n\n`;
  const gap = `event: gap\ndata: {"symbol":"NONE","kind":"unknown","sentence":"Not streamed.","retryAt":null}\n\n`;
  const answers = {
    listFeeds: () => ({ items: [like('createFeed', { id: 3, code: 'mine' })] }),
    watchPrices: () => `: open\n\n${tick(10)}${gap}${tick(11)}${tick(12)}`,
  };
  const { out, err, seen, code } = await call(['feeds', 'watch', 'mine', 'ALDR', 'NONE', '--count', '2'], { answers });
  assert.equal(code, 0, err);
  assert.equal(err, 'Not streamed.\n');
  assert.match(out, /ALDR {2}10\n.*ALDR {2}11\n2 prices seen; nothing was stored\.\n$/s);
  assert.deepEqual(seen.at(-1)?.query, { symbols: 'ALDR,NONE' });
  const asJson = await call(['feeds', 'watch', 'mine', 'ALDR', '--json'], { answers });
  assert.equal(Object(JSON.parse(asJson.out)).prices.length, 3);
});

test('a file that is not there, or is a folder, is refused in a sentence, and nothing is sent', async () => {
  for (const [words, sentence] of [
    ['features check /nowhere.json', 'There is no file /nowhere.json.'],
    ['features add /tmp', '/tmp is no file.'],
    ['features historical /nowhere.csv rsi_14', 'There is no file /nowhere.csv.'],
    ['train import /nowhere', 'There is no file /nowhere/spec.json.'],
    ['model foreign mine /nowhere.onnx /nowhere.json', 'There is no file /nowhere.json.'],
  ] as const) {
    const { code, err, ids } = await call(words.split(' '));
    assert.equal(code, 2);
    assert.ok(err.startsWith(sentence), err);
    assert.deepEqual(ids, []);
  }
});

test('patterns come with what followed them; records and an index are asked for by name', async () => {
  const marks = await call(['patterns', 'ALDR', '--candles', '--horizon', '21', '--strict']);
  assert.equal(marks.code, 0, marks.err);
  assert.match(marks.out, /Double top/);
  assert.match(marks.out, /not told from nothing/);
  const asked = marks.seen.find(({ id }) => id === 'getPatterns');
  assert.equal(Object(asked?.query).horizonDays, 21);
  assert.equal(Object(asked?.query).strictness, 'strict');
  const records = await call(['patterns', 'My index', '--index', '--records']);
  assert.equal(records.code, 0, records.err);
  assert.match(records.out, /MORE THAN CHANCE/);
});

test('drift is told by its effect, an A/B test with its numbers, and what is missing is asked for', async () => {
  const drift = await call(['drift', 'volatility-direction', '--alarms', '--now']);
  assert.equal(drift.code, 0, drift.err);
  assert.deepEqual(drift.ids.slice(0, 1), ['startDriftCheck']);
  assert.match(drift.out, /moves the mean prediction by \+0\.031/);
  const never = { getDrift: () => like('getDrift', { check: null, findings: [], items: [] }) };
  assert.match((await call(['drift', 'volatility-direction'], { answers: never })).out, /never checked/);
  const bias = await call(['bias', 'volatility-direction', '--version', '3']);
  assert.match(bias.out, /not told from chance/);
  const board = await call(['leaderboard', '--target', 'volatility_direction', '--served']);
  assert.match(board.out, /AT WORST/);
  const power = await call(['ab', 'power', 'hit_rate', '0.55', '0.53', '--power', '0.9']);
  assert.equal(power.code, 0, power.err);
  assert.equal(Object(power.seen.find(({ id }) => id === 'getAbPower')?.query).power, 0.9);
  const begun = await call(['ab', 'start', 'm', '3', '4', '--effect', '0.01', '--noise', '0.06']);
  assert.equal(begun.code, 0, begun.err);
  assert.equal(Object(begun.seen.find(({ id }) => id === 'createAbTest')?.body).longRunDeviation, 0.06);
  assert.match((await call(['ab', 'show', '3'])).out, /undecided\. Looking every day is allowed/);
  for (const [words, sentence] of [
    ['ab start m 3 4', /Say with --effect/],
    ['ab start m 3 4 --effect x', /--effect must be a number/],
    ['ab start m 3 4 --effect 1 --metric money', /--metric must be one of brier/],
    ['ab stop 3', /Say with --reason/],
    ['ab power luck 1', /QUESTION must be one of hit_rate/],
    ['leaderboard --target gold', /--target must be one of/],
  ] as const) {
    const refused = await call(words.split(' '));
    assert.equal(refused.code, 2, words);
    assert.match(refused.err, sentence);
  }
});

test('a synthetic dataset is told with its generator and how like the real one it is; an unknown generator is refused', async () => {
  const facts = [
    { fact: 'excess-kurtosis', real: 8, low: 4, high: 12, synthetic: 6, isWithin: true },
    { fact: 'lower-tail', real: 4, low: 3, high: 5, synthetic: null, isWithin: null },
  ];
  const synthetic = {
    ...{ generator: 'garch-t', seed: 7, parameters: {}, parentSha256: HASH },
    ...{ facts, factsWithin: 1, factsMeasured: 1 },
  };
  const answers = { augmentDataset: () => like('augmentDataset', { kind: 'synthetic', synthetic }) };
  const made = await call(['dataset', 'augment', HASH, 'garch-t', '--seed', '7'], { answers });
  assert.equal(made.code, 0, made.err);
  assert.match(made.out, /garch-t, seed 7/);
  assert.match(made.out, /1 of 1 stylised facts within/);
  assert.match(made.out, /6\.000 in 4\.000 to 12\.000: within/);
  const refused = await call(['dataset', 'augment', HASH, 'magic']);
  assert.notEqual(refused.code, 0);
  assert.match(refused.err, /GENERATOR is one of stationary-bootstrap, garch-t/);
});
