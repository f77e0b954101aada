/** How numbers are written: what parts the fraction, what parts groups of three digits. */
export type NumberStyle = { decimal: '.' | ','; thousands: '' | ',' | '.' | ' ' | "'" };

/** Powers of ten that a double holds exactly. */
const POWERS = Float64Array.from({ length: 23 }, (_, i) => Number(`1e${i}`));
/** Integers up to here are exact, and once a growing mantissa has passed it, it stays above. */
const MAX_EXACT = 2 ** 53;
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,4})?$/;
const MISSING = /^(?:|na|n\/a|#n\/a|n\.a\.|nan|null|nil|none|-|--|\.|\?)$/i;

/**
 * The number in `bytes[start, end)`, bit for bit what `Number(text)` gives; NaN for anything but a plain decimal number
 * with a point (optional sign, optional exponent).
 *
 * A mantissa below 2^53 times or over an exact power of ten is one correctly rounded operation; this is the fast path of
 * Clinger (1990), doi:10.1145/93542.93557. Other numbers go through `Number`.
 */
export function parseDecimal(bytes: Uint8Array, start: number, end: number): number {
  let i = start;
  let byte = i < end ? bytes[i]! : 0;
  const negative = byte === 45;
  if (negative || byte === 43) i++;
  let mantissa = 0;
  const first = i;
  for (; i < end; i++) {
    byte = bytes[i]! - 48;
    if (byte < 0 || byte > 9) break;
    mantissa = mantissa * 10 + byte;
  }
  let digits = i - first;
  let exponent = 0;
  if (i < end && bytes[i] === 46) {
    i++;
    const point = i;
    for (; i < end; i++) {
      byte = bytes[i]! - 48;
      if (byte < 0 || byte > 9) break;
      mantissa = mantissa * 10 + byte;
    }
    exponent = point - i;
    digits -= exponent;
  }
  if (digits === 0) return Number.NaN;
  if (i < end) {
    if ((bytes[i]! | 32) !== 101) return Number.NaN;
    return slowDecimal(bytes, start, end);
  }
  if (mantissa >= MAX_EXACT || exponent < -22) return slowDecimal(bytes, start, end);
  const value = exponent === 0 ? mantissa : mantissa / POWERS[-exponent]!;
  return negative ? -value : value;
}

function slowDecimal(bytes: Uint8Array, start: number, end: number): number {
  let text = '';
  for (let i = start; i < end; i++) text += String.fromCharCode(bytes[i]!);
  return NUMBER.test(text) ? Number(text) : Number.NaN;
}

/** Whether a field says that there is no value: empty, NA, N/A, null, nan, none, a dash, a point. */
export function isMissing(text: string): boolean {
  return MISSING.test(text);
}

/**
 * The number in a text written in a given style, with its groups of three, a currency sign before it or spaces around
 * it; null where it says that there is none; undefined where it is no number. Groups must be exact: `1,23` is no number.
 */
export function parseNumberText(text: string, style: NumberStyle): number | null | undefined {
  let plain = text.trim();
  if (isMissing(plain)) return null;
  plain = plain.replace(/^([+-]?)\s*[$€£¥]\s*/, '$1');
  if (style.thousands !== '') plain = withoutGroups(plain, style);
  if (style.decimal === ',') {
    if (plain.includes('.')) return undefined;
    plain = plain.replace(',', '.');
  }
  return NUMBER.test(plain) ? Number(plain) : undefined;
}

/** Volumes are also written as 12.3M. Same answers as {@link parseNumberText}. */
export function parseVolumeText(text: string, style: NumberStyle): number | null | undefined {
  const match = /^(.*\d)\s*([kmb])$/i.exec(text.trim());
  const exponent = match === null ? '' : { k: 'e3', m: 'e6', b: 'e9' }[match[2]!.toLowerCase()];
  const value = parseNumberText(match === null ? text : match[1]!, style);
  // The exponent is put into the text so that 1.1M is 1100000 and not 1100000.0000000001.
  return typeof value === 'number' && exponent !== '' ? Number(`${value}${exponent}`) : value;
}

const GROUPS: Record<string, RegExp> = {
  ',': /^[+-]?\d{1,3}(?:,\d{3})+(?![\d,])/,
  '.': /^[+-]?\d{1,3}(?:\.\d{3})+(?![\d.])/,
  ' ': /^[+-]?\d{1,3}(?:[ \u00a0\u202f]\d{3})+(?![\d \u00a0\u202f])/,
  "'": /^[+-]?\d{1,3}(?:['’]\d{3})+(?!['’\d])/,
};

function withoutGroups(text: string, { thousands }: NumberStyle): string {
  const match = GROUPS[thousands]?.exec(text);
  return match ? match[0].replace(/[^\d+-]/g, '') + text.slice(match[0].length) : text;
}
