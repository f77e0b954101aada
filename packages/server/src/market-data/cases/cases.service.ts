import type { DataCase } from '@touchstone/contracts/data';
import { dayNumber, dayText } from '@touchstone/quant/series/day';
import type { Database, Principal, Transaction } from '../../platform/database/database.ts';
import { appendEvidence } from '../../platform/evidence/evidence.ts';
import { decodeIdCursor, toPage } from '../../platform/http/cursor.ts';
import { found, ProblemError } from '../../platform/problem-error.ts';
import { barOf } from '../bars/bars.service.ts';
import { PRICES } from '../facts/fact-tables.ts';
import { publishInTransaction } from '../facts/publish-run.ts';
import { findBars } from '../facts/read-bars.ts';
import { resolveTime, type TimeQuery } from '../facts/read-time.ts';
import { auditOf, checkOwn } from '../facts/rows.ts';
import { insertRun } from '../price-import/price-import.repository.ts';
import * as repository from './cases.repository.ts';

export type CasesQuery = TimeQuery & {
  cursor?: string | undefined;
  limit: number;
  state?: repository.CaseState | undefined;
  kind?: string | undefined;
  sourceId?: number | undefined;
  instrumentId?: number | undefined;
  runId?: number | undefined;
};

const NEIGHBOURS = 10;
/** Calendar days that surely hold ten sessions. */
const NEIGHBOUR_DAYS = 30;

export type CasesService = ReturnType<typeof createCasesService>;

export function createCasesService(database: Database) {
  return {
    async list(principal: Principal, query: CasesQuery) {
      const { cursor, limit } = query;
      return database.transaction(
        principal,
        async (tx) => {
          const time = await resolveTime(tx, query);
          const question = { ...query, time };
          const rows = await repository.findCases(tx, {
            ...question,
            before: decodeIdCursor(cursor) ?? undefined,
            limit: limit + 1,
          });
          const byKind = await repository.countCases(tx, question);
          const { items, nextCursor } = toPage(rows, limit, (row) => [row.id]);
          const total = byKind.reduce((sum, kind) => sum + kind.open + kind.confirmed + kind.false, 0);
          return { items: items.map(caseOf), nextCursor, time, total, byKind };
        },
        { readOnly: true, isolation: 'repeatable read' },
      );
    },
    /** @throws NOT_FOUND */
    async get(principal: Principal, id: number) {
      return database.transaction(
        principal,
        async (tx) => {
          const row = found(await repository.findCase(tx, id), `There is no case ${id}.`);
          const heldBars = await repository.findHeldBars(tx, row);
          return { ...caseOf(row), heldBars, neighbours: await findNeighbours(tx, row) };
        },
        { readOnly: true, isolation: 'repeatable read' },
      );
    },
    /**
     * Confirms a finding, or calls it a false alarm: then the held bars are told by a run of their own, known when they
     * always were. Confirming a finding about bars in sight withholds them from now on; what was known before stays known.
     *
     * @throws NOT_FOUND, FORBIDDEN for a case of the system, CONFLICT, NOT_POSSIBLE_NOW when its bars are out already.
     */
    async decide(
      principal: Principal,
      id: number,
      decision: { state: 'confirmed' | 'false'; note: string; version: number },
    ) {
      return database.transaction(principal, async (tx) => {
        const row = found(await repository.findCase(tx, id), `There is no case ${id}.`);
        checkOwn(principal, row, 'This case');
        if (row.version !== decision.version || !(await repository.setDecision(tx, id, decision)))
          throw new ProblemError(
            'CONFLICT',
            `Case ${id} was decided since version ${decision.version}. Look at it again.`,
          );
        if (row.state === 'false')
          throw new ProblemError(
            'NOT_POSSIBLE_NOW',
            `The bars of case ${id} were released. Retract the run of the release instead.`,
          );
        const release = decision.state === 'false' ? await releaseBars(tx, row, decision.note) : null;
        const withheld =
          decision.state === 'confirmed' && row.state === 'open' && row.withholds
            ? await withholdBars(tx, row, decision.note)
            : null;
        await appendEvidence(tx, {
          kind: 'case.decided',
          subjectKind: 'case',
          subjectId: id,
          body: {
            ...{ state: decision.state, before: row.state, runId: row.run_id },
            ...{ releaseRunId: release, withholdRunId: withheld },
          },
        });
        return caseOf(found(await repository.findCase(tx, id), `There is no case ${id}.`));
      });
    },
  };
}

