import * as alerts from '@touchstone/contracts/alerts';
import * as blastRadius from '@touchstone/contracts/blast-radius';
import * as diagnostics from '@touchstone/contracts/diagnostics';
import { exampleOf } from '@touchstone/contracts/example';
import * as feeds from '@touchstone/contracts/feeds';
import * as keeping from '@touchstone/contracts/keeping';
import * as limits from '@touchstone/contracts/limits';
import type { Answer, Route } from '@touchstone/contracts/route';
import * as tasks from '@touchstone/contracts/tasks';
import type { On } from './fixture-server.ts';
import * as world from './fixture-world.ts';

/**
 * Feeds, schedules, alerts and the operation side, for the fixture server. Everything starts from the examples of the
 * contracts; only what a screen must tell apart is set here.
 */

const NOW = '2026-01-16T08:30:00.000Z';
const TOMORROW = '2026-01-17T00:00:00.000Z';
const DONE_AT = '2026-01-15T22:20:00.000Z';

/** What the fixture server lends: its tasks, and its way to tell a stream or a problem. */
export type Stage = {
  isEmpty: boolean;
  now: () => string;
  startTask: (
    kind: string,
    title: string,
    steps: string[],
    finish: () => Record<string, unknown>,
  ) => Answer<typeof tasks.startCourt>;
  refuse: (code: 'CONFLICT' | 'NOT_FOUND', detail: string) => never;
  tell: (event: string, data: unknown) => void;
  page: <T>(
    items: T[],
    query: { cursor?: string | undefined; limit: number },
  ) => { items: T[]; nextCursor: string | null };
};

function like<R extends Route>(route: R, part: Partial<Answer<R>>): Answer<R> {
  return { ...(exampleOf(route.answer!, route.id) as Answer<R> & object), ...part };
}

const refreshExample = like(feeds.getRefresh, {});
const { freshShare: _share, gaps: _gaps, runs: _runs, ...summaryExample } = refreshExample;

function summaryOf(id: number, part: Partial<feeds.RefreshSummary>): feeds.RefreshSummary {
  return {
    ...summaryExample,
    id,
    sourceId: 11,
    sourceName: 'TwelveData',
    universeId: 2,
    taskId: null,
    startedAt: '2026-01-15T22:15:00.000Z',
    finishedAt: DONE_AT,
    firstDay: '2026-01-02',
    lastDay: '2026-01-15',
    ...part,
  };
}

function feedOf(id: number, part: Partial<feeds.Feed>): feeds.Feed {
  const [example] = like(feeds.listFeeds, {}).items;
  return {
    ...example!,
    id,
    tenantId: 1,
    settings: { years: 5, overlapDays: 10 },
    state: 'ready',
    stateSentence: 'Ready.',
    retryAt: null,
    credits: null,
    openGapCount: 0,
    needsKey: false,
    hasKey: false,
    lastRefresh: null,
    version: 1,
    ...part,
  };
}

function gapOf(id: number, symbol: string, part: Partial<feeds.Gap>): feeds.Gap {
  const [example] = like(feeds.listGaps, {}).items;
  return {
    ...example!,
    id,
    symbol,
    sourceId: 11,
    sourceName: 'TwelveData',
    instrumentId: null,
    openedAt: DONE_AT,
    closedAt: null,
    fromDay: '2026-01-12',
    toDay: '2026-01-15',
    retryAt: TOMORROW,
    times: 1,
    ...part,
  };
}

function alertOf(id: number, part: Partial<alerts.Alert>): alerts.Alert {
  const [example] = like(alerts.listAlerts, {}).items;
  return {
    ...example!,
    id,
    tenantId: 1,
    state: 'open',
    raisedAt: '2026-01-15T22:20:00.000Z',
    lastRaisedAt: '2026-01-16T08:00:00.000Z',
    acknowledgedAt: null,
    acknowledgedBy: null,
    resolvedAt: null,
    ...part,
  };
}

export function scheduleOf(id: number, part: Partial<tasks.Schedule>): tasks.Schedule {
  const [example] = like(tasks.listSchedules, {}).items;
  return {
    ...example!,
    ...world.audit(1),
    id,
    cron: '',
    afterClose: null,
    tradingDaysOnly: null,
    input: {},
    enabled: true,
    lastStartedAt: DONE_AT,
    lastTask: { id: 1, state: 'done', finishedAt: DONE_AT, detail: '' },
    nextRuns: ['2026-01-16T22:15:00.000Z', '2026-01-20T22:15:00.000Z', '2026-01-21T22:15:00.000Z'],
    ...part,
  };
}

