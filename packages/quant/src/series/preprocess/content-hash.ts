/**
 * 128 bits of a matrix's shape and values, as 32 hexadecimal digits: another for matrices that differ in a single bit, as
 * far as chance goes. Every NaN counts as the same; 0 and −0 differ.
 *
 * It guards against mistakes, not against forgery: it is not cryptographic.
 */
export function contentHash(values: Float64Array, columnCount: number): string {
  const number = new Float64Array(1);
  const words = new Uint32Array(number.buffer);
  let [a, b, c, d] = [0x9e3779b9, 0x85ebca6b, 0xc2b2ae35, 0x27d4eb2f];
  const take = (x: number) => {
    number[0] = Number.isNaN(x) ? 0 : x;
    const low = words[0]!;
    // No double other than a NaN has this upper word.
    const high = Number.isNaN(x) ? 0x7ff80000 : words[1]!;
    a = Math.imul(rotate(a ^ low, 15) + b, 0xcc9e2d51);
    b = Math.imul(rotate(b ^ high, 13) + c, 0x1b873593);
    c = Math.imul(rotate(c ^ a, 17) + d, 0xe6546b64);
    d = Math.imul(rotate(d ^ b, 11) + a, 0x85ebca77);
  };
  take(columnCount);
  take(values.length);
  for (let i = 0; i < values.length; i++) take(values[i]!);
  // Four more rounds, so that the last value reaches every digit.
  for (let i = 0; i < 4; i++) take(i);
  return [a, b, c, d].map((word) => (word >>> 0).toString(16).padStart(8, '0')).join('');
}

function rotate(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}