/**
 * Publishes what a case held back, which may be nothing: even then the publication is the moment from which reads and
 * datasets count the finding as a false alarm. Gives the run of the release.
 */
async function releaseBars(tx: Transaction, row: repository.CaseRow, note: string): Promise<number> {
  const reason = note === '' ? `Released: case ${row.id} was a false alarm.` : note;
  const bars = await repository.openBarsOf(tx, row);
  const query =
    row.withholds && row.state === 'confirmed'
      ? repository.oncePerBar([repository.releaseRows(row.id, bars), repository.retellRows(row, bars)])
      : repository.releaseRows(row.id, bars);
  return publishBars(tx, row, { kind: 'release', query, reason });
}

/** Tells that there is no bar where the case names one in sight. The old tellings stay, as known until now. */
async function withholdBars(tx: Transaction, row: repository.CaseRow, note: string): Promise<number> {
  const reason = note === '' ? `Withheld: case ${row.id} was confirmed.` : note;
  const bars = await repository.openBarsOf(tx, row);
  return publishBars(tx, row, { kind: 'correction', query: repository.withholdRows(row, bars), reason });
}

async function publishBars(
  tx: Transaction,
  row: repository.CaseRow,
  { kind, query, reason }: { kind: 'release' | 'correction'; query: string; reason: string },
): Promise<number> {
  const held = await repository.countPublishable(tx, query);
  const runId = await insertRun(tx, {
    ...{ sourceId: row.source_id, kind, fileName: null, options: { caseId: row.id }, note: reason },
  });
  const { table, columns } = PRICES;
  const heldRows = {
    name: `(${query}) AS held`,
    table,
    columns,
    rowCount: held.count,
    knownAtMin: held.least === null ? null : Date.parse(held.least),
    knownAtMax: held.most === null ? null : Date.parse(held.most),
    hasRecorded: held.recorded > 0,
  };
  await publishInTransaction(tx, {
    runId,
    tables: held.count === 0 ? [] : [heldRows],
    held: null,
    cases: [],
    instrumentIds: held.ids,
    contentSha256: null,
    counts: {
      rowCount: held.count,
      acceptedCount: held.count,
      unchangedCount: 0,
      revisedCount: 0,
      quarantinedCount: 0,
      errorCount: 0,
    },
    errors: [],
    firstDay: row.first_day,
    lastDay: row.last_day,
    priceBasis: await repository.findBasisOfSource(tx, row.source_id),
    fileSha256: null,
    note: reason,
    reason,
  });
  return runId;
}

/** Up to ten bars in sight on each side of a case, and none between. */
async function findNeighbours(tx: Transaction, row: repository.CaseRow) {
  if (row.instrument_id === null) return [];
  const time = await resolveTime(tx, {});
  const bars = await findBars(tx, {
    instrumentId: row.instrument_id,
    sourceId: row.source_id,
    from: dayText(dayNumber(row.first_day) - NEIGHBOUR_DAYS),
    to: dayText(dayNumber(row.last_day) + NEIGHBOUR_DAYS),
    time,
  });
  const before = bars.filter((bar) => bar.day < row.first_day).slice(-NEIGHBOURS);
  const after = bars.filter((bar) => bar.day > row.last_day).slice(0, NEIGHBOURS);
  return [...before, ...after].map(barOf);
}

function caseOf(row: repository.CaseRow): DataCase {
  return {
    ...auditOf(row),
    id: row.id,
    tenantId: row.tenant_id,
    runId: row.run_id,
    sourceId: row.source_id,
    instrumentId: row.instrument_id,
    symbol: row.symbol,
    kind: row.kind,
    action: row.action,
    state: row.state,
    firstDay: row.first_day,
    lastDay: row.last_day,
    rowCount: row.row_count,
    measure: row.measure,
    threshold: row.threshold,
    reason: row.reason,
    knownAt: row.known,
    decisionNote: row.decision_note,
    decidedAt: row.decided_at,
  };
}
