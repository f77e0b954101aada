import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import type { RaySettings } from './models/ray/ray-runner.ts';
import type { BucketSettings } from './platform/object-store/bucket-store.ts';

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
  /** Connections of this process for requests and tasks, at most. */
  databasePoolSize: number;
  /** Statements that take longer are kept with their plan. */
  slowQueryMs: number;
  /** Null: kept in the home, made on the first start. */
  secret: string | null;
  logLevel: (typeof LOG_LEVELS)[number];
  /** True behind a reverse proxy on a private address: its x-forwarded headers are believed. */
  trustProxy: boolean;
  /** How people reach us from outside, without a path: links in invitations and the way back from a sign-in elsewhere. */
  publicUrl: string;
  /** Pages of other origins that may call the API. */
  allowedOrigins: readonly string[];
  /** Null: caches and limits live in the process and in the database. */
  redisUrl: string | null;
  /** Where online features are answered from. */
  onlineStore: 'process' | 'database' | 'redis';
  /** Requests a minute of one user or API key; the other limits follow from it. Null: no limits. */
  requestsPerMinute: number | null;
  /** Sign-in with another provider (OpenID Connect). Null: none. */
  oidc: Readonly<{ issuer: string; clientId: string; clientSecret: string }> | null;
  /** Where traces go (OTLP over HTTP). Null: nowhere, and OpenTelemetry is not even loaded. */
  traceEndpoint: string | null;
  /** Where the TwelveData client asks: the vendor, or a double on this machine. */
  twelveDataUrl: string;
  /** Where objects lie that several machines share. Null: in the home only. */
  bucket: BucketSettings | null;
  /** A Ray cluster that does the fits of trainings. Null: own threads do. */
  ray: RaySettings | null;
  /** Absolute. Where scheduled backups go. */
  backupFolder: string;
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
  const port = readPort(text('PORT'), problems);
  const home = path.resolve(text('TOUCHSTONE_HOME') ?? path.join(homedir(), '.touchstone'));
  const config: Config = {
    port,
    host: text('HOST') ?? '127.0.0.1',
    home,
    databaseUrl: readUrl('DATABASE_URL', text('DATABASE_URL'), problems),
    databaseMigrationUrl: readUrl('DATABASE_MIGRATION_URL', text('DATABASE_MIGRATION_URL'), problems),
    databasePoolSize: readCount(
      'DATABASE_POOL_SIZE',
      text('DATABASE_POOL_SIZE'),
      { first: 10, min: 2, max: 200 },
      problems,
    ),
    slowQueryMs: readCount('SLOW_QUERY_MS', text('SLOW_QUERY_MS'), { first: 100, min: 1, max: 60_000 }, problems),
    secret: text('TOUCHSTONE_SECRET'),
    logLevel: readChoice('LOG_LEVEL', text('LOG_LEVEL') ?? 'info', LOG_LEVELS, problems),
    trustProxy: readChoice('TRUST_PROXY', text('TRUST_PROXY') ?? 'no', ['yes', 'no'], problems) === 'yes',
    publicUrl: readOrigin('PUBLIC_URL', text('PUBLIC_URL') ?? `http://localhost:${port}`, problems),
    allowedOrigins: (text('ALLOWED_ORIGINS') ?? '')
      .split(/[\s,]+/)
      .filter((origin) => origin !== '')
      .map((origin) => readOrigin('ALLOWED_ORIGINS', origin, problems)),
    redisUrl: readRedisUrl(text('REDIS_URL'), problems),
    onlineStore: readOnlineStore(text, problems),
    requestsPerMinute: readRequestsPerMinute(text('REQUESTS_PER_MINUTE') ?? '6000', problems),
    oidc: readOidc(text, problems),
    traceEndpoint: readHttpUrl('OTEL_EXPORTER_OTLP_ENDPOINT', text('OTEL_EXPORTER_OTLP_ENDPOINT'), problems),
    twelveDataUrl: readHttpUrl('TWELVEDATA_URL', text('TWELVEDATA_URL') ?? 'https://api.twelvedata.com', problems),
    bucket: readBucket(text, problems),
    ray: readRay(text, home, problems),
    backupFolder: path.resolve(text('BACKUP_FOLDER') ?? path.join(home, 'backups')),
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

function readRequestsPerMinute(text: string, problems: string[]): number | null {
  if (text === 'unlimited') return null;
  const count = Number(text);
  const fits = /^\d{1,9}$/.test(text) && count >= 60;
  if (!fits) problems.push(`REQUESTS_PER_MINUTE must be a number from 60 on, or "unlimited", was "${text}"`);
  return count;
}

/** @param range With the value when nothing is set. */
function readCount(
  name: string,
  text: string | null,
  range: { first: number; min: number; max: number },
  problems: string[],
): number {
  if (text === null) return range.first;
  const value = Number(text);
  if (!/^\d{1,6}$/.test(text) || value < range.min || value > range.max) {
    problems.push(`${name} must be a whole number from ${range.min} to ${range.max}, was "${text}"`);
  }
  return value;
}

function readUrl(name: string, text: string | null, problems: string[]): string | null {
  // The value holds a password, so it is not repeated.
  if (text !== null && !/^postgres(ql)?:\/\//.test(text)) problems.push(`${name} must begin with postgres://`);
  return text;
}

function readOnlineStore(text: (name: string) => string | null, problems: string[]): Config['onlineStore'] {
  const told = text('ONLINE_STORE') ?? 'process';
  if (told === 'redis' && text('REDIS_URL') === null)
    problems.push('TOUCHSTONE_ONLINE_STORE is redis; then TOUCHSTONE_REDIS_URL must say where Redis is.');
  if (told === 'process' || told === 'database' || told === 'redis') return told;
  problems.push(`TOUCHSTONE_ONLINE_STORE must be process, database or redis, was ${told}.`);
  return 'process';
}

function readRedisUrl(text: string | null, problems: string[]): string | null {
  if (text !== null && !/^rediss?:\/\//.test(text)) problems.push('REDIS_URL must begin with redis:// or rediss://');
  return text;
}

/** Plain http only to this machine: what is sent may hold a key. */
function readHttpUrl<T extends string | null>(name: string, text: T, problems: string[]): T {
  if (text === null) return text;
  const url = URL.canParse(text) ? new URL(text) : null;
  const isOwnMachine = url !== null && ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname);
  if (url?.protocol !== 'https:' && !(url?.protocol === 'http:' && isOwnMachine)) {
    problems.push(`${name} must begin with https:// (or http:// on this machine)`);
  }
  return text;
}

function readOrigin(name: string, text: string, problems: string[]): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !['http:', 'https:'].includes(url.protocol) || url.pathname !== '/' || url.search !== '') {
    problems.push(`${name} must be like https://example.org, was "${text}"`);
    return text;
  }
  return url.origin;
}

