import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type Freshness, getHealth, getStatus } from '@touchstone/contracts/diagnostics';
import { listFeeds } from '@touchstone/contracts/feeds';
import { getLimits } from '@touchstone/contracts/limits';
import type { Answer } from '@touchstone/contracts/route';
import { listProcesses, type ServerProcess } from '@touchstone/contracts/tasks';
import type { ReactNode } from 'react';
import { DataTable } from '../../components/data-table.tsx';
import { Gate } from '../../components/gate.tsx';
import { Meter } from '../../components/meter.tsx';
import { QueryView } from '../../components/query-view.tsx';
import { SubNav } from '../../components/sub-nav.tsx';
import { Badge, Note, PageHeader, Panel, SimulatedMark } from '../../components/ui.tsx';
import {
  formatAgo,
  formatBytes,
  formatCount,
  formatDay,
  formatInstant,
  formatNumber,
  formatPercent,
  NO_VALUE,
  plural,
} from '../../lib/format.ts';
import { apiQuery } from '../../lib/query.ts';

const POLL_MS = 10_000;
/** From here on a figure is worth a look; the reasons above the grid are the server's own. */
const LOOK_AT = { eventLoopMs: 100, poolWaitMs: 50, diskFreeFraction: 0.1, waitingSeconds: 300 };
type Health = Answer<typeof getHealth>;

export function HealthPage() {
  return (
    <>
      <SubNav of="operate" />
      <PageHeader title="Health">How the installation is, as of a few seconds ago.</PageHeader>
      <Gate scope="system:read">
        <HealthView />
      </Gate>
    </>
  );
}

function HealthView() {
  const health = useQuery({ ...apiQuery(getHealth), refetchInterval: POLL_MS });
  return (
    <div className="grid gap-4">
      <QueryView query={health} lines={8}>
        {(data) => (
          <div className="grid gap-4">
            <Verdict health={data} />
            <Tiles health={data} />
            <FreshnessPanel rows={data.freshness} />
            <Parts health={data} />
          </div>
        )}
      </QueryView>
      <div className="grid gap-4 lg:grid-cols-2 lg:items-start">
        <Processes />
        <div className="grid min-w-0 gap-4">
          <Credits />
          <Limits />
        </div>
      </div>
      <DatabaseLine />
    </div>
  );
}

function Verdict({ health }: { health: Health }) {
  if (health.ok) return <Note tone="accent" title="All is well." />;
  return (
    <Note
      tone="warn"
      title={health.reasons.length === 1 ? 'One thing needs you' : `${health.reasons.length} things need you`}
    >
      <ul className="list-disc pl-5">
        {health.reasons.map((reason) => (
          <li key={reason}>{reason}</li>
        ))}
      </ul>
    </Note>
  );
}

type TileProps = { title: string; value: string; isFine: boolean; children: ReactNode };

/** One thing: its figure, whether it is fine in a word, and what the figure means. */
function Tile({ title, value, isFine, children }: TileProps) {
  return (
    <div className="bg-sheet px-3 py-3 sm:px-4">
      <dt className="flex min-h-5.5 flex-wrap items-center justify-between gap-x-2 gap-y-0.5 text-sm text-soft">
        {title}
        {isFine ? <span className="text-xs">fine</span> : <Badge tone="warn">look at this</Badge>}
      </dt>
      <dd>
        <span className="block text-xl font-semibold">{value}</span>
        <span className="block text-xs text-soft">{children}</span>
      </dd>
    </div>
  );
}

