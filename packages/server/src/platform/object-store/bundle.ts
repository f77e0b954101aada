import { createHash } from 'node:crypto';
import { canonicalJson } from '../evidence/canonical-json.ts';
import type { ObjectStore } from './object-store.ts';

/** A table of equally long columns. `date` columns count days since 1970-01-01; missing numbers are NaN. */
export type BundleTable = {
  rowCount: number;
  columns: Record<string, { type: 'int32' | 'date' | 'float64'; values: Int32Array | Float64Array }>;
};

export type BundlePart = {
  name: string;
  sha256: string;
  byteCount: number;
  rowCount: number;
  columns: { name: string; type: string }[];
};

/**
 * Several tables and what was said about them, under one hash: each table is an Arrow IPC file of its own (pandas, polars
 * and DuckDB read it), the manifest names their hashes, and the hash of the manifest names the whole.
 */
export type Bundle = { sha256: string; byteCount: number; about: Record<string, unknown>; parts: BundlePart[] };

/** Stores a bundle. Equal content gives equal hashes. */
export async function writeBundle(
  objects: ObjectStore,
  about: Record<string, unknown>,
  tables: Record<string, BundleTable>,
): Promise<Bundle> {
  const parts: BundlePart[] = [];
  for (const [name, table] of Object.entries(tables)) {
    const stored = await objects.put(await encodeTable(table));
    const columns = Object.entries(table.columns).map(([column, { type }]) => ({ name: column, type }));
    parts.push({ name, ...stored, rowCount: table.rowCount, columns });
  }
  const manifest = await objects.put(Buffer.from(canonicalJson({ about, parts })));
  const byteCount = parts.reduce((sum, part) => sum + part.byteCount, manifest.byteCount);
  return { sha256: manifest.sha256, byteCount, about, parts };
}

/** @throws if the bundle is not there, or its manifest does not have the hash. */
export async function readBundle(objects: ObjectStore, sha256: string): Promise<Bundle> {
  const text = await objects.get(sha256);
  const { about, parts }: Pick<Bundle, 'about' | 'parts'> = JSON.parse(text.toString('utf8'));
  return { sha256, byteCount: parts.reduce((sum, part) => sum + part.byteCount, text.length), about, parts };
}

/** One table of a bundle. Its columns are views into one buffer: nothing is copied. @throws if the content was changed. */
export async function readPart(objects: ObjectStore, bundle: Bundle, name: string): Promise<BundleTable> {
  const part = bundle.parts.find((candidate) => candidate.name === name);
  if (part === undefined) throw new RangeError(`bundle ${bundle.sha256} has no part ${name}`);
  const { tableFromIPC } = await import('apache-arrow');
  const table = tableFromIPC(await objects.get(part.sha256));
  const columns: BundleTable['columns'] = {};
  for (const { name: column, type } of part.columns) {
    const values: unknown = table.getChild(column)?.data[0]?.values;
    // Arrow pads its buffers; what lies after the last row is not ours.
    if (type === 'float64' && values instanceof Float64Array)
      columns[column] = { type, values: values.subarray(0, part.rowCount) };
    else if ((type === 'int32' || type === 'date') && values instanceof Int32Array) {
      columns[column] = { type, values: values.subarray(0, part.rowCount) };
    } else if (part.rowCount === 0) {
      columns[column] =
        type === 'float64' ? { type, values: new Float64Array(0) } : { type: 'int32', values: new Int32Array(0) };
    } else throw new RangeError(`column ${column} of bundle ${bundle.sha256} has unknown type ${type}`);
  }
  return { rowCount: part.rowCount, columns };
}

/** The column of a table, by its kind. @throws RangeError if there is none. */
export function floatColumn(table: BundleTable, name: string): Float64Array {
  const values = table.columns[name]?.values;
  if (!(values instanceof Float64Array)) throw new RangeError(`there is no float column ${name}`);
  return values;
}

export function intColumn(table: BundleTable, name: string): Int32Array {
  const values = table.columns[name]?.values;
  if (!(values instanceof Int32Array)) throw new RangeError(`there is no integer column ${name}`);
  return values;
}

/** An Arrow IPC file. The same table gives the same bytes. */
export async function encodeTable(table: BundleTable): Promise<Buffer> {
  const { DateDay, Table, Vector, makeData, makeVector, tableToIPC } = await import('apache-arrow');
  const columns = Object.entries(table.columns).map(([name, { type, values }]) => {
    if (values.length !== table.rowCount)
      throw new RangeError(`column ${name} must have ${table.rowCount} rows, had ${values.length}`);
    if (type === 'date' && values instanceof Int32Array) {
      return [name, new Vector([makeData({ type: new DateDay(), data: values })])] as const;
    }
    return [name, values instanceof Int32Array ? makeVector(values) : makeVector(values)] as const;
  });
  return Buffer.from(tableToIPC(new Table(Object.fromEntries(columns)), 'file'));
}

/** Hash of a value in canonical JSON. */
export function hashOf(value: unknown): string {
  return createHash('sha256').update(canonicalJson(value)).digest('hex');
}