function readOidc(text: (name: string) => string | null, problems: string[]): Config['oidc'] {
  const issuer = readHttpUrl('OIDC_ISSUER', text('OIDC_ISSUER'), problems);
  if (issuer === null) return null;
  const clientId = text('OIDC_CLIENT_ID');
  const clientSecret = text('OIDC_CLIENT_SECRET');
  if (clientId === null || clientSecret === null) {
    problems.push('OIDC_ISSUER needs OIDC_CLIENT_ID and OIDC_CLIENT_SECRET beside it');
    return null;
  }
  return { issuer, clientId, clientSecret };
}

function readBucket(text: (name: string) => string | null, problems: string[]): BucketSettings | null {
  const endpoint = readHttpUrl('S3_ENDPOINT', text('S3_ENDPOINT'), problems);
  const [bucket, accessKey, secretKey] = [text('S3_BUCKET'), text('S3_ACCESS_KEY'), text('S3_SECRET_KEY')];
  if (endpoint === null && bucket === null) return null;
  if (endpoint === null || bucket === null || accessKey === null || secretKey === null) {
    problems.push('S3_ENDPOINT, S3_BUCKET, S3_ACCESS_KEY and S3_SECRET_KEY belong together: set all four or none');
    return null;
  }
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket))
    problems.push(`S3_BUCKET is no name of a bucket: "${bucket}"`);
  return { endpoint, bucket, accessKey, secretKey, region: text('S3_REGION') ?? 'us-east-1' };
}

function readRay(text: (name: string) => string | null, home: string, problems: string[]): RaySettings | null {
  const address = readHttpUrl('RAY_ADDRESS', text('RAY_ADDRESS'), problems);
  if (address === null) return null;
  return {
    address,
    folder: path.resolve(text('RAY_FOLDER') ?? path.join(home, 'ray')),
    command: text('RAY_COMMAND'),
    jobs: readCount('RAY_JOBS', text('RAY_JOBS'), { first: 8, min: 1, max: 1_000 }, problems),
  };
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
