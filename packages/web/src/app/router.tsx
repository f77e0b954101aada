import {
  createRootRoute,
  createRoute,
  createRouter,
  type ErrorComponentProps,
  Link,
  lazyRouteComponent,
  retainSearchParams,
} from '@tanstack/react-router';
import { ProblemNotice } from '../components/problem-notice.tsx';
import { Loading, PageHeader } from '../components/ui.tsx';
import { OverviewPage } from '../features/overview/overview-page.tsx';
import { readKnownTime } from '../lib/known-time.ts';
import { Shell } from './shell.tsx';

const root = createRootRoute({
  component: Shell,
  validateSearch: readKnownTime,
  // The chosen moment goes along to every page.
  search: { middlewares: [retainSearchParams(['knownAt', 'recordedAt'])] },
  notFoundComponent: NotFound,
});

const text = (value: unknown) => (typeof value === 'string' && value !== '' ? value : undefined);
const number = (value: unknown) =>
  Number.isInteger(Number(value)) && value !== '' && value !== undefined ? Number(value) : undefined;
const numberParam = <K extends string>(key: K) => ({
  parse: (params: Record<K, string>) => ({ [key]: Number(params[key]) }) as Record<K, number>,
  stringify: (params: Record<K, number>) => ({ [key]: String(params[key]) }) as Record<K, string>,
});

const overview = createRoute({
  getParentRoute: () => root,
  path: '/',
  component: OverviewPage,
  validateSearch: (search: Record<string, unknown>): { index?: number } => {
    const index = number(search.index);
    return index === undefined ? {} : { index };
  },
});
const signIn = createRoute({
  getParentRoute: () => root,
  path: '/sign-in',
  component: lazyRouteComponent(() => import('../features/account/sign-in-page.tsx'), 'SignInPage'),
});
const provider = createRoute({
  getParentRoute: () => root,
  path: '/sign-in/provider',
  component: lazyRouteComponent(() => import('../features/account/provider-page.tsx'), 'ProviderPage'),
});
const invitation = createRoute({
  getParentRoute: () => root,
  path: '/invitation',
  component: lazyRouteComponent(() => import('../features/account/invitation-page.tsx'), 'InvitationPage'),
});
const reset = createRoute({
  getParentRoute: () => root,
  path: '/reset-password',
  component: lazyRouteComponent(() => import('../features/account/reset-page.tsx'), 'ResetPage'),
});
const owner = createRoute({
  getParentRoute: () => root,
  path: '/owner',
  component: lazyRouteComponent(() => import('../features/account/owner-page.tsx'), 'OwnerPage'),
});

const market = createRoute({
  getParentRoute: () => root,
  path: '/market',
  component: lazyRouteComponent(() => import('../features/market/market-page.tsx'), 'MarketPage'),
});
const subjectParams = {
  parse: (params: Record<'kind' | 'id', string>) => ({
    kind: params.kind === 'index' ? ('index' as const) : ('instrument' as const),
    id: Number(params.id),
  }),
  stringify: (params: { kind: 'index' | 'instrument'; id: number }) => ({ kind: params.kind, id: String(params.id) }),
};
const subject = createRoute({
  getParentRoute: () => root,
  path: '/market/$kind/$id',
  params: subjectParams,
  component: lazyRouteComponent(() => import('../features/market/summary-page.tsx'), 'SummaryPage'),
});
const subjectVolatility = createRoute({
  getParentRoute: () => root,
  path: '/market/$kind/$id/volatility',
  params: subjectParams,
  component: lazyRouteComponent(() => import('../features/market/volatility-page.tsx'), 'VolatilityPage'),
});
const subjectRisk = createRoute({
  getParentRoute: () => root,
  path: '/market/$kind/$id/risk',
  params: subjectParams,
  component: lazyRouteComponent(() => import('../features/market/risk-page.tsx'), 'RiskPage'),
});
const subjectRegimes = createRoute({
  getParentRoute: () => root,
  path: '/market/$kind/$id/regimes',
  params: subjectParams,
  component: lazyRouteComponent(() => import('../features/market/regimes-page.tsx'), 'RegimesPage'),
});
const subjectAnomalies = createRoute({
  getParentRoute: () => root,
  path: '/market/$kind/$id/anomalies',
  params: subjectParams,
  component: lazyRouteComponent(() => import('../features/market/anomalies-page.tsx'), 'AnomaliesPage'),
});
const subjectPatterns = createRoute({
  getParentRoute: () => root,
  path: '/market/$kind/$id/patterns',
  params: subjectParams,
  component: lazyRouteComponent(() => import('../features/market/patterns-page.tsx'), 'PatternsPage'),
});
const subjectFactors = createRoute({
  getParentRoute: () => root,
  path: '/market/$kind/$id/factors',
  params: subjectParams,
  component: lazyRouteComponent(() => import('../features/market/factors-page.tsx'), 'FactorsPage'),
});
const subjectFeatures = createRoute({
  getParentRoute: () => root,
  path: '/market/$kind/$id/features',
  params: subjectParams,
  component: lazyRouteComponent(() => import('../features/market/features-page.tsx'), 'FeaturesPage'),
});
const relations = createRoute({
  getParentRoute: () => root,
  path: '/market/relations',
  component: lazyRouteComponent(() => import('../features/market/relations-page.tsx'), 'RelationsPage'),
  validateSearch: (search: Record<string, unknown>): { universe?: number } => {
    const universe = number(search.universe);
    return universe === undefined ? {} : { universe };
  },
});
const featureViews = createRoute({
  getParentRoute: () => root,
  path: '/market/views',
  component: lazyRouteComponent(() => import('../features/market/feature-views-page.tsx'), 'FeatureViewsPage'),
});
const featureView = createRoute({
  getParentRoute: () => root,
  path: '/market/views/$view',
  component: lazyRouteComponent(() => import('../features/market/feature-view-page.tsx'), 'FeatureViewPage'),
});

