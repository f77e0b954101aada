import { createHash } from 'node:crypto';
import { createReadStream, type ReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { pipeline, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { CsvRefusal, MAX_LINE_BYTES, MAX_TEXT_BYTES } from './refusal.ts';

/** A path, or bytes that arrive from elsewhere under a name that errors and one-file-per-symbol imports can use. */
export type CsvSource = string | { name: string; chunks: AsyncIterable<Uint8Array> };

export type TextEncoding = 'utf-8' | 'utf-8-bom' | 'utf-16le' | 'utf-16be' | 'latin-1';

/** An opened text: decompressed, UTF-8, without byte order mark, lines ended by LF or CRLF. Read it once. */
type OpenText = {
  /** Base name, as errors show it. */
  file: string;
  compressed: boolean;
  encoding: TextEncoding;
  /** What was assumed on the way in, as sentences. */
  notes: string[];
  /** Size of the file as it lies, null for a stream. */
  bytesTotal: number | null;
  /** Chunks of at most a few hundred KiB. Leaving the loop early closes the file. */
  chunks: AsyncIterable<Uint8Array>;
  /** Bytes as they lay (compressed where they were), read so far. */
  bytesRead: () => number;
  /** SHA-256 of the bytes as they lay, hex; complete once `chunks` has ended. Equals `sha256sum FILE`. */
  contentSha256: () => string;
  close: () => void;
};

/** The beginning of a text as lines, for detection. `complete` says that the whole file is in it. */
export type TextSample = {
  file: string;
  compressed: boolean;
  encoding: TextEncoding;
  notes: string[];
  lines: string[];
  complete: boolean;
};

/** Read and inflate step. Larger steps cost memory and gained nothing measurable. */
const CHUNK_BYTES = 256 * 1024;
/** Bytes looked at for encoding and binary content, and by {@link readSample} for lines. */
const SAMPLE_BYTES = 256 * 1024;
const MAX_SAMPLE_LINES = 5_000;

/**
 * Opens a CSV file or byte stream as UTF-8 text chunks.
 *
 * Looks at the first bytes only: gzip is recognised by content, archives, binary content, an empty file and a first line
 * above {@link MAX_LINE_BYTES} are refused without reading on.
 *
 * @throws CsvRefusal, here or while iterating (a gzip file may turn out to be cut off).
 */
export async function openText(source: CsvSource): Promise<OpenText> {
  const file = basename(typeof source === 'string' ? source : source.name);
  const bytesTotal = typeof source === 'string' ? await checkFile(source, file) : null;
  const stream: ReadStream | null =
    typeof source === 'string' ? createReadStream(source, { highWaterMark: CHUNK_BYTES }) : null;
  const raw = createRawReader(stream ?? (typeof source === 'string' ? [] : source.chunks));
  const rawHead = await raw.peek(4, file);
  if (rawHead.length === 0) {
    raw.close();
    throw new CsvRefusal('EMPTY_FILE', file, 'a file must have content', `${file} is empty.`);
  }
  const compressed = rawHead[0] === 0x1f && rawHead[1] === 0x8b;
  const text = compressed ? inflate(raw, file) : raw;
  const close = () => {
    text.close();
    raw.close();
    stream?.destroy();
  };
  try {
    const head = await text.peek(MAX_LINE_BYTES + 1, file);
    const decoded = decodeHead(head, file);
    return {
      file,
      compressed,
      encoding: decoded.encoding,
      notes: decoded.notes,
      bytesTotal,
      chunks: readChunks(text, decoded, file, close),
      bytesRead: raw.bytesRead,
      contentSha256: raw.contentSha256,
      close,
    };
  } catch (error) {
    close();
    throw error;
  }
}

/** Reads the first lines (up to 256 KiB, 5,000 lines) and closes the file. @throws CsvRefusal */
export async function readSample(source: CsvSource): Promise<TextSample> {
  const text = await openText(source);
  const parts: Uint8Array[] = [];
  let size = 0;
  let complete = true;
  for await (const chunk of text.chunks) {
    parts.push(chunk);
    size += chunk.length;
    if (size >= SAMPLE_BYTES) {
      complete = false;
      break;
    }
  }
  let bytes = Buffer.concat(parts);
  if (!complete) {
    const end = bytes.lastIndexOf(10, SAMPLE_BYTES);
    const next = bytes.indexOf(10, end + 1);
    const line = bytes.subarray(0, end + 1).filter((byte) => byte === 10).length + 1;
    checkLineLength((next < 0 ? bytes.length : next) - end - 1, text.file, line);
    bytes = bytes.subarray(0, end + 1);
  }
  const lines = decodeText(bytes).split('\n');
  // What follows the last line feed is an unfinished line only when something is there.
  if (lines.at(-1) === '') lines.pop();
  for (const [i, line] of lines.entries()) {
    checkLineLength(line.length, text.file, i + 1);
    if (line.endsWith('\r')) lines[i] = line.slice(0, -1);
  }
  if (lines.length > MAX_SAMPLE_LINES) {
    lines.length = MAX_SAMPLE_LINES;
    complete = false;
  }
  const { file, compressed, encoding, notes } = text;
  return { file, compressed, encoding, notes, lines, complete };
}

/** The lines of an opened text with their numbers from 1, without line ends. For small tables. @throws CsvRefusal */
export async function* readLines(text: OpenText): AsyncGenerator<{ line: number; text: string }> {
  let rest: Uint8Array = new Uint8Array(0);
  let line = 0;
  for await (const chunk of text.chunks) {
    const bytes: Uint8Array = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let start = 0;
    for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, start)) {
      line++;
      checkLineLength(end - start, text.file, line);
      yield { line, text: lineText(bytes.subarray(start, end)) };
      start = end + 1;
    }
    rest = bytes.slice(start);
    checkLineLength(rest.length, text.file, line + 1);
  }
  if (rest.length > 0) yield { line: line + 1, text: lineText(rest) };
}