const SCHEDULES = [
  scheduleOf(1, {
    kind: 'verify',
    title: 'Verify every night',
    cron: '0 3 * * *',
    nextRuns: ['2026-01-17T03:00:00.000Z'],
  }),
  scheduleOf(2, {
    kind: 'refresh',
    title: 'Refresh My universe',
    afterClose: { calendar: 'XNYS', minutes: 75 },
    input: { universeId: 2, sourceId: 11 },
  }),
  scheduleOf(3, {
    kind: 'backup',
    title: 'Back up',
    cron: '30 2 * * *',
    lastTask: { id: 2, state: 'failed', finishedAt: DONE_AT, detail: 'The disk has less than 1 GB free.' },
    nextRuns: ['2026-01-17T02:30:00.000Z'],
  }),
];

const PARTS: diagnostics.Part[] = [
  { name: 'timescaledb', state: 'fall-back', sentence: 'Bars lie in yearly partitions of plain PostgreSQL.' },
  { name: 'redis', state: 'fall-back', sentence: 'Caches and limits live in this process and in the database.' },
  { name: 'opentelemetry', state: 'off', sentence: 'No collector is configured; nothing is sent anywhere.' },
  { name: 'single sign-on', state: 'off', sentence: 'People sign in with e-mail and password.' },
];

export function answerOperation(on: On, stage: Stage): void {
  const state = {
    feeds: stage.isEmpty ? [] : startFeeds(),
    refreshes: stage.isEmpty ? [] : startRefreshes(),
    gaps: stage.isEmpty ? [] : startGaps(),
    alerts: stage.isEmpty ? [] : startAlerts(),
    schedules: stage.isEmpty ? [] : structuredClone(SCHEDULES),
  };
  answerFeeds(on, stage, state);
  answerSchedules(on, stage, state);
  answerAlerts(on, stage, state);
  answerBlastRadius(on);
  answerDiagnostics(on, stage.isEmpty);
  answerKeeping(on, stage);
}

type State = {
  feeds: feeds.Feed[];
  refreshes: feeds.RefreshSummary[];
  gaps: feeds.Gap[];
  alerts: alerts.Alert[];
  schedules: tasks.Schedule[];
};

function startRefreshes(): feeds.RefreshSummary[] {
  return [
    summaryOf(12, {
      state: 'degraded',
      symbolCount: 426,
      refreshedCount: 423,
      gapCount: 3,
      acceptedCount: 431,
      revisedCount: 6,
      quarantinedCount: 2,
      caseCount: 2,
      batchCount: 4,
      sentence: '423 of 426 symbols refreshed; 3 are missing and are asked again.',
    }),
    summaryOf(11, {
      symbolCount: 426,
      refreshedCount: 426,
      acceptedCount: 426,
      batchCount: 4,
      sentence: '426 of 426 symbols refreshed.',
      startedAt: '2026-01-14T22:15:00.000Z',
      finishedAt: '2026-01-14T23:10:00.000Z',
    }),
  ];
}

function startFeeds(): feeds.Feed[] {
  return [
    feedOf(11, {
      feed: 'twelvedata',
      code: 'twelvedata',
      name: 'TwelveData',
      needsKey: true,
      hasKey: true,
      settings: { years: 5, overlapDays: 10, creditsPerMinute: 8, creditsPerDay: 800 },
      credits: { minuteLeft: 3, dayLeft: 374, perMinute: 8, perDay: 800, resetAt: TOMORROW },
      openGapCount: 3,
      instrumentCount: 426,
      firstDay: '2021-01-04',
      lastDay: '2026-01-15',
      lastRefresh: startRefreshes()[0]!,
    }),
    feedOf(12, {
      feed: 'alfred',
      code: 'alfred',
      name: 'ALFRED vintages',
      gives: 'macro',
      priceBasis: null,
      settings: { years: 20, overlapDays: 60, series: ['UNRATE', 'CPIAUCSL'] },
      state: 'resting',
      stateSentence: 'The vendor failed 5 times in a row; it is left alone for a while.',
      retryAt: '2026-01-16T09:00:00.000Z',
      instrumentCount: 0,
      firstDay: '2006-01-01',
      lastDay: '2025-12-01',
    }),
  ];
}

