import { expect } from '../../../checks/expect.ts';

/** An object of untrusted JSON and where it lies, so that every complaint names its field. */
export type Fields = { path: string; values: Record<string, unknown> };

/** @throws RangeError if the text is no JSON object. */
export function parseFields(text: string, what: string): Fields {
  let values: unknown;
  try {
    values = JSON.parse(text);
  } catch (error) {
    throw new RangeError(`${what} must be JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  return fieldsOf(values, what);
}

export function fieldsOf(value: unknown, path: string): Fields {
  expect(isRecord(value), `${path} must be an object`);
  return { path, values: value };
}

export function objectAt({ path, values }: Fields, key: string): Fields {
  return fieldsOf(values[key], `${path}.${key}`);
}

export function listAt({ path, values }: Fields, key: string): unknown[] {
  const list = values[key];
  expect(Array.isArray(list), `${path}.${key} must be a list`);
  return list;
}

export function textAt({ path, values }: Fields, key: string): string {
  const text = values[key];
  expect(typeof text === 'string', `${path}.${key} must be a text`);
  return text;
}

/** A whole number in a range, written as a number or, as these files like to, as a text. */
export function wholeAt({ path, values }: Fields, key: string, low: number, high: number): number {
  const value = values[key];
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  expect(
    typeof number === 'number' && Number.isInteger(number) && number >= low && number <= high,
    `${path}.${key} must be a whole number in ${low}..${high}, was ${JSON.stringify(value)}`,
  );
  return number;
}

/** Finite numbers or booleans (as 0 and 1), as many as said; null: any count. */
export function numbersAt(fields: Fields, key: string, count: number | null): Float64Array {
  const list = listAt(fields, key);
  const { path } = fields;
  expect(count === null || list.length === count, `${path}.${key} must be ${count} numbers, were ${list.length}`);
  return Float64Array.from(list, (value, i) => {
    const number = typeof value === 'boolean' ? Number(value) : value;
    expect(
      typeof number === 'number' && Number.isFinite(number),
      `${path}.${key}[${i}] must be a finite number, was ${JSON.stringify(value)}`,
    );
    return number;
  });
}

/** Whole numbers in a range, as many as said; null: any count. */
export function wholesAt(fields: Fields, key: string, count: number | null, low: number, high: number): Int32Array {
  return Int32Array.from(numbersAt(fields, key, count), (value, i) => {
    expect(
      Number.isInteger(value) && value >= low && value <= high,
      `${fields.path}.${key}[${i}] must be a whole number in ${low}..${high}, was ${value}`,
    );
    return value;
  });
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