/** @throws CsvRefusal when a line is longer than {@link MAX_LINE_BYTES}. */
export function checkLineLength(bytes: number, file: string, line: number): void {
  if (bytes <= MAX_LINE_BYTES) return;
  throw new CsvRefusal(
    'LINE_TOO_LONG',
    file,
    `a line must be at most ${MAX_LINE_BYTES} bytes`,
    `${file}, line ${line} is longer than ${MAX_LINE_BYTES} bytes. Is this a CSV file?`,
    { line },
  );
}

const strictUtf8 = new TextDecoder('utf-8', { fatal: true });
const latin1 = new TextDecoder('windows-1252');

/** UTF-8, or Latin-1 where the bytes are not UTF-8: one odd name late in a file must not refuse the numbers before it. */
export function decodeText(bytes: Uint8Array): string {
  try {
    return strictUtf8.decode(bytes);
  } catch {
    return latin1.decode(bytes);
  }
}

function lineText(bytes: Uint8Array): string {
  return decodeText(bytes.at(-1) === 13 ? bytes.subarray(0, -1) : bytes);
}

async function checkFile(path: string, file: string): Promise<number> {
  const rule = 'a file must exist and be readable';
  try {
    const info = await stat(path);
    if (info.isFile()) return info.size;
  } catch (cause) {
    throw new CsvRefusal('FILE_NOT_READABLE', file, rule, `${file} cannot be opened: is the path right?`, { cause });
  }
  throw new CsvRefusal('FILE_NOT_READABLE', file, rule, `${file} is not a file.`);
}

type Reader = {
  /** The first bytes, at least `size` of them unless the text is shorter; they stay to be read. */
  peek(size: number, file: string): Promise<Uint8Array>;
  next(): Promise<Uint8Array | null>;
  close(): void;
};

function createReader(iterator: AsyncIterator<Uint8Array>, close: () => void): Reader {
  const waiting: Uint8Array[] = [];
  return {
    async peek(size) {
      let have = 0;
      for (const part of waiting) have += part.length;
      while (have < size) {
        const { value, done } = await iterator.next();
        if (done) break;
        waiting.push(value);
        have += value.length;
      }
      const head = Buffer.concat(waiting);
      waiting.splice(0, waiting.length, head);
      return head;
    },
    async next() {
      const first = waiting.shift();
      if (first !== undefined) return first;
      const { value, done } = await iterator.next();
      return done ? null : value;
    },
    close,
  };
}