function startGaps(): feeds.Gap[] {
  return [
    gapOf(3, 'ALDR', {
      instrumentId: 1,
      kind: 'unavailable',
      sentence: 'ALDR: the vendor did not answer after 4 tries.',
      times: 2,
    }),
    gapOf(2, 'OLDCO', {
      kind: 'unknown',
      sentence: 'OLDCO: the vendor does not know this symbol. Rename it, or take it out of the universe.',
      retryAt: null,
      times: 9,
    }),
    gapOf(1, 'HAZL', {
      instrumentId: 8,
      kind: 'lies',
      sentence: 'HAZL: the answer holds days after today (2026-03-02), so none of it was stored.',
    }),
  ];
}

function startAlerts(): alerts.Alert[] {
  return [
    alertOf(4, {
      kind: 'disk.low',
      tenantId: 0,
      severity: 'critical',
      title: 'The disk is almost full',
      detail: 'It has 0.8 GB free. Imports stop below 1 GB: archive old years, or give it room.',
      subjectKind: 'disk',
      subjectId: 'data',
    }),
    alertOf(3, { subjectId: '2' }),
    alertOf(2, {
      kind: 'feed.degraded',
      severity: 'info',
      title: 'Refresh 12 ended with 3 gaps',
      detail: '423 of 426 symbols refreshed. What is missing is asked again tomorrow.',
      subjectKind: 'refresh',
      subjectId: '12',
    }),
    alertOf(1, {
      state: 'acknowledged',
      kind: 'schedule.failed',
      title: 'The backup of last night failed',
      detail: 'The disk has less than 1 GB free. Make room and start it again.',
      subjectKind: 'schedule',
      subjectId: '3',
      times: 3,
      acknowledgedAt: NOW,
      acknowledgedBy: 1,
    }),
  ];
}

