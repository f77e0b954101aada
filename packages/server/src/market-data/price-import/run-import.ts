import { createReadStream } from 'node:fs';
import { dayText } from '@touchstone/quant/series/day';
import type { CalendarCode } from '@touchstone/quant/series/trading-calendar';
import type { PoolConfig } from 'pg';
import type { Database, Principal } from '../../platform/database/database.ts';
import { failPoint } from '../../platform/fail-point.ts';
import { CsvRefusal, type CsvSource, type OnBadRow } from '../csv/index.ts';
import { basisSentence } from '../facts/basis-sentence.ts';
import type { PublishPlan } from '../facts/publish-run.ts';
import { type Within, withinOwn } from '../facts/within.ts';
import { ensureInstruments } from './ensure-instruments.ts';
import { importTable } from './import-table.ts';
import { type Delivery, judgeDelivery, type KnownAtRule, type PriceBasis } from './judge-delivery.ts';
import { loadCaseKeys, loadHeldBars, loadKnownBars, loadSplits } from './known-bars.ts';
import { type FileChoices, FileRefusal, placeOf, type RowProblem, readPrices } from './read-prices.ts';
import { stageBars } from './stage-bars.ts';

export type FileKind = 'prices' | 'corporate_actions' | 'market_caps' | 'exchange_rates' | 'macro';

/** Everything a thread needs to read, judge and stage a file. Plain data. */
export type ImportJob = {
  connection: PoolConfig;
  /** See `Database.objectsFolder`. */
  objectsFolder: string | null;
  principal: Principal;
  runId: number;
  source: { id: number; name: string; calendar: CalendarCode; priceBasis: PriceBasis | null; knownAtRule: KnownAtRule };
  kind: FileKind;
  file: { path: string; name: string; byteCount: number };
  choices: FileChoices;
  onBadRow: OnBadRow;
  universeName?: string | undefined;
  /** Our clock, EpochMs. */
  now: number;
};

export type ImportOutcome =
  | { kind: 'staged'; plan: PublishPlan }
  | { kind: 'refused'; sentence: string; errors: RowProblem[]; errorCount: number; rowCount: number };

export type Progress = (fraction: number, note: string) => void;

/** Reads, judges and stages a file; publishes nothing. A file that cannot be used is an outcome, not an error. */
export async function runImport(database: Database, job: ImportJob, progress: Progress): Promise<ImportOutcome> {
  try {
    const plan =
      job.kind === 'prices'
        ? await importPrices(database, job, progress)
        : await importTable(database, job, job.kind, progress);
    return { kind: 'staged', plan };
  } catch (error) {
    if (error instanceof CsvRefusal) {
      const errors = [{ file: error.file, line: error.line ?? 0, column: error.column, rule: error.rule }];
      return { kind: 'refused', sentence: error.sentence, errors, errorCount: 1, rowCount: 0 };
    }
    if (error instanceof FileRefusal) {
      const { errors, errorCount, rowCount } = error;
      return { kind: 'refused', sentence: error.message, errors, errorCount, rowCount };
    }
    throw error;
  }
}

const READ_CHUNK_BYTES = 256 * 1024;

/** The stored object under the name its sender gave it. */
export function openFile(file: ImportJob['file']): CsvSource {
  return { name: file.name, chunks: createReadStream(file.path, { highWaterMark: READ_CHUNK_BYTES }) };
}

async function importPrices(database: Database, job: ImportJob, progress: Progress): Promise<PublishPlan> {
  const { principal, source } = job;
  const { parsed, offsets, basis, notes } = await readPrices(job, progress);
  failPoint('import.after-parse');
  if (source.priceBasis !== null && source.priceBasis !== basis)
    throw new FileRefusal(basisSentence(source.name, source.priceBasis, basis));
  const within = withinOwn(database, principal);
  const instrumentIds = await within((tx) => ensureInstruments(tx, parsed.symbols, parsed.currencies, source.calendar));
  const delivery: Delivery = { ...parsed, instrumentIds, offsets, knownAt: null };
  progress(0.5, `Judging ${parsed.rowCount.toLocaleString('en')} bars of ${parsed.symbols.length} symbols`);
  const judged = await judgeForSource(within, source, basis, delivery, job.now);
  failPoint('import.after-court');
  const staged = await stageBars(within, job.runId, delivery, judged, {
    onProgress: (fraction) =>
      progress(0.65 + 0.25 * fraction, `Copying ${judged.acceptedCount.toLocaleString('en')} bars`),
  });
  failPoint('import.after-staging');
  progress(0.92, 'Publishing');
  return {
    runId: job.runId,
    tables: [staged.bars],
    held: staged.held,
    cases: judged.cases,
    instrumentIds: [...instrumentIds],
    contentSha256: staged.contentSha256,
    counts: {
      rowCount: parsed.rowCount + parsed.errorCount,
      acceptedCount: judged.acceptedCount,
      unchangedCount: judged.unchangedCount,
      revisedCount: judged.revisedCount,
      quarantinedCount: judged.quarantinedCount,
      errorCount: parsed.errorCount,
    },
    errors: parsed.errors.slice(0, 100).map(placeOf),
    firstDay: staged.firstDay === null ? null : dayText(staged.firstDay),
    lastDay: staged.lastDay === null ? null : dayText(staged.lastDay),
    priceBasis: basis,
    fileSha256: parsed.contentSha256,
    note: notes.join(' '),
    reason: '',
    universeName: job.universeName,
  };
}

/** Judges bars beside what their source has told before. */
export async function judgeForSource(
  within: Within,
  source: Pick<ImportJob['source'], 'id' | 'calendar' | 'knownAtRule'>,
  basis: PriceBasis,
  delivery: Delivery,
  now: number,
) {
  let firstDay = delivery.day[0] ?? 0;
  let lastDay = firstDay;
  for (const day of delivery.day) {
    firstDay = Math.min(firstDay, day);
    lastDay = Math.max(lastDay, day);
  }
  const question = { sourceId: source.id, instrumentIds: [...delivery.instrumentIds], firstDay, lastDay };
  const told = await within(
    async (tx) => ({
      known: await loadKnownBars(tx, question),
      held: await loadHeldBars(tx, question),
      splits: await loadSplits(tx, question.instrumentIds),
      caseKeys: await loadCaseKeys(tx, source.id),
    }),
    { isolation: 'repeatable read', readOnly: true },
  );
  return judgeDelivery(delivery, { calendar: source.calendar, basis, rule: source.knownAtRule, now, ...told });
}
