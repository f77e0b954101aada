import type { CourtSettings } from './court-settings.ts';
import { type Exam, report } from './exam.ts';
import type { Finding } from './finding.ts';

/** After a long silence a ticker may belong to another company. Where a step said so already, once is enough. */
export function findSilences(exam: Exam, settings: CourtSettings): void {
  for (const finding of [...exam.findings]) {
    if (finding.kind !== 'missing-bars' || finding.measure < settings.silenceMin) continue;
    const isSaid = (other: Finding) => other.kind === 'ticker-reuse' && other.firstRow === finding.firstRow;
    if (exam.findings.some(isSaid)) continue;
    const reason = `The ticker was silent for ${finding.measure} sessions; the bars before may belong to another company.`;
    const rows = [finding.firstRow, finding.lastRow] as const;
    report(exam, 'ticker-reuse', 'note', rows, finding.measure, settings.silenceMin, reason);
  }
}