/** Counts and hashes the bytes as they lay. */
function createRawReader(chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>) {
  const hash = createHash('sha256');
  let bytesRead = 0;
  let digest: string | null = null;
  async function* counted(): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunks) {
      bytesRead += chunk.length;
      hash.update(chunk);
      yield chunk;
    }
  }
  const iterator = counted();
  return {
    // A generator that waits for bytes returns only when they come, so nobody waits for its end.
    ...createReader(iterator, () => void iterator.return(undefined).catch(() => undefined)),
    bytesRead: () => bytesRead,
    contentSha256() {
      digest ??= hash.digest('hex');
      return digest;
    },
  };
}

function inflate(raw: Reader, file: string): Reader {
  async function* compressed(): AsyncGenerator<Uint8Array> {
    for (let chunk = await raw.next(); chunk !== null; chunk = await raw.next()) yield chunk;
  }
  const gunzip = createGunzip({ chunkSize: CHUNK_BYTES });
  // Errors surface where the text is read; the callback only keeps the pipeline from throwing them a second time.
  pipeline(Readable.from(compressed(), { objectMode: false, highWaterMark: CHUNK_BYTES }), gunzip, () => undefined);
  async function* inflated(): AsyncGenerator<Uint8Array> {
    try {
      for await (const chunk of gunzip) yield chunk;
    } catch (cause) {
      if (cause instanceof CsvRefusal) throw cause;
      const code = cause instanceof Error && 'code' in cause ? cause.code : '';
      if (code === 'Z_BUF_ERROR')
        throw new CsvRefusal(
          'TRUNCATED_GZIP',
          file,
          'a gzip file must be complete',
          `${file} is cut off: its gzip data ends too early. Download or copy it again.`,
          { cause },
        );
      if (typeof code !== 'string' || !code.startsWith('Z_')) throw cause;
      throw new CsvRefusal(
        'CORRUPT_GZIP',
        file,
        'a gzip file must be intact',
        `${file} is damaged: its gzip data does not unpack. Download or copy it again.`,
        { cause },
      );
    }
  }
  const iterator = inflated();
  return createReader(iterator, () => {
    gunzip.destroy();
    void iterator.return(undefined).catch(() => undefined);
  });
}

type Decoding = { encoding: TextEncoding; notes: string[]; skip: number; loneCr: boolean };

/** First bytes of things people try to import that are not text, and what to do about it. */
const SIGNATURES: readonly { bytes: readonly number[]; name: string; advice: string; code: RefusalCodeOfBytes }[] = [
  {
    bytes: [0x50, 0x4b, 0x03, 0x04],
    name: 'a zip archive or a spreadsheet (.xlsx)',
    advice: 'Unpack it, or save the sheet as CSV, and import the CSV file.',
    code: 'ARCHIVE',
  },
  { bytes: [0x50, 0x4b, 0x05, 0x06], name: 'an empty zip archive', advice: 'Import a CSV file.', code: 'ARCHIVE' },
  { bytes: [0x42, 0x5a, 0x68], name: 'a bzip2 archive', advice: 'Unpack it first, or use gzip.', code: 'ARCHIVE' },
  { bytes: [0xfd, 0x37, 0x7a, 0x58], name: 'an xz archive', advice: 'Unpack it first, or use gzip.', code: 'ARCHIVE' },
  {
    bytes: [0x28, 0xb5, 0x2f, 0xfd],
    name: 'a zstd archive',
    advice: 'Unpack it first, or use gzip.',
    code: 'ARCHIVE',
  },
  { bytes: [0x37, 0x7a, 0xbc, 0xaf], name: 'a 7z archive', advice: 'Unpack it first, or use gzip.', code: 'ARCHIVE' },
  {
    bytes: [0x1f, 0x8b],
    name: 'gzip inside gzip',
    advice: 'Unpack it once and import the result.',
    code: 'ARCHIVE',
  },
  { bytes: [0x50, 0x41, 0x52, 0x31], name: 'a Parquet file', advice: 'Export it as CSV.', code: 'BINARY' },
  { bytes: [0x25, 0x50, 0x44, 0x46], name: 'a PDF', advice: 'Export the table as CSV.', code: 'BINARY' },
];

