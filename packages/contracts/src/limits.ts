import { z } from 'zod';
import { count } from './fields.ts';
import { defineRoute } from './route.ts';

export const limit = z.object({
  name: z.enum(['auth', 'address', 'account', 'tenant']).meta({
    description: 'What is counted: sign-in by address, strangers by address, one user or API key, a whole tenant.',
    example: 'account',
  }),
  requestsPerMinute: count.meta({ description: 'Refilled evenly over the minute.', example: 6000 }),
  burst: count.meta({ description: 'As many at once after a quiet minute.', example: 6000 }),
  remaining: count.nullable().meta({
    description: 'About what is left to the caller now; null where the caller is not counted.',
    example: 5990,
  }),
});

export const getLimits = defineRoute({
  id: 'getLimits',
  method: 'GET',
  path: '/diagnostics/limits',
  group: 'diagnostics',
  summary: 'How many requests are allowed, and what the caller has left',
  scope: 'system:read',
  status: 200,
  answer: z.object({
    store: z.enum(['database', 'redis', 'none']).meta({ description: 'Where it is counted.', example: 'database' }),
    degraded: z
      .boolean()
      .meta({ description: 'True while the store does not answer and each process counts by itself.', example: false }),
    items: z.array(limit),
  }),
  problems: [],
});