const models = createRoute({
  getParentRoute: () => root,
  path: '/models',
  component: lazyRouteComponent(() => import('../features/models/models-page.tsx'), 'ModelsPage'),
});
const model = createRoute({
  getParentRoute: () => root,
  path: '/models/$model',
  component: lazyRouteComponent(() => import('../features/models/model-page.tsx'), 'ModelPage'),
});
const modelVersions = createRoute({
  getParentRoute: () => root,
  path: '/models/$model/versions',
  component: lazyRouteComponent(() => import('../features/models/versions-page.tsx'), 'VersionsPage'),
});
const modelVersion = createRoute({
  getParentRoute: () => root,
  path: '/models/$model/versions/$version',
  params: {
    parse: ({ model, version }) => ({ model, version: Number(version) }),
    stringify: ({ model, version }) => ({ model, version: String(version) }),
  },
  component: lazyRouteComponent(() => import('../features/models/version-page.tsx'), 'VersionPage'),
});
const modelCalibration = createRoute({
  getParentRoute: () => root,
  path: '/models/$model/calibration',
  component: lazyRouteComponent(() => import('../features/models/calibration-page.tsx'), 'CalibrationPage'),
});
const modelDrift = createRoute({
  getParentRoute: () => root,
  path: '/models/$model/drift',
  component: lazyRouteComponent(() => import('../features/models/drift-page.tsx'), 'DriftPage'),
});
const modelGroups = createRoute({
  getParentRoute: () => root,
  path: '/models/$model/groups',
  component: lazyRouteComponent(() => import('../features/models/groups-page.tsx'), 'GroupsPage'),
});
const modelAbTests = createRoute({
  getParentRoute: () => root,
  path: '/models/$model/ab-tests',
  component: lazyRouteComponent(() => import('../features/models/ab-tests-page.tsx'), 'AbTestsPage'),
});
const abTest = createRoute({
  getParentRoute: () => root,
  path: '/ab-tests/$testId',
  params: numberParam('testId'),
  component: lazyRouteComponent(() => import('../features/models/ab-test-page.tsx'), 'AbTestPage'),
});
const trainings = createRoute({
  getParentRoute: () => root,
  path: '/trainings',
  component: lazyRouteComponent(() => import('../features/models/trainings-page.tsx'), 'TrainingsPage'),
});
const training = createRoute({
  getParentRoute: () => root,
  path: '/trainings/$trainingId',
  params: numberParam('trainingId'),
  component: lazyRouteComponent(() => import('../features/models/training-page.tsx'), 'TrainingPage'),
});
const searches = createRoute({
  getParentRoute: () => root,
  path: '/searches',
  component: lazyRouteComponent(() => import('../features/models/searches-page.tsx'), 'SearchesPage'),
});
const search = createRoute({
  getParentRoute: () => root,
  path: '/searches/$automlId',
  params: numberParam('automlId'),
  component: lazyRouteComponent(() => import('../features/models/search-page.tsx'), 'SearchPage'),
});
type PredictionState = 'pending' | 'resolved' | 'abstained';
const isPredictionState = (value: unknown): value is PredictionState =>
  value === 'pending' || value === 'resolved' || value === 'abstained';
