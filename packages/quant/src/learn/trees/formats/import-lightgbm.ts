import { expect } from '../../../checks/expect.ts';
import type { Goal, Link } from '../../learner.ts';
import { gatherTrees, type RawTree } from './gather-trees.ts';
import { FEATURES_MAX, type ImportedTrees } from './imported-trees.ts';

/** Bits of `decision_type`. */
const IS_CATEGORY = 1;
const DEFAULT_LEFT = 2;
const MISSING_SHIFT = 2;
const MISSING_MASK = 3;
/** What counts as missing at a node: nothing (NaN is read as 0), zeros and NaN, or NaN. */
const [MISSING_NONE, MISSING_ZERO, MISSING_NAN] = [0, 1, 2];
const WORD_BITS = 32;
const INT32_MAX = 0x7fffffff;
const LEAVES_MAX = 10_000_000;

const OBJECTIVES: Record<string, { goal: Goal; link: Link }> = {
  binary: { goal: 'binary', link: 'logistic' },
  regression: { goal: 'regression', link: 'identity' },
  regression_l1: { goal: 'regression', link: 'identity' },
  huber: { goal: 'regression', link: 'identity' },
  fair: { goal: 'regression', link: 'identity' },
  mape: { goal: 'regression', link: 'identity' },
  quantile: { goal: 'quantile', link: 'identity' },
  lambdarank: { goal: 'ranking', link: 'identity' },
  rank_xendcg: { goal: 'ranking', link: 'identity' },
};

/** Lines `key=value` of a part of the file. */
type Part = { name: string; values: Map<string, string> };

/**
 * Reads a LightGBM text model (`save_model`, versions v2 to v4): trees of one output, categories, all three kinds of missing
 * values, averaged forests. Its answers are the same to float64. `cover` is the count of rows, as LightGBM's own TreeSHAP reads.
 *
 * @throws RangeError that names the field for a broken file, and the feature for what is not supported: several classes,
 * linear leaves, `reg_sqrt`, other objectives.
 */
export function importLightgbm(text: string): ImportedTrees {
  const [head, ...parts] = splitParts(text);
  expect(head !== undefined && /^tree\r?\n/.test(text), 'model must begin with the line "tree"');
  const classes = [wholeOf(head, 'num_class', 0, INT32_MAX), wholeOf(head, 'num_tree_per_iteration', 0, INT32_MAX)];
  expect(
    classes.every((count) => count === 1),
    `several classes are not supported: num_class and num_tree_per_iteration must be 1, were ${classes.join(' and ')}`,
  );
  const featureCount = wholeOf(head, 'max_feature_idx', 0, FEATURES_MAX - 1) + 1;
  const names = (head.values.get('feature_names') ?? '').split(' ').filter((name) => name !== '');
  expect(
    names.length === featureCount,
    `feature_names must be ${featureCount} (max_feature_idx), were ${names.length}`,
  );
  const sizes = numbersOf(head, 'tree_sizes', null);
  expect(
    sizes.length === parts.length,
    `tree_sizes must be one for each of ${parts.length} trees, were ${sizes.length}`,
  );
  const { goal, link, sigmoid } = readObjective(head);
  const averages = head.values.has('average_output');
  // Version 2 averaged probabilities that leaves held already; newer ones average margins.
  const averagesProbabilities = averages && head.values.get('version') === 'v2';
  const trees = gatherTrees(
    {
      featureCount,
      link: averagesProbabilities ? 'identity' : link,
      base: 0,
      scale: (averagesProbabilities ? 1 : sigmoid) / (averages ? Math.max(1, parts.length) : 1),
      comparison: 'less_or_equal',
      roundsInputs: false,
    },
    parts.map(readTree),
  );
  return { trees, goal, featureNames: names };
}

