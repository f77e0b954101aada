// Backup, restore, drill, migrating, the doctor and password reset: started by `touchstone`, beside the server or without it.
// Prints one JSON object, or a line that begins with "error: " on standard error and ends with code 1.
import path from 'node:path';
import { type Config, ConfigError, readConfig } from '../config.ts';
import { systemClock } from '../platform/clock/clock.ts';
import { EmbeddedPostgresError } from '../platform/database/embedded/embedded-postgres-error.ts';
import { migrateAs, userOf } from '../platform/database/open-database.ts';
import { planMigrations } from '../platform/database/plan-migrations.ts';
import { APP_ROLE } from '../platform/database/provision.ts';
import { backWithBucket } from '../platform/object-store/open-objects.ts';
import { ProblemError } from '../platform/problem-error.ts';
import { writeBackup } from './backup.ts';
import { BackupError } from './backup-file.ts';
import { backUpInto } from './backup-folder.ts';
import { examineMachine } from './doctor.ts';
import { findNewestBackup, runDrill } from './drill.ts';
import { connectPlainly, makeTarget, reachDatabase, withOwner } from './open-installation.ts';
import { resetPassword } from './reset-password.ts';
import { restoreBackup } from './restore.ts';

const interrupt = new AbortController();
process.on('SIGINT', () => interrupt.abort());
process.on('SIGTERM', () => interrupt.abort());

const tell = (line: string) => process.stderr.write(`${line}\n`);
try {
  console.log(JSON.stringify(await operate(process.argv.slice(2))));
} catch (error) {
  process.stderr.write(`error: ${toSentence(error)}\n`);
  process.exitCode = 1;
}

async function operate([word, about = '']: string[]): Promise<object> {
  // Settings that cannot be read are something it finds.
  if (word === 'doctor') return examineMachine(readSettings(), { full: about === '--full', clock: systemClock });
  const config = readConfig(process.env);
  backWithBucket(path.join(config.home, 'objects'), config.bucket);
  const { signal } = interrupt;
  switch (word) {
    case 'backup': {
      const now = systemClock.now();
      const { home, backupFolder: folder } = config;
      if (about === '') return withOwner(config, tell, (client) => backUpInto({ client, home, folder, now, signal }));
      const createdAt = new Date(now).toISOString();
      const file = path.resolve(about);
      return withOwner(config, tell, (client) => writeBackup({ client, home, file, createdAt, signal }));
    }
    case 'restore': {
      const made: { close?: () => Promise<void> } = {};
      const restored = await restoreBackup({
        file: path.resolve(about),
        home: config.home,
        signal,
        progress: tell,
        async openTarget(lastMigration) {
          const target = await makeTarget(config, tell, lastMigration);
          made.close = target.close;
          return target;
        },
      });
      await made.close?.();
      return { ...restored, home: config.home };
    }
    case 'drill': {
      const file = about === '' ? await findNewestBackup(config.backupFolder) : path.resolve(about);
      return withOwner(config, tell, (live) => runDrill({ live, file, signal, progress: tell }));
    }
    case 'migrate':
      return migrateInstallation(config, about === '--dry-run');
    case 'reset-password': {
      const reached = await reachDatabase(config, tell);
      try {
        return await resetPassword(reached.app, about, await readInput());
      } finally {
        await reached.close();
      }
    }
    default:
      throw new BackupError(
        'Start this with: touchstone backup, restore FILE, drill, migrate, doctor, or user reset EMAIL.',
      );
  }
}

function readSettings(): Config | { problem: string } {
  try {
    const config = readConfig(process.env);
    backWithBucket(path.join(config.home, 'objects'), config.bucket);
    return config;
  } catch (error) {
    if (error instanceof ConfigError) return { problem: error.message };
    throw error;
  }
}

/** Migrates without starting the server, or says what that would do. */
async function migrateInstallation(config: Config, isDry: boolean): Promise<object> {
  const reached = await reachDatabase(config, tell);
  try {
    if (!isDry) return { ran: await migrateAs(reached.owner, userOf(reached.app) ?? APP_ROLE) };
    const client = await connectPlainly(reached.owner);
    try {
      return { planned: await planMigrations(client) };
    } finally {
      await client.end();
    }
  } finally {
    await reached.close();
  }
}

async function readInput(): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks)
    .toString('utf8')
    .replace(/\r?\n$/, '');
}

function toSentence(error: unknown): string {
  if (interrupt.signal.aborted) return 'Interrupted; nothing was left behind.';
  const isForPeople =
    error instanceof BackupError ||
    error instanceof ConfigError ||
    error instanceof EmbeddedPostgresError ||
    error instanceof ProblemError;
  if (isForPeople) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
