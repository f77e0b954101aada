import type { addCorporateAction, Bar, correctBar } from '@touchstone/contracts/data';
import type { z } from 'zod';
import type { Database, Principal, Transaction } from '../../platform/database/database.ts';
import { found, ProblemError } from '../../platform/problem-error.ts';
import { FIRST_YEAR, LAST_YEAR } from '../csv/parse-date.ts';
import { FACT_TABLES } from '../facts/fact-tables.ts';
import { basisOf } from '../facts/price-source.ts';
import { type Published, publishInTransaction } from '../facts/publish-run.ts';
import { dayLiteral } from '../facts/read-time.ts';
import { checkOwn } from '../facts/rows.ts';
import { insertRun } from '../price-import/price-import.repository.ts';
import * as repository from './corrections.repository.ts';

export type CorrectBar = z.output<NonNullable<typeof correctBar.body>>;
export type AddCorporateAction = z.output<NonNullable<typeof addCorporateAction.body>>;
export type CorrectionsService = ReturnType<typeof createCorrectionsService>;

/** New tellings by hand. The old ones stay; the new ones are known from their publication on. */
export function createCorrectionsService(database: Database) {
  return {
    /** @throws NOT_FOUND, FORBIDDEN for facts of the system, INVALID_REQUEST for a bar that contradicts itself. */
    async correctBar(principal: Principal, body: CorrectBar): Promise<Bar> {
      const { instrumentId, day, open, high, low, close, volume } = body;
      if (high < Math.max(open, close, low) || low > Math.min(open, close))
        throw new ProblemError(
          'INVALID_REQUEST',
          `The high must be the highest and the low the lowest price, were ${high} and ${low}.`,
        );
      checkYear(day);
      return database.transaction(principal, async (tx) => {
        const source = await findTarget(tx, body);
        const revision = await repository.findNextRevision(tx, instrumentId, source.id, day);
        // The vendor's adjusted close belonged to the old close, so the new telling has none.
        const prices = [open, high, low, close, volume, null].map(float).join(', ');
        const row = `SELECT ${whole(instrumentId)}, ${dayLiteral(day)}, NULL::timestamptz, ${whole(revision)}, ${prices}`;
        const basis = basisOf(source.price_basis);
        const { runId, publishedAt } = await publishRow(tx, {
          ...body,
          kind: 'correction',
          row,
          basis,
          revised: revision > 0,
        });
        return { day, open, high, low, close, volume, revision, runId, knownAt: publishedAt };
      });
    },
    /** @throws NOT_FOUND, FORBIDDEN for facts of the system */
    async addCorporateAction(principal: Principal, body: AddCorporateAction) {
      const { instrumentId, day, kind, value } = body;
      checkYear(day);
      return database.transaction(principal, async (tx) => {
        await findTarget(tx, body);
        const row = `SELECT ${whole(instrumentId)}, ${dayLiteral(day)}, '${kind}'::text, NULL::timestamptz, ${float(value)}`;
        const { publishedAt } = await publishRow(tx, {
          ...body,
          kind: 'corporate_actions',
          row,
          basis: null,
          revised: false,
        });
        return { day, kind, value, knownAt: publishedAt };
      });
    },
  };
}

/** The same years an import takes. */
function checkYear(day: string): void {
  const year = Number(day.slice(0, 4));
  if (year >= FIRST_YEAR && year <= LAST_YEAR) return;
  throw new ProblemError('INVALID_REQUEST', `The day must lie in ${FIRST_YEAR} to ${LAST_YEAR}, was ${day}.`);
}

async function findTarget(tx: Transaction, body: { instrumentId: number; sourceId: number }) {
  const { principal } = tx;
  checkOwn(
    principal,
    found(await repository.findInstrumentOwner(tx, body.instrumentId), `There is no instrument ${body.instrumentId}.`),
    'This instrument',
  );
  const source = found(await repository.findSourceOwner(tx, body.sourceId), `There is no source ${body.sourceId}.`);
  checkOwn(principal, source, 'This source');
  return source;
}

async function publishRow(
  tx: Transaction,
  told: {
    kind: 'correction' | 'corporate_actions';
    instrumentId: number;
    sourceId: number;
    day: string;
    reason: string;
    row: string;
    basis: string | null;
    revised: boolean;
  },
): Promise<Published> {
  const { kind, instrumentId, sourceId, day, reason, row, revised } = told;
  const runId = await insertRun(tx, { sourceId, kind, fileName: null, options: {}, note: reason });
  const { table, columns } = FACT_TABLES[kind][0]!;
  const name = `(${row}) AS told (${columns.join(', ')})`;
  return publishInTransaction(tx, {
    runId,
    tables: [{ name, table, columns, rowCount: 1, knownAtMin: null, knownAtMax: null, hasRecorded: true }],
    held: null,
    cases: [],
    instrumentIds: [instrumentId],
    contentSha256: null,
    counts: {
      rowCount: 1,
      acceptedCount: 1,
      unchangedCount: 0,
      revisedCount: revised ? 1 : 0,
      quarantinedCount: 0,
      errorCount: 0,
    },
    errors: [],
    firstDay: day,
    lastDay: day,
    priceBasis: told.basis,
    fileSha256: null,
    note: reason,
    reason,
  });
}

/** Numbers as SQL text: the shortest text of a double reads back as the same double. */
function float(value: number | null): string {
  return value === null || !Number.isFinite(value) ? 'NULL::float8' : `'${value}'::float8`;
}

function whole(value: number): string {
  return `${Math.trunc(value)}::int4`;
}
