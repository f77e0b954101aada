import type { CourtSettings } from './court-settings.ts';
import { type Exam, report } from './exam.ts';

/** After a long silence a ticker may belong to another company. Where a step said so already, once is enough. */
export function findSilences(exam: Exam, settings: CourtSettings): void {
  const silences = exam.findings.filter((f) => f.kind === 'missing-bars' && f.measure >= settings.silenceMin);
  for (const { firstRow, lastRow, measure } of silences) {
    if (exam.findings.some((f) => f.kind === 'ticker-reuse' && f.firstRow === firstRow)) continue;
    const reason = `The ticker was silent for ${measure} sessions; the bars before may belong to another company.`;
    report(exam, 'ticker-reuse', 'note', [firstRow, lastRow], measure, settings.silenceMin, reason);
  }
}
