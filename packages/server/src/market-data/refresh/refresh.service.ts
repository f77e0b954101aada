import { type Gap, type planRefresh, REFRESH_SYMBOLS_MAX, type startRefresh } from '@touchstone/contracts/feeds';
import type { Task } from '@touchstone/contracts/tasks';
import { dayText } from '@touchstone/quant/series/day';
import { sql } from 'kysely';
import type { PoolConfig } from 'pg';
import { z } from 'zod';
import { raiseAlert, resolveAlert } from '../../platform/alerts/alerts.ts';
import type { Clock } from '../../platform/clock/clock.ts';
import { type RunInThread, runInThread } from '../../platform/compute/run-in-thread.ts';
import type { Database, Principal, Transaction } from '../../platform/database/database.ts';
import { appendEvidence } from '../../platform/evidence/evidence.ts';
import { decodeIdCursor, toPage } from '../../platform/http/cursor.ts';
import { found, ProblemError } from '../../platform/problem-error.ts';
import type { TaskContext, Tasks } from '../../platform/tasks/tasks.ts';
import { checkCalendar } from '../calendars/check-calendar.ts';
import type { FactFeed, FeedContext, FeedGap, FeedSeries, FeedSplit, OpenFeed, PriceFeed } from '../feeds/feed.ts';
import type { FeedRow } from '../feeds/feeds.repository.ts';
import { type FeedsService, gives } from '../feeds/feeds.service.ts';
import { isCancelRequested } from '../price-import/price-import.repository.ts';
import { checkAnswer, findTail, type KnownCloses, splitOf } from './check-answer.ts';
import { batchQuestions, lastClosedDay, planQuestions, type Question, type WantedSymbol } from './plan-questions.ts';
import * as repository from './refresh.repository.ts';
import type { BatchOutcome, DatedGap, FactBatch, RefreshBatch, RefreshBatchJob } from './refresh-batch.ts';
import { summaryOf } from './refresh-summary.ts';

/** Input: { sourceId, universeId?, symbols?, universeName? }. */
export const REFRESH_TASK = 'market-data.refresh.run';

export type RefreshWhat = z.output<NonNullable<typeof planRefresh.body>>;
export type StartRefresh = z.output<NonNullable<typeof startRefresh.body>>;

export type RefreshDeps = {
  database: Database;
  /** Where the thread of a batch connects to: the application's role. */
  connection: PoolConfig;
  tasks: Tasks;
  clock: Clock;
  feeds: Pick<FeedsService, 'open'>;
  inThread?: RunInThread;
};

const WORKER = new URL('./refresh-worker.ts', import.meta.url);
const refreshInput = z.object({
  sourceId: z.int(),
  universeId: z.int().nullish(),
  symbols: z.array(z.string()).nullish(),
  universeName: z.string().nullish(),
});
const ruleOf = z.enum(['close_plus_one_hour', 'declared_in_data', 'recorded']);
const DAYS_PER_YEAR = 365.25;
const MS_PER_DAY = 86_400_000;
const GAPS_TOLD_MAX = 20;
const REPORT_ROWS_MAX = 500;
const ALERT_KINDS = ['degraded', 'lies', 'refused', 'credits'] as const;

export type RefreshService = ReturnType<typeof createRefreshService>;

/**
 * Fetches what is new from vendors. What was known before is never touched by it: a vendor that tells nothing leaves a
 * gap, and nothing else.
 */