function answerFeeds(on: On, stage: Stage, state: State): void {
  const feed = (id: number) =>
    state.feeds.find((one) => one.id === id) ?? stage.refuse('NOT_FOUND', `There is no feed ${id}.`);
  const atVersion = (id: number, version: number) => {
    const found = feed(id);
    if (found.version !== version) stage.refuse('CONFLICT', `The feed is at version ${found.version}, not ${version}.`);
    return found;
  };
  on(feeds.listFeeds, () => ({ items: state.feeds }));
  on(feeds.createFeed, ({ body }) => {
    const isPlan = body.feed === 'twelvedata';
    const perMinute = body.settings.creditsPerMinute ?? 8;
    const perDay = body.settings.creditsPerDay ?? 800;
    const made = feedOf(20 + state.feeds.length, {
      feed: body.feed,
      code: body.code ?? body.feed,
      name: body.name ?? body.feed,
      gives: isPlan || body.feed === 'stooq' ? 'prices' : body.feed === 'ecb' ? 'exchange_rates' : 'macro',
      needsKey: isPlan,
      hasKey: body.key !== undefined,
      settings: { years: 5, overlapDays: 10, ...body.settings },
      credits: isPlan ? { minuteLeft: perMinute, dayLeft: perDay, perMinute, perDay, resetAt: TOMORROW } : null,
      instrumentCount: 0,
      firstDay: null,
      lastDay: null,
    });
    state.feeds.push(made);
    return made;
  });
  on(feeds.updateFeed, ({ params, body }) => {
    const found = atVersion(params.sourceId, body.version);
    return Object.assign(found, {
      name: body.name ?? found.name,
      settings: { ...found.settings, ...body.settings },
      version: found.version + 1,
    });
  });
  on(feeds.rotateFeedKey, ({ params, body }) => {
    const found = atVersion(params.sourceId, body.version);
    const isLost = body.key === null;
    return Object.assign(found, {
      hasKey: !isLost,
      state: isLost ? ('no_key' as const) : ('ready' as const),
      stateSentence: isLost ? 'It has no key. Give it one.' : 'Ready.',
      version: found.version + 1,
    });
  });
  on(feeds.deleteFeed, ({ params }) => {
    state.feeds = state.feeds.filter((one) => one.id !== params.sourceId);
    return undefined;
  });
  on(feeds.testFeed, ({ params }) => like(feeds.testFeed, { problem: null, credits: feed(params.sourceId).credits }));
  on(feeds.readQuotes, ({ params, query }) => {
    const example = like(feeds.readQuotes, {});
    const asked = query.symbols.split(',');
    return {
      ...example,
      quotes: asked
        .filter((symbol) => symbol !== 'NONE')
        .map((symbol) => ({ ...example.quotes[0]!, symbol, price: 101, previousClose: 100, change: 0.01 })),
      gaps: asked
        .filter((symbol) => symbol === 'NONE')
        .map((symbol) => ({ ...example.gaps[0]!, symbol, sentence: `TwelveData does not know “${symbol}”.` })),
      credits: feed(params.sourceId).credits,
    };
  });
  on(feeds.planRefresh, ({ body }) => {
    const symbolCount = body.symbols?.length ?? 13;
    return like(feeds.planRefresh, {
      symbolCount,
      currentCount: 0,
      newCount: 2,
      requestCount: Math.ceil(symbolCount / 8),
      credits: symbolCount,
      minutes: symbolCount / 8,
      finishesOn: '2026-01-16',
      sentence: `${symbolCount} symbols = ${symbolCount} credits, ${Math.ceil(symbolCount / 8)} minutes`,
    });
  });
  on(feeds.startRefresh, ({ params }) => {
    const id = 13 + state.refreshes.length;
    const started = stage.startTask(
      'market-data.refresh.run',
      `Refresh ${feed(params.sourceId).name}`,
      ['Asking for 8 of 13 symbols', 'Waiting for the next minute', 'Judging and publishing'],
      () => {
        const made = summaryOf(id, {
          sourceId: params.sourceId,
          taskId: started.task.id,
          symbolCount: 13,
          refreshedCount: 13,
          sentence: '13 of 13 symbols refreshed.',
        });
        state.refreshes.unshift(made);
        return { refreshId: id };
      },
    );
    return started;
  });
  on(feeds.listRefreshes, ({ query }) =>
    stage.page(
      state.refreshes.filter((one) => query.sourceId === undefined || one.sourceId === query.sourceId),
      query,
    ),
  );
  on(feeds.getRefresh, ({ params }) => {
    const found = state.refreshes.find((one) => one.id === params.refreshId);
    const summary = found ?? stage.refuse('NOT_FOUND', `There is no refresh ${params.refreshId}.`);
    const isDegraded = summary.state === 'degraded';
    return {
      ...summary,
      freshShare: isDegraded ? 423 / 426 : 1,
      gaps: isDegraded ? state.gaps : [],
      runs: [5, 4, 3].map((runId, at) => ({
        ...refreshExample.runs[0]!,
        runId,
        acceptedCount: 144 - at,
        revisedCount: at * 3,
        quarantinedCount: at,
      })),
    };
  });
  on(feeds.listGaps, ({ query }) => {
    const shown = state.gaps.filter(
      (one) =>
        (query.sourceId === undefined || one.sourceId === query.sourceId) &&
        (query.universeId === undefined || query.universeId === 2) &&
        (query.state === 'all' || (query.state === 'open') === (one.closedAt === null)),
    );
    return { ...stage.page(shown, query), openCount: state.gaps.length };
  });
}

