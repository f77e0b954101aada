// The injector was frozen first and owns the names: what is planted and what is detected go by the same ones.
export { CHART_PATTERN_KINDS, type ChartPatternKind } from '../simulate/pattern-injector.ts';
