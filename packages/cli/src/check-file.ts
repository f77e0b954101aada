import { stat } from 'node:fs/promises';
import { UsageError } from './command.ts';

/** @throws UsageError in a sentence when there is no such file, or it is a folder. */
export async function checkFile(file: string): Promise<void> {
  const found = await stat(file).catch(() => undefined);
  if (found === undefined) throw new UsageError(`There is no file ${file}.`);
  if (!found.isFile()) throw new UsageError(`${file} is no file.`);
}
