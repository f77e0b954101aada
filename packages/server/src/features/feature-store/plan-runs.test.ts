import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { barsAsKnown, type History } from '../../market-data/index.ts';
import { planRuns, type WantedRow } from './plan-runs.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Days of the made-up histories, counted from 1970. */
const FIRST_DAY = 19_000;
const DAY_COUNT = 24;
const closeOf = (day: number) => day * DAY_MS + 21 * HOUR_MS;

type Told = { day: number; late: number; life: number | null; close: number | null };

/** Bars told on time, and some told late, again, without a price, or taken back; splits, dividends and suspected steps. */
const histories: fc.Arbitrary<History> = fc
  .record({
    missing: fc.uniqueArray(fc.nat(DAY_COUNT - 1), { maxLength: 4 }),
    again: fc.array(
      fc.record({
        day: fc.nat(DAY_COUNT - 1),
        late: fc.integer({ min: 0, max: 8 }),
        life: fc.option(fc.integer({ min: 1, max: 5 })),
        close: fc.option(fc.integer({ min: 5, max: 200 }), { freq: 6 }),
      }),
      { maxLength: 6 },
    ),
    actions: fc.array(
      fc.record({
        day: fc.nat(DAY_COUNT - 1),
        isSplit: fc.boolean(),
        value: fc.constantFrom(0.5, 2, 3),
        late: fc.integer({ min: -4, max: 6 }),
        life: fc.option(fc.integer({ min: 1, max: 5 })),
      }),
      { maxLength: 3 },
    ),
    suspects: fc.uniqueArray(fc.nat(DAY_COUNT - 1), { maxLength: 2 }),
    delivered: fc.constantFrom('raw', 'split_adjusted', 'total_return', null),
  })
  .map(({ missing, again, actions, suspects, delivered }) => {
    const onTime = Array.from(
      { length: DAY_COUNT },
      (_, day): Told => ({ day, late: 0, life: null, close: 50 + ((day * 7) % 11) }),
    );
    const told = [...onTime.filter(({ day }) => !missing.includes(day)), ...again];
    const rows = told
      .map(({ day, late, life, close }) => {
        const knownAt = closeOf(FIRST_DAY + day + late);
        return {
          day: FIRST_DAY + day,
          knownAt,
          until: life === null ? Number.POSITIVE_INFINITY : knownAt + life * DAY_MS,
          close: close ?? Number.NaN,
        };
      })
      .sort((a, b) => a.day - b.day || a.knownAt - b.knownAt);
    const column = (pick: (row: (typeof rows)[number]) => number) => Float64Array.from(rows, pick);
    const prices = column(({ close }) => close);
    return {
      ...{ instrumentId: 1, sourceId: 1, delivered },
      tellings: {
        day: Int32Array.from(rows, ({ day }) => day),
        knownAt: column(({ knownAt }) => knownAt),
        until: column(({ until }) => until),
        ...{ open: prices, high: prices, low: prices, close: prices, volume: column(() => 1_000) },
      },
      actions: actions
        .map(({ day, isSplit, value, late, life }) => {
          const knownAt = closeOf(FIRST_DAY + day + late);
          const until = life === null ? Number.POSITIVE_INFINITY : knownAt + life * DAY_MS;
          return {
            day: FIRST_DAY + day,
            kind: isSplit ? ('split' as const) : ('dividend' as const),
            value,
            knownAt,
            until,
          };
        })
        .sort((a, b) => a.day - b.day || (a.kind > b.kind ? -1 : a.kind < b.kind ? 1 : a.knownAt - b.knownAt)),
      suspectDays: Int32Array.from(suspects, (day) => FIRST_DAY + day).sort(),
    };
  });

const wantedRows: fc.Arbitrary<WantedRow[]> = fc.array(
  fc
    .record({ asOf: fc.nat(DAY_COUNT + 3), later: fc.integer({ min: -3, max: 12 }), hour: fc.constantFrom(0, 1) })
    .map(({ asOf, later, hour }) => ({
      asOf: FIRST_DAY + asOf,
      knownAt: closeOf(FIRST_DAY + asOf + later) - hour * HOUR_MS,
    })),
  { minLength: 1, maxLength: 12 },
);

test('what a row sees in a shared pass is what reading its own moment gives, bit for bit', () => {
  fc.assert(
    fc.property(histories, wantedRows, (history, rows) => {
      const { runs, eventDays } = planRuns(history, rows);
      const places = new Map(
        runs.flatMap(({ bars, rows: members }) => members.map(({ row, at }) => [row, { bars, at }])),
      );
      for (const [row, { asOf, knownAt }] of rows.entries()) {
        const own = barsAsKnown(history, asOf, knownAt).bars;
        assert.equal(eventDays[row], own.day.at(-1) ?? null);
        const place = places.get(row);
        if (own.day.length === 0) {
          assert.equal(place, undefined);
          continue;
        }
        assert.ok(place !== undefined);
        assert.equal(place.at, own.day.length - 1);
        for (const name of ['day', 'close', 'volume'] as const)
          assert.deepEqual(place.bars[name].slice(0, place.at + 1), own[name], `${name} of row ${row}`);
      }
    }),
    { numRuns: 600 },
  );
});

test('rows of a history that was never revised share one pass', () => {
  const day = Int32Array.from({ length: 100 }, (_, i) => FIRST_DAY + i);
  const prices = Float64Array.from(day, (value) => 10 + (value % 7));
  const history: History = {
    ...{ instrumentId: 1, sourceId: 1, delivered: 'total_return', actions: [], suspectDays: new Int32Array(0) },
    tellings: {
      ...{ day, knownAt: Float64Array.from(day, closeOf), until: new Float64Array(100).fill(Number.POSITIVE_INFINITY) },
      ...{ open: prices, high: prices, low: prices, close: prices, volume: prices },
    },
  };
  const rows = Array.from(day, (asOf) => ({ asOf, knownAt: closeOf(asOf) }));
  assert.equal(planRuns(history, rows).runs.length, 1);
});