type RefusalCodeOfBytes = 'ARCHIVE' | 'BINARY';

function decodeHead(head: Uint8Array, file: string): Decoding {
  for (const { bytes, name, advice, code } of SIGNATURES)
    if (bytes.every((byte, i) => head[i] === byte))
      throw new CsvRefusal(code, file, 'a file must be CSV text, plain or gzip', `${file} is ${name}. ${advice}`);

  const encoding = detectEncoding(head);
  const skip = encoding === 'utf-8-bom' ? 3 : encoding.startsWith('utf-16') ? 2 : 0;
  const wide = encoding.startsWith('utf-16');
  if (head.length <= skip) throw new CsvRefusal('EMPTY_FILE', file, 'a file must have content', `${file} is empty.`);
  if (!wide) checkText(head, file);
  // In UTF-16 the byte 10 may be half of another character, but a text without any has no lines.
  const end = head.indexOf(10);
  const loneCr = !wide && end < 0 && head.includes(13);
  const lineEnd = loneCr ? head.indexOf(13) : end;
  checkLineLength(lineEnd < 0 ? head.length : lineEnd, file, 1);
  const notes: string[] = [];
  if (encoding === 'latin-1') notes.push(`${file} is not UTF-8; its text is read as Latin-1 (Windows-1252).`);
  if (wide) notes.push(`${file} is UTF-16 and is converted while reading.`);
  if (loneCr) notes.push(`${file} ends its lines with CR alone.`);
  return { encoding, notes, skip, loneCr };
}

function detectEncoding(head: Uint8Array): TextEncoding {
  if (head[0] === 0xef && head[1] === 0xbb && head[2] === 0xbf) return 'utf-8-bom';
  if (head[0] === 0xff && head[1] === 0xfe) return 'utf-16le';
  if (head[0] === 0xfe && head[1] === 0xff) return 'utf-16be';
  try {
    // As a stream, because the head may end inside a character.
    new TextDecoder('utf-8', { fatal: true }).decode(head, { stream: true });
    return 'utf-8';
  } catch {
    return 'latin-1';
  }
}

function checkText(head: Uint8Array, file: string): void {
  let controls = 0;
  let zeros = 0;
  for (const byte of head) {
    if (byte === 0) zeros++;
    else if (byte < 32 && byte !== 9 && byte !== 10 && byte !== 13 && byte !== 12) controls++;
  }
  const rule = 'a file must be CSV text, plain or gzip';
  if (zeros * 3 > head.length)
    throw new CsvRefusal(
      'BINARY',
      file,
      rule,
      `${file} looks like UTF-16 without a byte order mark, or like binary data. Save it as UTF-8.`,
    );
  if (zeros > 0 || controls * 100 > head.length)
    throw new CsvRefusal('BINARY', file, rule, `${file} is not text: it contains binary data.`);
}

async function* readChunks(
  text: Reader,
  { encoding, skip, loneCr }: Decoding,
  file: string,
  close: () => void,
): AsyncGenerator<Uint8Array> {
  const decoder = encoding.startsWith('utf-16') ? new TextDecoder(encoding) : null;
  let size = 0;
  let left = skip;
  try {
    for (let chunk = await text.next(); chunk !== null; chunk = await text.next()) {
      size += chunk.length;
      if (size > MAX_TEXT_BYTES)
        throw new CsvRefusal(
          'FILE_TOO_LARGE',
          file,
          `a file must hold at most ${MAX_TEXT_BYTES} bytes of text`,
          `${file} holds more than ${MAX_TEXT_BYTES / 1024 ** 3} GiB of text. Split it.`,
        );
      const cut = Math.min(left, chunk.length);
      left -= cut;
      let bytes = cut > 0 ? chunk.subarray(cut) : chunk;
      if (decoder !== null) bytes = Buffer.from(decoder.decode(bytes, { stream: true }));
      else if (encoding === 'latin-1') bytes = Buffer.from(latin1.decode(bytes));
      if (loneCr) bytes = bytes.map((byte) => (byte === 13 ? 10 : byte));
      if (bytes.length > 0) yield bytes;
    }
    const rest = decoder?.decode() ?? '';
    if (rest !== '') yield Buffer.from(rest);
  } finally {
    close();
  }
}
