import { z } from 'zod';
import { count, id, instant, page, pageQuery, sha256 } from './fields.ts';
import { defineRoute } from './route.ts';
import { accepted } from './tasks.ts';

export const getStatus = defineRoute({
  id: 'getStatus',
  method: 'GET',
  path: '/diagnostics/status',
  group: 'diagnostics',
  summary: 'How the installation is: versions, database, sizes, what is in use and what is not',
  scope: 'system:read',
  status: 200,
  answer: z.object({
    version: z.string().meta({ example: '0.1.0+d63e325' }),
    startedAt: instant,
    database: z.object({
      kind: z.enum(['embedded', 'server']).meta({ example: 'embedded' }),
      version: z.string().meta({ example: '18.4' }),
      byteCount: count,
      migrations: z.array(z.string()).meta({ example: ['202611220900_create_ground'] }),
      partitioning: z.string().meta({ example: 'yearly partitions; timescaledb is not available' }),
    }),
    memory: z.object({ residentBytes: count, heapBytes: count }),
    eventLoopDelayMsP99: z.number().meta({ example: 4.2 }),
    diskFreeBytes: count,
    rows: z.array(z.object({ table: z.string().meta({ example: 'price_observation' }), estimate: count })),
    queue: z.object({ queued: count, running: count, failed: count }),
  }),
  problems: [],
});
export const evidenceRecord = z.object({
  sequence: count,
  recordedAt: instant,
  kind: z.string().meta({ example: 'run.published' }),
  subjectKind: z.string().meta({ example: 'run' }),
  subjectId: z.string().meta({ example: '12' }),
  actorId: id.nullable(),
  body: z.record(z.string(), z.unknown()).meta({ example: { rowCount: 10 } }),
  hash: sha256,
});
export const listEvidence = defineRoute({
  id: 'listEvidence',
  method: 'GET',
  path: '/diagnostics/evidence',
  group: 'diagnostics',
  summary: 'The hash chain of this tenant, newest first',
  scope: 'evidence:read',
  query: pageQuery.extend({
    subjectKind: z.string().max(64).optional().meta({ example: 'run' }),
    subjectId: z.string().max(128).optional().meta({ example: '12' }),
  }),
  status: 200,
  answer: page(evidenceRecord),
  problems: [],
});
export const startVerify = defineRoute({
  id: 'startVerify',
  method: 'POST',
  path: '/diagnostics/verify',
  group: 'diagnostics',
  summary: 'Walk the evidence chain and compute every content hash again, in the background',
  scope: 'evidence:read',
  status: 202,
  answer: accepted,
  problems: [],
});
export const trial = z.object({
  id,
  kind: z.string().meta({ example: 'index-run' }),
  name: z.string().meta({ example: 'My index, run 3' }),
  parameters: z.record(z.string(), z.unknown()).meta({ example: {} }),
  parametersSha256: sha256,
  datasetSha256: sha256.nullable(),
  codeVersion: z.string().meta({ example: '0.1.0+d63e325' }),
  seed: z.int().nullable().meta({ example: 1 }),
  outcome: z.enum(['finished', 'failed']).meta({ example: 'finished' }),
  result: z.record(z.string(), z.unknown()).meta({ example: {} }),
  imported: z.boolean().meta({ example: false }),
  createdAt: instant,
  createdBy: id.nullable(),
});
export const listTrials = defineRoute({
  id: 'listTrials',
  method: 'GET',
  path: '/diagnostics/trials',
  group: 'diagnostics',
  summary: 'The trials ledger: every evaluation ever run, newest first. Nobody can delete a row',
  scope: 'evidence:read',
  query: pageQuery.extend({ datasetSha256: sha256.optional() }),
  status: 200,
  answer: page(trial).extend({ distinctCount: count.meta({ description: 'Distinct parameters and data.' }) }),
  problems: [],
});
export const getPolicy = defineRoute({
  id: 'getPolicy',
  method: 'GET',
  path: '/diagnostics/policy',
  group: 'diagnostics',
  summary: 'Who may do what: roles, scopes and the scope each route asks for',
  scope: 'system:read',
  status: 200,
  answer: z.object({
    roles: z.record(z.string(), z.array(z.string())).meta({ example: { viewer: ['market:read'] } }),
    routes: z.array(
      z.object({ id: z.string().meta({ example: 'getIndex' }), scope: z.string().meta({ example: 'portfolio:read' }) }),
    ),
  }),
  problems: [],
});