const predictions = createRoute({
  getParentRoute: () => root,
  path: '/predictions',
  component: lazyRouteComponent(() => import('../features/models/predictions-page.tsx'), 'PredictionsPage'),
  validateSearch: (search: Record<string, unknown>): { model?: string; which?: PredictionState } => {
    const name = text(search.model);
    return {
      ...(name !== undefined && { model: name }),
      ...(isPredictionState(search.which) && { which: search.which }),
    };
  },
});
const prediction = createRoute({
  getParentRoute: () => root,
  path: '/predictions/$predictionId',
  params: numberParam('predictionId'),
  component: lazyRouteComponent(() => import('../features/models/prediction-page.tsx'), 'PredictionPage'),
});

const indexes = createRoute({
  getParentRoute: () => root,
  path: '/indexes',
  component: lazyRouteComponent(() => import('../features/indexes/index-list-page.tsx'), 'IndexListPage'),
});
const newIndex = createRoute({
  getParentRoute: () => root,
  path: '/indexes/new',
  component: lazyRouteComponent(() => import('../features/indexes/index-form-page.tsx'), 'NewIndexPage'),
  validateSearch: (search: Record<string, unknown>): { universe?: number } => {
    const universe = number(search.universe);
    return universe === undefined ? {} : { universe };
  },
});
const index = createRoute({
  getParentRoute: () => root,
  path: '/indexes/$indexId',
  params: numberParam('indexId'),
  component: lazyRouteComponent(() => import('../features/indexes/index-page.tsx'), 'IndexPage'),
  validateSearch: (search: Record<string, unknown>): { run?: number; task?: number } => {
    const run = number(search.run);
    const task = number(search.task);
    return { ...(run !== undefined && { run }), ...(task !== undefined && { task }) };
  },
});
const editIndex = createRoute({
  getParentRoute: () => root,
  path: '/indexes/$indexId/edit',
  params: numberParam('indexId'),
  component: lazyRouteComponent(() => import('../features/indexes/index-form-page.tsx'), 'EditIndexPage'),
});

const universes = createRoute({
  getParentRoute: () => root,
  path: '/universes',
  component: lazyRouteComponent(() => import('../features/universes/universe-list-page.tsx'), 'UniverseListPage'),
});
const newUniverse = createRoute({
  getParentRoute: () => root,
  path: '/universes/new',
  component: lazyRouteComponent(() => import('../features/universes/universe-form-page.tsx'), 'NewUniversePage'),
});
const universe = createRoute({
  getParentRoute: () => root,
  path: '/universes/$universeId',
  params: numberParam('universeId'),
  component: lazyRouteComponent(() => import('../features/universes/universe-page.tsx'), 'UniversePage'),
});
const editUniverse = createRoute({
  getParentRoute: () => root,
  path: '/universes/$universeId/edit',
  params: numberParam('universeId'),
  component: lazyRouteComponent(() => import('../features/universes/universe-form-page.tsx'), 'EditUniversePage'),
});

const sources = createRoute({
  getParentRoute: () => root,
  path: '/data',
  component: lazyRouteComponent(() => import('../features/sources/sources-page.tsx'), 'SourcesPage'),
});
const instruments = createRoute({
  getParentRoute: () => root,
  path: '/data/instruments',
  component: lazyRouteComponent(() => import('../features/instruments/instrument-list-page.tsx'), 'InstrumentListPage'),
  validateSearch: (search: Record<string, unknown>): { source?: number } => {
    const source = number(search.source);
    return source === undefined ? {} : { source };
  },
});
const instrument = createRoute({
  getParentRoute: () => root,
  path: '/data/instruments/$instrumentId',
  params: numberParam('instrumentId'),
  component: lazyRouteComponent(() => import('../features/instruments/instrument-page.tsx'), 'InstrumentPage'),
});
const runs = createRoute({
  getParentRoute: () => root,
  path: '/data/runs',
  component: lazyRouteComponent(() => import('../features/runs/run-list-page.tsx'), 'RunListPage'),
});
const run = createRoute({
  getParentRoute: () => root,
  path: '/data/runs/$runId',
  params: numberParam('runId'),
  component: lazyRouteComponent(() => import('../features/runs/run-page.tsx'), 'RunPage'),
});
const cases = createRoute({
  getParentRoute: () => root,
  path: '/data/cases',
  component: lazyRouteComponent(() => import('../features/cases/case-list-page.tsx'), 'CaseListPage'),
  validateSearch: (search: Record<string, unknown>): CaseSearch => ({
    ...(text(search.kind) && { kind: text(search.kind) }),
    ...(isCaseState(search.state) && { state: search.state }),
    ...(number(search.run) !== undefined && { run: number(search.run) }),
  }),
});
type CaseState = 'open' | 'confirmed' | 'false';
type CaseSearch = { kind?: string | undefined; state?: CaseState | undefined; run?: number | undefined };
const isCaseState = (value: unknown): value is CaseState =>
  value === 'open' || value === 'confirmed' || value === 'false';