function answerSchedules(on: On, stage: Stage, state: State): void {
  on(tasks.listSchedules, () => ({ items: state.schedules }));
  on(tasks.createSchedule, ({ body }) => {
    const made = scheduleOf(10 + state.schedules.length, {
      ...body,
      cron: body.cron ?? '',
      afterClose: body.afterClose ?? null,
      tradingDaysOnly: body.tradingDaysOnly ?? null,
      lastStartedAt: null,
      lastTask: null,
    });
    state.schedules.push(made);
    return made;
  });
  on(tasks.updateSchedule, ({ params, body }) => {
    const found =
      state.schedules.find((one) => one.id === params.scheduleId) ??
      stage.refuse('NOT_FOUND', 'There is no such schedule.');
    if (found.version !== body.version) {
      stage.refuse('CONFLICT', `The schedule is at version ${found.version}; the change started from ${body.version}.`);
    }
    const changed = Object.fromEntries(Object.entries(body).filter(([, value]) => value !== undefined));
    return Object.assign(found, changed, {
      cron: body.afterClose ? '' : (body.cron ?? found.cron),
      afterClose: body.afterClose ?? (body.cron ? null : found.afterClose),
      version: found.version + 1,
    });
  });
  on(tasks.deleteSchedule, ({ params }) => {
    state.schedules = state.schedules.filter((one) => one.id !== params.scheduleId);
    return undefined;
  });
  on(tasks.keepCurrent, ({ params, body }) => {
    const input = { universeId: params.universeId };
    const made = [
      scheduleOf(21, {
        kind: 'refresh',
        title: 'Refresh My universe',
        afterClose: { calendar: 'XNYS', minutes: body.minutes },
        input: { ...input, sourceId: body.sourceId },
      }),
      scheduleOf(22, {
        kind: 'court',
        title: 'Judge My universe',
        afterClose: { calendar: 'XNYS', minutes: body.minutes + 30 },
        input,
        nextRuns: ['2026-01-16T22:45:00.000Z'],
      }),
    ];
    state.schedules = [...state.schedules.filter((one) => one.input.universeId !== params.universeId), ...made];
    return { items: made, changedCount: 2 };
  });
  on(tasks.listProcesses, () => {
    const [example] = like(tasks.listProcesses, {}).items;
    const seen = { lastSeenAt: stage.now(), startedAt: '2026-01-15T06:00:00.000Z' };
    return {
      items: [
        { ...example!, ...seen, kind: 'server' as const, state: 'running' as const, isThis: true },
        {
          ...example!,
          ...seen,
          id: '01890a5d-ac96-774b-bcce-b302099a8058',
          state: 'lost' as const,
          lastSeenAt: '2026-01-15T21:00:00.000Z',
          isThis: false,
        },
      ],
    };
  });
}

function answerAlerts(on: On, stage: Stage, state: State): void {
  const openOf = (severity: alerts.Alert['severity']) =>
    state.alerts.filter((one) => one.state === 'open' && one.severity === severity).length;
  on(alerts.listAlerts, ({ query }) => ({
    ...stage.page(
      state.alerts.filter(
        (one) => (!query.state || one.state === query.state) && (!query.severity || one.severity === query.severity),
      ),
      query,
    ),
    open: { info: openOf('info'), warning: openOf('warning'), critical: openOf('critical') },
  }));
  on(alerts.acknowledgeAlert, ({ params }) => {
    const found =
      state.alerts.find((one) => one.id === params.alertId) ?? stage.refuse('NOT_FOUND', 'There is no such alert.');
    Object.assign(found, { state: 'acknowledged', acknowledgedAt: stage.now(), acknowledgedBy: 1 });
    stage.tell('alert', found);
    return found;
  });
  // On a real server the clock raises alerts; here a court that ends does.
  on(tasks.startCourt, () =>
    stage.startTask('market-data.court.run', 'Judge a universe again', ['Reading', 'Judging 61,322 bars'], () => {
      const raised = alertOf(state.alerts.length + 1, {
        title: 'The court opened 2 findings',
        detail: 'Look at them before the next index run.',
        kind: 'court.findings',
        subjectKind: 'universe',
        subjectId: '2',
        lastRaisedAt: stage.now(),
      });
      state.alerts.unshift(raised);
      stage.tell('alert', raised);
      return { caseCount: 2 };
    }),
  );
}

function answerBlastRadius(on: On): void {
  const example = like(blastRadius.getBlastRadius, {});
  const dependent = example.dependents[0]!.items[0]!;
  on(blastRadius.getBlastRadius, ({ query }) => ({
    ...example,
    change: {
      ...example.change,
      runId: query.runId ?? null,
      rowCount: 4,
      instrumentCount: 2,
      firstDay: '2016-05-05',
      lastDay: '2025-07-11',
    },
    dependents: [
      {
        kind: 'dataset',
        count: 2,
        items: [1, 2].map((at) => ({
          ...dependent,
          id: world.hashOf(`dataset ${at}`),
          name: `prices of 2026-01-0${at}`,
        })),
      },
      { kind: 'universe', count: 1, items: [{ ...dependent, id: '1', name: 'All simulated companies', exact: false }] },
      { kind: 'index-run', count: 2, items: [{ ...dependent, id: '1', name: 'Simulated three pillars, version 1' }] },
      { kind: 'trial', count: 3, items: [{ ...dependent, id: '3', name: 'Simulated three pillars, run 3' }] },
    ],
    exact: false,
    approximations: ['Universes are named by what they were asked for, not row by row.'],
    indexes: [
      {
        indexId: 1,
        name: 'Simulated three pillars',
        latestRunNumber: 1,
        isStale: true,
        runNumbers: [1],
        staleFrom: '2016-05-05',
        staleDayCount: 2519,
        dayCount: 3129,
      },
      {
        indexId: 2,
        name: 'Simulated equal weight',
        latestRunNumber: 2,
        isStale: false,
        runNumbers: [1],
        staleFrom: null,
        staleDayCount: 0,
        dayCount: 3129,
      },
    ],
    milliseconds: 84,
  }));
}

