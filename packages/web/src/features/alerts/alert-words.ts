import type { Alert } from '@touchstone/contracts/alerts';

export const SEVERITIES = ['critical', 'warning', 'info'] as const satisfies readonly Alert['severity'][];

export function severityTone(severity: Alert['severity']): 'bad' | 'warn' | 'accent' {
  if (severity === 'critical') return 'bad';
  return severity === 'warning' ? 'warn' : 'accent';
}

/** Where to look: the page of what an alert is about. */
export function subjectPlace({ kind, subjectKind, subjectId }: Alert): string | null {
  const isNumber = /^\d+$/.test(subjectId);
  if (subjectKind === 'disk' || subjectKind === 'process' || subjectKind === 'database') return '/operate';
  if (subjectKind === 'backup') return '/operate/backups';
  if (subjectKind === 'schedule') return '/tasks/schedules';
  if (subjectKind === 'task') return '/tasks';
  if (subjectKind === 'check') return '/evidence';
  if (!isNumber) return null;
  if (subjectKind === 'user') return `/settings/people/${subjectId}`;
  if (subjectKind === 'universe') return `/universes/${subjectId}`;
  if (subjectKind === 'index') return `/indexes/${subjectId}`;
  if (subjectKind === 'feed') return `/data/feeds/${subjectId}`;
  if (subjectKind === 'source') return kind.startsWith('feed') ? `/data/feeds/${subjectId}` : '/data';
  if (subjectKind === 'run') return `/data/runs/${subjectId}`;
  if (subjectKind === 'refresh') return `/data/refreshes/${subjectId}`;
  return null;
}