const dataCase = createRoute({
  getParentRoute: () => root,
  path: '/data/cases/$caseId',
  params: numberParam('caseId'),
  component: lazyRouteComponent(() => import('../features/cases/case-page.tsx'), 'CasePage'),
});
const imports = createRoute({
  getParentRoute: () => root,
  path: '/data/import',
  component: lazyRouteComponent(() => import('../features/imports/import-page.tsx'), 'ImportPage'),
});

const connect = createRoute({
  getParentRoute: () => root,
  path: '/data/connect',
  component: lazyRouteComponent(() => import('../features/feeds/connect-page.tsx'), 'ConnectPage'),
});
const feed = createRoute({
  getParentRoute: () => root,
  path: '/data/feeds/$sourceId',
  params: numberParam('sourceId'),
  component: lazyRouteComponent(() => import('../features/feeds/feed-page.tsx'), 'FeedPage'),
  validateSearch: (search: Record<string, unknown>): { task?: number } => {
    const task = number(search.task);
    return task === undefined ? {} : { task };
  },
});
const refresh = createRoute({
  getParentRoute: () => root,
  path: '/data/refreshes/$refreshId',
  params: numberParam('refreshId'),
  component: lazyRouteComponent(() => import('../features/feeds/refresh-page.tsx'), 'RefreshPage'),
});
type GapState = 'open' | 'closed' | 'all';
type GapSearch = { gaps?: GapState | undefined; source?: number | undefined; universe?: number | undefined };
const isGapState = (value: unknown): value is GapState => value === 'open' || value === 'closed' || value === 'all';
const gaps = createRoute({
  getParentRoute: () => root,
  path: '/data/gaps',
  component: lazyRouteComponent(() => import('../features/gaps/gaps-page.tsx'), 'GapsPage'),
  validateSearch: (search: Record<string, unknown>): GapSearch => ({
    ...(isGapState(search.gaps) && { gaps: search.gaps }),
    ...(number(search.source) !== undefined && { source: number(search.source) }),
    ...(number(search.universe) !== undefined && { universe: number(search.universe) }),
  }),
});

const tasks = createRoute({
  getParentRoute: () => root,
  path: '/tasks',
  component: lazyRouteComponent(() => import('../features/tasks/tasks-page.tsx'), 'TasksPage'),
});
const schedules = createRoute({
  getParentRoute: () => root,
  path: '/tasks/schedules',
  component: lazyRouteComponent(() => import('../features/tasks/schedules-page.tsx'), 'SchedulesPage'),
});

const evidence = createRoute({
  getParentRoute: () => root,
  path: '/evidence',
  component: lazyRouteComponent(() => import('../features/evidence/chain-page.tsx'), 'ChainPage'),
});
const trials = createRoute({
  getParentRoute: () => root,
  path: '/evidence/trials',
  component: lazyRouteComponent(() => import('../features/evidence/trials-page.tsx'), 'TrialsPage'),
});
const datasets = createRoute({
  getParentRoute: () => root,
  path: '/evidence/datasets',
  component: lazyRouteComponent(() => import('../features/datasets/dataset-list-page.tsx'), 'DatasetListPage'),
});
const dataset = createRoute({
  getParentRoute: () => root,
  path: '/evidence/datasets/$sha256',
  component: lazyRouteComponent(() => import('../features/datasets/dataset-page.tsx'), 'DatasetPage'),
  validateSearch: (search: Record<string, unknown>): { against?: string } => {
    const against = text(search.against);
    return against === undefined ? {} : { against };
  },
});

type AlertState = 'open' | 'acknowledged' | 'resolved';
type Severity = 'info' | 'warning' | 'critical';
const isAlertState = (value: unknown): value is AlertState =>
  value === 'open' || value === 'acknowledged' || value === 'resolved';
const isSeverity = (value: unknown): value is Severity =>
  value === 'info' || value === 'warning' || value === 'critical';
