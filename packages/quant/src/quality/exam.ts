import type { Bars } from '../series/bars.ts';
import type { Measures } from './bar-measures.ts';
import type { Finding, FindingKind } from './finding.ts';

export type Exam = { bars: Bars; measures: Measures; findings: Finding[] };

export function report(
  exam: Exam,
  kind: FindingKind,
  action: Finding['action'],
  rows: readonly [number, number],
  measure: number,
  limit: number,
  reason: string,
): void {
  const [firstRow, lastRow] = rows;
  const [firstDay, lastDay] = [exam.bars.day[firstRow]!, exam.bars.day[lastRow]!];
  exam.findings.push({ kind, action, firstRow, lastRow, firstDay, lastDay, measure, limit, reason });
}

export function percent(fraction: number): string {
  const value = 100 * fraction;
  return `${Math.abs(value) >= 10 ? value.toFixed(0) : value.toFixed(2)} %`;
}
