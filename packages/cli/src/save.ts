import { createWriteStream } from 'node:fs';
import { rename, rm, stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Output } from './command.ts';
import { bytes } from './render.ts';

/** Writes an answer to a file, under a passing name until it is whole. */
export async function saveTo(file: string, response: Response): Promise<Output> {
  const draft = `${file}.part`;
  try {
    await pipeline(Readable.from(response.body ?? []), createWriteStream(draft));
    await rename(draft, file);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
  const { size } = await stat(file);
  return { json: { file, byteCount: size }, text: `Wrote ${bytes(size)} to ${file}.\n` };
}
