import { z } from 'zod';
import { count, day, id, idParam, instant, name, symbol } from './fields.ts';
import { defineRoute } from './route.ts';

export const touchedInstrument = z.object({
  instrumentId: id,
  symbol,
  rowCount: count,
  firstDay: day,
  lastDay: day,
});

/** Something that was made from rows that have changed since. */
export const dependent = z.object({
  id: z.string().meta({ description: 'Its number or hash, as its own route takes it.', example: '12' }),
  name: z.string().meta({ example: 'My index, run 3' }),
  exact: z.boolean().meta({
    description: 'True: it contains changed rows. False: it may, told by what it was asked for.',
    example: true,
  }),
  instrumentCount: count.meta({ description: 'Changed instruments it contains.' }),
  firstDay: day.nullable().meta({ description: 'First changed day it contains.' }),
  lastDay: day.nullable(),
});
export type Dependent = z.infer<typeof dependent>;

export const staleIndex = z.object({
  indexId: id,
  name,
  latestRunNumber: count.meta({ description: 'Its newest version.' }),
  isStale: z.boolean().meta({
    description: 'True: the newest version rests on the rows before the change. False: it was computed since.',
    example: true,
  }),
  runNumbers: z.array(count).meta({ description: 'Every version that rests on them.', example: [1, 2] }),
  staleFrom: day.nullable().meta({ description: 'Levels from this day on may differ.' }),
  staleDayCount: count.meta({ description: 'Trading days of the newest version from that day on.' }),
  dayCount: count.meta({ description: 'Trading days of the newest version in all.' }),
});
export type StaleIndex = z.infer<typeof staleIndex>;

export const blastRadius = z.object({
  change: z.object({
    what: z
      .enum(['published', 'retracted', 'supposed'])
      .meta({ description: 'A run made visible, a run taken back, or rows you name.', example: 'published' }),
    runId: id.nullable(),
    runKind: z.string().nullable().meta({ description: 'Kind of the run.', example: 'correction' }),
    sourceId: id.nullable(),
    at: instant.meta({ description: 'When it happened: what was frozen before may rest on the old rows.' }),
    rowCount: count,
    instrumentCount: count,
    firstDay: day.nullable(),
    lastDay: day.nullable(),
    instruments: z.array(touchedInstrument).meta({ description: 'The first hundred, by symbol.' }),
  }),
  exact: z.boolean().meta({ description: 'True when nothing named here is named only to be safe.', example: true }),
  approximations: z
    .array(z.string())
    .meta({ description: 'Where more is named than is surely touched, and why.', example: [] }),
  dependents: z
    .array(
      z.object({
        kind: z.string().meta({ description: 'dataset, index-run, universe, trial, …', example: 'dataset' }),
        count,
        items: z.array(dependent).meta({ description: 'The newest five hundred.' }),
      }),
    )
    .meta({ description: 'By kind, upstream first.' }),
  indexes: z.array(staleIndex),
  milliseconds: z.number().meta({ description: 'How long the search took.', example: 120 }),
});
export type BlastRadius = z.infer<typeof blastRadius>;

export const getBlastRadius = defineRoute({
  id: 'getBlastRadius',
  method: 'GET',
  path: '/data/blast-radius',
  group: 'data',
  summary: 'What rests on rows that changed: of a run, or of an instrument and some days',
  scope: 'portfolio:read',
  query: z.object({
    runId: idParam.optional().meta({ description: 'A published run. Without instrumentId.', example: 12 }),
    instrumentId: idParam.optional().meta({ description: 'Suppose its bars changed now.', example: 3 }),
    sourceId: idParam.optional().meta({ description: 'With instrumentId. Default: any source.', example: 1 }),
    from: day.optional().meta({ description: 'With instrumentId. Default: its first day.' }),
    to: day.optional().meta({ description: 'With instrumentId. Default: its last day.' }),
  }),
  status: 200,
  answer: blastRadius,
  problems: ['NOT_FOUND', 'NOT_POSSIBLE_NOW'],
});
