import { judgePanel } from '@touchstone/quant/quality/judge-bars';
import { dayNumber, dayText } from '@touchstone/quant/series/day';
import { tradingDays } from '@touchstone/quant/series/trading-calendar';
import type { PoolConfig } from 'pg';
import { createDatabase, type Principal } from '../../platform/database/database.ts';
import { createPool } from '../../platform/database/pool.ts';
import type { NewCase } from '../facts/publish-run.ts';
import { caseKey } from '../price-import/judge-delivery.ts';
import { loadCaseKeys, loadKnownBars, loadSplits } from '../price-import/known-bars.ts';
import type { ImportJob } from '../price-import/run-import.ts';

export type CourtJob = {
  connection: PoolConfig;
  /** See `Database.objectsFolder`. */
  objectsFolder: string | null;
  principal: Principal;
  source: Pick<ImportJob['source'], 'id' | 'calendar'> & { priceBasis: NonNullable<ImportJob['source']['priceBasis']> };
  instrumentIds: number[];
};

/** What the court saw, and what of it nobody was told before. */
export type CourtOutcome = { barCount: number; findingCount: number; cases: NewCase[] };

/** Cases one sitting may open; the rest is found again by the next one. */
const CASES_MAX = 5000;
/** Any day a bar can be about. */
const FIRST_DAY = dayNumber('1800-01-01');
const LAST_DAY = dayNumber('2200-12-31');

/**
 * Judges all bars in sight of some instruments as a whole, and keeps the findings that no case tells of yet.
 *
 * @public Called by its name from another thread.
 */
export async function judgeAgain(job: CourtJob): Promise<CourtOutcome> {
  const database = createDatabase(
    createPool({ ...job.connection, max: 1 }, () => {}),
    job.objectsFolder,
  );
  try {
    const ids = Int32Array.from(job.instrumentIds).sort();
    const { known, splits, caseKeys } = await database.transaction(
      job.principal,
      async (tx) => ({
        known: await loadKnownBars(tx, {
          ...{ sourceId: job.source.id, instrumentIds: [...ids], firstDay: FIRST_DAY + 365, lastDay: LAST_DAY },
        }),
        splits: await loadSplits(tx, [...ids]),
        caseKeys: await loadCaseKeys(tx, job.source.id),
      }),
      { isolation: 'repeatable read', readOnly: true },
    );
    if (known === null) return { barCount: 0, findingCount: 0, cases: [] };
    const live = Int32Array.from(known.live.keys()).filter((row) => known.live[row] === 1);
    if (live.length === 0) return { barCount: 0, findingCount: 0, cases: [] };
    const offset = new Int32Array(ids.length + 1);
    for (let s = 0, at = 0; s < ids.length; s++) {
      while (at < live.length && known.instrument[live[at]!] === ids[s]) at++;
      offset[s + 1] = at;
    }
    const float = (values: Float64Array) => Float64Array.from(live, (row) => values[row]!);
    const day = Int32Array.from(live, (row) => known.day[row]!);
    const panel = {
      ...{ offset, day, open: float(known.open), high: float(known.high), low: float(known.low) },
      ...{ close: float(known.close), volume: float(known.volume) },
    };
    const findings = judgePanel(panel, {
      tradingDays: tradingDays(job.source.calendar, least(day), most(day)),
      basis: job.source.priceBasis,
      knownSplits: new Map([...ids].flatMap((id, s) => (splits.has(id) ? [[s, splits.get(id)!] as const] : []))),
    });
    const cases = findings
      .filter(({ kind, instrument, firstDay, lastDay }) => {
        const id = instrument < 0 ? null : ids[instrument]!;
        return !caseKeys.has(caseKey(kind, id, firstDay, lastDay));
      })
      .slice(0, CASES_MAX)
      .map(
        (finding): NewCase => ({
          instrumentId: finding.instrument < 0 ? null : ids[finding.instrument]!,
          kind: finding.kind.replaceAll('-', '_'),
          // The bars are out already: a court that sits later asks, it holds nothing back.
          action: 'note',
          firstDay: dayText(finding.firstDay),
          lastDay: dayText(finding.lastDay),
          rowCount: finding.firstRow < 0 ? 0 : finding.lastRow - finding.firstRow + 1,
          measure: Number.isFinite(finding.measure) ? finding.measure : null,
          threshold: Number.isFinite(finding.limit) ? finding.limit : null,
          reason: finding.reason,
          // Found today, whatever day it is about.
          knownAt: null,
        }),
      );
    return { barCount: live.length, findingCount: findings.length, cases };
  } finally {
    await database.close();
  }
}

function least(day: Int32Array): number {
  return day.reduce((a, b) => Math.min(a, b));
}

function most(day: Int32Array): number {
  return day.reduce((a, b) => Math.max(a, b));
}