function Tiles({ health }: { health: Health }) {
  const { queue, pool, cache, disk, memory, alerts } = health;
  const stale = health.freshness.filter((row) => row.isStale).length;
  const expected = health.freshness.filter((row) => row.isExpectedFresh).length;
  const dataWord = stale > 0 ? `${stale} stale` : expected > 0 ? 'Fresh' : 'History';
  const open = alerts.critical + alerts.warning + alerts.info;
  return (
    <dl className="grid grid-cols-2 gap-px overflow-hidden rounded-md border border-line bg-line lg:grid-cols-4">
      <Tile title="Data" value={dataWord} isFine={stale === 0}>
        {expected === 0 ? 'Nothing is kept current yet.' : `${plural(expected, 'universe')} kept current.`}
      </Tile>
      <Tile title="Alerts" value={`${open} open`} isFine={alerts.critical === 0}>
        {alerts.critical} critical, {plural(alerts.warning, 'warning')}, {plural(alerts.info, 'notice')}.{' '}
        <Link to="/alerts" className="link">
          See them
        </Link>
      </Tile>
      <Tile
        title="Queue"
        value={`${formatCount(queue.queued)} waiting`}
        isFine={(queue.oldestWaitingSeconds ?? 0) < LOOK_AT.waitingSeconds}
      >
        {formatCount(queue.running)} running, {formatCount(queue.failed)} failed.{' '}
        {queue.oldestWaitingSeconds !== null &&
          `The oldest waits for ${formatNumber(queue.oldestWaitingSeconds, 0)} s. `}
        <Link to="/tasks" className="link">
          Tasks
        </Link>
      </Tile>
      <Tile
        title="Connections"
        value={`${pool.size - pool.idle} of ${pool.max} busy`}
        isFine={pool.waiting === 0 && (pool.waitMsP95 ?? 0) < LOOK_AT.poolWaitMs}
      >
        {pool.waiting === 0
          ? 'To the database; nobody waits for one.'
          : `To the database; ${formatCount(pool.waiting)} wait for one.`}{' '}
        {pool.waitMsP95 !== null && `95 of 100 got theirs in ${formatNumber(pool.waitMsP95, 1)} ms.`}
      </Tile>
      <Tile title="Cache" value={cache === null ? NO_VALUE : formatPercent(cache.hitFraction, 0)} isFine>
        {cache === null || cache.hitFraction === null
          ? 'Nothing was read from it yet.'
          : `of ${formatCount(cache.hits + cache.misses)} reads found there (${cache.kind}).`}
      </Tile>
      <Tile
        title="Held up"
        value={`${formatNumber(health.eventLoopDelayMsP99, 1)} ms`}
        isFine={health.eventLoopDelayMsP99 < LOOK_AT.eventLoopMs}
      >
        An answer waits so long for the server’s own work at most, 99 times of 100.
      </Tile>
      <Tile
        title="Disk"
        value={`${formatBytes(disk.freeBytes)} free`}
        isFine={disk.freeFraction > LOOK_AT.diskFreeFraction}
      >
        {formatPercent(disk.freeFraction, 0)} of {formatBytes(disk.totalBytes)}.
      </Tile>
      <Tile title="Memory" value={formatBytes(memory.residentBytes)} isFine>
        of it heap {formatBytes(memory.heapBytes)}.
      </Tile>
    </dl>
  );
}

function FreshnessPanel({ rows }: { rows: readonly Freshness[] }) {
  return (
    <Panel
      title="Freshness"
      hint="How old the prices of each universe are, in trading days. History: no schedule keeps it current, so its age is no fault."
      flush
    >
      <DataTable
        label="Freshness"
        rows={rows}
        rowKey={(row) => row.universeId}
        empty="There is no universe yet."
        columns={[
          {
            key: 'universe',
            header: 'Universe',
            cell: (row) => (
              <span className="flex min-w-36 flex-wrap items-center gap-x-2">
                <Link to="/universes/$universeId" params={{ universeId: row.universeId }} className="link font-medium">
                  {row.universeName}
                </Link>
                <SimulatedMark tenantId={row.tenantId} />
              </span>
            ),
          },
          { key: 'state', header: 'State', cell: (row) => <FreshnessBadge row={row} /> },
          {
            key: 'last',
            header: 'Last bar',
            isWide: true,
            cell: (row) => <span className="whitespace-nowrap">{formatDay(row.lastDay)}</span>,
          },
          {
            key: 'age',
            header: 'Age',
            cell: (row) =>
              row.ageTradingDays === null ? (
                (row.reason ?? NO_VALUE)
              ) : (
                <span className="whitespace-nowrap">{plural(row.ageTradingDays, 'trading day')}</span>
              ),
          },
          { key: 'source', header: 'From', isWide: true, cell: (row) => `${row.sourceCode} (${row.sourceKind})` },
          { key: 'calendar', header: 'Calendar', isWide: true, cell: (row) => row.calendar },
        ]}
      />
    </Panel>
  );
}

function FreshnessBadge({ row }: { row: Freshness }) {
  if (row.isStale) return <Badge tone="warn">stale</Badge>;
  return row.isExpectedFresh ? <Badge tone="accent">fresh</Badge> : <Badge>history</Badge>;
}

const PART_NAMES: Record<string, string> = {
  database: 'Database',
  timescaledb: 'TimescaleDB',
  vector: 'pgvector',
  redis: 'Redis',
  objects: 'Stored files',
  queue: 'Queue of tasks',
  opentelemetry: 'OpenTelemetry',
  pages: 'Pages',
};

function Parts({ health }: { health: Health }) {
  return (
    <Panel title="Parts and fall-backs" hint="What this installation could use, and what it uses in its place.">
      <ul className="grid gap-x-8 gap-y-3 md:grid-cols-2">
        {health.parts.map((part) => (
          <li key={part.name} className="text-sm">
            <p className="flex items-center gap-2">
              <span className="font-medium">{PART_NAMES[part.name] ?? part.name}</span>
              <Badge tone={part.state === 'in use' ? 'accent' : 'plain'}>{part.state}</Badge>
            </p>
            <p className="text-soft">{part.sentence}</p>
          </li>
        ))}
      </ul>
    </Panel>
  );
}

