import type { CsvSource } from './read-text.ts';
import { CsvRefusal } from './refusal.ts';

/** Test aid: a text or bytes as a source that arrives in chunks of the given size. */
export function sourceOf(content: string | Uint8Array, name = 'prices.csv', chunkBytes = 1 << 16): CsvSource {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  async function* chunks() {
    for (let at = 0; at < bytes.length; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes);
  }
  return { name, chunks: chunks() };
}

/** Test aid: the refusal a call must end in. */
export async function refusalOf(work: Promise<unknown>): Promise<CsvRefusal> {
  try {
    await work;
  } catch (error) {
    if (error instanceof CsvRefusal) return error;
    throw error;
  }
  throw new Error('was not refused');
}
