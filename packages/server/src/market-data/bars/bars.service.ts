import type { Bar } from '@touchstone/contracts/data';
import type { Database, Principal, Transaction } from '../../platform/database/database.ts';
import { found, ProblemError } from '../../platform/problem-error.ts';
import { findActions } from '../facts/corporate-actions.ts';
import { basisOf, findPriceSource } from '../facts/price-source.ts';
import { findBars, type KnownBar } from '../facts/read-bars.ts';
import { resolveTime, type TimeQuery } from '../facts/read-time.ts';
import { adjustBars, canAdjust, type PriceBasis } from './adjust-bars.ts';
import * as repository from './bars.repository.ts';

export type BarsQuery = TimeQuery & {
  sourceId?: number | undefined;
  from?: string | undefined;
  to?: string | undefined;
  basis?: PriceBasis | undefined;
};

/** Eighty years of one instrument. */
const BARS_MAX = 20_000;

export type BarsService = ReturnType<typeof createBarsService>;

export function createBarsService(database: Database) {
  return {
    /**
     * Bars as known at a moment, adjusted on read when another basis than the delivered one is asked for.
     *
     * @throws NOT_FOUND, NOT_POSSIBLE_NOW when adjusting would go backwards or the basis is not known.
     */
    async list(principal: Principal, instrumentId: number, query: BarsQuery) {
      return database.transaction(
        principal,
        async (tx) => {
          const instrument = found(
            await repository.findBarInstrument(tx, instrumentId),
            `There is no instrument ${instrumentId}.`,
          );
          const time = await resolveTime(tx, query);
          const source = await findSource(tx, instrumentId, query.sourceId, time.recordedAt);
          if (source === undefined)
            return { time, instrument, sourceId: null, basis: null, deliveredBasis: null, items: [] };
          const { id: sourceId, priceBasis: deliveredBasis } = source;
          const basis = query.basis ?? deliveredBasis;
          checkBasis(deliveredBasis, basis);
          // What happened after `to` must not move the prices before it, so the question is cut first and adjusted then.
          const bars = await findBars(tx, { instrumentId, sourceId, time, from: query.from, to: query.to });
          const adjusted =
            deliveredBasis === null || basis === null || basis === deliveredBasis
              ? bars
              : adjustBars(bars, await findActions(tx, instrumentId, time), deliveredBasis, basis);
          return { time, instrument, sourceId, basis, deliveredBasis, items: adjusted.slice(-BARS_MAX).map(barOf) };
        },
        { readOnly: true, isolation: 'repeatable read' },
      );
    },
    /** Everything ever told about one bar. @throws NOT_FOUND */
    async versions(principal: Principal, instrumentId: number, day: string) {
      return database.transaction(
        principal,
        async (tx) => {
          found(await repository.findBarInstrument(tx, instrumentId), `There is no instrument ${instrumentId}.`);
          return { items: await repository.findVersions(tx, instrumentId, day) };
        },
        { readOnly: true },
      );
    },
  };
}

/** The source asked for, else the one that told last. @throws NOT_FOUND */
async function findSource(tx: Transaction, instrumentId: number, asked: number | undefined, recordedAt: string) {
  if (asked === undefined) return findPriceSource(tx, instrumentId, recordedAt);
  const told = await repository.findBasis(tx, asked);
  if (told === undefined) throw new ProblemError('NOT_FOUND', `There is no source ${asked}.`);
  return { id: asked, priceBasis: basisOf(told) };
}

function checkBasis(delivered: PriceBasis | null, asked: PriceBasis | null): void {
  if (asked === null || asked === delivered) return;
  if (delivered !== null && canAdjust(delivered, asked)) return;
  const has = delivered === null ? 'have no known basis' : `are ${delivered.replace('_', ' ')}`;
  throw new ProblemError(
    'NOT_POSSIBLE_NOW',
    `These prices ${has}; an adjustment cannot be taken out again. Ask for ${delivered ?? 'no basis'} or import raw prices.`,
  );
}

/** A bar as the wire tells it. */
export function barOf(bar: KnownBar): Bar {
  const { day, open, high, low, close, volume, revision, runId, knownAt } = bar;
  return { day, open, high, low, close, volume, revision, runId, knownAt };
}
