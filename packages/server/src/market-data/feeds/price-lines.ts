import { ProblemError } from '../../platform/problem-error.ts';
import type { FeedGap, PriceStream, PriceTick } from './feed.ts';

/** Somebody who watches prices. */
export type Watcher = {
  symbols: readonly string[];
  tick(tick: PriceTick): void;
  gap(gap: FeedGap): void;
  /** Nothing more will come. */
  end(): void;
};

/** What a line is opened to. */
export type LineSource = {
  tenantId: number;
  sourceId: number;
  /** Of the feed: with another key or other settings it is another line. */
  version: number;
  open(signal: AbortSignal): PriceStream;
  /** False when the feed was changed, removed or lost its key. */
  isAsItWas(): Promise<boolean>;
};

/** Connections to vendors for all who watch prices in this process: one a feed, open only while somebody watches. */
export type PriceLines = {
  /** @throws NOT_POSSIBLE_NOW when the tenant watches as often as it may. */
  checkRoom(tenantId: number): void;
  /** Returns a function that ends it, to be called also after `end`. */
  watch(source: LineSource, watcher: Watcher): () => void;
};

/** Streams of one tenant in this process. */
export const WATCHERS_MAX = 10;
const CHECK_MS = 10_000;

type Watching = { watcher: Watcher; left: Set<string> };
type Line = { stream: PriceStream; ending: AbortController; all: Set<Watching> };

export function createPriceLines({ checkMs = CHECK_MS } = {}): PriceLines {
  const lines = new Map<string, Line>();
  const countOf = new Map<number, number>();

  function openLine(key: string, source: LineSource): Line {
    const ending = new AbortController();
    const line: Line = { stream: source.open(ending.signal), ending, all: new Set() };
    lines.set(key, line);
    const check = setInterval(() => {
      source.isAsItWas().then(
        (isSame) => isSame || end(line, 'The feed was changed. Watch again.'),
        // A database that is away says nothing about the feed.
        () => {},
      );
    }, checkMs);
    ending.signal.addEventListener('abort', () => {
      clearInterval(check);
      if (lines.get(key) === line) lines.delete(key);
    });
    carry(line).then(
      () => end(line, null),
      () => end(line, 'The stream of prices broke.'),
    );
    return line;
  }

  async function carry(line: Line): Promise<void> {
    for await (const news of line.stream.news()) {
      for (const watching of [...line.all]) {
        if ('gap' in news) tellGap(watching, news.gap);
        else if (watching.left.has(news.tick.symbol)) watching.watcher.tick(news.tick);
      }
    }
  }

  function end(line: Line, why: string | null): void {
    line.ending.abort();
    for (const watching of [...line.all]) {
      if (why !== null) tellGap(watching, { symbol: '', kind: 'unavailable', sentence: why, retryAt: null });
      watching.watcher.end();
    }
  }

  return {
    checkRoom(tenantId) {
      if ((countOf.get(tenantId) ?? 0) < WATCHERS_MAX) return;
      throw new ProblemError(
        'NOT_POSSIBLE_NOW',
        `Prices are watched ${WATCHERS_MAX} times already, which is as often as one tenant may. End one of them.`,
      );
    },
    watch(source, watcher) {
      const { tenantId, sourceId, version } = source;
      const key = `${sourceId} ${version}`;
      const line = lines.get(key) ?? openLine(key, source);
      const watching = { watcher, left: new Set(watcher.symbols) };
      line.all.add(watching);
      countOf.set(tenantId, (countOf.get(tenantId) ?? 0) + 1);
      line.stream.add(watcher.symbols);
      let isOver = false;
      return () => {
        if (isOver) return;
        isOver = true;
        line.all.delete(watching);
        const left = (countOf.get(tenantId) ?? 1) - 1;
        if (left === 0) countOf.delete(tenantId);
        else countOf.set(tenantId, left);
        if (line.all.size === 0) return line.ending.abort();
        const others = new Set([...line.all].flatMap((other) => [...other.left]));
        line.stream.remove([...watching.left].filter((symbol) => !others.has(symbol)));
      };
    },
  };
}

/** A watcher with nothing left to wait for is at its end. */
function tellGap({ watcher, left }: Watching, gap: FeedGap): void {
  if (gap.symbol !== '' && !left.delete(gap.symbol)) return;
  watcher.gap(gap);
  if (gap.symbol === '' || left.size === 0) watcher.end();
}
