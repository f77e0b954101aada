import { createReadStream, existsSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { extname, join, normalize } from 'node:path';
import * as auth from '@touchstone/contracts/auth';
import * as data from '@touchstone/contracts/data';
import * as datasets from '@touchstone/contracts/datasets';
import * as diagnostics from '@touchstone/contracts/diagnostics';
import * as indexes from '@touchstone/contracts/indexes';
import { POLICY, type Role, scopesOf } from '@touchstone/contracts/policy';
import { PROBLEMS, type ProblemCode } from '@touchstone/contracts/problems';
import type { Answer, Route } from '@touchstone/contracts/route';
import { ALL_ROUTES } from '@touchstone/contracts/routes';
import * as tasks from '@touchstone/contracts/tasks';
import * as universes from '@touchstone/contracts/universes';
import type { z } from 'zod';
import { answerMarket } from './fixture-market.ts';
import { answerModels } from './fixture-models.ts';
import { answerOperation, pricesOf } from './fixture-operate.ts';
import { answerPeople } from './fixture-people.ts';
import * as world from './fixture-world.ts';

/**
 * A stand-in for the server: answers every route of the contracts with data that fit them (each answer is parsed before
 * it is sent), under the same strict Content-Security-Policy, from the built pages. It remembers nothing after it stops.
 */

const CSP =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};
const TASK_STEP_MS = 150;
const TOKEN_LIFE_MS = 15 * 60_000;

export type FixtureOptions = {
  pages: string;
  port?: number;
  role?: Role;
  /** Routes that answer with a problem instead. */
  failing?: ReadonlyMap<string, ProblemCode>;
  /** A new installation before anything is published. */
  isEmpty?: boolean;
  tokenLifeMs?: number;
};

export type Fixture = {
  origin: string;
  /** Every API request so far, as `METHOD /path?query`. */
  requests: string[];
  failing: Map<string, ProblemCode>;
  stop: () => Promise<void>;
};

type Part<S> = S extends z.ZodType ? ([S] extends [z.ZodNever] ? undefined : z.output<S>) : undefined;
export type Call<R> =
  R extends Route<infer P, infer Q, infer B, z.ZodType>
    ? { params: Part<P>; query: Part<Q>; body: Part<B>; size: number }
    : never;
/** Says what a route answers with. */
export type On = <R extends Route>(route: R, handle: (call: Call<R>) => Answer<R>) => void;
type Handler = (params: unknown, query: unknown, body: unknown, size: number) => unknown;

class Told extends Error {
  readonly code: ProblemCode;
  readonly challenge: string | undefined;
  constructor(code: ProblemCode, detail: string, challenge?: string) {
    super(detail);
    this.code = code;
    this.challenge = challenge;
  }
}