const SLOW_TEXT = `SELECT o.instrument_id, o.day, o.close
FROM price_observation o
JOIN publication p ON p.run_id = o.run_id
WHERE o.tenant_id = $1 AND o.instrument_id = ANY($2) AND o.day BETWEEN $3 AND $4 AND p.published_at <= $5
ORDER BY o.instrument_id, o.day, o.revision DESC`;

const PLAN_DIFF: Answer<typeof diagnostics.getSlowQuery>['planDiff'] = [
  { change: 'same', line: 'Sort' },
  { change: 'same', line: '  Sort Key: o.instrument_id, o.day, o.revision DESC' },
  { change: 'same', line: '  ->  Hash Join' },
  { change: 'same', line: '        Hash Cond: (o.run_id = p.run_id)' },
  {
    change: 'removed',
    line: '        ->  Index Scan using price_observation_2025_pkey on price_observation_2025 o',
  },
  { change: 'added', line: '        ->  Seq Scan on price_observation_2025 o' },
  { change: 'same', line: '        ->  Hash' },
  { change: 'same', line: '              ->  Seq Scan on publication p' },
];

function answerDiagnostics(on: On, isEmpty: boolean): void {
  const health = like(diagnostics.getHealth, {});
  const fresh = health.freshness[0]!;
  const cache = { kind: 'in-process', hits: 18_204, misses: 1_371, hitFraction: 0.93 };
  on(diagnostics.getHealth, () => ({
    ...health,
    cache,
    ok: isEmpty,
    reasons: isEmpty ? [] : ['The disk has 0.8 GB free.', 'The backup of last night failed.'],
    freshness: isEmpty
      ? []
      : [
          {
            ...fresh,
            universeId: 2,
            universeName: 'My universe',
            tenantId: 1,
            sourceCode: 'twelvedata',
            sourceKind: 'feed',
          },
          {
            ...fresh,
            universeId: 1,
            universeName: 'All simulated companies',
            tenantId: 0,
            sourceCode: 'simulated-market',
            sourceKind: 'simulator',
            lastDay: world.LAST_DAY,
            ageTradingDays: 10,
            isExpectedFresh: false,
          },
        ].map((row) => ({ ...row, isStale: false })),
    queue: { queued: 2, running: 1, failed: 1, oldestWaitingSeconds: 12 },
    pool: { ...health.pool, size: 4, max: 10, idle: 3, waiting: 0, waitMsP95: 1.2, waitMsMax: 14 },
    eventLoopDelayMsP99: 4.2,
    memory: { residentBytes: 182_000_000, heapBytes: 61_000_000 },
    disk: { freeBytes: 800_000_000, totalBytes: 60_000_000_000, freeFraction: 0.0133 },
    alerts: isEmpty ? { info: 0, warning: 0, critical: 0 } : { info: 1, warning: 1, critical: 1 },
    parts: PARTS,
  }));
  const slow = like(diagnostics.getSlowQuery, {});
  const { plan: _plan, planReason: _reason, previousPlan: _previous, planDiff: _diff, ...query } = slow;
  const queries = [
    {
      ...query,
      id: 1,
      text: SLOW_TEXT,
      count: 41,
      totalMs: 18_400,
      meanMs: 449,
      p95Ms: 910,
      maxMs: 1_320,
      planChangedAt: NOW,
    },
    { ...query, id: 2, count: 3, totalMs: 412, meanMs: 137, p95Ms: 160, maxMs: 171, planChangedAt: null },
  ];
  on(diagnostics.listSlowQueries, () => ({ thresholdMs: 100, items: isEmpty ? [] : queries }));
  on(diagnostics.getSlowQuery, () => ({
    ...queries[0]!,
    plan: {
      text: 'Sort\n  Sort Key: o.instrument_id, o.day, o.revision DESC\n  ->  Hash Join\n        Hash Cond: (o.run_id = p.run_id)\n        ->  Seq Scan on price_observation_2025 o\n        ->  Hash\n              ->  Seq Scan on publication p',
      takenAt: NOW,
    },
    planReason: null,
    previousPlan: {
      text: 'Sort\n  Sort Key: o.instrument_id, o.day, o.revision DESC\n  ->  Hash Join\n        Hash Cond: (o.run_id = p.run_id)\n        ->  Index Scan using price_observation_2025_pkey on price_observation_2025 o\n        ->  Hash\n              ->  Seq Scan on publication p',
      takenAt: '2026-01-10T02:00:00.000Z',
    },
    planDiff: PLAN_DIFF,
  }));
  on(limits.getLimits, () => {
    const example = like(limits.getLimits, {});
    const of = (
      name: Answer<typeof limits.getLimits>['items'][number]['name'],
      perMinute: number,
      remaining: number | null,
    ) => ({
      ...{ name, requestsPerMinute: perMinute, burst: perMinute, remaining },
    });
    return {
      ...example,
      degraded: false,
      items: [of('auth', 10, null), of('address', 120, null), of('account', 6000, 5990), of('tenant', 12_000, 11_950)],
    };
  });
}

