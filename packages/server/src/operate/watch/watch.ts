import { statfs } from 'node:fs/promises';
import type { Freshness } from '@touchstone/contracts/diagnostics';
import { sql } from 'kysely';
import { type NewAlert, raiseAlert, resolveAlert } from '../../platform/alerts/alerts.ts';
import type { Clock } from '../../platform/clock/clock.ts';
import { type Database, type Principal, SYSTEM_PRINCIPAL, type Transaction } from '../../platform/database/database.ts';
import { listTenantIds } from '../../platform/telemetry/business-figures.ts';
import { type GaugeValue, registerGauge } from '../../platform/telemetry/gauges.ts';
import { readFreshness } from './freshness.ts';
import { createIndexGauges, type IndexReader } from './index-figures.ts';

/** What is looked at of a feed. */
export type WatchedFeed = {
  id: number;
  tenantId: number;
  name: string;
  credits: { dayLeft: number; perDay: number; resetAt: string } | null;
};

export type WatchParts = {
  database: Database;
  indexes: IndexReader;
  /** Feeds of a tenant with the credits of their plan; none are watched without it. */
  feeds?: { list(principal: Principal): Promise<{ items: readonly WatchedFeed[] }> };
  home: string;
  clock: Clock;
  log: { warn(fields: object, text: string): void };
  /** Free and total bytes of the disk that holds a folder. */
  diskOf?: (folder: string) => Promise<{ freeBytes: number; totalBytes: number }>;
};

export type Watch = {
  /** How old the data in a caller's sight is. */
  freshness(principal: Principal): Promise<Freshness[]>;
  /** Looks at everything once: raises what is wrong, resolves what is well again. Safe at the same time in two processes. */
  look(): Promise<{ raised: number }>;
  /** Looks every five minutes until stopped. */
  start(): void;
  stop(): void;
};

const EVERY_MS = 5 * 60_000;
const WATCH_LOCK = 7420012;
const DISK_ALERT = 'operate.disk-nearly-full';
/** Below either the operator should act. */
const DISK_FREE_FRACTION_MIN = 0.1;
const DISK_FREE_BYTES_MIN = 2e9;
/** Below this a publication may fail any minute. */
const DISK_FREE_FRACTION_CRITICAL = 0.03;