export function createRefreshService(deps: RefreshDeps) {
  const { database, tasks, clock, feeds } = deps;
  const inThread = deps.inThread ?? runInThread;

  tasks.register(REFRESH_TASK, (input, context) => run(refreshInput.parse(input), context));

  /** The symbols a refresh is about. @throws NOT_FOUND, NOT_POSSIBLE_NOW when there are none. */
  async function findWanted(tx: Transaction, row: FeedRow, what: RefreshWhat): Promise<WantedSymbol[]> {
    const named = (what.symbols ?? []).map((symbol) => ({ symbol, lastDay: null }));
    const members = what.universeId === undefined ? [] : await membersOf(tx, what.universeId);
    const symbols = [...new Map([...members, ...named].map((each) => [each.symbol, each])).values()];
    if (symbols.length === 0)
      throw new ProblemError(
        'NOT_POSSIBLE_NOW',
        'There is nothing to refresh: name symbols, or a universe with members.',
      );
    if (symbols.length > REFRESH_SYMBOLS_MAX)
      throw new ProblemError(
        'NOT_POSSIBLE_NOW',
        `One refresh may have ${REFRESH_SYMBOLS_MAX} symbols, these are ${symbols.length}.`,
      );
    return repository.findWanted(tx, row, symbols);
  }

  async function membersOf(tx: Transaction, universeId: number) {
    const universe = found(await repository.findUniverse(tx, universeId), `There is no universe ${universeId}.`);
    if (universe.tenant_id !== tx.principal.tenantId)
      throw new ProblemError('NOT_POSSIBLE_NOW', `No vendor has the prices of ${universe.name}: they are simulated.`);
    return repository.findMembers(tx, universe);
  }

  /** Does the work of a task. Run again after a crash it goes on: what is here already is not asked again. */
  async function run(input: z.output<typeof refreshInput>, context: TaskContext): Promise<Record<string, unknown>> {
    const { principal } = context;
    const what: RefreshWhat = {
      ...(input.universeId == null ? {} : { universeId: input.universeId }),
      ...(input.symbols == null ? {} : { symbols: input.symbols }),
    };
    const prepared = await database.transaction(principal, async (tx) => {
      const feed = await feeds.open(tx, input.sourceId);
      const refresh = await repository.ensureRefresh(tx, {
        ...{ sourceId: input.sourceId, universeId: input.universeId ?? null, taskId: context.taskId },
      });
      const isPrices = 'prices' in feed.opened.source;
      return { ...feed, refresh, wanted: isPrices ? await findWanted(tx, feed.row, what) : [] };
    });
    const work: Work = { ...prepared, what, context, universeName: input.universeName ?? null };
    try {
      const { source } = prepared.opened;
      if ('prices' in source) await refreshPrices(work, source.prices);
      else await refreshFacts(work, source.facts);
      return await finish(work);
    } catch (error) {
      await abandon(work, error);
      throw error;
    }
  }

  type Work = {
    row: FeedRow;
    settings: { years: number; overlapDays: number };
    opened: OpenFeed;
    refresh: repository.RefreshRow;
    wanted: WantedSymbol[];
    what: RefreshWhat;
    context: TaskContext;
    universeName: string | null;
  };

  async function refreshPrices(work: Work, feed: PriceFeed): Promise<void> {
    const { context, refresh, wanted, settings } = work;
    const { questions, current } = planQuestions(wanted, clock.now(), settings);
    const batches = batchQuestions(questions, feed.batchSize);
    await database.transaction(context.principal, async (tx) => {
      await repository.setRefresh(tx, refresh.id, {
        symbol_count: wanted.length,
        // After a crash those of the first try are up to date as well, and counted already.
        current_count: Math.max(0, current.length - refresh.refreshed_count),
        ...(questions.length === 0 ? {} : daysOf(questions)),
      });
      await repository.closeGaps(
        tx,
        work.row.id,
        current.map(({ symbol }) => symbol),
      );
    });
    let done = current.length;
    let refusal: FeedGap | null = null;
    for (const batch of batches) {
      context.signal.throwIfAborted();
      context.progress(done / wanted.length, `${done} of ${wanted.length} symbols`);
      const checked: Checked = refusal === null ? await ask(work, feed, batch) : refuseAll(batch, refusal);
      refusal ??= checked.refusal;
      context.signal.throwIfAborted();
      await publish(work, { ...baseOf(work), ...checked.batch, basis: feed.basis, universeName: work.universeName });
      done += batch.length;
    }
    context.progress(1, `${done} of ${wanted.length} symbols`);
  }

  type Checked = {
    batch: Pick<RefreshBatch, 'series' | 'splits' | 'notes' | 'gaps' | 'filled'>;
    /** Set when the vendor refused every symbol: it would refuse the next ones too. */
    refusal: FeedGap | null;
  };

  /** One question to the vendor, and a second one for histories that came back at another level. */
  async function ask(work: Work, feed: PriceFeed, batch: readonly Question[]): Promise<Checked> {
    const now = clock.now();
    const [from, to] = endsOf(batch);
    const answer = await feed.fetchBars(
      batch.map(({ symbol }) => symbol),
      from,
      to,
      feedContext(work),
    );
    const closes = await knownCloses(work, batch, from, to);
    const result = { series: [] as FeedSeries[], gaps: [] as DatedGap[], filled: [] as string[] };
    const retold: (Question & { ratio: number; day: number })[] = [];
    const lacks = (question: Question, gap: FeedGap, missingFrom = question.missingFrom) =>
      result.gaps.push({ ...gap, symbol: question.symbol, from: missingFrom, to: question.to });
    const keep = (question: Question, series: FeedSeries) => {
      result.series.push(series);
      const tail = findTail(series, question, now);
      if (tail !== null) lacks(question, tail, Math.max(question.missingFrom, (series.day.at(-1) ?? 0) + 1));
      else if (!answer.gaps.some(({ symbol }) => symbol === question.symbol)) result.filled.push(question.symbol);
    };
    for (const question of batch) {
      const series = answer.series.find(({ symbol }) => symbol === question.symbol);
      const gap = answer.gaps.find(({ symbol }) => symbol === question.symbol);
      if (gap !== undefined) lacks(question, gap);
      if (series === undefined) {
        if (gap === undefined) lacks(question, silence(question, now));
        continue;
      }
      const known = closes.get(question.instrumentId ?? -1) ?? NOTHING_KNOWN;
      const checked = checkAnswer(series, question, known, feed.basis, now);
      if (checked.verdict === 'good') keep(question, checked.series);
      else if (checked.verdict === 'gap') lacks(question, checked.gap);
      else retold.push({ ...question, ratio: checked.ratio, day: checked.day });
    }
    const anew = retold.length === 0 ? EMPTY_RETELLING : await askAnew(work, feed, retold, keep, lacks);
    const isRefused = batch.length > 0 && answer.gaps.length === batch.length && answer.gaps.every(isForGood);
    return { batch: { ...result, ...anew }, refusal: isRefused ? answer.gaps[0]! : null };
  }

  /** Whole histories of symbols whose past came back at another level: a revision of all of it, and its splits. */
  async function askAnew(
    work: Work,
    feed: PriceFeed,
    retold: readonly (Question & { ratio: number; day: number })[],
    keep: (question: Question, series: FeedSeries) => void,
    lacks: (question: Question, gap: FeedGap) => void,
  ): Promise<Pick<RefreshBatch, 'splits' | 'notes'>> {
    const now = clock.now();
    const symbols = retold.map(({ symbol }) => symbol);
    const whole = retold.map((each) => ({ ...each, from: each.firstKnown ?? each.from }));
    const [from, to] = endsOf(whole);
    const answer = await feed.fetchBars(symbols, from, to, feedContext(work));
    const told =
      (await feed.fetchSplits?.(symbols, Math.min(...retold.map((each) => each.from)), to, feedContext(work))) ?? [];
    const splits: FeedSplit[] = [];
    const notes: string[] = [];
    for (const question of whole) {
      const series = answer.series.find(({ symbol }) => symbol === question.symbol);
      const gap = answer.gaps.find(({ symbol }) => symbol === question.symbol);
      if (series === undefined) {
        lacks(question, gap ?? silence(question, now));
        continue;
      }
      // The past differs on purpose now, so only what cannot be true at all is looked for.
      const checked = checkAnswer(series, question, NOTHING_KNOWN, feed.basis, now);
      if (checked.verdict !== 'good') {
        if (checked.verdict === 'gap') lacks(question, checked.gap);
        continue;
      }
      keep(question, checked.series);
      const found = splitsOf(question, checked.series, told, feed.basis);
      splits.push(...found.splits);
      notes.push(retoldSentence(question, found.from));
    }
    return { splits, notes };
  }

  async function knownCloses(work: Work, batch: readonly Question[], from: number, to: number) {
    const instrumentIds = batch.flatMap(({ instrumentId, lastKnown }) =>
      instrumentId === null || lastKnown === null ? [] : [instrumentId],
    );
    if (instrumentIds.length === 0) return new Map<number, KnownCloses>();
    const question = { sourceId: work.row.id, instrumentIds, from, to };
    return database.transaction(work.context.principal, (tx) => repository.findCloses(tx, question), {
      readOnly: true,
    });
  }

  async function refreshFacts(work: Work, feed: FactFeed): Promise<void> {
    const { context, refresh, row, settings } = work;
    const symbols = work.what.symbols ?? feed.symbols;
    if (symbols.length === 0)
      throw new ProblemError('NOT_POSSIBLE_NOW', `${row.name} has no series in its settings. Name some first.`);
    const to = Math.floor(clock.now() / MS_PER_DAY);
    const from = to - Math.round(settings.years * DAYS_PER_YEAR);
    await database.transaction(context.principal, (tx) =>
      repository.setRefresh(tx, refresh.id, {
        ...{ symbol_count: symbols.length, refreshed_count: 0, first_day: dayText(from), last_day: dayText(to) },
      }),
    );
    for (const [at, symbol] of symbols.entries()) {
      context.signal.throwIfAborted();
      context.progress(at / symbols.length, symbol);
      const { told, lastKnownAt } = await database.transaction(
        context.principal,
        (tx) => repository.findTold(tx, row.id, symbol),
        { readOnly: true },
      );
      // A vintage counts from the end of its day, so the day it is about lies just before that instant.
      const knownThrough = lastKnownAt === null ? null : Math.floor((lastKnownAt - 1) / MS_PER_DAY);
      const answer = await feed.fetchFacts({ symbol, from, to, knownThrough, told }, feedContext(work));
      context.signal.throwIfAborted();
      await publish(work, {
        ...{ ...baseOf(work), kind: feed.kind, facts: answer.facts },
        gaps: answer.gaps.map((gap) => ({ ...gap, symbol, from, to })),
        filled: answer.gaps.length === 0 ? [symbol] : [],
      });
    }
  }

  function feedContext({ context }: Work): FeedContext {
    return { principal: context.principal, signal: context.signal, traceparent: null };
  }

  function baseOf({ row, refresh, context }: Work) {
    return {
      ...{ principal: context.principal, refreshId: refresh.id, taskId: context.taskId, now: clock.now() },
      source: {
        ...{ id: row.id, name: row.name, calendar: checkCalendar(row.calendar), currency: row.currency },
        knownAtRule: ruleOf.parse(row.known_at_rule),
      },
    };
  }

  async function publish({ context }: Work, batch: RefreshBatch | FactBatch): Promise<BatchOutcome> {
    const job: RefreshBatchJob = { connection: deps.connection, batch };
    return inThread<BatchOutcome>(WORKER, job, { signal: context.signal });
  }

  /** Writes how it ended, and what a person should see of it. */
  async function finish(work: Work): Promise<Record<string, unknown>> {
    const { context, refresh, row } = work;
    return database.transaction(context.principal, async (tx) => {
      const kinds = await repository.countOpenGaps(tx, refresh.id, row.id);
      const gapCount = kinds.reduce((sum, { n }) => sum + n, 0);
      const state = gapCount === 0 ? 'done' : 'degraded';
      const [before] = await repository.findRefreshes(tx, { id: refresh.id, limit: 1 });
      const sentence = sentenceOf({ ...before!, gap_count: gapCount }, kinds);
      await repository.setRefresh(tx, refresh.id, {
        ...{ state, gap_count: gapCount, sentence, finished_at: sql<string>`clock_timestamp()` },
      });
      const gaps = await repository.findGaps(tx, {
        ...{ refreshId: refresh.id, sourceId: row.id, state: 'open', limit: GAPS_TOLD_MAX, bySymbol: true },
      });
      await tellAlerts(tx, work, kinds, sentence);
      await appendEvidence(tx, {
        ...{ kind: 'refresh.ended', subjectKind: 'refresh', subjectId: refresh.id },
        body: { sourceId: row.id, universeId: refresh.universe_id, taskId: context.taskId, state, gapCount },
      });
      const { symbol_count, current_count, refreshed_count, accepted_count, revised_count } = before!;
      return {
        ...{ refreshId: refresh.id, sourceId: row.id, state, sentence, gapCount },
        ...{ symbolCount: symbol_count, currentCount: current_count, refreshedCount: refreshed_count },
        ...{ acceptedCount: accepted_count, revisedCount: revised_count },
        ...{ quarantinedCount: before!.quarantined_count, caseCount: before!.case_count },
        gaps: gaps.map((gap) => ({ symbol: gap.symbol, kind: gap.kind, sentence: gap.sentence })),
      };
    });
  }

  async function abandon({ context, refresh }: Work, error: unknown): Promise<void> {
    const { principal, signal, taskId } = context;
    await database.transaction(principal, async (tx) => {
      const end = (state: repository.RefreshState, sentence: string) =>
        repository.setRefresh(tx, refresh.id, { state, sentence, finished_at: sql<string>`clock_timestamp()` });
      if (!signal.aborted)
        await end(
          'failed',
          error instanceof ProblemError ? error.message : 'It failed unexpectedly; what it had published stays.',
        );
      else if (await isCancelRequested(tx, taskId))
        await end('cancelled', 'Stopped on request; what it had published stays.');
    });
  }

  return {
    run,
    /** What a refresh would ask and cost. @throws NOT_FOUND, NOT_POSSIBLE_NOW */
    async plan(principal: Principal, sourceId: number, what: RefreshWhat) {
      const read = await database.transaction(
        principal,
        async (tx) => {
          const feed = await feeds.open(tx, sourceId);
          return { ...feed, wanted: 'prices' in feed.opened.source ? await findWanted(tx, feed.row, what) : [] };
        },
        { readOnly: true },
      );
      const { source, credits } = read.opened;
      const now = clock.now();
      const throughDay = dayText(lastClosedDay(checkCalendar(read.row.calendar), now));
      if ('facts' in source) {
        const count = (what.symbols ?? source.facts.symbols).length;
        return {
          ...{ symbolCount: count, currentCount: 0, newCount: 0, requestCount: count, credits: 0, minutes: 0 },
          ...{ finishesOn: null, throughDay, sentence: `${count} questions, without credits.` },
        };
      }
      const { questions, current } = planQuestions(read.wanted, now, read.settings);
      const requestCount = batchQuestions(questions, source.prices.batchSize).length;
      const cost = credits === null ? null : await credits.plan(questions.length);
      const days = cost === null || questions.length === 0 ? 0 : cost.days - 1;
      return {
        ...{ symbolCount: questions.length, currentCount: current.length, requestCount, throughDay },
        newCount: questions.filter(({ lastKnown }) => lastKnown === null).length,
        credits: cost?.credits ?? 0,
        minutes: cost?.minutes ?? 0,
        finishesOn: cost === null ? null : dayText(Math.floor(now / MS_PER_DAY) + days),
        sentence: cost?.sentence ?? `${questions.length} symbols in ${requestCount} questions, without credits.`,
      };
    },
    /** Queues a refresh. @throws NOT_FOUND, NOT_POSSIBLE_NOW */
    async start(principal: Principal, sourceId: number, body: StartRefresh): Promise<Task> {
      return database.transaction(principal, async (tx) => {
        const { row } = await feeds.open(tx, sourceId);
        if (gives(row.feed) === 'prices') await findWanted(tx, row, body);
        else if (body.universeId !== undefined) await membersOf(tx, body.universeId);
        return tasks.start(tx, { kind: REFRESH_TASK, title: `Refresh from ${row.name}`, input: { sourceId, ...body } });
      });
    },
    async list(
      principal: Principal,
      query: {
        cursor?: string | undefined;
        limit: number;
        sourceId?: number | undefined;
        universeId?: number | undefined;
      },
    ) {
      const { cursor, limit, sourceId, universeId } = query;
      const before = decodeIdCursor(cursor);
      const question = { sourceId, universeId, limit: limit + 1, ...(before === null ? {} : { before }) };
      const rows = await database.transaction(principal, (tx) => repository.findRefreshes(tx, question), {
        readOnly: true,
      });
      const { items, nextCursor } = toPage(rows, limit, (row) => [row.id]);
      return { items: items.map(summaryOf), nextCursor };
    },
    /** The report of one refresh. @throws NOT_FOUND */
    async get(principal: Principal, id: number) {
      return database.transaction(
        principal,
        async (tx) => {
          const row = found((await repository.findRefreshes(tx, { id, limit: 1 }))[0], `There is no refresh ${id}.`);
          const question = { refreshId: id, state: 'open' as const, limit: REPORT_ROWS_MAX, bySymbol: true };
          const gaps = await repository.findGaps(tx, question);
          const runs = row.task_id === null ? [] : await repository.findRunsOfTask(tx, row.task_id, REPORT_ROWS_MAX);
          return {
            ...summaryOf(row),
            freshShare: row.symbol_count === 0 ? 1 : Math.max(0, 1 - row.gap_count / row.symbol_count),
            gaps: gaps.map(gapOf),
            runs: runs.map((run) => ({
              ...{
                runId: run.id,
                state: run.state,
                acceptedCount: run.accepted_count,
                revisedCount: run.revised_count,
              },
              ...{ quarantinedCount: run.quarantined_count, firstDay: run.first_day, lastDay: run.last_day },
              publishedAt: run.published_at,
            })),
          };
        },
        { readOnly: true, isolation: 'repeatable read' },
      );
    },
    /** Newest first; none for a universe that is not there. */
    async listGaps(
      principal: Principal,
      query: {
        cursor?: string | undefined;
        limit: number;
        sourceId?: number | undefined;
        universeId?: number | undefined;
        state: 'open' | 'closed' | 'all';
      },
    ) {
      const { cursor, limit, sourceId, universeId, state } = query;
      const before = decodeIdCursor(cursor);
      return database.transaction(
        principal,
        async (tx) => {
          const universe = universeId === undefined ? undefined : await repository.findUniverse(tx, universeId);
          if (universeId !== undefined && universe === undefined) return { items: [], nextCursor: null, openCount: 0 };
          const question = { sourceId, universe, state };
          const page = { limit: limit + 1, ...(before === null ? {} : { before }) };
          const rows = await repository.findGaps(tx, { ...question, ...page });
          const { items, nextCursor } = toPage(rows, limit, (row) => [row.id]);
          const openCount = await repository.countGaps(tx, { ...question, state: 'open' });
          return { items: items.map(gapOf), nextCursor, openCount };
        },
        { readOnly: true, isolation: 'repeatable read' },
      );
    },
  };
}

