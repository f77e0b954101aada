import type { Instrument } from '@touchstone/contracts/data';
import type { Database, Principal } from '../../platform/database/database.ts';
import { appendEvidence } from '../../platform/evidence/evidence.ts';
import { found, ProblemError } from '../../platform/problem-error.ts';
import { findActions } from '../facts/corporate-actions.ts';
import { resolveTime, type TimeQuery } from '../facts/read-time.ts';
import { checkCalendar } from '../price-import/price-import.service.ts';
import { auditOf, checkOwn, pageOf, textOfCursor } from '../rows.ts';
import * as repository from './instruments.repository.ts';

export type InstrumentsService = ReturnType<typeof createInstrumentsService>;

export function createInstrumentsService(database: Database) {
  return {
    async list(
      principal: Principal,
      query: { cursor?: string | undefined; limit: number; search?: string | undefined; sourceId?: number | undefined },
    ) {
      const { cursor, limit, search, sourceId } = query;
      const after = cursor === undefined ? undefined : placeOf(cursor);
      const rows = await database.transaction(
        principal,
        (tx) => repository.findInstruments(tx, { search, sourceId, after, limit: limit + 1 }),
        { readOnly: true },
      );
      const { items, nextCursor } = pageOf(rows, limit, (row) => `${row.id} ${row.symbol}`);
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
          throw new ProblemError(
            'CONFLICT',
            `Instrument ${id} was changed since version ${version}. Look at it again.`,
          );
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

/** @throws INVALID_REQUEST */
function placeOf(cursor: string): { symbol: string; id: number } {
  const [id, ...symbol] = textOfCursor(cursor).split(' ');
  if (!/^\d+$/.test(id ?? '')) throw new ProblemError('INVALID_REQUEST', 'The cursor is none this list has given.');
  return { id: Number(id), symbol: symbol.join(' ') };
}

/** A price basis as the database gives it. */
export function basisOf(text: string | null): 'raw' | 'split_adjusted' | 'total_return' | null {
  return text === 'raw' || text === 'split_adjusted' || text === 'total_return' ? text : null;
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
