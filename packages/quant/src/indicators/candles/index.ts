import type { BarColumn, Indicator } from '../indicator.ts';
import {
  advanceCandles,
  CANDLE_MEANS,
  type CandleMean,
  type CandlePattern,
  eitherWay,
  long,
  lowerAboveBody,
  noLower,
  notLong,
  noUpper,
  shape,
  tinyBody,
  upperAboveBody,
} from './candle-block.ts';
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

export { CANDLE_MEANINGS } from './meanings.ts';

const INPUTS: readonly BarColumn[] = ['open', 'high', 'low', 'close'];
const SHARED = {
  family: 'candle',
  inputs: INPUTS,
  parameters: {},
  unit: 'signal',
  reference: { source: 'TA-Lib 0.8.1', tolerance: 0 },
  note: 'TA-Lib writes 0 for bars that cannot be told yet; here they are NaN.',
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
  group(2, [], {
    cdl_engulfing: { shapes: eitherWay('wb'), detect: two.engulfing },
    cdl_gap_3_methods: { shapes: eitherWay('wwb'), detect: three.gapThreeMethods },
  }),
  group(3, [], { cdl_3_outside: { shapes: eitherWay('wb.'), detect: three.threeOutside } }),
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
  group(6, ['meanRangeAt1'], { cdl_matching_low: { shapes: [shape('bb')], detect: two.matchingLow } }),
  group(7, ['meanRangeAt1', 'meanRangeAt2'], {
    cdl_gap_side_by_side_white: { shapes: [shape('ww')], detect: three.gapSideBySideWhite },
    cdl_stick_sandwich: { shapes: [shape('bwb')], detect: three.stickSandwich },
    cdl_tasuki_gap: { shapes: eitherWay('wb'), detect: three.tasukiGap },
  }),
  group(8, ['meanRangeAt2', 'meanRangeAt3'], {
    cdl_3_line_strike: { shapes: eitherWay('wwwb'), detect: threeLineStrike },
  }),
  group(10, ['meanBodyAt0', 'tinyAt0', 'shortShadowAt0', 'meanRangeAt0'], {
    cdl_belt_hold: { shapes: [shape('w', long(0), noLower), shape('b', long(0), noUpper)], detect: one.beltHold },
    cdl_closing_marubozu: {
      shapes: [shape('w', long(0), noUpper), shape('b', long(0), noLower)],
      detect: one.closingMarubozu,
    },
    cdl_doji: { shapes: [tinyBody(0)], detect: one.doji },
    cdl_dragonfly_doji: { shapes: [shape('', tinyBody(0), noUpper)], detect: one.dragonflyDoji },
    cdl_gravestone_doji: { shapes: [shape('', tinyBody(0), noLower)], detect: one.gravestoneDoji },
    cdl_high_wave: { shapes: [shape('', notLong(0), upperAboveBody, lowerAboveBody)], detect: one.highWave },
    cdl_long_legged_doji: {
      shapes: [shape('', tinyBody(0), lowerAboveBody), shape('', tinyBody(0), upperAboveBody)],
      detect: one.longLeggedDoji,
    },
    cdl_long_line: { shapes: [long(0)], detect: one.longLine },
    cdl_marubozu: { shapes: [shape('', long(0), noUpper, noLower)], detect: one.marubozu },
    cdl_rickshaw_man: { shapes: [shape('', tinyBody(0), upperAboveBody, lowerAboveBody)], detect: one.rickshawMan },
    cdl_short_line: { shapes: [notLong(0)], detect: one.shortLine },
    cdl_spinning_top: { shapes: [shape('', notLong(0), upperAboveBody, lowerAboveBody)], detect: one.spinningTop },
    cdl_takuri: { shapes: [shape('', tinyBody(0), noUpper)], detect: one.takuri },
  }),
  group(11, ['meanBodyAt0', 'meanBodyAt1', 'tinyAt0', 'tinyAt1', 'meanRangeAt1'], {
    cdl_counterattack: { shapes: eitherWay('wb', long(1), long(0)), detect: two.counterattack },
    cdl_dark_cloud_cover: { shapes: [shape('wb', long(1))], detect: two.darkCloudCover },
    cdl_doji_star: { shapes: [shape('', long(1), tinyBody(0))], detect: two.dojiStar },
    cdl_hammer: { shapes: [shape('', notLong(0), lowerAboveBody, noUpper)], detect: two.hammer },
    cdl_hanging_man: { shapes: [shape('', notLong(0), lowerAboveBody, noUpper)], detect: two.hangingMan },
    cdl_harami: { shapes: [shape('', long(1), notLong(0))], detect: two.harami },
    cdl_harami_cross: { shapes: [shape('', long(1), tinyBody(0))], detect: two.haramiCross },
    cdl_homing_pigeon: { shapes: [shape('bb', long(1), notLong(0))], detect: two.homingPigeon },
    cdl_in_neck: { shapes: [shape('bw', long(1))], detect: two.inNeck },
    cdl_inverted_hammer: { shapes: [shape('', notLong(0), upperAboveBody, noLower)], detect: two.invertedHammer },
    cdl_kicking: { shapes: eitherWay('wb', long(1), long(0), noUpper, noLower), detect: two.kicking },
    cdl_kicking_by_length: { shapes: eitherWay('wb', long(1), long(0), noUpper, noLower), detect: two.kickingByLength },
    cdl_on_neck: { shapes: [shape('bw', long(1))], detect: two.onNeck },
    cdl_piercing: { shapes: [shape('bw', long(1), long(0))], detect: two.piercing },
    cdl_separating_lines: {
      shapes: [shape('bw', long(0), noLower), shape('wb', long(0), noUpper)],
      detect: two.separatingLines,
    },
    cdl_shooting_star: { shapes: [shape('', notLong(0), upperAboveBody, noLower)], detect: two.shootingStar },
    cdl_thrusting: { shapes: [shape('bw', long(1))], detect: two.thrusting },
  }),
  group(
    12,
    [
      ...(['meanBodyAt0', 'meanBodyAt1', 'meanBodyAt2', 'tinyAt0', 'tinyAt1', 'tinyAt2'] as const),
      ...(['shortShadowAt0', 'shortShadowAt1', 'shortShadowAt2', 'meanRangeAt1', 'meanRangeAt2'] as const),
    ],
    {
      cdl_2_crows: { shapes: [shape('wbb', long(2))], detect: three.twoCrows },
      cdl_3_inside: { shapes: eitherWay('w.b', long(2), notLong(1)), detect: three.threeInside },
      cdl_3_stars_in_south: {
        shapes: [shape('bbb', long(2), notLong(0), noUpper, noLower)],
        detect: three.threeStarsInSouth,
      },
      cdl_3_white_soldiers: { shapes: [shape('www', long(0), noUpper)], detect: three.threeWhiteSoldiers },
      cdl_abandoned_baby: { shapes: eitherWay('w.b', long(2), tinyBody(1), long(0)), detect: three.abandonedBaby },
      cdl_advance_block: { shapes: [shape('www', long(2))], detect: three.advanceBlock },
      cdl_evening_doji_star: { shapes: [shape('w.b', long(2), tinyBody(1), long(0))], detect: three.eveningDojiStar },
      cdl_evening_star: { shapes: [shape('w.b', long(2), notLong(1), long(0))], detect: three.eveningStar },
      cdl_identical_3_crows: { shapes: [shape('bbb', noLower)], detect: three.identicalThreeCrows },
      cdl_morning_doji_star: { shapes: [shape('b.w', long(2), tinyBody(1), long(0))], detect: three.morningDojiStar },
      cdl_morning_star: { shapes: [shape('b.w', long(2), notLong(1), long(0))], detect: three.morningStar },
      cdl_stalled_pattern: { shapes: [shape('www', long(2), long(1), notLong(0))], detect: three.stalledPattern },
      cdl_tristar: { shapes: [tinyBody(2)], detect: three.tristar },
      cdl_unique_3_river: { shapes: [shape('bbw', long(2), notLong(0))], detect: three.uniqueThreeRiver },
      cdl_upside_gap_2_crows: { shapes: [shape('wbb', long(2), notLong(1))], detect: three.upsideGapTwoCrows },
    },
  ),
  group(13, ['tinyAt0', 'tinyAt1', 'tinyAt2', 'tinyAt3'], {
    cdl_3_black_crows: { shapes: [shape('wbbb', noLower)], detect: threeBlackCrows },
    cdl_concealing_baby_swallow: { shapes: [shape('bbbb')], detect: concealingBabySwallow },
  }),
  group(14, ['meanBodyAt0', 'meanBodyAt1', 'meanBodyAt2', 'meanBodyAt3', 'meanBodyAt4', 'tinyAt1'], {
    cdl_breakaway: { shapes: eitherWay('ww.wb', long(4)), detect: breakaway },
    cdl_ladder_bottom: { shapes: [shape('bbbbw')], detect: ladderBottom },
    cdl_mat_hold: { shapes: [shape('wb..w', long(4), notLong(3), notLong(2), notLong(1))], detect: matHold },
    cdl_rising_falling_3_methods: {
      shapes: eitherWay('wbbbw', long(4), notLong(3), notLong(2), notLong(1), long(0)),
      detect: risingFallingThreeMethods,
    },
  }),
];