/** The head and one part a tree, up to `end of trees`. */
function splitParts(text: string): Part[] {
  const parts: Part[] = [{ name: 'head', values: new Map() }];
  for (const line of text.split(/\r?\n/)) {
    if (line.startsWith('end of trees')) return parts;
    const at = line.indexOf('=');
    const key = at === -1 ? line.trim() : line.slice(0, at);
    const value = at === -1 ? '' : line.slice(at + 1).trim();
    if (key === '') continue;
    if (key === 'Tree') {
      expect(value === String(parts.length - 1), `Tree must be ${parts.length - 1}, was ${value}`);
      parts.push({ name: `Tree=${value}`, values: new Map() });
    } else {
      const { name, values } = parts.at(-1)!;
      expect(!values.has(key), `${name}: ${key} must appear once`);
      values.set(key, value);
    }
  }
  throw new RangeError('model must have the line "end of trees": the file was cut off');
}

function readObjective(head: Part): { goal: Goal; link: Link; sigmoid: number } {
  const [name = '', ...words] = (head.values.get('objective') ?? '').split(' ');
  const known = Object.hasOwn(OBJECTIVES, name) ? OBJECTIVES[name] : undefined;
  expect(
    known !== undefined,
    `objective ${name === '' ? '(none)' : name} is not supported, only ${Object.keys(OBJECTIVES).join(', ')}`,
  );
  expect(!words.includes('sqrt'), 'objective regression with sqrt (reg_sqrt) is not supported');
  const sigmoid = words.find((word) => word.startsWith('sigmoid:'))?.slice('sigmoid:'.length);
  if (name !== 'binary' || sigmoid === undefined) return { ...known, sigmoid: 1 };
  expect(isNumber(sigmoid) && Number(sigmoid) > 0, `objective: sigmoid must be a number > 0, was ${sigmoid}`);
  return { ...known, sigmoid: Number(sigmoid) };
}

/** Inner nodes come first (0 is the root), leaf k is node `leafCount − 1 + k`. */
function readTree(part: Part): RawTree {
  expect(part.values.get('is_linear') !== '1', `${part.name}: linear leaves (is_linear) are not supported`);
  const leafCount = wholeOf(part, 'num_leaves', 1, LEAVES_MAX);
  const leaves = numbersOf(part, 'leaf_value', leafCount);
  const leafCounts = optionalNumbersOf(part, 'leaf_count', leafCount);
  const inner = leafCount - 1;
  const count = inner + leafCount;
  const own = <T>(read: () => T, none: T): T => (inner === 0 ? none : read());
  const empty = new Float64Array(0);
  const splits = own(() => wholesOf(part, 'split_feature', inner, 0, FEATURES_MAX), empty);
  const thresholds = own(() => numbersOf(part, 'threshold', inner), empty);
  const decisions = own(() => wholesOf(part, 'decision_type', inner, 0, 255), empty);
  const child = (key: string) => own(() => wholesOf(part, key, inner, -leafCount, inner - 1), empty);
  const [left, right] = [child('left_child'), child('right_child')];
  const gains = own(() => optionalNumbersOf(part, 'split_gain', inner), empty);
  const innerCounts = own(() => optionalNumbersOf(part, 'internal_count', inner), empty);
  const nodeOf = (value: number) => (value < 0 ? inner + ~value : value);
  const raw: RawTree = {
    name: part.name,
    feature: new Int32Array(count).fill(-1),
    threshold: new Float64Array(count),
    left: new Int32Array(count),
    right: new Int32Array(count),
    missingLeft: new Uint8Array(count),
    zeroIsMissing: new Uint8Array(count),
    leaf: new Float64Array(count),
    cover: concatenated(innerCounts, leafCounts),
    gain: new Float64Array(count),
    categories: readCategories(part, decisions, thresholds),
  };
  raw.leaf.set(leaves, inner);
  for (let node = 0; node < inner; node++) {
    raw.feature[node] = splits[node]!;
    raw.threshold[node] = thresholds[node]!;
    raw.left[node] = nodeOf(left[node]!);
    raw.right[node] = nodeOf(right[node]!);
    raw.gain[node] = gains[node]!;
    readMissing(raw, node, decisions[node]!);
  }
  return raw;
}

function concatenated(first: Float64Array, second: Float64Array): Float64Array {
  const all = new Float64Array(first.length + second.length);
  all.set(first);
  all.set(second, first.length);
  return all;
}

