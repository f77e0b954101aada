import type { BarColumn, Indicator } from '../indicator.ts';
import { advanceCandles, CANDLE_MEANS, type CandleMean, type CandlePattern } from './candle-block.ts';
import {
  breakaway,
  concealingBabySwallow,
  ladderBottom,
  matHold,
  risingFallingThreeMethods,
  threeBlackCrows,
  threeLineStrike,
} from './four-bars-and-more.ts';
import {
  advanceHikkake,
  advanceHikkakeModified,
  HIKKAKE_MODIFIED_STATE,
  HIKKAKE_MODIFIED_WARM_UP,
  HIKKAKE_STATE,
  HIKKAKE_WARM_UP,
} from './hikkake.ts';
import * as one from './one-bar.ts';
import * as three from './three-bars.ts';
import * as two from './two-bars.ts';

export { CANDLE_MEANINGS, type CandleMeaning } from './meanings.ts';

const INPUTS: readonly BarColumn[] = ['open', 'high', 'low', 'close'];
const SHARED = {
  family: 'candle',
  inputs: INPUTS,
  parameters: {},
  unit: 'signal',
  reference: { source: 'TA-Lib 0.8.1', tolerance: 0 },
} as const;

type MeanName = keyof typeof CANDLE_MEANS;

/** Patterns that need the same number of bars before them, in one indicator: they share bars, shadows and averages. */
function group(
  warmUp: number,
  means: readonly MeanName[],
  patterns: Readonly<Record<string, CandlePattern>>,
): Indicator {
  const detectors = Object.values(patterns);
  const sums: CandleMean[] = means.map((mean) => CANDLE_MEANS[mean]);
  return {
    ...SHARED,
    name: `candles_after_${warmUp}_bars`,
    title: `Candlestick patterns that need ${warmUp} bars before them`,
    outputs: Object.keys(patterns),
    warmUp,
    // Running sums remember in the last bit only: it shows where a body is exactly as long as the average.
    memory: sums.length === 0 ? { kind: 'window' } : { kind: 'recursive', settle: 0 },
    stateSize: sums.length,
    advance: (bars, from, to, state, out) => advanceCandles(detectors, sums, warmUp, bars, from, to, state, out),
  };
}

/**
 * The 61 candlestick patterns of TA-Lib, with its default candle settings and penetrations, equal to it on every bar.
 *
 * 100 is bullish, −100 bearish, 0 no pattern, ±80 a weaker form, ±200 a confirmed hikkake. TA-Lib writes 0 where a pattern
 * cannot be told yet; here it is NaN.
 */
export const CANDLE_INDICATORS: readonly Indicator[] = [
  group(2, [], { cdl_engulfing: two.engulfing, cdl_gap_3_methods: three.gapThreeMethods }),
  group(3, [], { cdl_3_outside: three.threeOutside }),
  {
    ...SHARED,
    name: 'cdl_hikkake',
    title: 'Hikkake',
    outputs: ['cdl_hikkake'],
    warmUp: HIKKAKE_WARM_UP,
    memory: { kind: 'window' },
    stateSize: HIKKAKE_STATE,
    advance: advanceHikkake,
  },
  {
    ...SHARED,
    name: 'cdl_hikkake_modified',
    title: 'Modified hikkake',
    outputs: ['cdl_hikkake_modified'],
    warmUp: HIKKAKE_MODIFIED_WARM_UP,
    memory: { kind: 'recursive', settle: 0 },
    stateSize: HIKKAKE_MODIFIED_STATE,
    advance: advanceHikkakeModified,
  },
  group(6, ['meanRangeAt1'], { cdl_matching_low: two.matchingLow }),
  group(7, ['meanRangeAt1', 'meanRangeAt2'], {
    cdl_gap_side_by_side_white: three.gapSideBySideWhite,
    cdl_stick_sandwich: three.stickSandwich,
    cdl_tasuki_gap: three.tasukiGap,
  }),
  group(8, ['meanRangeAt2', 'meanRangeAt3'], { cdl_3_line_strike: threeLineStrike }),
  group(10, ['meanBodyAt0', 'tinyAt0', 'shortShadowAt0', 'meanRangeAt0'], {
    cdl_belt_hold: one.beltHold,
    cdl_closing_marubozu: one.closingMarubozu,
    cdl_doji: one.doji,
    cdl_dragonfly_doji: one.dragonflyDoji,
    cdl_gravestone_doji: one.gravestoneDoji,
    cdl_high_wave: one.highWave,
    cdl_long_legged_doji: one.longLeggedDoji,
    cdl_long_line: one.longLine,
    cdl_marubozu: one.marubozu,
    cdl_rickshaw_man: one.rickshawMan,
    cdl_short_line: one.shortLine,
    cdl_spinning_top: one.spinningTop,
    cdl_takuri: one.takuri,
  }),
  group(11, ['meanBodyAt0', 'meanBodyAt1', 'tinyAt0', 'tinyAt1', 'meanRangeAt1'], {
    cdl_counterattack: two.counterattack,
    cdl_dark_cloud_cover: two.darkCloudCover,
    cdl_doji_star: two.dojiStar,
    cdl_hammer: two.hammer,
    cdl_hanging_man: two.hangingMan,
    cdl_harami: two.harami,
    cdl_harami_cross: two.haramiCross,
    cdl_homing_pigeon: two.homingPigeon,
    cdl_in_neck: two.inNeck,
    cdl_inverted_hammer: two.invertedHammer,
    cdl_kicking: two.kicking,
    cdl_kicking_by_length: two.kickingByLength,
    cdl_on_neck: two.onNeck,
    cdl_piercing: two.piercing,
    cdl_separating_lines: two.separatingLines,
    cdl_shooting_star: two.shootingStar,
    cdl_thrusting: two.thrusting,
  }),
  group(
    12,
    [
      ...(['meanBodyAt0', 'meanBodyAt1', 'meanBodyAt2', 'tinyAt0', 'tinyAt1', 'tinyAt2'] as const),
      ...(['shortShadowAt0', 'shortShadowAt1', 'shortShadowAt2', 'meanRangeAt1', 'meanRangeAt2'] as const),
    ],
    {
      cdl_2_crows: three.twoCrows,
      cdl_3_inside: three.threeInside,
      cdl_3_stars_in_south: three.threeStarsInSouth,
      cdl_3_white_soldiers: three.threeWhiteSoldiers,
      cdl_abandoned_baby: three.abandonedBaby,
      cdl_advance_block: three.advanceBlock,
      cdl_evening_doji_star: three.eveningDojiStar,
      cdl_evening_star: three.eveningStar,
      cdl_identical_3_crows: three.identicalThreeCrows,
      cdl_morning_doji_star: three.morningDojiStar,
      cdl_morning_star: three.morningStar,
      cdl_stalled_pattern: three.stalledPattern,
      cdl_tristar: three.tristar,
      cdl_unique_3_river: three.uniqueThreeRiver,
      cdl_upside_gap_2_crows: three.upsideGapTwoCrows,
    },
  ),
  group(13, ['tinyAt0', 'tinyAt1', 'tinyAt2', 'tinyAt3'], {
    cdl_3_black_crows: threeBlackCrows,
    cdl_concealing_baby_swallow: concealingBabySwallow,
  }),
  group(14, ['meanBodyAt0', 'meanBodyAt1', 'meanBodyAt2', 'meanBodyAt3', 'meanBodyAt4', 'tinyAt1'], {
    cdl_breakaway: breakaway,
    cdl_ladder_bottom: ladderBottom,
    cdl_mat_hold: matHold,
    cdl_rising_falling_3_methods: risingFallingThreeMethods,
  }),
];
