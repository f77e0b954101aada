import {
  bringBackArchive,
  listArchives,
  listBackups,
  startArchive,
  startBackup,
  startDrill,
} from '@touchstone/contracts/keeping';
import type { Task } from '@touchstone/contracts/tasks';
import { z } from 'zod';
import { type Call, type Command, type Output, UsageError } from '../command.ts';
import { runOperate } from '../operate-program.ts';
import { bytes, facts, short, table } from '../render.ts';
import { watchTask } from '../watch-task.ts';
import { askPassword } from './account.ts';

/** Work on the installation itself, beside the server: these need the data folder, not the API. */
export const operateCommands: Command[] = [
  {
    name: 'backup',
    summary: 'Write the whole installation into one file, or into BACKUP_FOLDER; also while the server runs',
    args: ['[FILE]'],
    example: 'backup touchstone-2026-01-15.backup',
    async run(call) {
      const [file = ''] = call.args;
      const answer = await runOperate(call.terminal, file === '' ? ['backup'] : ['backup', file]);
      return told(
        answer,
        `Keep ${file === '' ? 'it' : file} safe: it holds e-mail addresses, password hashes and the installation's secret.\n`,
      );
    },
  },
  {
    name: 'backup start',
    summary: 'Let the server write a backup into its folder and read it back',
    args: [],
    example: 'backup start',
    run: async (call) => watched(call, await call.client.call(startBackup)),
  },
  {
    name: 'backup list',
    summary: 'Backups the server made, and why each is kept',
    args: [],
    example: 'backup list',
    async run({ client }) {
      const answer = await client.call(listBackups);
      const { daily, weekly, monthly } = answer.keeps;
      const text = table(
        answer.items,
        [
          { title: 'BACKUP', value: (row) => row.name, whole: true },
          { title: 'SIZE', value: (row) => bytes(row.byteCount), right: true },
          { title: 'STATE', value: (row) => row.state },
          { title: 'KEPT AS', value: (row) => row.keptAs.join(', ') },
          { title: 'ROOT', value: (row) => short(row.root) },
        ],
        'The server has made no backup yet.',
      );
      return {
        json: answer,
        text: `${text}\n${answer.folder} keeps ${daily} days, ${weekly} weeks, ${monthly} months\n`,
      };
    },
  },
  {
    name: 'restore',
    summary: 'Bring a backup back into an empty data folder, with the server stopped',
    args: ['FILE'],
    example: 'restore touchstone-2026-01-15.backup',
    run: async (call) => told(await runOperate(call.terminal, ['restore', call.args[0] ?? '']), ''),
  },
  {
    name: 'drill',
    summary: 'Restore a backup (default: the newest) beside and compare; exit code 1 if something differs',
    args: ['[FILE]'],
    example: 'drill',
    async run(call) {
      const [file = ''] = call.args;
      const answer = drillResult.parse(await runOperate(call.terminal, file === '' ? ['drill'] : ['drill', file]));
      const { differences, compared, ...rest } = answer;
      const sentences = differences.map((difference) => `${difference}\n`).join('');
      const verdict = answer.ok ? 'The restored installation is equal.\n' : `It differs:\n${sentences}`;
      return {
        json: answer,
        text: facts([...Object.entries(rest), ...Object.entries(compared)]) + verdict,
        exitCode: answer.ok ? 0 : 1,
      };
    },
  },
  {
    name: 'drill start',
    summary: 'Let the server restore its newest backup beside and compare',
    args: [],
    example: 'drill start',
    run: async (call) => watched(call, await call.client.call(startDrill)),
  },
  {
    name: 'archive start',
    summary: 'Move bars of years that ended at least YEARS years ago to Parquet files; no answer changes by it',
    args: ['YEARS'],
    example: 'archive start 10',
    async run(call) {
      const olderThanYears = wholeOf('YEARS', call.args[0] ?? '');
      return watched(call, await call.client.call(startArchive, { body: { olderThanYears } }));
    },
  },
  {
    name: 'archive list',
    summary: 'Years whose bars lie in Parquet files',
    args: [],
    example: 'archive list',
    async run({ client }) {
      const answer = await client.call(listArchives);
      const text = table(
        answer.items,
        [
          { title: 'YEAR', value: (row) => String(row.year) },
          { title: 'STATE', value: (row) => row.state.replace('_', ' ') },
          { title: 'BARS', value: (row) => row.rowCount },
          { title: 'INSTRUMENTS', value: (row) => row.instrumentCount },
          { title: 'SIZE', value: (row) => bytes(row.byteCount), right: true },
          { title: 'FILE', value: (row) => short(row.fileSha256) },
        ],
        'No year is archived.',
      );
      return { json: answer, text };
    },
  },
  {
    name: 'archive bring-back',
    summary: 'Put the bars of an archived year into the database again',
    args: ['YEAR'],
    example: 'archive bring-back 2009',
    async run(call) {
      const year = wholeOf('YEAR', call.args[0] ?? '');
      return watched(call, await call.client.call(bringBackArchive, { params: { year } }));
    },
  },
  {
    name: 'migrate',
    summary: 'Bring the database to the schema of this version, without starting the server',
    args: [],
    options: { 'dry-run': { summary: 'Only say which migrations would run and what they lock' } },
    example: 'migrate --dry-run',
    async run(call) {
      if (!call.flag('dry-run')) {
        const answer = ranResult.parse(await runOperate(call.terminal, ['migrate']));
        const lines = answer.ran.map((name) => `ran ${name}\n`).join('');
        return { json: answer, text: lines || 'The database has the schema of this version already.\n' };
      }
      const answer = plannedResult.parse(await runOperate(call.terminal, ['migrate', '--dry-run']));
      return { json: answer, text: answer.planned.map(plannedText).join('\n') || 'Nothing would run.\n' };
    },
  },
  {
    name: 'user reset',
    summary: 'Set a new password for somebody who lost it; ends their sessions',
    args: ['EMAIL'],
    options: { 'password-stdin': { summary: 'Read the password from standard input' } },
    example: 'user reset owner@example.org',
    run: resetPassword,
  },
];

