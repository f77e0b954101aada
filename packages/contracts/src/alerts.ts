import { z } from 'zod';
import { count, id, idParam, instant, page, pageQuery } from './fields.ts';
import { defineRoute } from './route.ts';

export const alertSeverity = z
  .enum(['info', 'warning', 'critical'])
  .meta({ description: 'How much it matters.', example: 'warning' });
export const alertState = z.enum(['open', 'acknowledged', 'resolved']).meta({
  description: 'open: nobody has seen it; acknowledged: somebody has, its cause is still there; resolved: history.',
  example: 'open',
});

export const alert = z.object({
  id,
  tenantId: id.meta({ description: '0: it is about the whole installation.', example: 7 }),
  kind: z.string().meta({ description: 'stage.what', example: 'data.stale' }),
  severity: alertSeverity,
  state: alertState,
  title: z.string().meta({ description: 'What happened.', example: 'My universe is 4 trading days old' }),
  detail: z.string().meta({
    description: 'What it means and what to do.',
    example: 'Its last bar is of 2026-01-09. Start a refresh, or look at the source for what is missing.',
  }),
  subjectKind: z.string().meta({ description: 'What it is about.', example: 'universe' }),
  subjectId: z.string().meta({ description: 'Its number or name.', example: '3' }),
  times: count.meta({ description: 'How often it was raised while open.', example: 1 }),
  raisedAt: instant,
  lastRaisedAt: instant,
  acknowledgedAt: instant.nullable(),
  acknowledgedBy: id.nullable(),
  resolvedAt: instant.nullable(),
});
export type Alert = z.infer<typeof alert>;

/** Alerts whose cause is still there and that nobody has acknowledged, by severity. */
export const openAlerts = z.object({ info: count, warning: count, critical: count });

const alertParams = z.object({ alertId: idParam });

export const listAlerts = defineRoute({
  id: 'listAlerts',
  method: 'GET',
  path: '/alerts',
  group: 'diagnostics',
  summary: 'What somebody should see, newest first; those of the installation only for its operator',
  scope: 'system:read',
  query: pageQuery.extend({ state: alertState.optional(), severity: alertSeverity.optional() }),
  status: 200,
  answer: page(alert).extend({
    open: openAlerts.meta({ description: 'Of all alerts the caller may see, whatever was asked for.' }),
  }),
  problems: [],
});
export const acknowledgeAlert = defineRoute({
  id: 'acknowledgeAlert',
  method: 'POST',
  path: '/alerts/:alertId/acknowledge',
  group: 'diagnostics',
  summary: 'Say that it was seen. It is resolved by itself when its cause is gone; doing this twice changes nothing',
  scope: 'task:write',
  params: alertParams,
  status: 200,
  answer: alert,
  problems: ['NOT_FOUND', 'NOT_POSSIBLE_NOW'],
});
export const watchAlerts = defineRoute({
  id: 'watchAlerts',
  method: 'GET',
  path: '/alerts/events',
  group: 'diagnostics',
  summary: 'Server-sent events: `alert` with an alert each time one is raised, acknowledged or resolved',
  scope: 'system:read',
  gives: 'events',
  status: 200,
  problems: [],
});