const NOTHING_KNOWN: KnownCloses = new Map();
const EMPTY_RETELLING: Pick<RefreshBatch, 'splits' | 'notes'> = { splits: [], notes: [] };

function daysOf(questions: readonly Question[]): { first_day: string; last_day: string } {
  const [from, to] = endsOf(questions);
  return { first_day: dayText(from), last_day: dayText(to) };
}

function endsOf(questions: readonly { from: number; to: number }[]): [number, number] {
  return [Math.min(...questions.map(({ from }) => from)), Math.max(...questions.map(({ to }) => to))];
}

/** Refused without a moment when asking again makes sense: the key or the plan. */
function isForGood({ kind, retryAt }: FeedGap): boolean {
  return kind === 'refused' && retryAt === null;
}

function refuseAll(batch: readonly Question[], refusal: FeedGap) {
  const gaps = batch.map(({ symbol, missingFrom, to }): DatedGap => {
    const sentence = `${symbol}: not asked, because the vendor refused the symbols before it.`;
    return { symbol, kind: 'refused', sentence, retryAt: null, from: missingFrom, to };
  });
  return { batch: { series: [], splits: [], notes: [], filled: [], gaps }, refusal };
}

/** The splits behind a history told anew: those the vendor tells, else the one its factor is like. */
function splitsOf(
  { symbol, ratio, day }: { symbol: string; ratio: number; day: number },
  series: FeedSeries,
  told: readonly FeedSplit[],
  basis: PriceFeed['basis'],
): { splits: FeedSplit[]; from: 'told' | 'inferred' | 'none' } {
  const own = told.filter((split) => split.symbol === symbol);
  if (own.length > 0) return { splits: own, from: 'told' };
  const exDay = series.day.find((each) => each > day);
  const inferred = basis === 'split_adjusted' ? splitOf(ratio) : null;
  if (inferred === null || exDay === undefined) return { splits: [], from: 'none' };
  return { splits: [{ symbol, day: exDay, ratio: inferred }], from: 'inferred' };
}