/** Watches what nobody's task would notice: data that no longer comes, a disk that fills. */
export function createWatch({ database, indexes, feeds, home, clock, log, diskOf = readDisk }: WatchParts): Watch {
  let timer: NodeJS.Timeout | undefined;
  const read = (principal: Principal) =>
    database.transaction(principal, (tx) => readFreshness(tx, clock.now()), { readOnly: true });
  const tenantIds = () => listTenantIds(database);
  for (const gauge of createIndexGauges(indexes, tenantIds)) registerGauge(gauge);
  registerGauge({
    ...{ name: 'data_age_trading_days', help: 'Finished trading days after the last bar of a universe.' },
    labelNames: ['tenant', 'universe'],
    async read() {
      const values: GaugeValue[] = [];
      for (const tenantId of await tenantIds()) {
        for (const universe of await read({ tenantId, actorId: null })) {
          if (universe.tenantId !== tenantId || universe.ageTradingDays === null) continue;
          const labels = { tenant: String(tenantId), universe: String(universe.universeId) };
          values.push({ value: universe.ageTradingDays, tenantId, labels });
        }
      }
      return values;
    },
  });

  const feedsOf = async (tenantId: number): Promise<readonly WatchedFeed[]> => {
    const answer = await feeds?.list({ tenantId, actorId: null });
    return (answer?.items ?? []).filter((feed) => feed.tenantId === tenantId);
  };
  registerGauge({
    ...{ name: 'vendor_credits_left', help: 'Credits of the day a feed may still ask with.' },
    labelNames: ['tenant', 'feed'],
    async read() {
      const values: GaugeValue[] = [];
      for (const tenantId of await tenantIds()) {
        for (const { id, credits } of await feedsOf(tenantId)) {
          const labels = { tenant: String(tenantId), feed: String(id) };
          if (credits !== null) values.push({ value: credits.dayLeft, tenantId, labels });
        }
      }
      return values;
    },
  });

  async function lookAtFeeds(tenantId: number): Promise<number> {
    const told = await feedsOf(tenantId);
    if (told.length === 0) return 0;
    let raised = 0;
    await locked({ tenantId, actorId: null }, async (tx) => {
      for (const { id, name, credits } of told) {
        const sameAs = `feeds.credits-spent:feed:${id}`;
        if (credits === null || credits.dayLeft > 0) await resolveAlert(tx, sameAs);
        else
          raised += await ensureAlert(tx, {
            ...{ kind: 'feeds.credits-spent', severity: 'warning', subjectKind: 'source', subjectId: id, sameAs },
            title: `The credits of ${name.slice(0, 120)} are spent`,
            detail: `All ${credits.perDay} credits of the day are used. What is missing is asked for after ${credits.resetAt}.`,
          });
      }
    });
    return raised;
  }

  async function lookAtTenant(tenantId: number): Promise<number> {
    let raised = 0;
    await locked({ tenantId, actorId: null }, async (tx) => {
      for (const universe of await readFreshness(tx, clock.now())) {
        if (universe.tenantId !== tenantId) continue;
        const sameAs = `data.stale:universe:${universe.universeId}`;
        if (!universe.isStale) await resolveAlert(tx, sameAs);
        else raised += await ensureAlert(tx, staleAlert(universe, sameAs));
      }
    });
    return raised;
  }

  async function lookAtDisk(): Promise<number> {
    const { freeBytes, totalBytes } = await diskOf(home);
    const fraction = freeBytes / totalBytes;
    let raised = 0;
    await locked(SYSTEM_PRINCIPAL, async (tx) => {
      if (fraction >= DISK_FREE_FRACTION_MIN && freeBytes >= DISK_FREE_BYTES_MIN) return resolveAlert(tx, DISK_ALERT);
      raised = await ensureAlert(tx, {
        ...{ kind: DISK_ALERT, sameAs: DISK_ALERT, subjectKind: 'disk', subjectId: 'home' },
        severity: fraction < DISK_FREE_FRACTION_CRITICAL ? 'critical' : 'warning',
        title: 'The disk is nearly full',
        detail: `${(freeBytes / 1e9).toFixed(1)} GB (${(fraction * 100).toFixed(1)} %) are free. Imports and results stop when it is full: free some space, or archive old years.`,
      });
    });
    return raised;
  }

  /** One process looks at a tenant at a time; another one that comes meanwhile has nothing to do. */
  async function locked(principal: Principal, work: (tx: Transaction) => Promise<unknown>): Promise<void> {
    await database.transaction(principal, async (tx) => {
      const { rows } = await sql<{ free: boolean }>`
        SELECT pg_try_advisory_xact_lock(${WATCH_LOCK}::int, ${principal.tenantId}::int) AS free`.execute(tx.query);
      if (rows[0]?.free) await work(tx);
    });
  }

  const look = async () => {
    let raised = await lookAtDisk();
    for (const tenantId of await tenantIds()) {
      raised += (await lookAtTenant(tenantId)) + (await lookAtFeeds(tenantId));
    }
    return { raised };
  };
  return {
    freshness: read,
    look,
    start() {
      const lookAndTell = () =>
        look().catch((error: unknown) => log.warn({ err: error }, 'the installation was not looked at'));
      timer ??= setInterval(lookAndTell, EVERY_MS);
      timer.unref();
      void lookAndTell();
    },
    stop() {
      clearInterval(timer);
      timer = undefined;
    },
  };
}

/** Raises it unless it is open already with the same words: looking often is not news. */
async function ensureAlert(tx: Transaction, alert: NewAlert): Promise<number> {
  const open = await tx.query
    .selectFrom('alert')
    .select(['title', 'severity'])
    .where('tenant_id', '=', tx.principal.tenantId)
    .where('same_as', '=', alert.sameAs)
    .where('resolved_at', 'is', null)
    .executeTakeFirst();
  if (open?.severity === alert.severity && open.title === alert.title) return 0;
  await raiseAlert(tx, alert);
  return 1;
}

function staleAlert(universe: Freshness, sameAs: string): NewAlert {
  return {
    ...{ kind: 'data.stale', severity: 'warning', subjectKind: 'universe', subjectId: universe.universeId, sameAs },
    title: `${universe.universeName.slice(0, 120)} is ${universe.ageTradingDays} trading days old`,
    detail: `Its last bar is of ${universe.lastDay}. Start a refresh, or look at the source ${universe.sourceCode} for what is missing and why.`,
  };
}

async function readDisk(folder: string): Promise<{ freeBytes: number; totalBytes: number }> {
  const disk = await statfs(folder);
  return { freeBytes: disk.bavail * disk.bsize, totalBytes: disk.blocks * disk.bsize };
}
