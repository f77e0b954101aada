import { existsSync } from 'node:fs';
import path from 'node:path';
import type { Part } from '@touchstone/contracts/diagnostics';
import type { Database } from '../database/database.ts';
import type { Installation } from '../database/installation.ts';

/** What the settings say about optional parts. */
export type PartSettings = {
  redisUrl: string | null;
  /** Name of the bucket that objects lie in; null: in a folder. */
  bucket: string | null;
  /** True while Redis is set and does not answer. */
  isRedisAway: () => boolean;
  traceEndpoint: string | null;
  webFolder: string | null;
};

/** Optional extensions of the database, and what is done without them. */
const EXTENSIONS: readonly { name: string; without: string }[] = [
  { name: 'timescaledb', without: 'Prices lie in yearly partitions of plain PostgreSQL.' },
  { name: 'vector', without: 'Nothing here compares vectors in the database.' },
];

/** Which optional parts are in use, and what stands in for the others. Holds no address and no secret. */
export function createPartsReader(database: Database, installation: Installation, settings: PartSettings) {
  let extensions: Promise<Part[]> | null = null;
  const readExtensions = async (): Promise<Part[]> => {
    const { rows } = await database.pool.query<{ name: string; installed: boolean }>(
      'SELECT name, installed_version IS NOT NULL AS installed FROM pg_available_extensions WHERE name = ANY($1)',
      [EXTENSIONS.map(({ name }) => name)],
    );
    return EXTENSIONS.map(({ name, without }) => {
      const found = rows.find((row) => row.name === name);
      if (found === undefined) return { name, state: 'fall-back', sentence: `Not available. ${without}` };
      return {
        name,
        state: 'fall-back',
        sentence: `${found.installed ? 'Installed' : 'Available'}, not used. ${without}`,
      };
    });
  };
  return async (): Promise<Part[]> => {
    extensions ??= readExtensions();
    // An away database is asked again the next time.
    const told = await extensions.catch(() => {
      extensions = null;
      return [];
    });
    const { redisUrl, isRedisAway, traceEndpoint, webFolder, bucket } = settings;
    const hasPages = webFolder !== null && existsSync(path.join(webFolder, 'index.html'));
    const { databaseKind, databaseVersion } = installation;
    return [
      {
        ...{ name: 'database', state: 'in use' },
        sentence: `PostgreSQL ${databaseVersion}, ${databaseKind === 'embedded' ? 'embedded in this installation' : 'a server of your own'}.`,
      },
      ...told,
      redisPart(redisUrl !== null, isRedisAway()),
      {
        ...{ name: 'objects', state: 'in use' },
        sentence: `Frozen datasets, results and models lie in ${bucket === null ? 'a folder of this machine' : `the bucket ${bucket}`}.`,
      },
      {
        name: 'queue',
        state: 'in use',
        sentence: 'Background work waits in the database; no other service is needed.',
      },
      traceEndpoint === null
        ? { name: 'opentelemetry', state: 'off', sentence: 'Traces are not sent; ids of traces stand in the log.' }
        : { name: 'opentelemetry', state: 'in use', sentence: 'Traces are sent to a collector.' },
      hasPages
        ? { name: 'pages', state: 'in use', sentence: 'The pages are built.' }
        : { name: 'pages', state: 'off', sentence: 'The pages are not built; only the API answers.' },
    ];
  };
}

function redisPart(isSet: boolean, isAway: boolean): Part {
  const name = 'redis';
  if (!isSet)
    return { name, state: 'fall-back', sentence: 'Caches and limits live in this process and in the database.' };
  if (isAway) {
    const sentence = 'Redis does not answer. Nothing is cached, each process counts by itself, and nobody signs in.';
    return { name, state: 'fall-back', sentence };
  }
  return { name, state: 'in use', sentence: 'Caches and limits are shared through Redis.' };
}
