import { expect } from '../../checks/expect.ts';
import type { Random } from '../../random/random.ts';

/** One thing that can be chosen. */
export type Dimension =
  | { kind: 'choice'; name: string; values: readonly (string | number)[] }
  /** Log: the same share of draws for each factor. */
  | { kind: 'number'; name: string; low: number; high: number; isLog: boolean; isWhole: boolean };

/** What can be chosen once a family is. */
export type FamilySpace = { family: string; dimensions: readonly Dimension[] };

export type Candidate = { family: string; values: Record<string, string | number> };

/** @throws RangeError for a space in which nothing can be chosen, or with an empty range. */
export function checkSpace(spaces: readonly FamilySpace[]): void {
  expect(spaces.length >= 1, 'there must be a family to search');
  expect(new Set(spaces.map(({ family }) => family)).size === spaces.length, 'a family stands in the space twice');
  for (const { family, dimensions } of spaces)
    for (const dimension of dimensions) {
      const { name } = dimension;
      if (dimension.kind === 'choice') expect(dimension.values.length >= 1, `${family}.${name} must have a value`);
      else
        expect(
          dimension.low < dimension.high && (!dimension.isLog || dimension.low > 0),
          `${family}.${name} must have a range, had ${dimension.low} to ${dimension.high}`,
        );
    }
}

/** Place of a value in its range: a number in 0..1, or the index of a choice. @throws RangeError for a value outside. */
export function placeOf(dimension: Dimension, value: string | number): number {
  if (dimension.kind === 'choice') {
    const at = dimension.values.indexOf(value);
    expect(at >= 0, `${dimension.name} must be one of ${dimension.values.join(', ')}, was ${value}`);
    return at;
  }
  const { low, high, isLog, name } = dimension;
  expect(
    typeof value === 'number' && value >= low && value <= high,
    `${name} must lie in ${low}..${high}, was ${value}`,
  );
  return isLog ? Math.log(value / low) / Math.log(high / low) : (value - low) / (high - low);
}

/** The value at a place. Numbers are kept to three digits: more would tell things apart that are the same. */
export function valueAt(dimension: Dimension, place: number): string | number {
  if (dimension.kind === 'choice') return dimension.values[Math.min(dimension.values.length - 1, Math.floor(place))]!;
  const { low, high, isLog, isWhole } = dimension;
  const exact = isLog ? low * (high / low) ** place : low + (high - low) * place;
  const value = isWhole ? Math.round(exact) : Number(exact.toPrecision(3));
  return Math.min(high, Math.max(low, value));
}

/** Drawn evenly: first the family, then everything of it. */
export function drawCandidate(spaces: readonly FamilySpace[], random: Random): Candidate {
  const space = spaces[random.integer(spaces.length)]!;
  return {
    family: space.family,
    values: Object.fromEntries(
      space.dimensions.map((dimension) => [
        dimension.name,
        valueAt(dimension, dimension.kind === 'choice' ? random.integer(dimension.values.length) : random.uniform()),
      ]),
    ),
  };
}

/** Equal keys, equal candidates. */
export function keyOf({ family, values }: Candidate): string {
  const names = Object.keys(values).sort();
  return JSON.stringify([family, ...names.map((name) => [name, values[name]])]);
}
