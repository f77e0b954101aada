import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { createGunzip } from 'node:zlib';
import { z } from 'zod';
import { ENTRY_BYTES_MAX, readEntries, TarError } from './tar.ts';

/**
 * The form of a backup: a gzipped tar (see docs/operate/backup.md).
 *
 *     about.json                  what follows, and for which schema
 *     tables/public.tenant/000000 COPY text, cut into entries of at most 4 MiB
 *     objects/<sha256>/000000     files of the object store
 *     secret/000000               the secret of the installation, if it lies in the home
 *     manifest.json               rows, bytes and SHA-256 of every part, and the root over the tables
 */
export const FORMAT = 1;
export const ABOUT = 'about.json';
export const MANIFEST = 'manifest.json';
export const SECRET = 'secret';
const TEXT_PARTS: readonly string[] = [ABOUT, MANIFEST];

const table = z.object({ schema: z.string(), name: z.string(), columns: z.array(z.string()), order: z.string() });
const sum = z.object({ name: z.string(), rows: z.int(), byteCount: z.int(), sha256: z.string() });

export const about = z.object({
  format: z.literal(FORMAT),
  product: z.literal('touchstone'),
  createdAt: z.string(),
  databaseVersion: z.string(),
  migrations: z.array(z.string()),
  priceYears: z.array(z.int()),
  tables: z.array(table),
});
export type About = z.infer<typeof about>;

export const manifest = z.object({
  root: z.string(),
  tables: z.array(sum),
  objects: z.array(sum.omit({ rows: true })),
  sequences: z.array(z.object({ schema: z.string(), name: z.string(), lastValue: z.string(), isCalled: z.boolean() })),
  secretSha256: z.string().nullable(),
});
export type Manifest = z.infer<typeof manifest>;

/** The file cannot be used. The sentence says why. */
export class BackupError extends Error {
  constructor(sentence: string, options?: ErrorOptions) {
    super(sentence, options);
    this.name = 'BackupError';
  }
}

/** A piece of a part, in order; `name` is the part's. */
export type Piece = { name: string; content: Buffer };

/** Pieces of a backup in their order. @throws BackupError if the file is cut off, was changed, or is none of ours. */
export async function* readPieces(file: string): AsyncGenerator<Piece> {
  const source = createReadStream(file);
  const gunzip = createGunzip();
  source.on('error', (error) => gunzip.destroy(error));
  source.pipe(gunzip);
  try {
    for await (const { name, content } of readEntries(gunzip)) {
      yield { name: TEXT_PARTS.includes(name) ? name : name.slice(0, name.lastIndexOf('/')), content };
    }
    // Behind the end there is the checksum of the whole, which only reading on checks.
    for await (const rest of gunzip)
      if (rest.some((byte: number) => byte !== 0)) throw new TarError('Something follows its end.');
  } catch (error) {
    throw explain(file, error);
  } finally {
    source.destroy();
    gunzip.destroy();
  }
}

function explain(file: string, error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const code = 'code' in error ? String(error.code) : '';
  if (code === 'ENOENT') return new BackupError(`There is no file ${file}.`, { cause: error });
  if (code === 'EISDIR' || code === 'EACCES') return new BackupError(`${file} cannot be read: ${error.message}.`);
  if (code === 'Z_BUF_ERROR' || /unexpected end/.test(error.message)) {
    return new BackupError(`${file} is cut off. Take another copy of the backup.`, { cause: error });
  }
  if (code.startsWith('Z_') || error instanceof TarError) {
    const detail = error instanceof TarError ? ` ${error.message}` : '';
    return new BackupError(`${file} is no backup, or was changed.${detail} Take another copy of it.`, { cause: error });
  }
  return error;
}

/** Reads the whole file and compares it with its own manifest. Nothing else is touched. */
export async function checkBackup(file: string): Promise<{ about: About; manifest: Manifest }> {
  let head: About | undefined;
  let tail: Manifest | undefined;
  const found = new Map<string, ReturnType<typeof createPartSum>>();
  for await (const { name, content } of readPieces(file)) {
    if (name === ABOUT) head = parse(file, about, content);
    else if (name === MANIFEST) tail = parse(file, manifest, content);
    else {
      const part = found.get(name) ?? createPartSum();
      found.set(name, part);
      part.add(content);
    }
  }
  if (head === undefined || tail === undefined)
    throw new BackupError(`${file} is cut off. Take another copy of the backup.`);
  const expected = [
    ...tail.tables.map((each) => ({ name: `tables/${each.name}`, sha256: each.sha256 })),
    ...tail.objects.map((each) => ({ name: `objects/${each.name}`, sha256: each.sha256 })),
    ...(tail.secretSha256 === null ? [] : [{ name: SECRET, sha256: tail.secretSha256 }]),
  ];
  for (const { name, sha256 } of expected) {
    const sum = found.get(name)?.end() ?? EMPTY_SHA256;
    if (sum !== sha256)
      throw new BackupError(`${file} was changed: ${name} does not have its hash. Take another copy of it.`);
    found.delete(name);
  }
  const [extra] = found.keys();
  if (extra !== undefined) throw new BackupError(`${file} was changed: its manifest does not know ${extra}.`);
  return { about: head, manifest: tail };
}

const EMPTY_SHA256 = createHash('sha256').digest('hex');

function createPartSum() {
  const hash = createHash('sha256');
  return { add: (content: Buffer) => hash.update(content), end: () => hash.digest('hex') };
}

function parse<T>(file: string, schema: z.ZodType<T>, content: Buffer): T {
  try {
    return schema.parse(JSON.parse(content.toString('utf8')));
  } catch (error) {
    throw new BackupError(`${file} is no backup that this version can read.`, { cause: error });
  }
}

/** Cuts a stream into entries, each as long as may be. */
export async function* cut(
  name: string,
  source: AsyncIterable<Buffer>,
): AsyncGenerator<{ name: string; content: Buffer }> {
  let parts: Buffer[] = [];
  let length = 0;
  let number = 0;
  const take = () => {
    const content = Buffer.concat(parts);
    parts = [];
    length = 0;
    return { name: `${name}/${String(number++).padStart(6, '0')}`, content };
  };
  for await (const chunk of source) {
    for (let at = 0; at < chunk.length; ) {
      const piece = chunk.subarray(at, at + ENTRY_BYTES_MAX - length);
      parts.push(piece);
      length += piece.length;
      at += piece.length;
      if (length === ENTRY_BYTES_MAX) yield take();
    }
  }
  if (length > 0) yield take();
}
