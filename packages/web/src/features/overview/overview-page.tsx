import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { listCases, listRuns } from '@touchstone/contracts/data';
import {
  getIndexHoldings,
  getIndexLevels,
  getIndexPerformance,
  type IndexDefinition,
  listIndexes,
} from '@touchstone/contracts/indexes';
import { lazy, Suspense, useId } from 'react';
import { HoldingsPanel } from '../../components/holdings.tsx';
import { IndexLevelsPanel } from '../../components/index-levels.tsx';
import { Headlines, PerformanceFoot } from '../../components/performance.tsx';
import { QueryPanel, QueryView } from '../../components/query-view.tsx';
import { RunAge } from '../../components/run-age.tsx';
import { IndexMark } from '../../components/simulated-origin.tsx';
import { buttonClass, Empty, Loading, Panel } from '../../components/ui.tsx';
import { useAuth, useRefusal } from '../../lib/auth.ts';
import { useKnownTime } from '../../lib/known-time.ts';
import { apiQuery } from '../../lib/query.ts';
import { FindingsPanel } from './findings-panel.tsx';
import { LatestRunsPanel } from './latest-runs-panel.tsx';
import { StaleNotice } from './stale-notice.tsx';
import { WelcomeBanner } from './welcome-banner.tsx';

const MarketGlances = lazy(() => import('../../components/market-glances.tsx'));

const INDEXES_MAX = 200;
const CASES_SHOWN = 6;
const RUNS_SHOWN = 6;

/** First page: one index, what it holds, what is wrong with the data, and what came in last. */
export function OverviewPage() {
  const { signedIn, hasOwner } = useAuth();
  const search = useSearch({ from: '/' });
  const indexes = useQuery({ ...apiQuery(listIndexes, { query: { limit: INDEXES_MAX } }), enabled: signedIn !== null });
  const chosen = chooseIndex(indexes.data?.items ?? [], search.index);
  return (
    <>
      {hasOwner === false && <WelcomeBanner indexId={chosen?.id ?? null} />}
      <QueryView query={indexes} lines={10}>
        {(page) => (chosen ? <IndexOverview index={chosen} all={page.items} key={chosen.id} /> : <NoIndex />)}
      </QueryView>
    </>
  );
}

/** The one asked for; else the newest of one's own that was computed; else any. */
function chooseIndex(all: readonly IndexDefinition[], asked: number | undefined): IndexDefinition | undefined {
  const computed = all.filter((index) => index.latestRunNumber !== null);
  const own = computed.filter((index) => index.tenantId !== 0).toSorted((one, other) => other.id - one.id);
  return all.find((index) => index.id === asked) ?? own[0] ?? computed[0] ?? all[0];
}

function NoIndex() {
  const refusal = useRefusal('portfolio:write');
  return (
    <Panel title="No index yet">
      <Empty title="An index shows here once there is one.">
        <p>Import prices and an index over them is made in a few steps.</p>
        {refusal === null && (
          <p className="mt-4">
            <Link to="/data/import" className={buttonClass('main')}>
              Import prices
            </Link>
          </p>
        )}
      </Empty>
    </Panel>
  );
}

function IndexOverview({ index, all }: { index: IndexDefinition; all: readonly IndexDefinition[] }) {
  const known = useKnownTime();
  const navigate = useNavigate();
  const input = { params: { indexId: index.id }, query: known };
  const isComputed = index.latestRunNumber !== null;
  const levels = useQuery({ ...apiQuery(getIndexLevels, input), enabled: isComputed });
  const performance = useQuery({ ...apiQuery(getIndexPerformance, input), enabled: isComputed });
  const holdings = useQuery({ ...apiQuery(getIndexHoldings, input), enabled: isComputed });
  const cases = useQuery(apiQuery(listCases, { query: { ...known, limit: CASES_SHOWN } }));
  const runs = useQuery(apiQuery(listRuns, { query: { limit: RUNS_SHOWN } }));
  const isPainted = !(levels.isPending || performance.isPending || holdings.isPending);
  return (
    <>
      <header className="mb-4 flex flex-wrap items-end justify-between gap-x-6 gap-y-3">
        <div className="min-w-0">
          <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
            <h1 className="text-2xl font-semibold tracking-tight">{index.name}</h1>
            <IndexMark index={index} />
          </div>
          <p className="mt-0.5 max-w-3xl text-sm text-soft">
            {index.description || `An index over ${index.universeName}.`}{' '}
            <Link to="/indexes/$indexId" params={{ indexId: index.id }} className="link">
              Everything about it
            </Link>
          </p>
        </div>
        <label className="flex min-w-0 items-center gap-2 text-sm font-medium">
          Index
          <select
            className="control max-w-64"
            value={index.id}
            onChange={(event) =>
              navigate({ to: '/', search: (before) => ({ ...before, index: Number(event.currentTarget.value) }) })
            }
          >
            {all.map((one) => (
              <option key={one.id} value={one.id}>
                {one.name}
              </option>
            ))}
          </select>
        </label>
      </header>
      <div className="grid gap-4">
        <StaleNotice universeId={index.universeId} />
        {isComputed ? (
          <>
            <Panel
              title="Headline figures"
              hint="95 % interval under each; below the rule, what the baselines made of the same days."
              footer={performance.data && <PerformanceFoot data={performance.data} />}
              flush
            >
              <QueryView query={performance} lines={6}>
                {(data) => <Headlines data={data} />}
              </QueryView>
            </Panel>
            {levels.data && <RunAge run={levels.data.run} index={index} />}
            <div className="grid min-w-0 gap-4 xl:grid-cols-[minmax(0,1.7fr)_minmax(0,1fr)] xl:items-start">
              <div className="grid min-w-0 gap-4">
                <QueryPanel title="Level" query={levels} lines={11}>
                  {(data) => <IndexLevelsPanel data={data} benchmarkName={index.benchmarkSymbol} />}
                </QueryPanel>
                <FindingsPanel query={cases} />
              </div>
              <QueryPanel title="Holdings" query={holdings} lines={11}>
                {(data) => <HoldingsPanel data={data} run={levels.data?.run} />}
              </QueryPanel>
            </div>
            <MarketRow indexId={index.id} isPainted={isPainted} />
            <LatestRunsPanel query={runs} />
          </>
        ) : (
          <>
            <Panel title="Not computed yet">
              <Empty title="This index has a definition, but no version of it was computed.">
                <Link to="/indexes/$indexId" params={{ indexId: index.id }} className="link">
                  Compute it
                </Link>
              </Empty>
            </Panel>
            <FindingsPanel query={cases} />
            <LatestRunsPanel query={runs} />
          </>
        )}
      </div>
    </>
  );
}

/** Readings of the market are heavy, so they are asked for when the index itself is on the screen. */
function MarketRow({ indexId, isPainted }: { indexId: number; isPainted: boolean }) {
  const titleId = useId();
  const subject = { kind: 'index', id: indexId } as const;
  return (
    <section aria-labelledby={titleId} className="grid min-w-0 gap-2">
      <header className="flex flex-wrap items-baseline justify-between gap-x-4">
        <h2 id={titleId} className="text-base font-semibold">
          Market
        </h2>
        <Link to="/market/$kind/$id" params={subject} className="link text-sm">
          Look at the market
        </Link>
      </header>
      {isPainted ? (
        <Suspense fallback={<Loading lines={6} />}>
          <MarketGlances subject={subject} />
        </Suspense>
      ) : (
        <Loading lines={6} />
      )}
    </section>
  );
}
