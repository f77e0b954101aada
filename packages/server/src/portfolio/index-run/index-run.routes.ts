import {
  exportIndex,
  getIndexHoldings,
  getIndexLevels,
  getIndexPerformance,
  type IndexLevels,
  listIndexRuns,
  startIndexRun,
} from '@touchstone/contracts/indexes';
import { decodeIdCursor, toPage } from '../../platform/http/cursor.ts';
import type { Serve } from '../../platform/http/serve.ts';
import { holdingsCsv, levelsCsv } from './index-csv.ts';
import type { IndexRunService } from './index-run.service.ts';

export function registerIndexRunRoutes(serve: Serve, runs: IndexRunService): void {
  serve(startIndexRun, async ({ caller, params, body }) => ({ task: await runs.start(caller, params.indexId, body) }));
  serve(listIndexRuns, async ({ caller, params, query }) => {
    const before = decodeIdCursor(query.cursor) ?? undefined;
    const rows = await runs.runs(caller, params.indexId, { before, limit: query.limit + 1 });
    return toPage(rows, query.limit, (row) => [row.runNumber]);
  });
  serve(getIndexLevels, async ({ caller, params, query }) => shorten(await runs.levels(caller, params.indexId, query)));
  serve(getIndexHoldings, ({ caller, params, query }) => runs.holdings(caller, params.indexId, query));
  serve(getIndexPerformance, ({ caller, params, query }) => runs.performance(caller, params.indexId, query));
  serve(exportIndex, async ({ caller, params, query, reply }) => {
    const { what, ...choice } = query;
    const text =
      what === 'levels'
        ? levelsCsv(await runs.levels(caller, params.indexId, choice))
        : holdingsCsv(await runs.holdings(caller, params.indexId, choice));
    return reply
      .type('text/csv; charset=utf-8')
      .header('content-disposition', `attachment; filename="index-${params.indexId}-${what}.csv"`)
      .send(text);
  });
}

/** Seven digits are more than any chart shows and half the bytes; the CSV export has all of them. */
const DIGITS = 7;

function shorten(levels: IndexLevels): IndexLevels {
  const short = (value: number) => Number(value.toPrecision(DIGITS));
  return {
    ...levels,
    level: levels.level.map(short),
    levelGross: levels.levelGross.map(short),
    levelNextClose: levels.levelNextClose.map(short),
    equalWeight: levels.equalWeight.map(short),
    buyAndHold: levels.buyAndHold.map(short),
    benchmark: levels.benchmark?.map((value) => (value === null ? null : short(value))) ?? null,
  };
}
