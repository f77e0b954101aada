/** What is planted and what is detected go by the same names. */
export const CHART_PATTERN_KINDS = [
  'head-and-shoulders',
  'inverse-head-and-shoulders',
  'double-top',
  'double-bottom',
  'triple-top',
  'triple-bottom',
  'ascending-triangle',
  'descending-triangle',
  'symmetric-triangle',
  'rising-wedge',
  'falling-wedge',
  'rectangle',
  'bull-flag',
  'bear-flag',
  'cup-and-handle',
  'inverse-cup-and-handle',
] as const;
export type ChartPatternKind = (typeof CHART_PATTERN_KINDS)[number];
