import { sql } from 'kysely';
import { z } from 'zod';
import type { Transaction } from '../../platform/database/database.ts';
import { found, ProblemError } from '../../platform/problem-error.ts';
import type { Registry } from '../registry/registry.types.ts';
import * as repository from './mlflow.repository.ts';

export type File = { path: string; sha256: string; byteCount: number };

/** Files of a logged model lie below this folder of its run. */
const MODELS_FOLDER = 'logged-models/';
const NAME_MAX = 500;
/** The one file of a version that was made here. */
const OWN_FILE = 'model.bin';

/** A folder on the wire: of a run, of a logged model, or of a version, which never changes. */
export type Place =
  | { kind: 'run'; runId: number; path: string }
  | { kind: 'model'; modelId: number; path: string }
  | { kind: 'version'; model: string; version: number; path: string };

/** Reads `runs/17/…`, `models/m-5/…` or `versions/NAME/3/…`. @throws NOT_FOUND, INVALID_REQUEST */
export function placeOf(path: string): Place {
  const parts = path.split('/').filter((part) => part !== '');
  if (parts.some((part) => part === '.' || part === '..' || part.includes('\\')) || path.length > NAME_MAX)
    throw new ProblemError('INVALID_REQUEST', 'A path goes down from its root, in at most 500 characters.');
  const [kind, first = '', second = ''] = parts;
  const at = (from: number) => parts.slice(from).join('/');
  if (kind === 'runs') return { kind: 'run', runId: numberOf(first), path: at(2) };
  if (kind === 'models') return { kind: 'model', modelId: loggedModelNumber(first), path: at(2) };
  if (kind === 'versions') return { kind: 'version', model: first, version: numberOf(second), path: at(3) };
  throw new ProblemError('NOT_FOUND', 'Files here lie below runs, models or versions.');
}

/** `m-5` is the logged model 5. */
export function loggedModelNumber(id: string): number {
  return numberOf(/^m-(\d{1,9})$/.exec(id)?.[1] ?? '');
}

function numberOf(text: string): number {
  return /^\d{1,9}$/.test(text) ? Number(text) : 0;
}

/** The run that a place writes to and the name of the file there. @throws NOT_POSSIBLE_NOW for a version. */
export async function writableOf(tx: Transaction, place: Place): Promise<{ runId: number; name: string }> {
  if (place.kind === 'version')
    throw new ProblemError('NOT_POSSIBLE_NOW', 'A version never changes. Register another one.');
  if (place.path === '') throw new ProblemError('INVALID_REQUEST', 'The file needs a name.');
  if (place.kind === 'model') {
    const model = await getLoggedModel(tx, place.modelId);
    return { runId: model.runId, name: `${folderOf(place.modelId)}${place.path}` };
  }
  if (place.path.startsWith(MODELS_FOLDER))
    throw new ProblemError('INVALID_REQUEST', `The folder ${MODELS_FOLDER} belongs to the logged models.`);
  return { runId: place.runId, name: place.path };
}

/** Every file at or below a place, by its path from the root of its run, model or version. */
export async function filesAt(tx: Transaction, registry: Registry, place: Place): Promise<File[]> {
  const all = await filesOf(tx, registry, place);
  const { path } = place;
  return path === '' ? all : all.filter((file) => file.path === path || file.path.startsWith(`${path}/`));
}

async function filesOf(tx: Transaction, registry: Registry, place: Place): Promise<File[]> {
  if (place.kind === 'run') {
    const condition = sql<boolean>`r.id = ${place.runId}`;
    const [run] = await repository.searchRuns(tx, { condition, order: sql`r.id`, limit: 1, offset: 0 });
    found(run, `Run '${place.runId}' not found.`);
    const files = await repository.findFiles(tx, place.runId, place.path);
    return files
      .filter(({ name }) => !name.startsWith(MODELS_FOLDER))
      .map(({ name, ...stored }) => ({ path: name, ...stored }));
  }
  if (place.kind === 'model') {
    const { runId } = await getLoggedModel(tx, place.modelId);
    const folder = folderOf(place.modelId);
    const files = await repository.findFiles(tx, runId, folder);
    return files.map(({ name, ...stored }) => ({ path: name.slice(folder.length), ...stored }));
  }
  const version = await getVersion(tx, place.model, place.version);
  if (version.format !== 'mlflow')
    return [{ path: OWN_FILE, sha256: version.artefactSha256, byteCount: version.artefactByteCount }];
  return readListing(await registry.readArtefact(version.artefactSha256));
}

const listing = z.object({
  files: z.array(z.object({ path: z.string(), sha256: z.string(), byteCount: z.number() })),
});

/** The bytes of a version in MLflow's format: the names and hashes of its files. */
export function writeListing(files: readonly File[]): Buffer {
  const sorted = [...files].sort((a, b) => (a.path < b.path ? -1 : 1));
  return Buffer.from(JSON.stringify({ files: sorted }));
}

function readListing(content: Buffer): File[] {
  return listing.parse(JSON.parse(content.toString('utf8'))).files;
}

/** What lies directly in a folder, as MLflow lists it; of a file, the file itself. Paths start at the folder. */
export function listFolder(files: readonly File[], folder: string) {
  const entries = new Map<string, { path: string; is_dir: boolean; file_size?: number }>();
  for (const { path, byteCount } of files) {
    const below = path === folder ? (path.split('/').at(-1) ?? '') : path.slice(folder === '' ? 0 : folder.length + 1);
    const [first = '', ...rest] = below.split('/');
    if (rest.length > 0) entries.set(first, { path: first, is_dir: true });
    else entries.set(first, { path: first, is_dir: false, file_size: byteCount });
  }
  return [...entries.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}

export async function getLoggedModel(tx: Transaction, id: number): Promise<repository.LoggedModel> {
  return found(await repository.findLoggedModel(tx, id), `Logged model with ID 'm-${id}' not found.`);
}

export async function getVersion(tx: Transaction, model: string, number: number): Promise<repository.MlflowVersion> {
  const condition = sql<boolean>`m.name = ${model} AND v.number = ${number}`;
  const [row] = await repository.searchVersions(tx, { condition, order: sql`v.number`, limit: 1, offset: 0 });
  return found(row, `Model Version (name=${model}, version=${number}) not found`);
}

function folderOf(modelId: number): string {
  return `${MODELS_FOLDER}m-${modelId}/`;
}
