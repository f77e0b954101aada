import { expect } from '../checks/expect.ts';

/** Typed arrays an artefact may hold, by the name that is written. */
const ARRAYS = { f64: Float64Array, f32: Float32Array, i32: Int32Array, u8: Uint8Array } as const;
type ArrayName = keyof typeof ARRAYS;
export type ArtefactArray = Float64Array | Float32Array | Int32Array | Uint8Array;

/** A model as bytes: what it is, its settings, its numbers. */
export type Artefact = {
  /** What reads it back, as `ridge/1`. A change of its layout is another number. */
  kind: string;
  /** JSON: no NaN, no undefined. */
  meta: Record<string, unknown>;
  arrays: Record<string, ArtefactArray>;
};

type Entry = { name: string; type: ArrayName; length: number };
const MAGIC = 'TSA1';
const ALIGNMENT = 8;
const HEAD_LENGTH = 12;
const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/**
 * Writes an artefact: magic, checksum, length of the head, the head as JSON, the arrays at multiples of eight bytes, little
 * endian. The same artefact gives the same bytes: keys are sorted.
 */
export function writeArtefact({ kind, meta, arrays }: Artefact): Uint8Array {
  const names = Object.keys(arrays).sort();
  const entries = names.map((name): Entry => ({ name, type: typeOf(arrays[name]!), length: arrays[name]!.length }));
  const head = new TextEncoder().encode(JSON.stringify(sortKeys({ arrays: entries, kind, meta })));
  let size = align(HEAD_LENGTH + head.length);
  for (const name of names) size = align(size + arrays[name]!.byteLength);
  const bytes = new Uint8Array(size);
  bytes.set(new TextEncoder().encode(MAGIC), 0);
  new DataView(bytes.buffer).setUint32(8, head.length, true);
  bytes.set(head, HEAD_LENGTH);
  let at = align(HEAD_LENGTH + head.length);
  for (const name of names) {
    const array = arrays[name]!;
    bytes.set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength), at);
    at = align(at + array.byteLength);
  }
  new DataView(bytes.buffer).setUint32(4, checksum(bytes), true);
  return bytes;
}

/** @throws RangeError for other bytes, a wrong checksum, or a kind that is not the one wanted. */
export function readArtefact(given: Uint8Array, kindWanted?: string): Artefact {
  // A Buffer's slices share its memory, which may begin anywhere; those of a plain array are copies.
  const bytes = new Uint8Array(given.buffer, given.byteOffset, given.byteLength);
  expect(
    bytes.length >= HEAD_LENGTH && new TextDecoder().decode(bytes.subarray(0, 4)) === MAGIC,
    'this is no model artefact: its first bytes are others',
  );
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  expect(view.getUint32(4, true) === checksum(bytes), 'the model artefact is damaged: its checksum does not fit');
  const headLength = view.getUint32(8, true);
  const head = JSON.parse(new TextDecoder().decode(bytes.subarray(HEAD_LENGTH, HEAD_LENGTH + headLength))) as {
    kind: string;
    meta: Record<string, unknown>;
    arrays: Entry[];
  };
  expect(
    kindWanted === undefined || head.kind === kindWanted,
    `the model artefact is a ${head.kind}, wanted was a ${kindWanted}`,
  );
  const arrays: Record<string, ArtefactArray> = {};
  let at = align(HEAD_LENGTH + headLength);
  for (const { name, type, length } of head.arrays) {
    const Type = ARRAYS[type];
    const byteLength = length * Type.BYTES_PER_ELEMENT;
    // A copy of its own: what Node reads from a file or a socket lies somewhere in a larger buffer.
    arrays[name] = new Type(new Uint8Array(bytes.subarray(at, at + byteLength)).buffer);
    at = align(at + byteLength);
  }
  return { kind: head.kind, meta: head.meta, arrays };
}

function typeOf(array: ArtefactArray): ArrayName {
  if (array instanceof Float64Array) return 'f64';
  if (array instanceof Float32Array) return 'f32';
  return array instanceof Int32Array ? 'i32' : 'u8';
}

function align(length: number): number {
  return Math.ceil(length / ALIGNMENT) * ALIGNMENT;
}

/** FNV-1a of everything behind the checksum: it finds damage; who changed it on purpose is found by the content hash. */
function checksum(bytes: Uint8Array): number {
  let hash = FNV_OFFSET;
  for (let i = 8; i < bytes.length; i++) hash = Math.imul(hash ^ bytes[i]!, FNV_PRIME);
  return hash >>> 0;
}

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, inner]) => [key, sortKeys(inner)]));
}
