import type { Run } from '@touchstone/contracts/data';
import { Badge } from './ui.tsx';

/** Where a delivery stands. A retracted one stays published for those who look from before. */
export function RunState({ run }: { run: Pick<Run, 'state' | 'retractedAt'> }) {
  if (run.retractedAt !== null) return <Badge tone="warn">retracted</Badge>;
  if (run.state === 'published') return <Badge>published</Badge>;
  if (run.state === 'staging') return <Badge tone="accent">staging</Badge>;
  return <Badge tone="bad">{run.state}</Badge>;
}
