import {
  type createFeed,
  type Feed,
  type FeedSettings,
  feedSettings,
  type RefreshSummary,
  type updateFeed,
} from '@touchstone/contracts/feeds';
import type { z } from 'zod';
import type { SecretBox } from '../../platform/auth/secret-box.ts';
import type { Clock } from '../../platform/clock/clock.ts';
import type { Database, Principal, Transaction } from '../../platform/database/database.ts';
import { appendEvidence } from '../../platform/evidence/evidence.ts';
import { found, ProblemError } from '../../platform/problem-error.ts';
import { checkCalendar } from '../calendars/check-calendar.ts';
import type { FeedCredits, FeedGap, OpenFeed } from './feed.ts';
import * as repository from './feeds.repository.ts';
import type { OpenFeeds } from './open-feed.ts';

export type CreateFeed = z.output<NonNullable<typeof createFeed.body>>;
export type UpdateFeed = z.output<NonNullable<typeof updateFeed.body>>;

/** Open gaps of one kind: how many, when asking again makes sense first, and one of them in words. */
export type OpenGaps = { kind: FeedGap['kind']; n: number; retry: string | null; example: string };

/** What refreshes left behind, told by the slice that makes them. */
export type RefreshFigures = {
  openGaps(tx: Transaction, sourceId: number): Promise<OpenGaps[]>;
  /** By source. */
  lastRefreshes(tx: Transaction): Promise<Map<number, RefreshSummary>>;
};

export type FeedsDeps = {
  refreshFigures: RefreshFigures;
  database: Database;
  clock: Clock;
  secretBox: SecretBox;
  openFeeds: OpenFeeds;
};
export type FeedsService = ReturnType<typeof createFeedsService>;

const NAMES: Record<repository.FeedName, string> = {
  twelvedata: 'TwelveData',
  stooq: 'Stooq',
  ecb: 'ECB reference rates',
  fred: 'FRED',
  alfred: 'ALFRED',
};
const PROBE_TIMEOUT_MS = 45_000;

