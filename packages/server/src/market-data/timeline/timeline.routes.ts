import { getTimeline } from '@touchstone/contracts/data';
import type { Serve } from '../../platform/http/serve.ts';
import type { TimelineService } from './timeline.service.ts';

export function registerTimelineRoutes(serve: Serve, service: TimelineService): void {
  serve(getTimeline, ({ caller }) => service.get(caller));
}