export async function startFixtureServer(options: FixtureOptions): Promise<Fixture> {
  const requests: string[] = [];
  const failing = new Map(options.failing);
  const streams = new Set<ServerResponse>();
  const timers = new Set<NodeJS.Timeout>();
  const handlers = makeHandlers(options, streams, timers);
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://fixture');
    response.setHeader('content-security-policy', CSP);
    response.setHeader('x-content-type-options', 'nosniff');
    if (!url.pathname.startsWith('/api/')) return sendPage(options.pages, url.pathname, response);
    requests.push(`${request.method} ${url.pathname}${url.search}`);
    answer(request, response, url, handlers, failing, streams).catch((error: unknown) => {
      const told = error instanceof Told ? error : new Told('UNEXPECTED', String(error));
      sendProblem(response, told);
    });
  });
  await new Promise<void>((resolve) => server.listen(options.port ?? 0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    origin: `http://127.0.0.1:${port}`,
    requests,
    failing,
    stop: async () => {
      for (const timer of timers) clearTimeout(timer);
      for (const stream of streams) stream.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function sendPage(root: string, path: string, response: ServerResponse): void {
  const wanted = join(root, normalize(path));
  const isFile = extname(path) !== '' && existsSync(wanted);
  const file = isFile ? wanted : join(root, 'index.html');
  response.setHeader('content-type', TYPES[extname(file)] ?? 'application/octet-stream');
  createReadStream(file).pipe(response);
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
  handlers: Map<string, Handler>,
  failing: ReadonlyMap<string, ProblemCode>,
  streams: Set<ServerResponse>,
): Promise<void> {
  const found = findRoute(request.method ?? 'GET', url.pathname.replace('/api/v1', ''));
  if (!found) throw new Told('NOT_FOUND', `There is no route ${url.pathname}.`);
  const { route, params } = found;
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const bytes = Buffer.concat(chunks);
  const failure = failing.get(route.id);
  if (failure) throw new Told(failure, `The fixture was told to fail ${route.id}.`);
  if (route.gives === 'events') {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    response.write(': open\n\n');
    if (route.id === 'watchPrices') response.write(pricesOf(url.searchParams.get('symbols') ?? ''));
    streams.add(response);
    response.on('close', () => streams.delete(response));
    return;
  }
  if (route.gives === 'csv' || route.gives === 'bytes') {
    response.writeHead(200, { 'content-type': 'text/csv' }).end('day,level\n2026-01-02,100\n');
    return;
  }
  const body = bytes.length > 0 && route.takes !== 'bytes' ? JSON.parse(bytes.toString()) : undefined;
  const handle = handlers.get(route.id);
  if (!handle) throw new Told('UNEXPECTED', `The fixture does not answer ${route.id}.`);
  const result = handle(
    route.params?.parse(params),
    route.query?.parse(Object.fromEntries(url.searchParams)),
    route.body?.parse(body),
    bytes.length,
  );
  if (
    route.id === 'createOwner' ||
    route.id === 'signIn' ||
    route.id === 'answerSecondFactor' ||
    route.id === 'refreshSession'
  ) {
    response.setHeader('set-cookie', [
      'touchstone_refresh=1; HttpOnly; SameSite=Strict; Path=/api/v1/auth',
      'touchstone_csrf=fixture-csrf; SameSite=Strict; Path=/',
    ]);
  }
  if (route.status === 204) {
    response.writeHead(204).end();
    return;
  }
  const text = JSON.stringify(route.answer?.parse(result));
  response.writeHead(route.status, { 'content-type': 'application/json' }).end(text);
}

function findRoute(method: string, path: string): { route: Route; params: Record<string, string> } | null {
  const parts = path.split('/');
  // Fixed words win over parameters, so `/tasks/events` is not the task called events.
  const byWords = ALL_ROUTES.toSorted((one, other) => wordCount(other.path) - wordCount(one.path));
  for (const route of byWords) {
    const wanted = route.path.split('/');
    if (route.method !== method || wanted.length !== parts.length) continue;
    const params: Record<string, string> = {};
    const fits = wanted.every((part, at) => {
      if (!part.startsWith(':')) return part === parts[at];
      params[part.slice(1)] = decodeURIComponent(parts[at] ?? '');
      return true;
    });
    if (fits) return { route, params };
  }
  return null;
}

function wordCount(path: string): number {
  return path.split('/').filter((part) => !part.startsWith(':')).length;
}

function sendProblem(response: ServerResponse, { code, message: detail, challenge }: Told): void {
  const { status, title, retryable } = PROBLEMS[code];
  const told = {
    type: `/problems#${code}`,
    title,
    status,
    detail,
    code,
    requestId: '01FIXTURE7M',
    retryable,
    details: [],
    challenge,
  };
  response.writeHead(status, { 'content-type': 'application/problem+json' }).end(JSON.stringify(told));
}

function makeHandlers(
  options: FixtureOptions,
  streams: Set<ServerResponse>,
  timers: Set<NodeJS.Timeout>,
): Map<string, Handler> {
  const handlers = new Map<string, Handler>();
  const on: On = (route, handle) => {
    handlers.set(route.id, (params, query, body, size) =>
      handle({ params, query, body, size } as Parameters<typeof handle>[0]),
    );
  };
  const state = {
    signedIn: signedInAs(options.role ?? 'visitor'),
    hasOwner: options.role !== undefined && options.role !== 'visitor',
    indexes: structuredClone(options.isEmpty ? [] : world.indexes),
    universes: structuredClone(options.isEmpty ? [] : world.universes),
    runs: structuredClone(options.isEmpty ? [] : world.runs),
    cases: structuredClone(options.isEmpty ? [] : world.cases),
    sources: structuredClone(options.isEmpty ? [] : world.sources),
    tasks: structuredClone(options.isEmpty ? [] : world.tasks),
    uploads: new Map<string, string>(),
  };
  const now = () => new Date().toISOString();
  const page = <T>(items: T[], query: { cursor?: string | undefined; limit: number }) => {
    const start = Number(query.cursor ?? 0);
    const end = start + query.limit;
    return { items: items.slice(start, end), nextCursor: end < items.length ? String(end) : null };
  };
  const must = <T>(item: T | undefined, what: string): T => {
    if (item === undefined) throw new Told('NOT_FOUND', `There is no ${what}.`);
    return item;
  };
  const tell = (event: string, data: unknown) => {
    for (const stream of streams) stream.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  };
  const startTask = (kind: string, title: string, steps: string[], finish: () => Record<string, unknown>) => {
    const task = world.taskOf(state.tasks.length + 1, {
      kind,
      title,
      state: 'queued',
      progress: 0,
      progressNote: 'Waiting',
      result: null,
      createdAt: now(),
      startedAt: null,
      finishedAt: null,
    });
    state.tasks.unshift(task);
    const step = (at: number) => {
      if (task.state === 'cancelled') return;
      const isDone = at >= steps.length;
      Object.assign(
        task,
        isDone
          ? { state: 'done', progress: 1, progressNote: 'Done', result: finish(), finishedAt: now() }
          : {
              state: 'running',
              progress: at / steps.length,
              progressNote: steps[at],
              startedAt: task.startedAt ?? now(),
            },
      );
      tell('task', task);
      if (!isDone) later(() => step(at + 1));
    };
    const later = (run: () => void) => {
      const timer = setTimeout(() => {
        timers.delete(timer);
        run();
      }, TASK_STEP_MS);
      timers.add(timer);
    };
    later(() => step(0));
    return { task: structuredClone(task) };
  };

  // ---- Auth
  const session = (role: Role): auth.Session => {
    state.signedIn = signedInAs(role);
    state.hasOwner = true;
    return {
      accessToken: 'fixture.access.token',
      accessTokenExpiresAt: new Date(Date.now() + (options.tokenLifeMs ?? TOKEN_LIFE_MS)).toISOString(),
      refreshToken: null,
      csrfToken: 'fixture-csrf',
      signedIn: state.signedIn,
    };
  };
  on(auth.getAuthState, () => ({ hasOwner: state.hasOwner, provider: null, signedIn: state.signedIn }));
  on(auth.createOwner, () => session('owner'));
  on(auth.signIn, ({ body }) => {
    if (body.password.startsWith('wrong')) throw new Told('SIGN_IN_FAILED', 'E-mail or password is wrong.');
    if (body.password.startsWith('second factor')) throw new Told('SECOND_FACTOR_NEEDED', 'Send a code.', 'challenge');
    return session('owner');
  });
  on(auth.answerSecondFactor, () => session('owner'));
  on(auth.refreshSession, () => session(state.signedIn.role === 'visitor' ? 'owner' : state.signedIn.role));
  on(auth.signOut, () => {
    state.signedIn = signedInAs('visitor');
    return undefined;
  });
  on(auth.listSessions, () => ({
    items: [sessionItem('Firefox 140 on Linux', true, 1), sessionItem('touchstone 0.1.0', false, 2)],
  }));
  on(auth.endSession, () => undefined);
  on(auth.changePassword, ({ body }) => {
    if (body.currentPassword.startsWith('wrong')) throw new Told('SIGN_IN_FAILED', 'The present password is wrong.');
    return undefined;
  });

  answerPeople(on);

  answerMarket(on, startTask);
  answerModels(on, options.isEmpty ?? false, startTask);
  answerOperation(on, {
    isEmpty: options.isEmpty ?? false,
    now,
    startTask,
    tell,
    page,
    refuse: (code, detail) => {
      throw new Told(code, detail);
    },
  });

  // ---- Data
  on(data.getTimeline, () => ({
    firstKnownAt: options.isEmpty ? null : '2014-01-02T22:00:00.000Z',
    lastKnownAt: options.isEmpty ? null : world.RECORDED_AT,
    recordedAt: options.isEmpty ? null : world.RECORDED_AT,
    publications: state.runs.map((run) => ({
      id: run.id,
      runId: run.id,
      kind: 'publish' as const,
      publishedAt: run.publishedAt ?? world.RECORDED_AT,
      rowCount: run.acceptedCount,
      reason: '',
    })),
  }));
  on(data.listSources, () => ({ items: state.sources }));
  on(data.updateSource, ({ params, body }) =>
    Object.assign(
      must(
        state.sources.find((source) => source.id === params.sourceId),
        'such source',
      ),
      {
        name: body.name,
        version: body.version + 1,
      },
    ),
  );
  on(data.listInstruments, ({ query }) => {
    const search = query.search?.toLowerCase() ?? '';
    const found = options.isEmpty ? [] : world.instruments;
    return page(
      found.filter((one) => `${one.symbol} ${one.name}`.toLowerCase().includes(search)),
      query,
    );
  });
  const instrument = (id: number) =>
    must(
      world.instruments.find((one) => one.id === id),
      `instrument ${id}`,
    );
  on(data.getInstrument, ({ params, query }) => {
    const time = timeOf(query);
    return {
      ...instrument(params.instrumentId),
      time,
      listingEvents: [
        {
          day: '2014-01-02',
          kind: 'listed' as const,
          symbol: 'OLDN',
          calendar: 'XNYS',
          knownAt: '2014-01-02T14:30:00.000Z',
        },
        {
          day: '2018-03-01',
          kind: 'renamed' as const,
          symbol: instrument(params.instrumentId).symbol,
          calendar: 'XNYS',
          knownAt: '2018-02-20T12:00:00.000Z',
        },
      ].filter((event) => event.day <= time.asOf),
      corporateActions: [
        { day: '2017-05-15', kind: 'split' as const, value: 2, knownAt: '2017-05-01T12:00:00.000Z' },
        { day: '2020-08-10', kind: 'dividend' as const, value: 0.42, knownAt: '2020-07-28T12:00:00.000Z' },
        { day: '2024-08-12', kind: 'dividend' as const, value: 0.5, knownAt: '2024-07-29T12:00:00.000Z' },
      ].filter((action) => action.day <= time.asOf),
      sources: [{ id: 1, name: 'Simulated market', priceBasis: 'raw' as const }],
    };
  });
  on(data.updateInstrument, ({ params, body }) => ({
    ...instrument(params.instrumentId),
    ...body,
    version: body.version + 1,
  }));
  on(data.listBars, ({ params, query }) => {
    const { id, symbol, name, currency } = instrument(params.instrumentId);
    const time = timeOf(query);
    return {
      time,
      instrument: { id, symbol, name, currency },
      sourceId: 1,
      basis: query.basis ?? ('raw' as const),
      deliveredBasis: 'raw' as const,
      items: world.barsOf(id, time.asOf),
    };
  });
  on(data.listBarVersions, ({ params }) => {
    const bar = must(
      world.barsOf(params.instrumentId, world.LAST_DAY).find((one) => one.day === params.day),
      'bar of that day',
    );
    const told = { recordedAt: '2026-01-05T07:00:03.000Z', retractedAt: null, quarantined: false, reason: '' };
    const first = { ...bar, ...told, revision: 0, runId: 1 };
    const second = {
      ...bar,
      ...told,
      revision: 1,
      runId: 5,
      recordedAt: world.RECORDED_AT,
      reason: 'The exchange restated the close.',
    };
    return {
      items: [
        { ...first, close: (bar.close ?? 1) * 10, quarantined: true, reason: 'Close is ten times its neighbours.' },
        { ...first, close: (bar.close ?? 1) * 1.004 },
        second,
      ],
    };
  });
  on(data.correctBar, ({ body }) => ({ ...body, revision: 2, runId: 5, knownAt: now() }));
  on(data.addCorporateAction, ({ body }) => ({ day: body.day, kind: body.kind, value: body.value, knownAt: now() }));
  on(data.uploadFile, ({ query, size }) => {
    const uploadId = world.hashOf(query.fileName);
    state.uploads.set(uploadId, query.fileName);
    if (query.fileName.includes('binary'))
      throw new Told('FILE_REFUSED', 'The file is not text. Save it as CSV first.');
    return { uploadId, fileName: query.fileName, byteCount: size };
  });
  on(data.previewImport, ({ body }) => previewOf(body.fileName, body.kind, body.choices));
  on(data.startImport, ({ body }) =>
    startTask(
      'market-data.price-import.run',
      `Import ${body.fileName}`,
      ['Reading', 'Judging 95,582 rows', 'Publishing'],
      () => {
        const sourceId = state.sources.length + 1;
        const name = body.source.name ?? body.source.code;
        state.sources.push({
          ...must(world.sources[0], 'source'),
          id: sourceId,
          tenantId: 1,
          code: body.source.code,
          name,
          kind: 'file',
        });
        const universeId = state.universes.length + 1;
        if (body.universeName) {
          const all = must(world.universes[0], 'universe');
          state.universes.push({
            ...all,
            id: universeId,
            tenantId: 1,
            name: body.universeName,
            sourceId,
            sourceName: name,
          });
        }
        return {
          runId: 1,
          sourceId,
          ...(body.universeName && { universeId }),
          rowCount: 95_582,
          acceptedCount: 95_570,
          quarantinedCount: 12,
          errorCount: 0,
        };
      },
    ),
  );
  on(data.listRuns, ({ query }) =>
    page(
      state.runs.filter((run) => !query.sourceId || run.sourceId === query.sourceId),
      query,
    ),
  );
  const run = (id: number) =>
    must(
      state.runs.find((one) => one.id === id),
      `delivery ${id}`,
    );
  on(data.getRun, ({ params }) => run(params.runId));
  on(data.retractRun, ({ params, body }) =>
    Object.assign(run(params.runId), { retractedAt: now(), retractReason: body.reason }),
  );
  on(data.listCases, ({ query }) => {
    const time = timeOf(query);
    const known = state.cases.filter(
      (one) => one.knownAt <= time.knownAt && (!query.runId || one.runId === query.runId),
    );
    const kinds = [...new Set(known.map((one) => one.kind))];
    const shown = known.filter(
      (one) => (!query.kind || one.kind === query.kind) && (!query.state || one.state === query.state),
    );
    const countOf = (kind: string, of: string) => known.filter((one) => one.kind === kind && one.state === of).length;
    return {
      ...page(shown, query),
      time,
      total: shown.length,
      byKind: kinds.map((kind) => ({
        kind,
        open: countOf(kind, 'open'),
        confirmed: countOf(kind, 'confirmed'),
        false: countOf(kind, 'false'),
      })),
    };
  });
  const caseOf = (id: number) =>
    must(
      state.cases.find((one) => one.id === id),
      `finding ${id}`,
    );
  on(data.getCase, ({ params }) => {
    const found = caseOf(params.caseId);
    const all = world.barsOf(found.instrumentId ?? 1, world.LAST_DAY);
    const at = all.findIndex((bar) => bar.day >= found.firstDay);
    const around = all.slice(Math.max(0, at - 10), at + 11);
    const held = around.filter((bar) => bar.day >= found.firstDay && bar.day <= found.lastDay);
    return {
      ...found,
      heldBars:
        found.action === 'note'
          ? []
          : held.map(({ revision, ...bar }) => ({
              ...bar,
              close: (bar.close ?? 1) * 1.6,
              high: (bar.close ?? 1) * 1.61,
              line: 4211 + revision,
            })),
      neighbours: around.filter((bar) => !held.includes(bar)),
    };
  });
  on(data.decideCase, ({ params, body }) =>
    Object.assign(caseOf(params.caseId), {
      state: body.state,
      decisionNote: body.note,
      decidedAt: now(),
      version: body.version + 1,
    }),
  );
  on(data.listExchangeRates, ({ query }) => ({ time: timeOf(query), items: [] }));
  on(data.listMacroSeries, ({ query }) => ({ time: timeOf(query), items: [] }));
  on(data.listHolidays, ({ params }) => ({
    calendar: { code: params.calendar, name: 'New York', timeZone: 'America/New_York', closeTime: '16:00' },
    items: [],
  }));

  on(data.getSimulatedTruth, () => ({
    ...{ seed: 1, settings: 'medium', truthSha256: world.hashOf('truth'), sourceId: 1 },
    ...{ firstDay: '2014-01-02', lastDay: '2025-12-31', jumps: [], splits: [], delistings: [] },
    regimes: [{ regime: 'bull' as const, firstDay: '2014-01-02', lastDay: '2025-12-31' }],
    faults: [
      {
        ...{ kind: 'stale-run' as const, symbol: 'HAZL', firstDay: '2020-03-02', lastDay: '2020-03-06' },
        ...{ columns: [], relativeError: null, correctedKnownAt: null, found: true },
      },
    ],
    byKind: [{ kind: 'stale-run' as const, planted: 1, found: 1, findings: ['stale_run'], note: '' }],
  }));

  // ---- Universes
  const universe = (id: number) =>
    must(
      state.universes.find((one) => one.id === id),
      `universe ${id}`,
    );
  on(universes.listUniverses, ({ query }) =>
    page(
      state.universes.filter((one) => query.includeDeleted || one.deletedAt === null),
      query,
    ),
  );
  on(universes.getUniverse, ({ params }) => ({
    ...universe(params.universeId),
    members: world.instruments.slice(0, 20).map((one, at) => ({
      instrumentId: one.id,
      symbol: one.symbol,
      name: one.name,
      firstDay: at === 4 ? '2016-03-01' : null,
      lastDay: at === 7 ? '2021-06-30' : null,
    })),
  }));
  on(universes.createUniverse, ({ body }) => {
    const made = {
      ...must(world.universes[0], 'universe'),
      ...body,
      id: state.universes.length + 1,
      tenantId: 1,
      memberCount: body.members.length || 20,
    };
    state.universes.push(made);
    return made;
  });
  on(universes.updateUniverse, ({ params, body }) =>
    Object.assign(universe(params.universeId), {
      name: body.name,
      description: body.description,
      version: body.version + 1,
    }),
  );
  on(universes.deleteUniverse, ({ params }) => {
    universe(params.universeId).deletedAt = now();
    return undefined;
  });
  on(universes.undeleteUniverse, ({ params }) => Object.assign(universe(params.universeId), { deletedAt: null }));

  // ---- Indexes
  const index = (id: number) =>
    must(
      state.indexes.find((one) => one.id === id),
      `index ${id}`,
    );
  const runNumberOf = (of: indexes.IndexDefinition, asked: number | undefined) => {
    const newest = of.latestRunNumber;
    if (newest === null) throw new Told('NOT_POSSIBLE_NOW', 'The index was not computed yet.');
    return asked ?? newest;
  };
  on(indexes.listIndexes, ({ query }) =>
    page(
      state.indexes.filter((one) => query.includeDeleted || one.deletedAt === null),
      query,
    ),
  );
  on(indexes.getIndex, ({ params }) => index(params.indexId));
  on(indexes.createIndex, ({ body }) => {
    const made = world.indexOf(state.indexes.length + 1, {
      ...body,
      tenantId: 1,
      latestRunNumber: null,
      latestRunAt: null,
      benchmarkSymbol: body.benchmarkInstrumentId === null ? null : 'SIMX',
    });
    state.indexes.push(made);
    return made;
  });
  on(indexes.updateIndex, ({ params, body }) => {
    const before = index(params.indexId);
    if (body.version !== before.version) {
      throw new Told('CONFLICT', `The index is at version ${before.version}; the change started from ${body.version}.`);
    }
    const changed = Object.fromEntries(Object.entries(body).filter(([, value]) => value !== undefined));
    return Object.assign(before, changed, { version: before.version + 1 });
  });
  on(indexes.deleteIndex, ({ params }) => {
    index(params.indexId).deletedAt = now();
    return undefined;
  });
  on(indexes.undeleteIndex, ({ params }) => Object.assign(index(params.indexId), { deletedAt: null }));
  on(indexes.startIndexRun, ({ params }) =>
    startTask(
      'portfolio.index-run.compute',
      `Compute ${index(params.indexId).name}`,
      ['Freezing the input', 'Computing three variants', 'Writing the version'],
      () => {
        const of = index(params.indexId);
        of.latestRunNumber = (of.latestRunNumber ?? 0) + 1;
        of.latestRunAt = now();
        return { runNumber: of.latestRunNumber };
      },
    ),
  );
  on(indexes.listIndexRuns, ({ params, query }) => {
    const newest = index(params.indexId).latestRunNumber ?? 0;
    const all = Array.from({ length: newest }, (_, at) => world.indexRunOf(params.indexId, newest - at));
    return page(all, query);
  });
  on(indexes.getIndexLevels, ({ params, query }) => {
    const of = index(params.indexId);
    return world.levelsOf(of, runNumberOf(of, query.runNumber), timeOf(query));
  });
  on(indexes.getIndexPerformance, ({ params, query }) => {
    const of = index(params.indexId);
    return world.performanceOf(of, runNumberOf(of, query.runNumber), timeOf(query));
  });
  on(indexes.getIndexHoldings, ({ params, query }) => {
    const of = index(params.indexId);
    const time = timeOf(query);
    return {
      time,
      runNumber: runNumberOf(of, query.runNumber),
      day: time.asOf,
      status: 'ok',
      turnover: 0.021,
      cashWeight: 0,
      items: world.holdingsOf(time.asOf),
    };
  });
  on(indexes.listBenchmarks, () => ({
    items: world.instruments
      .filter((one) => one.kind === 'index')
      .map((one) => ({
        instrumentId: one.id,
        symbol: one.symbol,
        name: one.name,
        kind: one.kind,
        firstDay: one.firstDay,
        lastDay: one.lastDay,
      })),
  }));
  on(indexes.listStrategies, () => ({
    items: [
      strategyOf(
        'three_pillar',
        'Three pillars',
        'Score = 0.4 momentum + 0.3 cap share + 0.3 inverse volatility. Decided at the close of a day, held from that close to the next.',
      ),
      strategyOf('equal_weight', 'Equal weight', 'Every name of the universe with the same weight, at each rebalance.'),
      strategyOf(
        'buy_and_hold',
        'Buy and hold',
        'Every name of the universe with the same weight on the first day; never traded again.',
      ),
    ],
  }));

  // ---- Datasets
  const dataset = (number: number): datasets.Dataset => ({
    sha256: world.hashOf(`dataset ${number}`),
    kind: number === 1 ? 'index-input' : 'prices',
    query: { universeId: 1, from: null, to: null },
    time: { asOf: world.LAST_DAY, knownAt: world.RECORDED_AT, recordedAt: world.RECORDED_AT },
    rowCount: 62_600 + number,
    byteCount: 3_105_400,
    columns: ['instrument_id', 'day', 'open', 'high', 'low', 'close', 'volume'].map((name, at) => ({
      name,
      type: at < 2 ? 'int32' : 'float64',
    })),
    createdAt: world.RECORDED_AT,
    createdBy: null,
    synthetic: null,
  });
  const allDatasets = options.isEmpty ? [] : [dataset(2), dataset(1)];
  on(datasets.listDatasets, ({ query }) => page(allDatasets, query));
  on(datasets.getDataset, ({ params }) =>
    must(
      allDatasets.find((one) => one.sha256 === params.sha256),
      'such dataset',
    ),
  );
  on(datasets.freezeDataset, () => dataset(2));
  on(datasets.diffDatasets, () => ({
    added: 20,
    removed: 0,
    changed: 2,
    unchanged: 62_580,
    examples: [
      {
        change: 'changed' as const,
        instrumentId: 1,
        day: '2019-06-12',
        before: { close: 90.04 },
        after: { close: 90.4 },
      },
      {
        change: 'added' as const,
        instrumentId: 3,
        day: '2025-12-31',
        before: null,
        after: { close: 51.2 },
      },
    ],
  }));

  // ---- Tasks
  const task = (id: number) =>
    must(
      state.tasks.find((one) => one.id === id),
      `task ${id}`,
    );
  on(tasks.listTasks, ({ query }) =>
    page(
      state.tasks.filter((one) => !query.state || one.state === query.state),
      query,
    ),
  );
  on(tasks.getTask, ({ params }) => task(params.taskId));
  on(tasks.cancelTask, ({ params }) =>
    Object.assign(task(params.taskId), { state: 'cancelled', cancelRequestedAt: now(), finishedAt: now() }),
  );
  on(tasks.retryTask, ({ params }) =>
    Object.assign(task(params.taskId), { state: 'queued', problem: null, progress: 0, attempts: 3 }),
  );

  // ---- Diagnostics
  on(diagnostics.getStatus, () => ({
    version: '0.1.0+fixture',
    startedAt: world.RECORDED_AT,
    database: {
      kind: 'embedded' as const,
      version: '18.4',
      byteCount: 214_000_000,
      migrations: [
        '202611220900_create_ground',
        '202611220910_create_facts',
        '202611220920_create_datasets_and_trials',
      ],
      partitioning: 'yearly partitions; timescaledb is not available',
    },
    memory: { residentBytes: 182_000_000, heapBytes: 61_000_000 },
    eventLoopDelayMsP99: 4.2,
    diskFreeBytes: 48_200_000_000,
    rows: [
      { table: 'price_observation', estimate: 62_622 },
      { table: 'corporate_action', estimate: 61 },
      { table: 'evidence', estimate: 48 },
    ],
    queue: { queued: 0, running: 1, failed: 1 },
  }));
  on(diagnostics.listEvidence, ({ query }) =>
    page(
      Array.from({ length: options.isEmpty ? 0 : 60 }, (_, at) => ({
        sequence: 60 - at,
        recordedAt: world.RECORDED_AT,
        kind: at % 3 === 0 ? 'run.published' : at % 3 === 1 ? 'dataset.frozen' : 'index-run.finished',
        subjectKind: at % 3 === 0 ? 'run' : at % 3 === 1 ? 'dataset' : 'index',
        subjectId: String((at % 7) + 1),
        actorId: at % 4 === 0 ? 1 : null,
        body: { rowCount: 61_322 - at },
        hash: world.hashOf(`evidence ${60 - at}`),
      })),
      query,
    ),
  );
  on(diagnostics.startVerify, () =>
    startTask(
      'platform.evidence.verify',
      'Verify the evidence',
      ['Walking the chain', 'Computing content hashes'],
      () => ({
        ok: true,
        recordCount: 60,
        hashCount: 12,
        lastHash: world.hashOf('evidence 60'),
      }),
    ),
  );
  on(diagnostics.listTrials, ({ query }) => ({
    ...page(
      Array.from({ length: options.isEmpty ? 0 : 3 }, (_, at) => ({
        id: 3 - at,
        kind: 'index-run',
        name: `Simulated three pillars, run ${3 - at}`,
        parameters: { method: 'three_pillar', maxNames: 50 },
        parametersSha256: world.hashOf(`parameters ${at}`),
        datasetSha256: at === 2 ? null : world.hashOf('dataset 1'),
        codeVersion: '0.1.0+fixture',
        seed: 1,
        outcome: at === 2 ? ('failed' as const) : ('finished' as const),
        result: { sharpe: 0.61 },
        imported: at === 1,
        createdAt: world.RECORDED_AT,
        createdBy: null,
      })),
      query,
    ),
    distinctCount: 2,
  }));
  on(diagnostics.getPolicy, () => ({
    roles: Object.fromEntries(Object.entries(POLICY).map(([role, scopes]) => [role, [...scopes]])),
    routes: ALL_ROUTES.map((route) => ({ id: route.id, scope: route.scope })),
  }));
  return handlers;
}

function signedInAs(role: Role): NonNullable<auth.AuthState['signedIn']> {
  const isVisitor = role === 'visitor';
  return {
    userId: isVisitor ? null : 1,
    tenantId: isVisitor ? 0 : 1,
    role,
    displayName: isVisitor ? 'Visitor' : 'The owner',
    scopes: [...scopesOf(role, true)],
  };
}

function sessionItem(userAgent: string, current: boolean, number: number) {
  return {
    family: `0b0e3f3c-6a5e-4a39-9d3f-1c5b9a3f7a1${number}`,
    startedAt: '2026-01-03T09:00:00.000Z',
    lastUsedAt: world.RECORDED_AT,
    expiresAt: '2026-02-03T09:00:00.000Z',
    userAgent,
    current,
  };
}

function strategyOf(method: indexes.IndexMethod, title: string, definition: string) {
  return {
    method,
    title,
    definition,
    methodPage: `docs/methods/${method.replace(/_/g, '-')}-index.md`,
    canary: { passed: true, sentence: 'Rewriting the future changed nothing on 40 days.' },
  };
}

/** The times of an answer: what the question asked for, or the latest. */
function timeOf(query: {
  knownAt?: string | undefined;
  recordedAt?: string | undefined;
  asOf?: string | undefined;
}): world.Times {
  const knownAt = query.knownAt ?? world.RECORDED_AT;
  const [day = world.LAST_DAY] = [knownAt.slice(0, 10), world.LAST_DAY].sort();
  const asOf = world.DAYS.findLast((one) => one <= (query.asOf ?? day)) ?? world.FIRST_DAY;
  return { asOf, knownAt, recordedAt: query.recordedAt ?? world.RECORDED_AT, reconstructed: true };
}

function previewOf(
  fileName: string,
  kind: data.ImportPreview['kind'],
  choices: z.output<typeof data.priceFileChoices>,
): data.ImportPreview {
  const given = <T>(value: T | undefined, detected: T, evidence: string) =>
    value === undefined
      ? { value: detected, confidence: 'certain' as const, evidence }
      : { value, confidence: 'given' as const, evidence: 'You said so.' };
  const knowsBasis = fileName.includes('adj');
  return {
    fileName,
    byteCount: 4_812_331,
    kind,
    layout: { value: 'long', confidence: 'certain', evidence: 'A column called “symbol” holds 32 different words.' },
    separator: given<string>(choices.separator, ',', 'All 200 lines have 7 fields between commas.'),
    decimalMark: given<string>(choices.decimalMark, '.', 'Every price has a point before its last digits.'),
    dateOrder: given<string>(choices.dateOrder, 'ymd', 'Every date begins with four digits.'),
    timeZone: given<string | null>(choices.timeZone, null, 'Dates have no time of day.'),
    currency:
      choices.currency === undefined
        ? { value: 'USD', confidence: 'assumed', evidence: 'Nothing in the file says; the calendar is XNYS.' }
        : { value: choices.currency, confidence: 'given', evidence: 'You said so.' },
    priceBasis:
      choices.priceBasis === undefined
        ? {
            value: knowsBasis ? 'total_return' : null,
            confidence: knowsBasis ? 'likely' : 'assumed',
            evidence: knowsBasis
              ? 'The file has a column for adjusted closes.'
              : 'No split falls into the file, so it cannot tell.',
          }
        : { value: choices.priceBasis, confidence: 'given', evidence: 'You said so.' },
    columns: choices.columns ?? {
      date: 'Date',
      symbol: 'Name',
      open: 'Open',
      high: 'High',
      low: 'Low',
      close: 'Close',
      volume: 'Volume',
    },
    unknownColumns: ['Note'],
    rows: Array.from({ length: 8 }, (_, at) => ({
      date: `2006-01-${String(at + 3).padStart(2, '0')}`,
      symbol: 'MMM',
      open: 77.76 + at,
      high: 79.35 + at,
      low: 77.24 + at,
      close: 79.11 + at,
      volume: 3_117_200 + at * 1_000,
    })),
    rowProblems: [{ file: fileName, line: 17, column: 'close', rule: 'A close must be a number, was "abc".' }],
    warnings: ['The column “Note” is not used.'],
  };
}
