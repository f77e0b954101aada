import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { listFeeds, listGaps } from '@touchstone/contracts/feeds';
import { listUniverses } from '@touchstone/contracts/universes';
import { MoreRows } from '../../components/data-table.tsx';
import { SelectField } from '../../components/form.tsx';
import { GapTable } from '../../components/gap-table.tsx';
import { QueryView } from '../../components/query-view.tsx';
import { SubNav } from '../../components/sub-nav.tsx';
import { Empty, PageHeader, Panel } from '../../components/ui.tsx';
import { plural } from '../../lib/format.ts';
import { apiQuery, usePages } from '../../lib/query.ts';
import { client } from '../../lib/session.ts';

const UNIVERSES_MAX = 500;
const STATES = ['open', 'closed', 'all'] as const;
const STATE_NAMES = { open: 'Open', closed: 'Filled', all: 'All' };

export function GapsPage() {
  const { gaps: state = 'open', source, universe } = useSearch({ from: '/data/gaps' });
  const navigate = useNavigate({ from: '/data/gaps' });
  const feeds = useQuery(apiQuery(listFeeds));
  const universes = useQuery(apiQuery(listUniverses, { query: { limit: UNIVERSES_MAX } }));
  const { query, items, first } = usePages([listGaps.id, 'pages', state, source, universe], (cursor) =>
    client.call(listGaps, { query: { cursor, state, sourceId: source, universeId: universe } }),
  );
  const numberOf = (text: string) => (text === '' ? undefined : Number(text));
  return (
    <>
      <SubNav of="data" />
      <PageHeader title="Gaps">
        What could not be fetched, why, and when it is asked again. Nothing is made up for it.
      </PageHeader>
      <div className="mb-4 grid max-w-3xl gap-3 sm:grid-cols-3">
        <SelectField
          label="Feed"
          value={source === undefined ? '' : String(source)}
          onValue={(value) => navigate({ search: (before) => ({ ...before, source: numberOf(value) }), replace: true })}
          options={[['', 'All feeds'], ...(feeds.data?.items ?? []).map((one) => [String(one.id), one.name] as const)]}
        />
        <SelectField
          label="Universe"
          value={universe === undefined ? '' : String(universe)}
          onValue={(value) =>
            navigate({ search: (before) => ({ ...before, universe: numberOf(value) }), replace: true })
          }
          options={[
            ['', 'All universes'],
            ...(universes.data?.items ?? []).map((one) => [String(one.id), one.name] as const),
          ]}
        />
        <SelectField
          label="State"
          value={state}
          onValue={(value) =>
            navigate({
              search: (before) => ({ ...before, gaps: STATES.find((one) => one === value) ?? 'open' }),
              replace: true,
            })
          }
          options={STATES.map((one) => [one, STATE_NAMES[one]] as const)}
        />
      </div>
      <Panel title={`${STATE_NAMES[state]} gaps`} hint={first && `${plural(first.openCount, 'open gap')} in all`} flush>
        <QueryView query={{ ...query, data: items }}>
          {(rows) => (
            <GapTable
              gaps={rows}
              withFeed
              empty={
                <Empty title={state === 'open' ? 'Nothing is missing' : 'Nothing here'}>
                  <p>
                    {feeds.data?.items.length === 0 ? (
                      <>
                        There is no feed yet.{' '}
                        <Link to="/data/connect" className="link">
                          Connect one
                        </Link>
                      </>
                    ) : (
                      'Every symbol that was asked for has an answer.'
                    )}
                  </p>
                </Empty>
              }
            />
          )}
        </QueryView>
        <MoreRows query={query} />
      </Panel>
    </>
  );
}
