import type { SimulatedTruth } from '@touchstone/contracts/data';
import { dayNumber, dayText } from '@touchstone/quant/series/day';
import { CALENDAR_CODES, tradingDays } from '@touchstone/quant/series/trading-calendar';
import { z } from 'zod';
import { createRecent } from '../../platform/cache/recent.ts';
import { type Database, SYSTEM_PRINCIPAL, type Transaction } from '../../platform/database/database.ts';
import type { ObjectStore } from '../../platform/object-store/object-store.ts';
import { found } from '../../platform/problem-error.ts';
import { countAnswered, FAULT_KINDS, findAnswered } from './planted-faults.ts';
import * as repository from './simulated-market.repository.ts';
import { SOURCE } from './simulated-market.service.ts';

/** What is read of the stored truth; it holds more. Days are day numbers. */
const storedTruth = z.object({
  seed: z.int(),
  settings: z.object({
    difficulty: z.string(),
    first: z.string(),
    calendar: z.enum(CALENDAR_CODES),
  }),
  symbols: z.array(z.string()),
  regime: z.array(z.int()),
  jumps: z.array(z.object({ day: z.int(), instrumentIndex: z.int().nullable(), size: z.number() })),
  faults: z.array(
    z.object({
      kind: z.enum(FAULT_KINDS),
      instrumentIndex: z.int(),
      firstDay: z.int(),
      lastDay: z.int(),
      columns: z.array(z.enum(['open', 'high', 'low', 'close'])),
      relativeError: z.number().nullable(),
      correctedKnownAt: z.number().nullable(),
    }),
  ),
  splits: z.array(z.object({ instrumentIndex: z.int(), exDay: z.int(), ratio: z.number(), announcedDay: z.int() })),
  delistings: z.array(
    z.object({
      instrumentIndex: z.int(),
      lastDay: z.int(),
      finalPrice: z.number(),
      reason: z.enum(['bankruptcy', 'acquisition']),
    }),
  ),
});
type StoredTruth = z.infer<typeof storedTruth>;

const REGIMES = ['bull', 'sideways', 'bear'] as const;

export type TruthService = ReturnType<typeof createTruthService>;

/** What was planted in the simulated market, from the record kept before the court saw the market. */
export function createTruthService({ database, objects }: { database: Database; objects: ObjectStore }) {
  const recent = createRecent<SimulatedTruth>(1);
  return {
    /** The same for every tenant. @throws NOT_FOUND before the market is there */
    async get(): Promise<SimulatedTruth> {
      return database.transaction(
        SYSTEM_PRINCIPAL,
        async (tx) => {
          const missing = 'There is no simulated market here yet.';
          const source = found(await repository.findPublishedSource(tx, SOURCE), missing);
          const sha256 = found(await repository.findTruthSha256(tx), missing);
          // A later publication of the source may bring findings.
          return recent.get(`${sha256} ${source.publishedAt}`, async () => {
            const stored = storedTruth.parse(JSON.parse((await objects.get(sha256)).toString('utf8')));
            return tell(tx, stored, { sha256, sourceId: source.id });
          });
        },
        { readOnly: true, isolation: 'repeatable read' },
      );
    },
  };
}

async function tell(
  tx: Transaction,
  truth: StoredTruth,
  { sha256, sourceId }: { sha256: string; sourceId: number },
): Promise<SimulatedTruth> {
  const sessions = sessionsOf(truth);
  const symbolOf = (index: number) => found(truth.symbols[index], `The truth has no company ${index}.`);
  const listed = await repository.findListedSymbols(tx, sourceId);
  const ids = new Map(listed.map(({ symbol, instrumentId }) => [symbol, instrumentId]));
  const answered = findAnswered(
    truth.faults.map((fault) => ({ ...fault, instrumentId: ids.get(symbolOf(fault.instrumentIndex)) })),
    await repository.findFindings(tx, sourceId),
    sessions,
  );
  const faults = truth.faults.map(({ kind, instrumentIndex, columns, relativeError, ...fault }, index) => ({
    ...{ kind, columns, relativeError, symbol: symbolOf(instrumentIndex), found: answered[index] ?? false },
    firstDay: dayText(fault.firstDay),
    lastDay: dayText(fault.lastDay),
    correctedKnownAt: fault.correctedKnownAt === null ? null : new Date(fault.correctedKnownAt).toISOString(),
  }));
  return {
    seed: truth.seed,
    settings: truth.settings.difficulty,
    truthSha256: sha256,
    sourceId,
    firstDay: dayText(sessions[0]!),
    lastDay: dayText(sessions.at(-1)!),
    regimes: spellsOf(truth.regime, sessions),
    jumps: truth.jumps.map(({ day, instrumentIndex, size }) => ({
      day: dayText(day),
      symbol: instrumentIndex === null ? null : symbolOf(instrumentIndex),
      size,
    })),
    faults,
    splits: truth.splits.map(({ instrumentIndex, exDay, ratio, announcedDay }) => ({
      ...{ symbol: symbolOf(instrumentIndex), ratio },
      day: dayText(exDay),
      announcedDay: dayText(announcedDay),
    })),
    delistings: truth.delistings.map(({ instrumentIndex, lastDay, ...rest }) => ({
      ...rest,
      symbol: symbolOf(instrumentIndex),
      lastDay: dayText(lastDay),
    })),
    byKind: countAnswered(faults),
  };
}

/** Day numbers of the sessions, one for each entry of the regime. */
function sessionsOf({ settings, regime }: StoredTruth): Int32Array {
  const first = dayNumber(settings.first);
  // Every year has more than 240 sessions.
  const last = first + Math.ceil((regime.length / 240 + 1) * 366);
  return tradingDays(settings.calendar, first, last).slice(0, regime.length);
}

/** Runs of the same regime, as days. */
function spellsOf(regime: readonly number[], sessions: Int32Array): SimulatedTruth['regimes'] {
  const spells: SimulatedTruth['regimes'] = [];
  regime.forEach((code, index) => {
    const name = found(REGIMES[code], `The truth has no regime ${code}.`);
    const day = dayText(sessions[index]!);
    const last = spells.at(-1);
    if (last?.regime === name) last.lastDay = day;
    else spells.push({ regime: name, firstDay: day, lastDay: day });
  });
  return spells;
}