function answerKeeping(on: On, stage: Stage): void {
  const backups = like(keeping.listBackups, {});
  const [backup] = backups.items;
  on(keeping.listBackups, () => ({
    ...backups,
    items: stage.isEmpty
      ? []
      : [
          {
            ...backup!,
            byteCount: 214_000_000,
            state: 'verified' as const,
            keptAs: ['newest' as const, 'daily' as const],
          },
          {
            ...backup!,
            name: 'touchstone-20260114T030000Z.backup',
            createdAt: '2026-01-14T03:00:00.000Z',
            byteCount: 213_400_000,
            state: 'unverified' as const,
            root: null,
            keptAs: ['daily' as const],
          },
        ],
  }));
  const quick = (title: string, result: Record<string, unknown> = {}) =>
    stage.startTask('operate.keeping', title, ['Reading', 'Writing', 'Reading it back'], () => result);
  on(keeping.startBackup, () => quick('Back up the installation'));
  on(keeping.startDrill, () => quick('Restore the newest backup beside', { ok: true, rowCount: 61_401, seconds: 4.2 }));
  on(keeping.startArchive, () => quick('Archive old years'));
  on(keeping.bringBackArchive, ({ params }) => quick(`Bring ${params.year} back`));
  const [archive] = like(keeping.listArchives, {}).items;
  const archives: keeping.Archive[] = [
    { ...archive!, id: 1, year: 2010, tenantId: 1, state: 'archived', rowCount: 106_400, byteCount: 2_910_000 },
    { ...archive!, id: 2, year: 2009, tenantId: 0, state: 'brought_back', rowCount: 5_040, byteCount: 142_000 },
  ];
  on(keeping.listArchives, () => ({ items: stage.isEmpty ? [] : archives }));
  const fine = { state: 'fine' as const, why: '', command: null };
  const findings: keeping.Finding[] = [
    {
      check: 'disk-space',
      state: 'broken',
      what: 'The disk has 0.8 GB free.',
      why: 'Imports and backups stop below 1 GB.',
      command: 'touchstone archive start 10',
    },
    {
      check: 'backup-age',
      state: 'warning',
      what: 'The newest backup is 2 days old.',
      why: 'What came in since then is lost with the disk.',
      command: 'touchstone backup start',
    },
    { ...fine, check: 'database', what: 'The database answers, version 18.4.' },
    { ...fine, check: 'migrations', what: 'Every migration is in force.' },
    { ...fine, check: 'redis', state: 'skipped', what: 'No Redis is configured.' },
  ];
  on(keeping.getDoctor, () => ({
    ok: stage.isEmpty,
    checkedAt: NOW,
    findings: stage.isEmpty ? [{ ...fine, check: 'database', what: 'The database answers.' }] : findings,
  }));
}

/** What a stream of prices tells when it opens. */
export function pricesOf(symbols: string): string {
  return symbols
    .split(',')
    .map((symbol) => ({ symbol, price: 104.5, at: TOMORROW }))
    .map((tick) => `event: price\ndata: ${JSON.stringify(tick)}\n\n`)
    .join('');
}
