/** Writes the wire format of Protocol Buffers: what an ONNX file is made of. */
export type Message = {
  /** A whole number, as a varint; negative ones take ten bytes. */
  int(field: number, value: number | bigint): Message;
  float(field: number, value: number): Message;
  bytes(field: number, value: Uint8Array): Message;
  text(field: number, value: string): Message;
  message(field: number, value: Message): Message;
  finish(): Uint8Array;
};

const VARINT = 0;
const LENGTH_DELIMITED = 2;
const FIXED_32 = 5;

/** @see https://protobuf.dev/programming-guides/encoding */
export function createMessage(): Message {
  const parts: Uint8Array[] = [];
  const varint = (value: number | bigint) => {
    const digits: number[] = [];
    let rest = BigInt.asUintN(64, BigInt(value));
    do {
      const low = Number(rest & 127n);
      rest >>= 7n;
      digits.push(rest > 0n ? low | 128 : low);
    } while (rest > 0n);
    parts.push(Uint8Array.from(digits));
  };
  const tag = (field: number, wire: number) => varint(field * 8 + wire);
  const self: Message = {
    int(field, value) {
      tag(field, VARINT);
      varint(value);
      return self;
    },
    float(field, value) {
      tag(field, FIXED_32);
      const four = new Uint8Array(4);
      new DataView(four.buffer).setFloat32(0, value, true);
      parts.push(four);
      return self;
    },
    bytes(field, value) {
      tag(field, LENGTH_DELIMITED);
      varint(value.length);
      parts.push(value);
      return self;
    },
    text: (field, value) => self.bytes(field, new TextEncoder().encode(value)),
    message: (field, value) => self.bytes(field, value.finish()),
    finish() {
      const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
      let at = 0;
      for (const part of parts) {
        all.set(part, at);
        at += part.length;
      }
      return all;
    },
  };
  return self;
}