function readMissing(raw: RawTree, node: number, decision: number): void {
  const missing = (decision >> MISSING_SHIFT) & MISSING_MASK;
  expect(missing <= MISSING_NAN!, `${raw.name}: decision_type[${node}] must tell a missing type, was ${decision}`);
  // A category that is missing goes right, whatever else is written.
  if ((decision & IS_CATEGORY) !== 0) return;
  const zeroLeft = 0 <= raw.threshold[node]!;
  const defaultLeft = missing === MISSING_NONE ? zeroLeft : (decision & DEFAULT_LEFT) !== 0;
  raw.missingLeft[node] = Number(defaultLeft);
  // Where zero would go there anyway, nothing has to be said of it. Thresholds that small are told apart by no one.
  const zeroMatters = defaultLeft !== zeroLeft || Math.abs(raw.threshold[node]!) <= 1e-35;
  raw.zeroIsMissing![node] = Number(missing === MISSING_ZERO && zeroMatters);
}

/** Bits of the words from `cat_boundaries[k]` on, k being the threshold of a node that splits a category. */
function readCategories(part: Part, decisions: Float64Array, thresholds: Float64Array): Map<number, Int32Array> {
  const sets = new Map<number, Int32Array>();
  const setCount = part.values.has('num_cat') ? wholeOf(part, 'num_cat', 0, INT32_MAX) : 0;
  if (setCount === 0) {
    const node = decisions.findIndex((decision) => (decision & IS_CATEGORY) !== 0);
    expect(node === -1, `${part.name}: num_cat must count node ${node}, which splits a category`);
    return sets;
  }
  const words = numbersOf(part, 'cat_threshold', null);
  const bounds = wholesOf(part, 'cat_boundaries', null, 0, words.length);
  expect(bounds.length === setCount + 1, `${part.name}: cat_boundaries must be ${setCount + 1}, were ${bounds.length}`);
  decisions.forEach((decision, node) => {
    if ((decision & IS_CATEGORY) === 0) return;
    const set = thresholds[node]!;
    expect(
      Number.isInteger(set) && set >= 0 && set < setCount,
      `${part.name}: threshold[${node}] must be one of ${setCount} sets of categories (num_cat), was ${set}`,
    );
    const categories: number[] = [];
    for (let k = bounds[set]!; k < bounds[set + 1]!; k++) {
      const word = words[k]!;
      expect(
        Number.isInteger(word) && word >= 0 && word <= 0xffffffff,
        `${part.name}: cat_threshold[${k}] must be 32 bits, was ${word}`,
      );
      for (let bit = 0; bit < WORD_BITS; bit++)
        if (((word >>> bit) & 1) === 1) categories.push((k - bounds[set]!) * WORD_BITS + bit);
    }
    sets.set(node, Int32Array.from(categories));
  });
  return sets;
}

function wholeOf(part: Part, key: string, low: number, high: number): number {
  return wholesOf(part, key, 1, low, high)[0]!;
}

function wholesOf(part: Part, key: string, count: number | null, low: number, high: number): Float64Array {
  const numbers = numbersOf(part, key, count);
  const wrong = numbers.findIndex((value) => !(Number.isInteger(value) && value >= low && value <= high));
  expect(
    wrong === -1,
    `${part.name}: ${key}[${wrong}] must be a whole number in ${low}..${high}, was ${numbers[wrong]}`,
  );
  return numbers;
}

function optionalNumbersOf(part: Part, key: string, count: number): Float64Array {
  const isGiven = (part.values.get(key) ?? '') !== '';
  return isGiven ? numbersOf(part, key, count) : new Float64Array(count);
}

function numbersOf({ name, values }: Part, key: string, count: number | null): Float64Array {
  const text = values.get(key);
  expect(text !== undefined, `${name}: ${key} must be given`);
  const words = text.split(' ').filter((word) => word !== '');
  expect(count === null || words.length === count, `${name}: ${key} must be ${count} numbers, were ${words.length}`);
  return Float64Array.from(words, (word, i) => {
    expect(isNumber(word), `${name}: ${key}[${i}] must be a finite number, was ${word.slice(0, 40)}`);
    return Number(word);
  });
}

/** Hexadecimal and the like are numbers to JavaScript, but to no such file. */
function isNumber(word: string): boolean {
  return /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(word) && Number.isFinite(Number(word));
}
