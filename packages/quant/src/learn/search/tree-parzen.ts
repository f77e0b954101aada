import type { Random } from '../../random/random.ts';
import { normalCdf, normalDensity } from '../../stats/normal.ts';
import { type Candidate, type Dimension, drawCandidate, type FamilySpace, placeOf, valueAt } from './search-space.ts';

export type Observation = { candidate: Candidate /** Less is better. */; loss: number };

/** The best quarter is what is wanted; the rest is what to keep away from. */
const GOOD_SHARE = 0.25;
const GOOD_LEAST = 2;
/** Fewer say nothing about where to look. */
const OBSERVED_LEAST = 8;
/** One draw in five looks anywhere, so that a bad start is left again. */
const ANYWHERE_SHARE = 0.2;
const DRAWS = 24;
const WIDTH_LEAST = 0.05;

/**
 * Proposes where to look next: draws from the density of what was good and takes the draw whose density there stands highest
 * above the density of what was not. Settings are modelled one by one given the family, as a tree.
 *
 * @see Bergstra, Bardenet, Bengio and Kégl 2011, Algorithms for hyper-parameter optimization (NIPS 24), section 4.
 */
export function proposeCandidate(
  spaces: readonly FamilySpace[],
  observed: readonly Observation[],
  random: Random,
): Candidate {
  if (observed.length < OBSERVED_LEAST || random.uniform() < ANYWHERE_SHARE) return drawCandidate(spaces, random);
  const sorted = observed.map((one, at) => ({ ...one, at })).sort((a, b) => a.loss - b.loss || a.at - b.at);
  const goodCount = Math.max(GOOD_LEAST, Math.ceil(GOOD_SHARE * sorted.length));
  const [good, bad] = [sorted.slice(0, goodCount), sorted.slice(goodCount)];
  const families: Dimension = { kind: 'choice', name: 'family', values: spaces.map(({ family }) => family) };
  const familyPlaces = (of: readonly Observation[]) => of.map(({ candidate }) => placeOf(families, candidate.family));
  const goodFamilies = parzen(families, familyPlaces(good));
  const badFamilies = parzen(families, familyPlaces(bad));
  const models = new Map<string, { good: Parzen; bad: Parzen }[]>();
  let best: { candidate: Candidate; score: number } | null = null;
  for (let k = 0; k < DRAWS; k++) {
    const place = goodFamilies.draw(random);
    const space = spaces[place]!;
    let own = models.get(space.family);
    if (own === undefined) {
      own = space.dimensions.map((dimension) => ({
        good: parzen(dimension, placesOf(good, space.family, dimension)),
        bad: parzen(dimension, placesOf(bad, space.family, dimension)),
      }));
      models.set(space.family, own);
    }
    let score = Math.log(goodFamilies.density(place) / badFamilies.density(place));
    const values = space.dimensions.map((dimension, d) => {
      const model = own[d]!;
      const drawn = model.good.draw(random);
      score += Math.log(model.good.density(drawn) / model.bad.density(drawn));
      return [dimension.name, valueAt(dimension, drawn)] as const;
    });
    if (best === null || score > best.score)
      best = { candidate: { family: space.family, values: Object.fromEntries(values) }, score };
  }
  return best!.candidate;
}

function placesOf(observed: readonly Observation[], family: string, dimension: Dimension): number[] {
  return observed.flatMap(({ candidate }) =>
    candidate.family === family ? [placeOf(dimension, candidate.values[dimension.name]!)] : [],
  );
}

/** A density over the places of one dimension. */
type Parzen = { density(place: number): number; draw(random: Random): number };

/** Evenly spread as much as one observation, and a bump around each observation, cut off at the ends of the range. */
function parzen(dimension: Dimension, places: readonly number[]): Parzen {
  const n = places.length + 1;
  if (dimension.kind === 'choice') {
    const count = dimension.values.length;
    const weights = Array.from({ length: count }, (_, k) => 1 / count + places.filter((place) => place === k).length);
    return {
      density: (place) => weights[place]! / n,
      draw(random) {
        let left = random.uniform() * n;
        for (let k = 0; k < count - 1; k++) {
          left -= weights[k]!;
          if (left < 0) return k;
        }
        return count - 1;
      },
    };
  }
  const width = Math.max(WIDTH_LEAST, 0.4 * n ** -0.5);
  const inside = places.map((place) => normalCdf((1 - place) / width) - normalCdf(-place / width));
  return {
    density: (x) =>
      places.reduce((sum, place, k) => sum + normalDensity((x - place) / width) / (width * inside[k]!), 1) / n,
    draw(random) {
      const k = random.integer(n);
      if (k === places.length) return random.uniform();
      for (;;) {
        const x = places[k]! + width * random.normal();
        if (x >= 0 && x <= 1) return x;
      }
    },
  };
}
