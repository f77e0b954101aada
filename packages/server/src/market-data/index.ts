import type { SecretBox } from '../platform/auth/secret-box.ts';
import type { Database } from '../platform/database/database.ts';
import type { ReachOwner } from '../platform/database/owner.ts';
import type { Serve } from '../platform/http/serve.ts';
import { type ArchiveRouteParts, registerArchiveRoutes } from './archive/archive.routes.ts';
import { createArchiveService, registerArchiveTasks } from './archive/archive.service.ts';
import { registerBarsRoutes } from './bars/bars.routes.ts';
import { createBarsService } from './bars/bars.service.ts';
import { registerCalendarsRoutes } from './calendars/calendars.routes.ts';
import { createCalendarsService } from './calendars/calendars.service.ts';
import { registerCasesRoutes } from './cases/cases.routes.ts';
import { createCasesService } from './cases/cases.service.ts';
import { registerCorrectionsRoutes } from './corrections/corrections.routes.ts';
import { createCorrectionsService } from './corrections/corrections.service.ts';
import { registerExchangeRatesRoutes } from './exchange-rates/exchange-rates.routes.ts';
import { createExchangeRatesService } from './exchange-rates/exchange-rates.service.ts';
import { registerFeedsRoutes } from './feeds/feeds.routes.ts';
import { createFeedsService } from './feeds/feeds.service.ts';
import { registerLookRoutes } from './feeds/look.routes.ts';
import { createLookService } from './feeds/look.service.ts';
import { createOpenFeeds, type FeedOpenerOptions } from './feeds/open-feed.ts';
import { createTwelveDataOpener } from './feeds/open-twelvedata.ts';
import { createPriceLines } from './feeds/price-lines.ts';
import { registerInstrumentsRoutes } from './instruments/instruments.routes.ts';
import { createInstrumentsService } from './instruments/instruments.service.ts';
import { registerMacroRoutes } from './macro/macro.routes.ts';
import { createMacroService } from './macro/macro.service.ts';
import { registerPriceImportRoutes } from './price-import/price-import.routes.ts';
import { createPriceImportService, type PriceImportDeps } from './price-import/price-import.service.ts';
import { reconcile } from './refresh/reconcile.ts';
import { registerRefreshRoutes } from './refresh/refresh.routes.ts';
import { createRefreshService } from './refresh/refresh.service.ts';
import { refreshFigures } from './refresh/refresh-figures.ts';
import { registerRunsRoutes } from './runs/runs.routes.ts';
import { createRunsService } from './runs/runs.service.ts';
import { registerTruthRoutes } from './simulated-market/truth.routes.ts';
import { createTruthService } from './simulated-market/truth.service.ts';
import { registerSourcesRoutes } from './sources/sources.routes.ts';
import { createSourcesService } from './sources/sources.service.ts';
import { registerTimelineRoutes } from './timeline/timeline.routes.ts';
import { createTimelineService } from './timeline/timeline.service.ts';

export { ARCHIVE_TASK } from './archive/archive.service.ts';
export { findLastBarDay, type LoadedBars, loadBars } from './bars/load-bars.ts';
export {
  barsAsKnown,
  firstKnownOf,
  type History,
  lastDayKnown,
  loadHistories,
  revisionTimes,
} from './bars/load-histories.ts';
/** The door of the stage: facts in and out. Later stages enter here. */
export { sessionTimes } from './calendars/session-times.ts';
export { registerCourtRoutes } from './court/court.routes.ts';
export { COURT_TASK, createCourtService } from './court/court.service.ts';
export { verifyContents } from './facts/fact-tables.ts';
export {
  loadActions,
  loadCaps,
  loadRates,
  loadSuspectSteps,
  type RateTellings,
} from './facts/load-small-facts.ts';
export { findPriceSource } from './facts/price-source.ts';
export { loadTellings } from './facts/read-bars.ts';
export { type ReadTime, resolveTime, type TimeQuery } from './facts/read-time.ts';
export { findSeries as findMacroSeries } from './macro/macro.repository.ts';
export { findOwnSource } from './price-import/price-import.repository.ts';
export { REFRESH_TASK } from './refresh/refresh.service.ts';
export { loadSimulatedMarket } from './simulated-market/simulated-market.service.ts';

export type MarketData = ReturnType<typeof createMarketData>;

export type MarketDataDeps = PriceImportDeps & {
  secretBox: SecretBox;
  /** How the owner of the tables is reached, to archive. Left out: nothing can be archived. */
  reachOwner?: ReachOwner | null | undefined;
  /** Where TwelveData is asked; without it there is no such feed. */
  twelveDataUrl?: string;
  /** How vendors are reached, beside the clock. */
  feedOptions?: Omit<FeedOpenerOptions, 'clock'>;
};

/** Every service of the stage. Registers the tasks of imports and refreshes on the way. */
export function createMarketData(deps: MarketDataDeps) {
  const { database, clock, tasks, secretBox, feedOptions, twelveDataUrl } = deps;
  const openers =
    twelveDataUrl === undefined ? {} : { twelvedata: createTwelveDataOpener(database, clock, twelveDataUrl) };
  const openFeeds = createOpenFeeds({ ...feedOptions, clock, openers: { ...openers, ...feedOptions?.openers } });
  const feeds = createFeedsService({ database, clock, secretBox, openFeeds, refreshFigures });
  const service = createArchiveService({ ...deps, reachOwner: deps.reachOwner ?? null });
  registerArchiveTasks(tasks, service);
  const archive: ArchiveRouteParts = { database, tasks, service };
  return {
    archive,
    feeds,
    look: createLookService({ database, clock, feeds, lines: createPriceLines() }),
    refresh: createRefreshService({ ...deps, feeds }),
    priceImport: createPriceImportService({ ...deps, compareSources: reconcile }),
    truth: createTruthService(deps),
    ...createReaders(database),
  };
}

function createReaders(database: Database) {
  return {
    timeline: createTimelineService(database),
    sources: createSourcesService(database),
    instruments: createInstrumentsService(database),
    bars: createBarsService(database),
    corrections: createCorrectionsService(database),
    runs: createRunsService(database),
    cases: createCasesService(database),
    exchangeRates: createExchangeRatesService(database),
    macro: createMacroService(database),
    calendars: createCalendarsService(database),
  };
}

/** Serves the whole `data` group of the contracts. */
export function registerMarketDataRoutes(serve: Serve, market: MarketData): void {
  registerTimelineRoutes(serve, market.timeline);
  registerSourcesRoutes(serve, market.sources);
  registerFeedsRoutes(serve, market.feeds);
  registerLookRoutes(serve, market.look);
  registerRefreshRoutes(serve, market.refresh);
  registerInstrumentsRoutes(serve, market.instruments);
  registerBarsRoutes(serve, market.bars);
  registerCorrectionsRoutes(serve, market.corrections);
  registerPriceImportRoutes(serve, market.priceImport);
  registerRunsRoutes(serve, market.runs);
  registerCasesRoutes(serve, market.cases);
  registerTruthRoutes(serve, market.truth);
  registerExchangeRatesRoutes(serve, market.exchangeRates);
  registerMacroRoutes(serve, market.macro);
  registerCalendarsRoutes(serve, market.calendars);
  registerArchiveRoutes(serve, market.archive);
}