const drillResult = z.object({
  ok: z.boolean(),
  file: z.string(),
  createdAt: z.string(),
  root: z.string(),
  rowCount: z.number(),
  migrated: z.array(z.string()),
  seconds: z.number(),
  compared: z.object({ evidenceHeads: z.number(), publications: z.number(), checks: z.number() }),
  differences: z.array(z.string()),
});
const ranResult = z.object({ ran: z.array(z.string()) });
const planned = z.object({
  name: z.string(),
  header: z.string(),
  newTables: z.array(z.string()),
  locks: z.array(z.object({ table: z.string(), mode: z.string(), why: z.string(), rowsAbout: z.number() })),
  blocks: z.boolean(),
});
const plannedResult = z.object({ planned: z.array(planned) });

function plannedText({ name, header, newTables, locks, blocks }: z.output<typeof planned>): string {
  const tables = newTables.length === 0 ? '' : `  makes ${newTables.join(', ')}\n`;
  const told = locks.map(
    ({ table: on, mode, why, rowsAbout }) =>
      `  ${mode} on ${on}, about ${rowsAbout.toLocaleString('en')} rows (${why})\n`,
  );
  const effect = blocks ? 'readers wait for the time of the change' : 'nobody who reads waits';
  return `${name}: ${effect}\n${header === '' ? '' : `  ${header}\n`}${tables}${told.join('')}`;
}

/** Starts work on the server and waits for its end. */
async function watched(call: Call, { task }: { task: Task }): Promise<Output> {
  const done = await watchTask(call, task);
  return told(done.result ?? {}, '');
}

/** @throws UsageError unless it is a whole number. */
function wholeOf(name: string, text: string): number {
  if (!/^\d{1,4}$/.test(text)) throw new UsageError(`${name} must be a whole number, was "${text}".`);
  return Number(text);
}

async function resetPassword(call: Call): Promise<Output> {
  const password = await askPassword(call, 'New password, at least 12 characters: ', true);
  if ([...password].length < 12) throw new UsageError('A password has at least 12 characters.');
  return told(await runOperate(call.terminal, ['reset-password', call.args[0] ?? ''], password), '');
}

function told(answer: Record<string, unknown>, note: string): Output {
  const pairs = Object.entries(answer).map(([name, value]) => {
    const words = name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
    return [words, name === 'byteCount' && typeof value === 'number' ? bytes(value) : value] as const;
  });
  return { json: answer, text: facts(pairs) + note };
}
