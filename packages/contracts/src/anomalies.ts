import { z } from 'zod';
import { count, day, id, idParam, instant, page, pageQuery, timeAnswer, timeQuery, version } from './fields.ts';
import { reading, reason, subject, subjectKind, subjectParams } from './market.ts';
import { defineRoute } from './route.ts';

export const anomalyDetector = z
  .enum(['return', 'volume', 'volatility', 'correlation', 'isolation_forest', 'shock'])
  .meta({
    description:
      'return, volume, volatility: robust z against the past; correlation: a break with the rest of its market; isolation_forest: an odd combination; shock: a fall that is large for its volatility.',
    example: 'return',
  });
export type AnomalyDetector = z.infer<typeof anomalyDetector>;

export const anomalyState = z.enum(['open', 'confirmed', 'false']).meta({
  description: 'open: nobody has judged it; confirmed: somebody says it was real; false: a false alarm.',
  example: 'open',
});
export type AnomalyState = z.infer<typeof anomalyState>;

const share = z.number().min(0).max(1).nullable();

export const detectorReport = z.object({
  detector: anomalyDetector,
  label: z.string().meta({ description: 'For people.', example: 'Return, robust z' }),
  reason: reason.nullable().meta({ description: 'Why it says nothing; null when it works.', example: null }),
  threshold: z
    .number()
    .nullable()
    .meta({ description: 'Of the last day, tuned on days before it only.', example: 6.2 }),
  scoreToday: z.number().nullable().meta({ description: 'Of the last day, in units of the threshold.', example: 1.4 }),
  alarmsPerYear: z.number().nullable().meta({
    description:
      'Alarms a year on its own past with the thresholds of then. On real data every alarm counts as false until judged.',
    example: 2.4,
  }),
  alarmsPerYearMax: z.number().meta({ description: 'What the threshold is tuned to.', example: 3 }),
  measuredYears: z
    .number()
    .nullable()
    .meta({ description: 'Years it was measured on, 252 sessions each.', example: 8.2 }),
  alarmCount: count,
  judgedCount: count.meta({ description: 'Cases of this subject somebody judged.', example: 4 }),
  confirmedShare: share.meta({
    description: 'Share of the judged cases that were confirmed; null: none was judged.',
    example: 0.75,
  }),
});

export const anomaly = z.object({
  detector: anomalyDetector,
  day,
  score: z.number().meta({ description: 'In units of the detector; larger is odder.', example: 7.9 }),
  threshold: z.number().meta({ description: 'Of that day, from days before it.', example: 6.2 }),
  value: z
    .number()
    .nullable()
    .meta({ description: 'What was measured: return, volume, volatility, correlation.', example: -0.061 }),
  usual: z.number().nullable().meta({ description: 'Its median over the past it was held against.', example: 0.0004 }),
  alarmsPerYear: z.number().nullable().meta({ description: 'Of the detector, up to that day.', example: 2.4 }),
  sentence: z.string().meta({
    description: 'What was detected.',
    example: 'Return of -6.1 %: 7.9 robust deviations from the median of the year before.',
  }),
  caseId: id.nullable().meta({ description: 'Its case, once it was put on record.', example: 5 }),
  state: anomalyState.nullable(),
});
export type Anomaly = z.infer<typeof anomaly>;

export const anomalies = reading.extend({
  reason: reason.nullable().meta({ description: 'Why nothing can be said at all; null otherwise.', example: null }),
  note: z.string().meta({
    description: 'Must stand beside the list.',
    example: 'Detects what was unusual against its own past; says nothing about what comes next.',
  }),
  detectors: z.array(detectorReport),
  items: z.array(anomaly).meta({ description: 'Alarms, newest first, at most 500.' }),
});
export type Anomalies = z.infer<typeof anomalies>;

export const anomalyCase = z.object({
  id,
  subjectKind,
  subjectId: id,
  detector: anomalyDetector,
  day,
  score: z.number().meta({ description: 'As it was when the case was opened.', example: 7.9 }),
  threshold: z.number().meta({ example: 6.2 }),
  alarmsPerYear: z.number().nullable().meta({ description: 'Of the detector, as measured then.', example: 2.4 }),
  state: anomalyState,
  note: z.string().max(2000).meta({ description: 'Why it was judged so.', example: 'Earnings surprise.' }),
  time: timeAnswer,
  openedAt: instant,
  openedBy: id.nullable(),
  judgedAt: instant.nullable(),
  judgedBy: id.nullable(),
  version,
});
export type AnomalyCase = z.infer<typeof anomalyCase>;

export const getAnomalies = defineRoute({
  id: 'getAnomalies',
  method: 'GET',
  path: '/market/:kind/:id/anomalies',
  group: 'market',
  summary: 'Alarms of every detector with score, threshold and the false-alarm rate measured on the past',
  scope: 'market:read',
  cache: ['index', 'instrument', 'run', 'case', 'anomaly_case'],
  params: subjectParams,
  query: timeQuery,
  status: 200,
  answer: anomalies,
  problems: ['NOT_FOUND'],
});
export const sealAnomalies = defineRoute({
  id: 'sealAnomalies',
  method: 'POST',
  path: '/market/:kind/:id/anomalies/cases',
  group: 'market',
  summary: 'Open a case for each alarm of the last sessions that has none',
  scope: 'task:write',
  params: subjectParams,
  body: timeQuery.extend({
    sessions: z.int().min(1).max(252).default(1).meta({ description: 'How many of the last sessions.', example: 1 }),
  }),
  status: 200,
  answer: z.object({ subject, opened: z.array(anomalyCase) }),
  problems: ['NOT_FOUND', 'NOT_ENOUGH_HISTORY'],
});
export const listAnomalyCases = defineRoute({
  id: 'listAnomalyCases',
  method: 'GET',
  path: '/anomaly-cases',
  group: 'market',
  summary: 'Anomalies put on record, newest first, with the confirmed share of each detector',
  scope: 'market:read',
  query: pageQuery.extend({
    state: anomalyState.optional(),
    subjectKind: subjectKind.optional(),
    subjectId: idParam.optional(),
  }),
  status: 200,
  answer: page(anomalyCase).extend({
    detectors: z.array(
      z.object({
        detector: anomalyDetector,
        caseCount: count,
        judgedCount: count,
        confirmedShare: share.meta({ description: 'Null: none was judged.', example: 0.75 }),
      }),
    ),
  }),
  problems: [],
});
const caseParams = z.object({ caseId: idParam });

export const getAnomalyCase = defineRoute({
  id: 'getAnomalyCase',
  method: 'GET',
  path: '/anomaly-cases/:caseId',
  group: 'market',
  summary: 'One anomaly put on record, and how it was judged',
  scope: 'market:read',
  params: caseParams,
  status: 200,
  answer: anomalyCase,
  problems: ['NOT_FOUND'],
});
export const judgeAnomalyCase = defineRoute({
  id: 'judgeAnomalyCase',
  method: 'POST',
  path: '/anomaly-cases/:caseId/judgement',
  group: 'market',
  summary: 'Say whether it was real. Judging again replaces the judgement; every one stays in the evidence',
  scope: 'portfolio:write',
  params: caseParams,
  body: z.object({
    state: anomalyState,
    note: anomalyCase.shape.note.default(''),
    version,
  }),
  status: 200,
  answer: anomalyCase,
  problems: ['NOT_FOUND', 'CONFLICT'],
});
