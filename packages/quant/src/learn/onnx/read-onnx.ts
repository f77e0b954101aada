import { expect } from '../../checks/expect.ts';

/** What a file says of itself, read without a runtime. */
export type OnnxSummary = {
  producer: string;
  /** Names of all operators, each once, ascending; of other domains with the domain before. */
  operators: string[];
  /** True: it wants bytes that lie in other files. */
  hasExternalData: boolean;
};

/** Graphs inside of nodes inside of graphs. */
const DEPTH_MAX = 16;
const TEXT = new TextDecoder();

type Field = { number: number; bytes: Uint8Array | null; value: number };

/**
 * Reads the producer, the operators and whether other files are wanted out of an ONNX file.
 *
 * @throws RangeError for bytes that are no protobuf message, or graphs nested too deep.
 * @see https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
 */
export function readOnnx(bytes: Uint8Array): OnnxSummary {
  const told = { producer: '', version: '', operators: new Set<string>(), hasExternalData: false, hasGraph: false };

  function readTensor(tensor: Uint8Array): void {
    for (const { number, bytes: inner, value } of fields(tensor)) {
      // data_location 1 is external; an entry of external_data is as telling.
      if ((number === 14 && value === 1) || (number === 13 && inner !== null)) told.hasExternalData = true;
    }
  }

  function readAttribute(attribute: Uint8Array, depth: number): void {
    for (const { number, bytes: inner } of fields(attribute)) {
      if (inner === null) continue;
      if (number === 5 || number === 10) readTensor(inner);
      if (number === 6 || number === 11) readGraph(inner, depth + 1);
      if (number === 22 || number === 23) readSparse(inner);
    }
  }

  function readSparse(sparse: Uint8Array): void {
    for (const { number, bytes: inner } of fields(sparse)) if (inner !== null && number <= 2) readTensor(inner);
  }

  function readNode(node: Uint8Array, depth: number): void {
    let [name, domain] = ['', ''];
    for (const { number, bytes: inner } of fields(node)) {
      if (inner === null) continue;
      if (number === 4) name = TEXT.decode(inner);
      if (number === 7) domain = TEXT.decode(inner);
      if (number === 5) readAttribute(inner, depth);
    }
    told.operators.add(domain === '' || domain === 'ai.onnx' ? name : `${domain}.${name}`);
  }

  function readGraph(graph: Uint8Array, depth: number): void {
    expect(depth <= DEPTH_MAX, `graphs must be nested at most ${DEPTH_MAX} deep`);
    for (const { number, bytes: inner } of fields(graph)) {
      if (inner === null) continue;
      if (number === 1) readNode(inner, depth);
      if (number === 5) readTensor(inner);
      if (number === 15) readSparse(inner);
    }
  }

  for (const { number, bytes: inner } of fields(bytes)) {
    if (inner === null) continue;
    if (number === 2) told.producer = TEXT.decode(inner);
    if (number === 3) told.version = TEXT.decode(inner);
    if (number === 7) {
      told.hasGraph = true;
      readGraph(inner, 0);
    }
    // Functions hold nodes of their own.
    if (number === 25)
      for (const field of fields(inner)) if (field.number === 7 && field.bytes !== null) readNode(field.bytes, 0);
  }
  expect(told.hasGraph, 'the bytes hold no graph');
  const { operators, hasExternalData } = told;
  const producer = `${told.producer} ${told.version}`.trim();
  return { producer: producer.slice(0, 200) || 'unknown', operators: [...operators].sort(), hasExternalData };
}

function fields(bytes: Uint8Array): Field[] {
  const found: Field[] = [];
  let at = 0;
  function varint(): number {
    let value = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      expect(at < bytes.length, 'a message must not end within a number');
      const byte = bytes[at++]!;
      // Beyond 2⁵³ numbers lose digits; sizes and tags never are so large.
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw new RangeError('a number must have at most 10 bytes');
  }
  while (at < bytes.length) {
    const tag = varint();
    const [number, wire] = [Math.floor(tag / 8), tag % 8];
    expect(number >= 1, 'a field must have a number');
    if (wire === 0) found.push({ number, bytes: null, value: varint() });
    else {
      const size = wire === 2 ? varint() : wire === 1 ? 8 : wire === 5 ? 4 : Number.NaN;
      expect(at + size <= bytes.length, `field ${number} must lie within its message`);
      found.push({ number, bytes: wire === 2 ? bytes.subarray(at, at + size) : null, value: 0 });
      at += size;
    }
  }
  return found;
}