/** Vendors as sources: who is asked, with which settings and key, and how they are. */
export function createFeedsService({ database, clock, secretBox, openFeeds, refreshFigures }: FeedsDeps) {
  const seal = (key: string | null | undefined) =>
    key === null || key === undefined ? null : secretBox.encrypt('vendor keys', Buffer.from(key, 'utf8'));

  /** The key of a feed; null without one, and for one that was sealed with another secret, as after a restore elsewhere. */
  function keyOf({ credential_sealed }: repository.FeedRow): string | null {
    if (credential_sealed === null) return null;
    try {
      return secretBox.decrypt('vendor keys', credential_sealed).toString('utf8');
    } catch {
      return null;
    }
  }

  const lacksKey = (row: repository.FeedRow) => needsKey(row.feed) && keyOf(row) === null;

  function openRow(principal: Principal, row: repository.FeedRow): OpenFeed {
    const { id, currency } = row;
    return openFeeds.open(row.feed, { principal, sourceId: id, settings: settingsOf(row), key: keyOf(row), currency });
  }

  async function getRow(tx: Transaction, id: number): Promise<repository.FeedRow> {
    return found((await repository.findFeeds(tx, { id }))[0], `There is no feed ${id}.`);
  }

  async function tellOne(principal: Principal, id: number): Promise<Feed> {
    const { items } = await list(principal);
    return found(
      items.find((feed) => feed.id === id),
      `There is no feed ${id}.`,
    );
  }

  async function list(principal: Principal): Promise<{ items: Feed[] }> {
    const read = await database.transaction(
      principal,
      async (tx) => {
        const rows = await repository.findFeeds(tx);
        const gaps = new Map<number, OpenGaps[]>();
        for (const { id } of rows) gaps.set(id, await refreshFigures.openGaps(tx, id));
        return {
          rows,
          gaps,
          figures: await repository.findFeedFigures(tx),
          refreshes: await refreshFigures.lastRefreshes(tx),
        };
      },
      { readOnly: true, isolation: 'repeatable read' },
    );
    const items: Feed[] = [];
    for (const row of read.rows) {
      const opened = lacksKey(row) ? null : openRow(principal, row);
      const credits = opened?.credits == null ? null : await opened.credits.status();
      const rest = opened === null ? null : await opened.restsUntil();
      const figures = read.figures.find(({ id }) => id === row.id);
      const last = read.refreshes.get(row.id);
      items.push({
        ...tell(row, last),
        hasKey: keyOf(row) !== null,
        ...(lacksKey(row) ? noKey(row) : stateOf(read.gaps.get(row.id) ?? [], credits, rest, clock.now())),
        credits: credits === null ? null : tellCredits(credits),
        openGapCount: figures?.gaps ?? 0,
        instrumentCount: figures?.instruments ?? 0,
        firstDay: figures?.first ?? null,
        lastDay: figures?.last ?? null,
      });
    }
    return { items };
  }

  /** Changes a feed in one transaction with its evidence. @throws NOT_FOUND, CONFLICT */
  async function change(
    principal: Principal,
    id: number,
    version: number,
    kind: string,
    changeOf: (row: repository.FeedRow) => Parameters<typeof repository.updateFeed>[3],
    after: (tx: Transaction) => Promise<void> = async () => {},
  ): Promise<Feed> {
    await database.transaction(principal, async (tx) => {
      const row = await getRow(tx, id);
      if (!(await repository.updateFeed(tx, id, version, changeOf(row))))
        throw new ProblemError('CONFLICT', `Feed ${id} was changed since version ${version}. Look at it again.`);
      await after(tx);
      await appendEvidence(tx, { kind, subjectKind: 'source', subjectId: id, body: { version: version + 1 } });
    });
    return tellOne(principal, id);
  }

  return {
    list,
    /** Opens a feed for work. @throws NOT_FOUND, NOT_POSSIBLE_NOW without a key it needs. */
    async open(
      tx: Transaction,
      id: number,
    ): Promise<{ row: repository.FeedRow; settings: FeedSettings; opened: OpenFeed }> {
      const row = await getRow(tx, id);
      if (lacksKey(row)) throw new ProblemError('NOT_POSSIBLE_NOW', `${row.name}: ${noKey(row).stateSentence}`);
      return { row, settings: settingsOf(row), opened: openRow(tx.principal, row) };
    },
    /** @throws ALREADY_EXISTS, INVALID_REQUEST, NOT_POSSIBLE_NOW */
    async create(principal: Principal, body: CreateFeed): Promise<Feed> {
      const { feed } = body;
      const settings = openFeeds.check(feed, body.settings);
      if (body.key !== undefined && !needsKey(feed))
        throw new ProblemError('INVALID_REQUEST', `${NAMES[feed]} takes no key.`);
      const isPrices = gives(feed) === 'prices';
      const wanted: repository.NewFeed = {
        ...{ code: body.code ?? feed, name: body.name ?? NAMES[feed], feed, settings, sealed: seal(body.key) },
        ...{ calendar: checkCalendar(isPrices ? body.calendar : 'WEEKDAYS'), currency: body.currency },
        knownAtRule: isPrices ? 'close_plus_one_hour' : feed === 'fred' ? 'recorded' : 'declared_in_data',
      };
      const id = await database.transaction(principal, async (tx) => {
        const created = (await repository.insertFeed(tx, wanted)) ?? (await revive(tx, wanted));
        await appendEvidence(tx, { kind: 'feed.created', subjectKind: 'source', subjectId: created, body: { feed } });
        return created;
      });
      return tellOne(principal, id);
    },
    /** @throws NOT_FOUND, CONFLICT, INVALID_REQUEST */
    async update(principal: Principal, id: number, body: UpdateFeed): Promise<Feed> {
      return change(principal, id, body.version, 'feed.changed', (row) => ({
        ...(body.name === undefined ? {} : { name: body.name }),
        ...(body.settings === undefined
          ? {}
          : { settings: JSON.stringify(openFeeds.check(row.feed, { ...given(row), ...body.settings })) }),
      }));
    },
    /** @throws NOT_FOUND, CONFLICT, NOT_POSSIBLE_NOW for a vendor that takes no key. */
    async rotateKey(principal: Principal, id: number, body: { key: string | null; version: number }): Promise<Feed> {
      return change(
        principal,
        id,
        body.version,
        body.key === null ? 'feed.key-removed' : 'feed.key-changed',
        (row) => {
          if (!needsKey(row.feed)) throw new ProblemError('NOT_POSSIBLE_NOW', `${NAMES[row.feed]} takes no key.`);
          return { credential_sealed: seal(body.key) };
        },
        (tx) => repository.retryRefused(tx, id),
      );
    },
    /** @throws NOT_FOUND */
    async remove(principal: Principal, id: number): Promise<void> {
      await database.transaction(principal, async (tx) => {
        await getRow(tx, id);
        await repository.removeFeed(tx, id);
        await appendEvidence(tx, { kind: 'feed.removed', subjectKind: 'source', subjectId: id, body: {} });
      });
    },
    /** Asks one small question. @throws NOT_FOUND, NOT_POSSIBLE_NOW */
    async test(principal: Principal, id: number) {
      const { opened } = await database.transaction(principal, (tx) => this.open(tx, id), { readOnly: true });
      const startedAt = performance.now();
      const signal = AbortSignal.timeout(PROBE_TIMEOUT_MS);
      const gap = await opened.probe({ principal, signal, traceparent: null }).catch((error: unknown) => {
        if (!signal.aborted) throw error;
        const sentence = `The vendor did not answer in ${PROBE_TIMEOUT_MS / 1000} s.`;
        return { symbol: '', kind: 'unavailable' as const, sentence, retryAt: null };
      });
      const credits = opened.credits === null ? null : await opened.credits.status();
      const plan =
        credits === null
          ? ''
          : ` The plan has ${credits.minuteLimit} credits a minute and ${credits.dayLimit} a day; ${credits.dayLeft} are left today.`;
      return {
        works: gap === null,
        problem: gap?.kind ?? null,
        sentence: gap === null ? `The vendor answers.${plan}` : gap.sentence,
        credits: credits === null ? null : tellCredits(credits),
        millis: Math.round(performance.now() - startedAt),
      };
    },
  };
}

