import { z } from 'zod';
import { openAlerts } from './alerts.ts';
import { count, day, fraction, id, idParam, instant, page, pageQuery, sha256 } from './fields.ts';
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

const milliseconds = z.number().meta({ description: 'Milliseconds.', example: 12.5 });

/** How old the prices of a universe are, in trading days of its calendar. */
export const freshness = z.object({
  universeId: id,
  universeName: z.string().meta({ example: 'My universe' }),
  tenantId: id,
  sourceCode: z.string().meta({ example: 'my-prices' }),
  sourceKind: z.string().meta({ example: 'file' }),
  calendar: z.string().meta({ example: 'XNYS' }),
  lastDay: day.nullable().meta({ description: 'Last day with a published bar; null when there is none.' }),
  ageTradingDays: count
    .nullable()
    .meta({ description: 'Finished trading days after it; null without bars.', example: 1 }),
  isExpectedFresh: z.boolean().meta({
    description: 'True when a feed or a schedule keeps it current; a history from a file is as old as it is.',
    example: true,
  }),
  isStale: z.boolean().meta({ description: 'Expected to be fresh and more than 2 trading days old.', example: false }),
  reason: z.string().nullable().meta({ description: 'Why a figure is null.', example: null }),
});
export type Freshness = z.infer<typeof freshness>;

/** An optional part of the installation, and what is used in its place. */
export const part = z.object({
  name: z.string().meta({ example: 'redis' }),
  state: z.enum(['in use', 'fall-back', 'off']).meta({ example: 'fall-back' }),
  sentence: z.string().meta({ example: 'Caches and limits live in this process and in the database.' }),
});
export type Part = z.infer<typeof part>;

export const getHealth = defineRoute({
  id: 'getHealth',
  method: 'GET',
  path: '/diagnostics/health',
  group: 'diagnostics',
  summary: 'Is all well? Age of the data, queue, pool, cache, disk, alerts, and what is used in place of what',
  scope: 'system:read',
  status: 200,
  answer: z.object({
    ok: z.boolean().meta({ description: 'False when there is at least one reason below.', example: true }),
    reasons: z.array(z.string()).meta({ description: 'What is wrong, in sentences.', example: [] }),
    version: z.string().meta({ example: '0.1.0' }),
    codeVersion: z.string().meta({ example: '0.1.0+d63e325' }),
    startedAt: instant,
    migration: z
      .string()
      .nullable()
      .meta({ description: 'The newest in force.', example: '202611221300_create_alerts' }),
    freshness: z.array(freshness),
    queue: z.object({
      queued: count,
      running: count,
      failed: count,
      oldestWaitingSeconds: z.number().nullable().meta({ description: 'Null when nothing waits.', example: null }),
    }),
    pool: z.object({
      size: count.meta({ description: 'Connections open now.', example: 4 }),
      max: count.meta({ example: 10 }),
      idle: count,
      waiting: count.meta({ description: 'Who waits for a connection now.', example: 0 }),
      waitMsP95: milliseconds.nullable().meta({ description: 'Of the last 1,000; null before the first.' }),
      waitMsMax: milliseconds.nullable(),
    }),
    cache: z
      .object({
        kind: z.string().meta({ example: 'in-process' }),
        hits: count,
        misses: count,
        hitFraction: fraction.nullable().meta({ description: 'Null before the first read.', example: 0.93 }),
      })
      .nullable()
      .meta({ description: 'Null when nothing counts its hits.' }),
    eventLoopDelayMsP99: milliseconds,
    memory: z.object({ residentBytes: count, heapBytes: count }),
    disk: z.object({ freeBytes: count, totalBytes: count, freeFraction: fraction }),
    alerts: openAlerts,
    parts: z.array(part),
  }),
  problems: [],
});

export const slowQuery = z.object({
  id,
  text: z.string().meta({
    description: 'The statement with every value replaced: it holds no data.',
    example: 'SELECT * FROM task WHERE id = $1',
  }),
  count: count.meta({ description: 'How often it took longer than the threshold.', example: 12 }),
  totalMs: milliseconds,
  meanMs: milliseconds,
  p95Ms: milliseconds.meta({ description: 'Of its last 100 slow runs.' }),
  maxMs: milliseconds,
  firstSeenAt: instant,
  lastSeenAt: instant,
  planChangedAt: instant.nullable().meta({ description: 'When its plan was last another one; null: never.' }),
});
export const plan = z.object({
  text: z.string().meta({ description: "The database's plan, without costs.", example: 'Seq Scan on task' }),
  takenAt: instant,
});
export const listSlowQueries = defineRoute({
  id: 'listSlowQueries',
  method: 'GET',
  path: '/diagnostics/slow-queries',
  group: 'diagnostics',
  summary: 'Statements that took longer than the threshold; at most 200 are kept',
  scope: 'system:read',
  query: z.object({
    sort: z
      .enum(['total', 'max', 'p95', 'count', 'recent'])
      .default('total')
      .meta({ description: 'What comes first.', example: 'total' }),
    limit: pageQuery.shape.limit,
  }),
  status: 200,
  answer: z.object({
    thresholdMs: milliseconds.meta({ description: 'Anything slower is kept.', example: 100 }),
    items: z.array(slowQuery),
  }),
  problems: [],
});
export const getSlowQuery = defineRoute({
  id: 'getSlowQuery',
  method: 'GET',
  path: '/diagnostics/slow-queries/:queryId',
  group: 'diagnostics',
  summary: 'One slow statement with its plan, and the plan before that',
  scope: 'system:read',
  params: z.object({ queryId: idParam }),
  status: 200,
  answer: slowQuery.extend({
    plan: plan.nullable(),
    planReason: z.string().nullable().meta({ description: 'Why there is no plan.', example: null }),
    previousPlan: plan.nullable().meta({ description: 'Null when the plan never changed.' }),
    planDiff: z
      .array(
        z.object({
          change: z.enum(['same', 'added', 'removed']).meta({ example: 'same' }),
          line: z.string().meta({ example: 'Index Scan using task_pkey on task' }),
        }),
      )
      .meta({ description: 'From the previous plan to this one; empty when it never changed.' }),
  }),
  problems: ['NOT_FOUND'],
});