/** A feed must say something about every symbol; one that does not is treated as having failed. */
function silence({ symbol }: Question, now: number): FeedGap {
  const retryAt = now + 15 * 60_000;
  return { symbol, kind: 'unavailable', sentence: `${symbol}: the answer says nothing about it.`, retryAt };
}

function retoldSentence(
  { symbol, ratio, day }: { symbol: string; ratio: number; day: number },
  split: 'told' | 'inferred' | 'none',
): string {
  const why = {
    told: 'The split the vendor tells is recorded with it.',
    inferred: 'The split is read off this factor: the vendor does not tell it.',
    none: 'The factor is that of no split.',
  }[split];
  return `${symbol}: everything up to ${dayText(day)} came back times ${ratio.toPrecision(5)}, so its whole history was told anew. ${why}`;
}

const WORDS: Record<repository.GapKind, string> = {
  unknown: 'unknown to the vendor',
  empty: 'without new bars',
  refused: 'refused',
  credits: 'waiting for credits',
  unavailable: 'without an answer',
  lies: 'with an answer that cannot be true',
};

function sentenceOf(row: repository.RefreshRow, kinds: readonly { kind: repository.GapKind; n: number }[]): string {
  const good = Math.max(0, row.symbol_count - row.gap_count);
  const rest = kinds.map(({ kind, n }) => `${n} ${WORDS[kind]}`).join(', ');
  const news = `${row.accepted_count.toLocaleString('en')} new rows`;
  return `${good} of ${row.symbol_count} up to date, ${news}${rest === '' ? '.' : `; ${rest}.`}`;
}

