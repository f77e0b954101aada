import { z } from 'zod';
import { augmentBody, syntheticMark } from './augmentation.ts';
import { count, day, id, instant, page, pageQuery, sha256, timeAnswer, timeQuery } from './fields.ts';
import { defineRoute } from './route.ts';

export const dataset = z.object({
  sha256,
  kind: z
    .enum(['prices', 'index-input', 'features', 'synthetic'])
    .meta({ description: 'Which question was frozen.', example: 'prices' }),
  query: z.record(z.string(), z.unknown()).meta({ description: 'The question.', example: { universeId: 1 } }),
  time: timeAnswer.omit({ reconstructed: true }),
  rowCount: count,
  byteCount: count,
  columns: z.array(
    z.object({ name: z.string().meta({ example: 'close' }), type: z.string().meta({ example: 'float64' }) }),
  ),
  synthetic: syntheticMark.nullable().meta({
    description: 'How the rows were made up; null for a dataset of facts. Evaluation refuses made-up rows.',
    example: null,
  }),
  createdAt: instant,
  createdBy: id.nullable(),
});
export type Dataset = z.infer<typeof dataset>;

export const freezeDataset = defineRoute({
  id: 'freezeDataset',
  method: 'POST',
  path: '/datasets',
  group: 'dataset',
  summary: 'Freeze the prices of a universe into an immutable file',
  scope: 'portfolio:write',
  body: z.object({ universeId: id, from: day.optional(), to: day.optional(), ...timeQuery.shape }),
  status: 201,
  answer: dataset,
  problems: ['NOT_FOUND', 'NOT_ENOUGH_HISTORY'],
});
export const listDatasets = defineRoute({
  id: 'listDatasets',
  method: 'GET',
  path: '/datasets',
  group: 'dataset',
  summary: 'Frozen questions, newest first',
  scope: 'portfolio:read',
  query: pageQuery,
  status: 200,
  answer: page(dataset),
  problems: [],
});
export const getDataset = defineRoute({
  id: 'getDataset',
  method: 'GET',
  path: '/datasets/:sha256',
  group: 'dataset',
  summary: 'The manifest of one dataset',
  scope: 'portfolio:read',
  params: z.object({ sha256 }),
  status: 200,
  answer: dataset,
  problems: ['NOT_FOUND'],
});
export const downloadDataset = defineRoute({
  id: 'downloadDataset',
  method: 'GET',
  path: '/datasets/:sha256/file',
  group: 'dataset',
  summary: 'The Arrow IPC file itself, or its rows as CSV',
  scope: 'portfolio:read',
  params: z.object({ sha256 }),
  query: z.object({
    part: z
      .string()
      .max(100)
      .optional()
      .meta({ description: 'Name of a table of it, or `manifest`. Default: its main table.', example: 'bars' }),
    format: z.enum(['arrow', 'csv']).default('arrow').meta({ example: 'arrow' }),
  }),
  gives: 'bytes',
  status: 200,
  problems: ['NOT_FOUND'],
});
export const getDatasetPointer = defineRoute({
  id: 'getDatasetPointer',
  method: 'GET',
  path: '/datasets/:sha256/dvc',
  group: 'dataset',
  summary: 'A dataset as DVC tracks it: the text of its .dvc file, and the files its cache holds',
  scope: 'portfolio:read',
  params: z.object({ sha256 }),
  status: 200,
  answer: z.object({
    name: z.string().meta({ description: 'Folder the pointer stands for.', example: 'dataset-9f86d081884c' }),
    pointer: z.string().meta({ description: 'Text of the .dvc file beside it.', example: 'outs:\n' }),
    directory: z
      .object({
        md5: z.string().meta({ example: 'd751713988987e9331980363e24189ce' }),
        text: z.string().meta({ description: 'The list of its files, as DVC stores it.', example: '[]' }),
      })
      .meta({ description: 'Stored under its md5 with `.dir` behind it.' }),
    files: z.array(
      z.object({
        part: z.string().meta({ description: 'As its file is downloaded.', example: 'bars' }),
        path: z.string().meta({ description: 'In the folder.', example: 'bars.arrow' }),
        md5: z.string().meta({ example: '900150983cd24fb0d6963f7d28e17f72' }),
        byteCount: count,
      }),
    ),
  }),
  problems: ['NOT_FOUND'],
});
export const diffDatasets = defineRoute({
  id: 'diffDatasets',
  method: 'GET',
  path: '/datasets/:sha256/diff/:otherSha256',
  group: 'dataset',
  summary: 'Rows added, removed and changed from one dataset to another',
  scope: 'portfolio:read',
  params: z.object({ sha256, otherSha256: sha256 }),
  query: z.object({ limit: z.coerce.number().int().min(1).max(1000).default(100).meta({ example: 100 }) }),
  status: 200,
  answer: z.object({
    added: count,
    removed: count,
    changed: count,
    unchanged: count,
    examples: z.array(
      z.object({
        change: z.enum(['added', 'removed', 'changed']).meta({ example: 'changed' }),
        instrumentId: id,
        day,
        before: z
          .record(z.string(), z.number().nullable())
          .nullable()
          .meta({ example: { close: 10 } }),
        after: z
          .record(z.string(), z.number().nullable())
          .nullable()
          .meta({ example: { close: 11 } }),
      }),
    ),
  }),
  problems: ['NOT_FOUND'],
});
export const augmentDataset = defineRoute({
  id: 'augmentDataset',
  method: 'POST',
  path: '/datasets/:sha256/augment',
  group: 'dataset',
  summary: 'Make a synthetic dataset from a frozen one, marked for good',
  scope: 'portfolio:write',
  params: z.object({ sha256 }),
  body: augmentBody,
  status: 201,
  answer: dataset,
  problems: ['NOT_FOUND', 'NOT_ENOUGH_HISTORY', 'SYNTHETIC_REFUSED'],
});
