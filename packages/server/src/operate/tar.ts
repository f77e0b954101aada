/**
 * The little of the tar format (POSIX ustar) that a backup needs: plain files of bounded size, written and read as a
 * stream. Any tar program can open the result.
 */

const BLOCK_BYTES = 512;
const NAME_BYTES_MAX = 100;
/** A part of a backup is cut into entries no longer than this, so that none has to be measured before it is written. */
export const ENTRY_BYTES_MAX = 4 * 1024 * 1024;

export type TarEntry = { name: string; content: Buffer };

/** The bytes are not those of a whole, unchanged archive of ours. */
export class TarError extends Error {
  constructor(sentence: string) {
    super(sentence);
    this.name = 'TarError';
  }
}

/** One entry: its header, its content and zeros up to the next block. */
export function* encodeEntry({ name, content }: TarEntry): Generator<Buffer> {
  yield encodeHeader(name, content.length);
  yield content;
  const rest = content.length % BLOCK_BYTES;
  if (rest > 0) yield Buffer.alloc(BLOCK_BYTES - rest);
}

/** Two empty blocks say that nothing is missing behind them. */
export function encodeEnd(): Buffer {
  return Buffer.alloc(2 * BLOCK_BYTES);
}

function encodeHeader(name: string, size: number): Buffer {
  if (Buffer.byteLength(name) > NAME_BYTES_MAX)
    throw new RangeError(`a name must fit ${NAME_BYTES_MAX} bytes: ${name}`);
  if (size > ENTRY_BYTES_MAX) throw new RangeError(`an entry must have ${ENTRY_BYTES_MAX} bytes at most, had ${size}`);
  const header = Buffer.alloc(BLOCK_BYTES);
  header.write(name, 0);
  header.write('0000600\0', 100);
  header.write('0000000\0', 108);
  header.write('0000000\0', 116);
  header.write(`${size.toString(8).padStart(11, '0')}\0`, 124);
  header.write('00000000000\0', 136);
  header.write('0', 156);
  header.write('ustar\x0000', 257, 'latin1');
  header.write(`${checksumOf(header).toString(8).padStart(6, '0')}\0 `, 148);
  return header;
}

/** The sum of the header's bytes, with blanks where the sum itself stands. */
function checksumOf(header: Buffer): number {
  let sum = 8 * 0x20;
  for (let i = 0; i < BLOCK_BYTES; i++) if (i < 148 || i >= 156) sum += header[i]!;
  return sum;
}

/** Entries in the order of the archive. @throws TarError if it is cut off or was changed. */
export async function* readEntries(source: AsyncIterable<Buffer>): AsyncGenerator<TarEntry> {
  const reader = createReader(source);
  for (;;) {
    const header = await reader.take(BLOCK_BYTES);
    if (header.every((byte) => byte === 0)) return;
    const { name, size } = decodeHeader(header);
    const content = await reader.take(size);
    await reader.take((BLOCK_BYTES - (size % BLOCK_BYTES)) % BLOCK_BYTES);
    yield { name, content };
  }
}

function decodeHeader(header: Buffer): { name: string; size: number } {
  const field = (from: number, to: number) => header.toString('utf8', from, to).replace(/\0.*$/s, '').trim();
  const size = Number.parseInt(field(124, 136), 8);
  if (Number.parseInt(field(148, 156), 8) !== checksumOf(header) || field(257, 263) !== 'ustar') {
    throw new TarError('A header in it does not have its checksum.');
  }
  if (!(size >= 0 && size <= ENTRY_BYTES_MAX)) throw new TarError('An entry in it is longer than any of ours.');
  return { name: field(0, NAME_BYTES_MAX), size };
}

function createReader(source: AsyncIterable<Buffer>) {
  const iterator = source[Symbol.asyncIterator]();
  let rest: Buffer = Buffer.alloc(0);
  return {
    async take(count: number): Promise<Buffer> {
      const parts = [rest];
      let have = rest.length;
      while (have < count) {
        const { done, value } = await iterator.next();
        if (done) throw new TarError('It ends in the middle.');
        parts.push(value);
        have += value.length;
      }
      const all = parts.length === 1 ? rest : Buffer.concat(parts);
      rest = all.subarray(count);
      return all.subarray(0, count);
    },
  };
}
