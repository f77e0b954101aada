import type { Instrument } from '@touchstone/contracts/data';
import { changedMeanwhile } from '../../platform/database/changed-meanwhile.ts';
import type { Database, Principal } from '../../platform/database/database.ts';
import { appendEvidence } from '../../platform/evidence/evidence.ts';
import { decodeCursor, toPage } from '../../platform/http/cursor.ts';
import { found } from '../../platform/problem-error.ts';
import { checkCalendar } from '../calendars/check-calendar.ts';
import { findActions } from '../facts/corporate-actions.ts';
import { basisOf } from '../facts/price-source.ts';
import { resolveTime, type TimeQuery } from '../facts/read-time.ts';
import { auditOf, checkOwn } from '../facts/rows.ts';
import * as repository from './instruments.repository.ts';

export type InstrumentsService = ReturnType<typeof createInstrumentsService>;

export function createInstrumentsService(database: Database) {
  return {
    async list(
      principal: Principal,
      query: { cursor?: string | undefined; limit: number; search?: string | undefined; sourceId?: number | undefined },
    ) {
      const { cursor, limit, search, sourceId } = query;
      const place = decodeCursor(cursor, ['string', 'number']);
      const after = place === null ? undefined : { symbol: String(place[0]), id: Number(place[1]) };
      const rows = await database.transaction(
        principal,
        (tx) => repository.findInstruments(tx, { search, sourceId, after, limit: limit + 1 }),
        { readOnly: true },
      );
      const { items, nextCursor } = toPage(rows, limit, (row) => [row.symbol, row.id]);
      return { items: items.map(instrumentOf), nextCursor };
    },
    /** @throws NOT_FOUND */
    async get(principal: Principal, id: number, asked: TimeQuery) {
      return database.transaction(
        principal,
        async (tx) => {
          const row = found(await repository.findInstrument(tx, id), `There is no instrument ${id}.`);
          const time = await resolveTime(tx, asked);
          const sources = await repository.findSourcesOf(tx, id);
          return {
            ...instrumentOf(row),
            time,
            listingEvents: await repository.findListingEvents(tx, id, time),
            corporateActions: await findActions(tx, id, time),
            sources: sources.map((source) => ({
              id: source.id,
              name: source.name,
              priceBasis: basisOf(source.price_basis),
            })),
          };
        },
        { readOnly: true, isolation: 'repeatable read' },
      );
    },
    /** @throws NOT_FOUND, FORBIDDEN for an instrument of the system, CONFLICT */
    async update(principal: Principal, id: number, body: repository.InstrumentChange & { version: number }) {
      const { version, ...change } = body;
      if (change.calendar !== undefined) checkCalendar(change.calendar);
      return database.transaction(principal, async (tx) => {
        checkOwn(
          principal,
          found(await repository.findInstrument(tx, id), `There is no instrument ${id}.`),
          'This instrument',
        );
        if (!(await repository.changeInstrument(tx, id, change, version)))
          throw await changedMeanwhile(tx, 'instrument', id, { name: `Instrument ${id}`, version });
        await appendEvidence(tx, {
          kind: 'instrument.changed',
          subjectKind: 'instrument',
          subjectId: id,
          body: { ...change },
        });
        return instrumentOf(found(await repository.findInstrument(tx, id), `There is no instrument ${id}.`));
      });
    },
  };
}

function instrumentOf(row: repository.InstrumentRow): Instrument {
  return {
    ...auditOf(row),
    id: row.id,
    tenantId: row.tenant_id,
    symbol: row.symbol,
    name: row.name,
    kind: row.kind,
    calendar: row.calendar,
    currency: row.currency,
    sector: row.sector,
    firstDay: row.first_day,
    lastDay: row.last_day,
    barCount: row.bar_count,
  };
}
