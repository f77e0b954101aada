import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate, useParams } from '@tanstack/react-router';
import { ApiProblem } from '@touchstone/contracts/client';
import {
  deleteFeed,
  type Feed,
  type feedTest,
  listFeeds,
  listRefreshes,
  rotateFeedKey,
  testFeed,
  updateFeed,
} from '@touchstone/contracts/feeds';
import { useState } from 'react';
import type { z } from 'zod';
import { ConfirmButton } from '../../components/confirm.tsx';
import { Conflict } from '../../components/conflict.tsx';
import { DataTable, MoreRows } from '../../components/data-table.tsx';
import { Dialog } from '../../components/dialog.tsx';
import { CreditMeters, FeedBadge, RefreshBadge } from '../../components/feed-parts.tsx';
import { gapKindName, VENDORS } from '../../components/feed-words.ts';
import { onSubmit, TextField } from '../../components/form.tsx';
import { ProblemNotice } from '../../components/problem-notice.tsx';
import { QueryView } from '../../components/query-view.tsx';
import { SubNav } from '../../components/sub-nav.tsx';
import { Button, Empty, Facts, Note, PageHeader, Panel } from '../../components/ui.tsx';
import { useRefusal } from '../../lib/auth.ts';
import { formatCount, formatDay, formatInstant, plural, words } from '../../lib/format.ts';
import { apiQuery, refreshAll, usePages } from '../../lib/query.ts';
import { client } from '../../lib/session.ts';
import { FEED_TEST_KEY } from './connect-page.tsx';
import { SettingsFields, toDraft, toSettings } from './feed-settings.tsx';
import { PricesNow } from './prices-now.tsx';
import { RefreshPlanPanel } from './refresh-plan.tsx';

const POLL_MS = 15_000;
type Test = z.output<typeof feedTest>;

export function FeedPage() {
  const { sourceId } = useParams({ from: '/data/feeds/$sourceId' });
  const feeds = useQuery({ ...apiQuery(listFeeds), refetchInterval: POLL_MS });
  return (
    <>
      <SubNav of="data" />
      <QueryView query={feeds} lines={8}>
        {({ items }) => {
          const feed = items.find((one) => one.id === sourceId);
          return feed ? <FeedDetail feed={feed} key={feed.id} /> : <NoFeed />;
        }}
      </QueryView>
    </>
  );
}

function NoFeed() {
  return (
    <PageHeader title="No such feed">
      Nothing is fetched under this number, or not any more.{' '}
      <Link to="/data" className="link">
        All sources
      </Link>
    </PageHeader>
  );
}

function FeedDetail({ feed }: { feed: Feed }) {
  return (
    <>
      <PageHeader title={feed.name} marks={<FeedBadge feed={feed} />}>
        {VENDORS[feed.feed].gives}{' '}
        <Link to="/data" className="link">
          All sources
        </Link>
      </PageHeader>
      <div className="grid gap-4 lg:grid-cols-[minmax(0,1.7fr)_minmax(0,1fr)] lg:items-start">
        <div className="grid min-w-0 gap-4">
          {feed.state !== 'ready' && (
            <Note tone={feed.state === 'refused' ? 'bad' : 'warn'} title={feed.stateSentence}>
              {feed.retryAt && `Asked again ${formatInstant(feed.retryAt)}.`}
            </Note>
          )}
          <RefreshPlanPanel feed={feed} />
          {feed.feed === 'twelvedata' && <PricesNow feed={feed} />}
          <Refreshes feed={feed} />
        </div>
        <div className="grid min-w-0 gap-4">
          <Standing feed={feed} />
          <Connection feed={feed} />
          <Settings feed={feed} />
        </div>
      </div>
    </>
  );
}

function Standing({ feed }: { feed: Feed }) {
  return (
    <Panel title="Standing">
      <div className="grid gap-4">
        {feed.credits && <CreditMeters credits={feed.credits} />}
        <Facts
          items={[
            ['State', feed.stateSentence],
            ['Days', feed.firstDay === null ? 'none yet' : `${formatDay(feed.firstDay)} to ${formatDay(feed.lastDay)}`],
            ...(feed.gives === 'prices'
              ? [
                  [
                    'Instruments',
                    <Link
                      key="instruments"
                      to="/data/instruments"
                      search={(before) => ({ ...before, source: feed.id })}
                      className="link"
                    >
                      {formatCount(feed.instrumentCount)}
                    </Link>,
                  ] as const,
                ]
              : []),
            [
              'Gaps',
              feed.openGapCount === 0 ? (
                'none open'
              ) : (
                <Link key="gaps" to="/data/gaps" search={(before) => ({ ...before, source: feed.id })} className="link">
                  {plural(feed.openGapCount, 'open gap')}
                </Link>
              ),
            ],
            [
              'Source',
              <code key="code" className="font-mono text-xs">
                {feed.code}
              </code>,
            ],
          ]}
        />
      </div>
    </Panel>
  );
}