/** @throws ALREADY_EXISTS unless the code is that of the same vendor, removed. */
async function revive(tx: Transaction, wanted: repository.NewFeed): Promise<number> {
  const [before] = await repository.findFeeds(tx, { code: wanted.code });
  if (before === undefined || before.feed_removed_at === null || before.feed !== wanted.feed)
    throw new ProblemError('ALREADY_EXISTS', `There is a source ${wanted.code} already. Choose another code.`);
  await repository.reviveFeed(tx, before.id, wanted);
  return before.id;
}

export function needsKey(feed: repository.FeedName): boolean {
  return feed === 'twelvedata';
}

export function gives(feed: repository.FeedName): Feed['gives'] {
  if (feed === 'ecb') return 'exchange_rates';
  return feed === 'fred' || feed === 'alfred' ? 'macro' : 'prices';
}

function settingsOf(row: repository.FeedRow): FeedSettings {
  return feedSettings.parse(row.settings);
}

/** The settings as stored, without what the schema fills in. */
function given(row: repository.FeedRow): Partial<FeedSettings> {
  return feedSettings.partial().parse(row.settings);
}

function tell(row: repository.FeedRow, last: RefreshSummary | undefined) {
  return {
    ...{ id: row.id, tenantId: row.tenant_id, code: row.code, name: row.name, feed: row.feed, gives: gives(row.feed) },
    ...{ calendar: row.calendar, currency: row.currency, priceBasis: row.price_basis, settings: settingsOf(row) },
    needsKey: needsKey(row.feed),
    ...{ lastRefresh: last ?? null, createdAt: row.created_at, version: row.version },
  };
}

export function tellCredits(credits: FeedCredits): NonNullable<Feed['credits']> {
  return {
    minuteLeft: credits.minuteLeft,
    dayLeft: credits.dayLeft,
    perMinute: credits.minuteLimit,
    perDay: credits.dayLimit,
    resetAt: new Date(credits.dayResetsAt).toISOString(),
  };
}

type State = Pick<Feed, 'state' | 'stateSentence' | 'retryAt'>;

function noKey({ credential_sealed }: repository.FeedRow): State {
  const stateSentence =
    credential_sealed === null
      ? 'It needs the key of the vendor.'
      : 'Its key was sealed with another secret than this installation has. Give it the key again.';
  return { state: 'no_key', stateSentence, retryAt: null };
}

function stateOf(
  gaps: readonly OpenGaps[],
  credits: FeedCredits | null,
  restsUntil: number | null,
  now: number,
): State {
  const until = (at: number) => new Date(at).toISOString();
  const refused = gaps.find(({ kind, retry }) => kind === 'refused' && retry === null);
  if (refused !== undefined) return { state: 'refused', stateSentence: refused.example, retryAt: null };
  if (credits !== null && credits.dayLeft === 0)
    return {
      state: 'waiting',
      stateSentence: `The credits of today are spent; there are new ones at ${until(credits.dayResetsAt)}.`,
      retryAt: until(credits.dayResetsAt),
    };
  const waiting = gaps.find(({ kind, retry }) => kind === 'credits' && retry !== null && Date.parse(retry) > now);
  if (waiting !== undefined) return { state: 'waiting', stateSentence: waiting.example, retryAt: waiting.retry };
  if (restsUntil !== null && restsUntil > now)
    return {
      state: 'resting',
      stateSentence: 'The vendor failed often and is left alone for a while.',
      retryAt: until(restsUntil),
    };
  return { state: 'ready', stateSentence: 'Ready.', retryAt: null };
}
