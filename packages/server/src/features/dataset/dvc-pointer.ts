import { createHash } from 'node:crypto';
import { readBundle } from '../../platform/object-store/bundle.ts';
import type { ObjectStore } from '../../platform/object-store/object-store.ts';

/** A file of a dataset as DVC names it. */
export type DvcFile = { part: string; path: string; md5: string; byteCount: number };

export type DvcPointer = {
  name: string;
  /** Text of the `.dvc` file. */
  pointer: string;
  /** The list of files, which DVC stores under its md5 with `.dir` behind it. */
  directory: { md5: string; text: string };
  files: DvcFile[];
};

const NAME_LENGTH = 12;
export const MANIFEST_PART = 'manifest';

/**
 * A dataset as a folder that DVC tracks: each table as an Arrow file, and the manifest beside them. DVC knows files by
 * their md5 (`files/md5/ab/cdef…` in caches and remotes); ours keep their SHA-256 in the manifest, which is among them.
 *
 * @see https://dvc.org/doc/user-guide/project-structure/dvc-files
 */
export async function dvcPointerOf(objects: ObjectStore, sha256: string): Promise<DvcPointer> {
  const { parts } = await readBundle(objects, sha256);
  const files = [{ part: MANIFEST_PART, path: 'manifest.json', sha256 }];
  for (const part of parts) files.push({ part: part.name, path: `${part.name}.arrow`, sha256: part.sha256 });
  const listed: DvcFile[] = [];
  for (const { part, path, sha256: hash } of files) listed.push({ part, path, ...(await md5Of(objects.stream(hash))) });
  return pointerTo(`dataset-${sha256.slice(0, NAME_LENGTH)}`, listed, { sha256 });
}

/**
 * The pointer to a folder of some files.
 *
 * @param meta What else the pointer says; DVC keeps it and makes nothing of it.
 */
export function pointerTo(name: string, files: readonly DvcFile[], meta: Readonly<Record<string, string>>): DvcPointer {
  // DVC sorts the list by path and writes it as Python does, a space after each comma and colon.
  const listed = [...files].sort((a, b) => (a.path < b.path ? -1 : 1));
  const entries = listed.map(({ md5, path }) => `{"md5": ${JSON.stringify(md5)}, "relpath": ${JSON.stringify(path)}}`);
  const text = `[${entries.join(', ')}]`;
  const directory = { md5: createHash('md5').update(text).digest('hex'), text };
  const byteCount = listed.reduce((sum, file) => sum + file.byteCount, 0);
  const said = Object.entries(meta).map(([key, value]) => `  ${key}: ${value}`);
  const pointer = [
    'outs:',
    `- md5: ${directory.md5}.dir`,
    `  size: ${byteCount}`,
    `  nfiles: ${listed.length}`,
    '  hash: md5',
    `  path: ${name}`,
    ...(said.length === 0 ? [] : ['meta:', ...said]),
    '',
  ].join('\n');
  return { name, pointer, directory, files: listed };
}

async function md5Of(content: AsyncIterable<Buffer>): Promise<{ md5: string; byteCount: number }> {
  const hash = createHash('md5');
  let byteCount = 0;
  for await (const piece of content) {
    hash.update(piece);
    byteCount += piece.length;
  }
  return { md5: hash.digest('hex'), byteCount };
}