function Connection({ feed }: { feed: Feed }) {
  const refusal = useRefusal('market:write', feed.tenantId);
  const queries = useQueryClient();
  const [isKeyOpen, setIsKeyOpen] = useState(false);
  // Filled by the page that made the feed, or by the button below.
  const last = useQuery<Test | null>({ queryKey: [FEED_TEST_KEY, feed.id], queryFn: () => null, enabled: false }).data;
  const test = useMutation({
    mutationFn: () => client.call(testFeed, { params: { sourceId: feed.id } }),
    onSuccess: (result) => queries.setQueryData([FEED_TEST_KEY, feed.id], result),
  });
  return (
    <Panel title="Connection">
      <div className="grid gap-3">
        {feed.needsKey && (
          <p className="text-sm">
            {feed.hasKey ? 'A key is set. It is kept sealed and cannot be shown.' : 'No key is set.'}
          </p>
        )}
        <div className="flex flex-wrap gap-2">
          <Button refusal={refusal} isBusy={test.isPending} onClick={() => test.mutate()}>
            Test the connection
          </Button>
          {refusal === null && feed.needsKey && (
            <Button onClick={() => setIsKeyOpen(true)}>{feed.hasKey ? 'Change the key' : 'Set a key'}</Button>
          )}
        </div>
        <div aria-live="polite">
          {last && (
            <Note
              tone={last.works ? 'accent' : 'bad'}
              title={
                last.works
                  ? 'It works'
                  : `It does not work: ${last.problem ? gapKindName(last.problem).toLowerCase() : 'no reason told'}`
              }
            >
              {last.sentence} <span className="text-soft">({formatCount(last.millis)} ms)</span>
            </Note>
          )}
        </div>
        {test.error && <ProblemNotice error={test.error} />}
      </div>
      <Dialog
        title={feed.hasKey ? 'Change the key' : 'Set a key'}
        isOpen={isKeyOpen}
        onClose={() => setIsKeyOpen(false)}
      >
        <KeyForm feed={feed} onDone={() => setIsKeyOpen(false)} />
      </Dialog>
    </Panel>
  );
}

function KeyForm({ feed, onDone }: { feed: Feed; onDone: () => void }) {
  const [key, setKey] = useState('');
  const queries = useQueryClient();
  const save = useMutation({
    mutationFn: (next: string | null) =>
      client.call(rotateFeedKey, { params: { sourceId: feed.id }, body: { key: next, version: feed.version } }),
    onSuccess: async () => {
      queries.removeQueries({ queryKey: [FEED_TEST_KEY, feed.id] });
      onDone();
      await refreshAll();
    },
    // Somebody else may have changed the feed: the next try starts from what is there now.
    onError: () => refreshAll(),
  });
  return (
    <form className="grid gap-4" onSubmit={onSubmit(() => save.mutate(key))}>
      <TextField
        label="New key"
        type="password"
        autoComplete="off"
        required
        minLength={8}
        maxLength={200}
        path="body.key"
        error={save.error}
        hint="Takes the place of the present one at once. Kept sealed and never shown again."
        value={key}
        onValue={setKey}
      />
      {save.error && <ProblemNotice error={save.error} />}
      <div className="flex flex-wrap gap-2">
        <Button type="submit" look="main" isBusy={save.isPending}>
          {feed.hasKey ? 'Change the key' : 'Set the key'}
        </Button>
        {feed.hasKey && (
          <Button look="bad" isBusy={save.isPending} onClick={() => save.mutate(null)}>
            Take the key away
          </Button>
        )}
      </div>
    </form>
  );
}

