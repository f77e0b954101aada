import { getRegimes, listRegimeRecords, sealRegime } from '@touchstone/contracts/regimes';
import { decodeIdCursor, toPage } from '../../platform/http/cursor.ts';
import type { Serve } from '../../platform/http/serve.ts';
import type { RegimeService } from './regimes.service.ts';

export function registerRegimeRoutes(serve: Serve, regimes: RegimeService): void {
  serve(getRegimes, ({ caller, params, query }) => regimes.read(caller, params, query));
  serve(sealRegime, ({ caller, params, body }) => regimes.seal(caller, params, body));
  serve(listRegimeRecords, async ({ caller, params, query }) => {
    const before = decodeIdCursor(query.cursor) ?? undefined;
    const rows = await regimes.history(caller, params, { before, limit: query.limit + 1 });
    return toPage(rows, query.limit, (row) => [row.sequence]);
  });
}