/** Raises what is wrong and resolves what is not any more. */
async function tellAlerts(
  tx: Transaction,
  { row, refresh }: { row: FeedRow; refresh: { id: number; universe_id: number | null } },
  kinds: readonly { kind: repository.GapKind; n: number; example: string }[],
  sentence: string,
): Promise<void> {
  const about = refresh.universe_id === null ? '' : `:universe:${refresh.universe_id}`;
  const sameAs = (kind: string) => `refresh.${kind}:source:${row.id}${about}`;
  const base = { subjectKind: 'refresh', subjectId: refresh.id };
  const found = new Map(kinds.map((each) => [each.kind, each]));
  for (const kind of ALERT_KINDS) {
    const gap = kind === 'degraded' ? undefined : found.get(kind);
    const isWrong = kind === 'degraded' ? kinds.length > 0 : gap !== undefined;
    if (!isWrong) {
      await resolveAlert(tx, sameAs(kind));
      continue;
    }
    await raiseAlert(tx, {
      ...{ ...base, kind: `refresh.${kind}`, sameAs: sameAs(kind), title: TITLES[kind](row.name) },
      severity: kind === 'lies' || kind === 'refused' ? 'critical' : 'warning',
      detail: gap === undefined ? `${sentence} What was known before is untouched. The gaps say why.` : gap.example,
    });
  }
}

const TITLES: Record<(typeof ALERT_KINDS)[number], (name: string) => string> = {
  degraded: (name) => `A refresh from ${name} left gaps`.slice(0, 200),
  lies: (name) => `${name} gave answers that cannot be true`.slice(0, 200),
  refused: (name) => `${name} refuses the key or the plan`.slice(0, 200),
  credits: (name) => `The credits of ${name} are spent`.slice(0, 200),
};

function gapOf(row: repository.GapRow): Gap {
  return {
    ...{ id: row.id, sourceId: row.source_id, sourceName: row.source_name, refreshId: row.refresh_id },
    ...{ symbol: row.symbol, instrumentId: row.instrument_id, kind: row.kind, sentence: row.sentence },
    ...{ fromDay: row.from_day, toDay: row.to_day, retryAt: row.retry_at, times: row.times },
    ...{ openedAt: row.opened_at, closedAt: row.closed_at },
  };
}