function Settings({ feed }: { feed: Feed }) {
  const refusal = useRefusal('market:write', feed.tenantId);
  const [isOpen, setIsOpen] = useState(false);
  const navigate = useNavigate();
  const { settings } = feed;
  return (
    <Panel title="Settings">
      <div className="grid gap-4">
        <Facts
          items={[
            ['History', plural(settings.years, 'year')],
            ['Asked again', plural(settings.overlapDays, 'session')],
            ...(feed.credits
              ? ([
                  [
                    'Plan',
                    `${formatCount(feed.credits.perMinute)} credits a minute, ${formatCount(feed.credits.perDay)} a day`,
                  ],
                ] as const)
              : []),
            ...(settings.urlTemplate
              ? ([
                  [
                    'Address',
                    <code key="address" className="font-mono text-xs break-all">
                      {settings.urlTemplate}
                    </code>,
                  ],
                ] as const)
              : []),
            ...(settings.series ? ([['Series', settings.series.join(', ')]] as const) : []),
            ...(feed.feed === 'ecb' ? ([['Currencies', settings.quotes?.join(', ') ?? 'all']] as const) : []),
            ...(feed.gives === 'prices'
              ? ([
                  ['Prices', feed.priceBasis === null ? 'no prices yet' : words(feed.priceBasis)],
                  ['Calendar', feed.calendar],
                ] as const)
              : []),
          ]}
        />
        {refusal === null && (
          <div className="flex flex-wrap gap-2">
            <Button onClick={() => setIsOpen(true)}>Change</Button>
            <ConfirmButton
              action="Remove"
              look="bad"
              title={`Stop fetching from “${feed.name}”?`}
              run={async () => {
                await client.call(deleteFeed, { params: { sourceId: feed.id } });
                await refreshAll();
                await navigate({ to: '/data' });
              }}
            >
              Its key is forgotten and nothing is fetched any more. Everything it brought in stays, and so do the
              indexes over it.
            </ConfirmButton>
          </div>
        )}
      </div>
      <Dialog title={`Settings of ${feed.name}`} isOpen={isOpen} onClose={() => setIsOpen(false)}>
        <SettingsForm feed={feed} onDone={() => setIsOpen(false)} />
      </Dialog>
    </Panel>
  );
}

function SettingsForm({ feed, onDone }: { feed: Feed; onDone: () => void }) {
  const [name, setName] = useState(feed.name);
  const [draft, setDraft] = useState(() => toDraft(feed.settings));
  const [version, setVersion] = useState(feed.version);
  const save = useMutation({
    mutationFn: () =>
      client.call(updateFeed, {
        params: { sourceId: feed.id },
        body: { name, settings: toSettings(feed.feed, draft), version },
      }),
    onSuccess: async () => {
      onDone();
      await refreshAll();
    },
  });
  const isConflict = save.error instanceof ApiProblem && save.error.problem.code === 'CONFLICT';
  return (
    <form className="grid gap-4" onSubmit={onSubmit(() => save.mutate())}>
      <TextField
        label="Name"
        required
        maxLength={200}
        path="body.name"
        error={save.error}
        value={name}
        onValue={setName}
      />
      <SettingsFields vendor={feed.feed} draft={draft} onDraft={setDraft} error={save.error} />
      {isConflict ? (
        <Conflict
          error={save.error}
          what="this feed"
          load={async () => (await client.call(listFeeds)).items.find((one) => one.id === feed.id) ?? feed}
          onTake={(fresh, isTheirs) => {
            setVersion(fresh.version);
            if (!isTheirs) return;
            setName(fresh.name);
            setDraft(toDraft(fresh.settings));
          }}
        />
      ) : (
        save.error && <ProblemNotice error={save.error} />
      )}
      <div>
        <Button type="submit" look="main" isBusy={save.isPending}>
          Save
        </Button>
      </div>
    </form>
  );
}

function Refreshes({ feed }: { feed: Feed }) {
  const { query, items } = usePages([listRefreshes.id, 'pages', feed.id], (cursor) =>
    client.call(listRefreshes, { query: { cursor, sourceId: feed.id, limit: 10 } }),
  );
  return (
    <Panel title="Refreshes" hint="Newest first; each has a report." flush>
      <QueryView query={{ ...query, data: items }}>
        {(rows) => (
          <DataTable
            label="Refreshes"
            rows={rows}
            rowKey={(refresh) => refresh.id}
            empty={
              <Empty title="Nothing was fetched yet">
                <p>Plan a refresh above: what it would cost is told before anything is asked.</p>
              </Empty>
            }
            columns={[
              {
                key: 'refresh',
                header: 'Refresh',
                cell: (refresh) => (
                  <span className="block min-w-40">
                    <Link
                      to="/data/refreshes/$refreshId"
                      params={{ refreshId: refresh.id }}
                      className="link font-medium"
                    >
                      {formatInstant(refresh.startedAt)}
                    </Link>
                    <span className="block text-xs text-soft">{refresh.sentence}</span>
                  </span>
                ),
              },
              { key: 'state', header: 'State', cell: (refresh) => <RefreshBadge state={refresh.state} /> },
              {
                key: 'rows',
                header: 'New rows',
                isNumber: true,
                isWide: true,
                cell: (refresh) => formatCount(refresh.acceptedCount),
              },
              {
                key: 'revised',
                header: 'Revised',
                isNumber: true,
                isWide: true,
                cell: (refresh) => formatCount(refresh.revisedCount),
              },
              { key: 'gaps', header: 'Gaps', isNumber: true, cell: (refresh) => formatCount(refresh.gapCount) },
            ]}
          />
        )}
      </QueryView>
      <MoreRows query={query} />
    </Panel>
  );
}