const alerts = createRoute({
  getParentRoute: () => root,
  path: '/alerts',
  component: lazyRouteComponent(() => import('../features/alerts/alerts-page.tsx'), 'AlertsPage'),
  validateSearch: (search: Record<string, unknown>): { show?: AlertState; severity?: Severity | undefined } => ({
    ...(isAlertState(search.show) && { show: search.show }),
    ...(isSeverity(search.severity) && { severity: search.severity }),
  }),
});
const health = createRoute({
  getParentRoute: () => root,
  path: '/operate',
  component: lazyRouteComponent(() => import('../features/operate/health-page.tsx'), 'HealthPage'),
});
const slowQueries = createRoute({
  getParentRoute: () => root,
  path: '/operate/slow-queries',
  component: lazyRouteComponent(() => import('../features/operate/slow-queries-page.tsx'), 'SlowQueriesPage'),
});
const slowQuery = createRoute({
  getParentRoute: () => root,
  path: '/operate/slow-queries/$queryId',
  params: numberParam('queryId'),
  component: lazyRouteComponent(() => import('../features/operate/slow-query-page.tsx'), 'SlowQueryPage'),
});
const backups = createRoute({
  getParentRoute: () => root,
  path: '/operate/backups',
  component: lazyRouteComponent(() => import('../features/operate/backups-page.tsx'), 'BackupsPage'),
});
const doctor = createRoute({
  getParentRoute: () => root,
  path: '/operate/doctor',
  component: lazyRouteComponent(() => import('../features/operate/doctor-page.tsx'), 'DoctorPage'),
});
const audit = createRoute({
  getParentRoute: () => root,
  path: '/evidence/audit',
  component: lazyRouteComponent(() => import('../features/evidence/audit-page.tsx'), 'AuditPage'),
  validateSearch: (search: Record<string, unknown>): { actor?: number; kind?: string } => {
    const actor = number(search.actor);
    const kind = text(search.kind);
    return { ...(actor !== undefined && { actor }), ...(kind !== undefined && { kind }) };
  },
});

const settings = createRoute({
  getParentRoute: () => root,
  path: '/settings',
  component: lazyRouteComponent(() => import('../features/settings/account-page.tsx'), 'AccountPage'),
});
const keys = createRoute({
  getParentRoute: () => root,
  path: '/settings/keys',
  component: lazyRouteComponent(() => import('../features/people/keys-page.tsx'), 'KeysPage'),
});
const people = createRoute({
  getParentRoute: () => root,
  path: '/settings/people',
  component: lazyRouteComponent(() => import('../features/people/people-page.tsx'), 'PeoplePage'),
});
const person = createRoute({
  getParentRoute: () => root,
  path: '/settings/people/$userId',
  params: numberParam('userId'),
  component: lazyRouteComponent(() => import('../features/people/person-page.tsx'), 'PersonPage'),
});
const tenants = createRoute({
  getParentRoute: () => root,
  path: '/settings/tenants',
  component: lazyRouteComponent(() => import('../features/people/tenants-page.tsx'), 'TenantsPage'),
});
const roles = createRoute({
  getParentRoute: () => root,
  path: '/settings/roles',
  component: lazyRouteComponent(() => import('../features/settings/roles-page.tsx'), 'RolesPage'),
});
const status = createRoute({
  getParentRoute: () => root,
  path: '/settings/installation',
  component: lazyRouteComponent(() => import('../features/settings/installation-page.tsx'), 'InstallationPage'),
});

export const router = createRouter({
  routeTree: root.addChildren([
    overview,
    signIn,
    provider,
    invitation,
    reset,
    owner,
    market,
    relations,
    featureViews,
    featureView,
    subject,
    subjectVolatility,
    subjectRisk,
    subjectRegimes,
    subjectAnomalies,
    subjectPatterns,
    subjectFactors,
    subjectFeatures,
    models,
    model,
    modelVersions,
    modelVersion,
    modelCalibration,
    modelDrift,
    modelGroups,
    modelAbTests,
    abTest,
    trainings,
    training,
    searches,
    search,
    predictions,
    prediction,
    indexes,
    newIndex,
    index,
    editIndex,
    universes,
    newUniverse,
    universe,
    editUniverse,
    sources,
    instruments,
    instrument,
    runs,
    run,
    cases,
    dataCase,
    imports,
    connect,
    feed,
    refresh,
    gaps,
    tasks,
    schedules,
    evidence,
    trials,
    datasets,
    dataset,
    alerts,
    health,
    slowQueries,
    slowQuery,
    backups,
    doctor,
    audit,
    settings,
    keys,
    people,
    person,
    tenants,
    roles,
    status,
  ]),
  defaultPreload: 'intent',
  defaultPendingComponent: () => <Loading lines={8} />,
  defaultErrorComponent: PageFailed,
  scrollRestoration: true,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}

function NotFound() {
  return (
    <PageHeader title="There is no such page">
      <Link to="/" className="link">
        Go to the overview
      </Link>
    </PageHeader>
  );
}

function PageFailed({ error, reset }: ErrorComponentProps) {
  return <ProblemNotice error={error} onRetry={reset} />;
}
