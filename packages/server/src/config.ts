import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';

export const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;

/** Everything the environment decides. Read once, checked as a whole, frozen. */
export type Config = Readonly<{
  port: number;
  host: string;
  /** Absolute. Holds the embedded database, the objects and the secret. */
  home: string;
  /** Null: the embedded database. */
  databaseUrl: string | null;
  /** The same database as its owner, for migrations. Null: it must be migrated already. */
  databaseMigrationUrl: string | null;
  /** Null: kept in the home, made on the first start. */
  secret: string | null;
  logLevel: (typeof LOG_LEVELS)[number];
  /** True behind a reverse proxy on a private address: its x-forwarded headers are believed. */
  trustProxy: boolean;
  version: string;
}>;

/** The settings cannot be used. The message lists every problem. */
export class ConfigError extends Error {
  override name = 'ConfigError';
}

export const SECRET_LENGTH_MIN = 32;

/** @throws ConfigError that names every setting that cannot be used. */
export function readConfig(env: Record<string, string | undefined>): Config {
  const problems: string[] = [];
  const text = (name: string): string | null => (env[name] === undefined || env[name] === '' ? null : env[name]);
  const config: Config = {
    port: readPort(text('PORT'), problems),
    host: text('HOST') ?? '127.0.0.1',
    home: path.resolve(text('TOUCHSTONE_HOME') ?? path.join(homedir(), '.touchstone')),
    databaseUrl: readUrl('DATABASE_URL', text('DATABASE_URL'), problems),
    databaseMigrationUrl: readUrl('DATABASE_MIGRATION_URL', text('DATABASE_MIGRATION_URL'), problems),
    secret: text('TOUCHSTONE_SECRET'),
    logLevel: readChoice('LOG_LEVEL', text('LOG_LEVEL') ?? 'info', LOG_LEVELS, problems),
    trustProxy: readChoice('TRUST_PROXY', text('TRUST_PROXY') ?? 'no', ['yes', 'no'], problems) === 'yes',
    version: readVersion(),
  };
  if (config.secret !== null && config.secret.length < SECRET_LENGTH_MIN) {
    problems.push(`TOUCHSTONE_SECRET must have at least ${SECRET_LENGTH_MIN} characters, had ${config.secret.length}`);
  }
  if (config.databaseMigrationUrl !== null && config.databaseUrl === null) {
    problems.push('DATABASE_MIGRATION_URL needs DATABASE_URL beside it');
  }
  if (problems.length > 0) {
    throw new ConfigError(`The settings cannot be used:\n${problems.map((problem) => `  - ${problem}.`).join('\n')}`);
  }
  return Object.freeze(config);
}

/** The installation's secret: the given one, or one kept in the home, made on the first start. */
export async function loadSecret(config: Config): Promise<string> {
  if (config.secret !== null) return config.secret;
  const file = path.join(config.home, 'secret');
  await mkdir(config.home, { recursive: true });
  const draft = `${file}.${process.pid}.${randomBytes(4).toString('hex')}`;
  await writeFile(draft, `${randomBytes(32).toString('base64url')}\n`, { mode: 0o600 });
  // A link is made whole or not at all, and never over another server's secret.
  await link(draft, file).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
  await rm(draft, { force: true });
  const secret = (await readFile(file, 'utf8')).trim();
  if (secret.length < SECRET_LENGTH_MIN) {
    throw new ConfigError(
      `The secret in ${file} is shorter than ${SECRET_LENGTH_MIN} characters. Restore it from a backup.`,
    );
  }
  return secret;
}

function readPort(text: string | null, problems: string[]): number {
  if (text === null) return 8080;
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port > 65535) problems.push(`PORT must be a number from 0 to 65535, was "${text}"`);
  return port;
}

function readUrl(name: string, text: string | null, problems: string[]): string | null {
  // The value holds a password, so it is not repeated.
  if (text !== null && !/^postgres(ql)?:\/\//.test(text)) problems.push(`${name} must begin with postgres://`);
  return text;
}

function readChoice<T extends string>(name: string, text: string, choices: readonly T[], problems: string[]): T {
  const choice = choices.find((candidate) => candidate === text);
  if (choice === undefined) problems.push(`${name} must be one of ${choices.join(', ')}, was "${text}"`);
  return choice ?? choices[0]!;
}

function readVersion(): string {
  const parsed: { version: string } = JSON.parse(
    readFileSync(path.join(import.meta.dirname, '../package.json'), 'utf8'),
  );
  return parsed.version;
}
