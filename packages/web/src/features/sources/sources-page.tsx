import { useMutation, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { listSources, type Source, updateSource } from '@touchstone/contracts/data';
import { listFeeds } from '@touchstone/contracts/feeds';
import { useState } from 'react';
import { Dialog } from '../../components/dialog.tsx';
import { FeedCard } from '../../components/feed-parts.tsx';
import { onSubmit, TextField } from '../../components/form.tsx';
import { ProblemNotice } from '../../components/problem-notice.tsx';
import { QueryView } from '../../components/query-view.tsx';
import { SubNav } from '../../components/sub-nav.tsx';
import { Badge, Button, buttonClass, Empty, Facts, PageHeader, Panel, SimulatedMark } from '../../components/ui.tsx';
import { useRefusal } from '../../lib/auth.ts';
import { formatDay, plural, words } from '../../lib/format.ts';
import { apiQuery, refreshAll } from '../../lib/query.ts';
import { client } from '../../lib/session.ts';
import { PlantedPanel } from './planted-panel.tsx';

const RULES: Record<Source['knownAtRule'], string> = {
  close_plus_one_hour: 'one hour after the close of its day (declared)',
  declared_in_data: 'as its rows say (declared)',
  recorded: 'when this installation recorded it',
};

export function SourcesPage() {
  const sources = useQuery(apiQuery(listSources));
  const feeds = useQuery(apiQuery(listFeeds));
  const fed = new Set(feeds.data?.items.map((feed) => feed.id));
  const refusal = useRefusal('market:write');
  return (
    <>
      <SubNav of="data" />
      <PageHeader
        title="Data"
        actions={
          refusal === null ? (
            <>
              <Link to="/data/connect" className={buttonClass('main')}>
                Add data
              </Link>
              <Link to="/data/import" className={buttonClass()}>
                Import prices
              </Link>
            </>
          ) : (
            <Button refusal={refusal}>Add data</Button>
          )
        }
      >
        Where facts come from, what came in, and what was found wrong with it.
      </PageHeader>
      <QueryView query={sources}>
        {({ items }) =>
          items.length === 0 ? (
            <Panel title="Sources">
              <Empty title="No source yet">
                <p>A source is a feed you connect, or is made by the first file imported under its name.</p>
                {refusal === null && (
                  <p className="mt-4">
                    <Link to="/data/connect" className={buttonClass('main')}>
                      Add data
                    </Link>
                  </p>
                )}
              </Empty>
            </Panel>
          ) : (
            <div className="space-y-4">
              {feeds.error && <ProblemNotice error={feeds.error} onRetry={() => feeds.refetch()} />}
              <div className="grid gap-4 md:grid-cols-2 xl:grid-cols-3">
                {feeds.data?.items.map((feed) => (
                  <FeedCard key={feed.id} feed={feed} />
                ))}
                {items
                  .filter((source) => !fed.has(source.id))
                  .map((source) => (
                    <SourceCard key={source.id} source={source} />
                  ))}
              </div>
              {items.some((source) => source.kind === 'simulator') && <PlantedPanel />}
            </div>
          )
        }
      </QueryView>
    </>
  );
}

function SourceCard({ source }: { source: Source }) {
  return (
    <Panel
      title={source.name}
      hint={<code className="font-mono text-xs">{source.code}</code>}
      actions={source.kind === 'calendar' ? <Badge>built in</Badge> : <SimulatedMark tenantId={source.tenantId} />}
      footer={
        <>
          <Link to="/data/instruments" search={(before) => ({ ...before, source: source.id })} className="link">
            {plural(source.instrumentCount, 'instrument')}
          </Link>
          <Link to="/data/cases" search={(before) => ({ ...before, state: 'open' as const })} className="link">
            {plural(source.openCaseCount, 'open finding')}
          </Link>
          <Rename source={source} />
        </>
      }
    >
      <Facts
        items={[
          ['Kind', words(source.kind)],
          [
            'Days',
            source.firstDay === null ? 'none yet' : `${formatDay(source.firstDay)} to ${formatDay(source.lastDay)}`,
          ],
          ['Prices', source.priceBasis === null ? 'no prices' : words(source.priceBasis)],
          ['Currency', source.currency],
          ['Calendar', source.calendar],
          ['Known', RULES[source.knownAtRule]],
        ]}
      />
    </Panel>
  );
}

function Rename({ source }: { source: Source }) {
  const [isOpen, setIsOpen] = useState(false);
  const [name, setName] = useState(source.name);
  const refusal = useRefusal('market:write', source.tenantId);
  const save = useMutation({
    mutationFn: () =>
      client.call(updateSource, { params: { sourceId: source.id }, body: { name, version: source.version } }),
    onSuccess: async () => {
      setIsOpen(false);
      await refreshAll();
    },
  });
  if (refusal !== null) return null;
  return (
    <>
      <button type="button" className="link" onClick={() => setIsOpen(true)}>
        Rename
      </button>
      <Dialog title={`Rename ${source.name}`} isOpen={isOpen} onClose={() => setIsOpen(false)}>
        <form className="space-y-4" onSubmit={onSubmit(() => save.mutate())}>
          <TextField
            label="Name"
            required
            maxLength={200}
            path="body.name"
            error={save.error}
            value={name}
            onValue={setName}
          />
          {save.error && <ProblemNotice error={save.error} />}
          <Button type="submit" look="main" isBusy={save.isPending}>
            Save
          </Button>
        </form>
      </Dialog>
    </>
  );
}
