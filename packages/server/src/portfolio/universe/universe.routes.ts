import {
  createUniverse,
  deleteUniverse,
  getUniverse,
  listUniverses,
  undeleteUniverse,
  updateUniverse,
} from '@touchstone/contracts/universes';
import { decodeIdCursor, toPage } from '../../platform/http/cursor.ts';
import type { Serve } from '../../platform/http/serve.ts';
import type { UniverseService } from './universe.service.ts';

export function registerUniverseRoutes(serve: Serve, universes: UniverseService): void {
  serve(listUniverses, async ({ caller, query }) => {
    const after = decodeIdCursor(query.cursor) ?? -1;
    const rows = await universes.list(caller, { after, limit: query.limit + 1, includeDeleted: query.includeDeleted });
    return toPage(rows, query.limit, (row) => [row.id]);
  });
  serve(getUniverse, async ({ caller, params }) => {
    const { members, ...universe } = await universes.get(caller, params.universeId);
    return {
      ...universe,
      members: members.map(({ instrumentId, symbol, name, firstDay, lastDay }) => ({
        instrumentId,
        symbol,
        name,
        firstDay,
        lastDay,
      })),
    };
  });
  serve(createUniverse, ({ caller, body }) => universes.create(caller, body));
  serve(updateUniverse, ({ caller, params, body }) => universes.update(caller, params.universeId, body));
  serve(deleteUniverse, async ({ caller, params }) => {
    await universes.delete(caller, params.universeId);
    return undefined;
  });
  serve(undeleteUniverse, ({ caller, params }) => universes.undelete(caller, params.universeId));
}
