/** The newest values of one instrument under one version of a view. Days since 1970, EpochMs. */
export type OnlineValue = {
  version: number;
  eventDay: number;
  /** What was known by then is in the values. */
  knownAt: number;
  recordedAt: number;
  /** In the order of the view's features; NaN: see reasons. */
  values: Float64Array;
  /** Bytes of `REASON_CODES`; 0 where there is a value. */
  reasons: Uint8Array;
};

const FORMAT = 1;
const HEAD_BYTES = 32;

/**
 * One text of bytes for all values of an instrument, little-endian: format and version of the view, event day, count of
 * values, knownAt, recordedAt, then the values as they are in memory, then the reasons. All stores hold the same bytes, so
 * all give the same answer.
 */
export function packValue(value: OnlineValue): Buffer {
  const count = value.values.length;
  const packed = Buffer.alloc(HEAD_BYTES + count * 9);
  packed.writeUInt32LE(FORMAT, 0);
  packed.writeUInt32LE(value.version, 4);
  packed.writeInt32LE(value.eventDay, 8);
  packed.writeUInt32LE(count, 12);
  packed.writeDoubleLE(value.knownAt, 16);
  packed.writeDoubleLE(value.recordedAt, 24);
  for (let i = 0; i < count; i++) packed.writeDoubleLE(value.values[i]!, HEAD_BYTES + i * 8);
  packed.set(value.reasons, HEAD_BYTES + count * 8);
  return packed;
}

/** @returns null for bytes of another format: they are as if they were not there. */
export function unpackValue(packed: Buffer): OnlineValue | null {
  if (packed.length < HEAD_BYTES || packed.readUInt32LE(0) !== FORMAT) return null;
  const count = packed.readUInt32LE(12);
  if (packed.length !== HEAD_BYTES + count * 9) return null;
  const values = new Float64Array(count);
  for (let i = 0; i < count; i++) values[i] = packed.readDoubleLE(HEAD_BYTES + i * 8);
  return {
    version: packed.readUInt32LE(4),
    eventDay: packed.readInt32LE(8),
    knownAt: packed.readDoubleLE(16),
    recordedAt: packed.readDoubleLE(24),
    values,
    reasons: new Uint8Array(packed.subarray(HEAD_BYTES + count * 8)),
  };
}