const PROCESS_TONES = { running: 'accent', stopped: 'plain', lost: 'warn' } as const;

function Processes() {
  const processes = useQuery({ ...apiQuery(listProcesses), refetchInterval: POLL_MS });
  return (
    <Panel title="Servers and workers" hint="On this database, those of the last day." flush>
      <QueryView query={processes}>
        {({ items }) => (
          <DataTable
            label="Servers and workers"
            rows={items}
            rowKey={(one) => one.id}
            empty="No process has told of itself in the last day."
            columns={[
              {
                key: 'kind',
                header: 'Process',
                cell: (one) => (
                  <span className="block min-w-32">
                    <span className="font-medium">{one.kind}</span>{' '}
                    {one.isThis && <span className="text-xs text-soft">this one</span>}
                    <span className="block text-xs text-soft">since {formatInstant(one.startedAt)}</span>
                  </span>
                ),
              },
              {
                key: 'state',
                header: 'State',
                cell: (one) => <Badge tone={PROCESS_TONES[one.state]}>{one.state}</Badge>,
              },
              {
                key: 'seen',
                header: 'Last heard of',
                cell: (one: ServerProcess) => formatAgo(one.lastSeenAt, Date.now()),
              },
              {
                key: 'code',
                header: 'Code',
                isWide: true,
                cell: (one) => <code className="font-mono text-xs">{one.codeVersion}</code>,
              },
            ]}
          />
        )}
      </QueryView>
    </Panel>
  );
}

function Credits() {
  const feeds = useQuery({ ...apiQuery(listFeeds), refetchInterval: POLL_MS });
  return (
    <Panel title="Credits of the feeds">
      <QueryView query={feeds} lines={2}>
        {({ items }) => {
          const counted = items.flatMap((feed) => (feed.credits ? [{ ...feed, credits: feed.credits }] : []));
          if (counted.length === 0) return <p className="text-sm text-soft">No feed with credits is connected.</p>;
          return (
            <div className="grid gap-4">
              {counted.map((feed) => (
                <Meter
                  key={feed.id}
                  label={`${feed.name}, today`}
                  left={feed.credits.dayLeft}
                  of={feed.credits.perDay}
                  note={`Full again ${formatInstant(feed.credits.resetAt)}.`}
                />
              ))}
            </div>
          );
        }}
      </QueryView>
    </Panel>
  );
}

const LIMIT_NAMES = {
  auth: 'Sign-in, by address',
  address: 'Strangers, by address',
  account: 'One account or key',
  tenant: 'A whole tenant',
};
const STORES = {
  database: 'Counted in the database, for all processes together.',
  redis: 'Counted in Redis, for all processes together.',
  none: 'Nothing is counted.',
};

function Limits() {
  const limits = useQuery(apiQuery(getLimits));
  return (
    <Panel title="Request limits" hint={limits.data && STORES[limits.data.store]} flush>
      <QueryView query={limits}>
        {(data) => (
          <>
            {data.degraded && (
              <div className="px-4 pb-3">
                <Note tone="warn" title="The store of the limits does not answer">
                  Each process counts by itself until it is back.
                </Note>
              </div>
            )}
            <DataTable
              label="Request limits"
              rows={data.items}
              rowKey={(limit) => limit.name}
              empty="Nothing is limited."
              columns={[
                { key: 'name', header: 'Of', cell: (limit) => LIMIT_NAMES[limit.name] },
                {
                  key: 'rate',
                  header: 'A minute',
                  isNumber: true,
                  cell: (limit) => formatCount(limit.requestsPerMinute),
                },
                {
                  key: 'burst',
                  header: 'At once',
                  isNumber: true,
                  isWide: true,
                  cell: (limit) => formatCount(limit.burst),
                },
                { key: 'left', header: 'You have left', isNumber: true, cell: (limit) => formatCount(limit.remaining) },
              ]}
            />
          </>
        )}
      </QueryView>
    </Panel>
  );
}

function DatabaseLine() {
  const status = useQuery(apiQuery(getStatus));
  return (
    <QueryView query={status} lines={1}>
      {({ database, version, startedAt }) => (
        <p className="flex flex-wrap gap-x-4 gap-y-1 text-sm text-soft">
          <span>
            Touchstone <code className="font-mono text-xs">{version}</code>, up since {formatInstant(startedAt)}
          </span>
          <span>
            {database.kind === 'embedded' ? 'Embedded PostgreSQL' : 'PostgreSQL'} {database.version},{' '}
            {formatBytes(database.byteCount)}
          </span>
          <Link to="/settings/installation" className="link">
            Sizes, rows and migrations
          </Link>
        </p>
      )}
    </QueryView>
  );
}
