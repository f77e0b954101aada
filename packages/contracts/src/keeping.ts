import { z } from 'zod';
import { count, id, instant, sha256 } from './fields.ts';
import { defineRoute } from './route.ts';
import { accepted } from './tasks.ts';

/** Keeping an installation: backups, archived years, and what the doctor finds. */

export const backup = z.object({
  name: z.string().meta({ description: 'File in the backup folder.', example: 'touchstone-20260115T030000Z.backup' }),
  createdAt: instant.meta({ description: 'The moment of its snapshot.' }),
  byteCount: count,
  /** `verified`: read again from the disk after it was written, and every part had its hash. */
  state: z.enum(['verified', 'unverified']).meta({ description: 'Whether it was read back after writing.' }),
  root: sha256.nullable().meta({ description: 'One hash over all tables; null while unverified.' }),
  keptAs: z
    .array(z.enum(['newest', 'daily', 'weekly', 'monthly']))
    .meta({ description: 'Why the rotation keeps it.', example: ['newest', 'daily'] }),
});
export type Backup = z.infer<typeof backup>;

export const listBackups = defineRoute({
  id: 'listBackups',
  method: 'GET',
  path: '/diagnostics/backups',
  group: 'diagnostics',
  summary: 'Backups the server made in its backup folder, newest first',
  scope: 'system:write',
  status: 200,
  answer: z.object({
    folder: z.string().meta({ description: 'On the machine of the server.', example: '/var/lib/touchstone/backups' }),
    keeps: z.object({
      daily: count.meta({ example: 7 }),
      weekly: count.meta({ example: 4 }),
      monthly: count.meta({ example: 12 }),
    }),
    items: z.array(backup),
  }),
  problems: [],
});
export const startBackup = defineRoute({
  id: 'startBackup',
  method: 'POST',
  path: '/diagnostics/backups',
  group: 'diagnostics',
  summary: 'Write a backup of the whole installation into the backup folder and read it back, in the background',
  scope: 'system:write',
  status: 202,
  answer: accepted,
  problems: ['NOT_POSSIBLE_NOW'],
});
export const startDrill = defineRoute({
  id: 'startDrill',
  method: 'POST',
  path: '/diagnostics/drills',
  group: 'diagnostics',
  summary: 'Restore the newest backup into a scratch database beside and compare it, in the background',
  scope: 'system:write',
  status: 202,
  answer: accepted,
  problems: ['NOT_POSSIBLE_NOW'],
});

export const archive = z.object({
  id,
  year: z.int().min(1800).max(2200).meta({ description: 'Trading days of this year.', example: 2009 }),
  tenantId: id.meta({ description: 'Whose bars; 0 is the simulated market.' }),
  state: z.enum(['written', 'verified', 'archived', 'brought_back']).meta({
    description:
      'written: the file is there; verified: it was read back and is equal; archived: the rows lie only in the file; brought_back: they are in the database again.',
    example: 'archived',
  }),
  rowCount: count,
  instrumentCount: count,
  byteCount: count.meta({ description: 'Size of the Parquet file.' }),
  fileSha256: sha256.meta({ description: 'Name of the file in the object store.' }),
  contentSha256: sha256.meta({ description: 'Over its rows, as a publication is hashed.' }),
  createdAt: instant,
  archivedAt: instant.nullable(),
  broughtBackAt: instant.nullable(),
});
export type Archive = z.infer<typeof archive>;

export const listArchives = defineRoute({
  id: 'listArchives',
  method: 'GET',
  path: '/diagnostics/archives',
  group: 'diagnostics',
  summary: 'Years of price bars that lie in Parquet files, newest first. They are read like all others',
  scope: 'system:read',
  status: 200,
  answer: z.object({ items: z.array(archive) }),
  problems: [],
});
export const startArchive = defineRoute({
  id: 'startArchive',
  method: 'POST',
  path: '/diagnostics/archives',
  group: 'diagnostics',
  summary: 'Move old years of price bars to Parquet files, in the background. No answer changes by it',
  scope: 'system:write',
  body: z.object({
    olderThanYears: z.int().min(1).max(200).meta({
      description: 'Whole calendar years that ended at least this long ago. 10 in 2026: 2015 and before.',
      example: 10,
    }),
  }),
  status: 202,
  answer: accepted,
  problems: [],
});
export const bringBackArchive = defineRoute({
  id: 'bringBackArchive',
  method: 'POST',
  path: '/diagnostics/archives/:year/bring-back',
  group: 'diagnostics',
  summary: 'Put the bars of an archived year into the database again, in the background',
  scope: 'system:write',
  params: z.object({ year: z.coerce.number().int().min(1800).max(2200).meta({ example: 2009 }) }),
  status: 202,
  answer: accepted,
  problems: ['NOT_FOUND'],
});

export const finding = z.object({
  check: z.string().meta({ description: 'Name of the check.', example: 'disk-space' }),
  state: z.enum(['fine', 'warning', 'broken', 'skipped']).meta({
    description: 'broken: something does not work or is at risk now. warning: it will, or is unsafe.',
    example: 'warning',
  }),
  what: z.string().meta({ description: 'What was found.', example: 'The disk has 1.2 GB free.' }),
  why: z.string().meta({ description: 'Why it matters; empty when it is fine.', example: 'Imports stop below 1 GB.' }),
  command: z
    .string()
    .nullable()
    .meta({ description: 'What to do: a command for the shell, or null.', example: 'touchstone archive start 10' }),
});
export type Finding = z.infer<typeof finding>;

export const getDoctor = defineRoute({
  id: 'getDoctor',
  method: 'GET',
  path: '/diagnostics/doctor',
  group: 'diagnostics',
  summary: 'Looks over the installation: what is wrong, why it matters and what to do',
  scope: 'system:write',
  status: 200,
  answer: z.object({
    ok: z.boolean().meta({ description: 'True when nothing is broken; warnings may stand.', example: true }),
    checkedAt: instant,
    findings: z.array(finding),
  }),
  problems: [],
});
