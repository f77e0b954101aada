import { expect } from '../../checks/expect.ts';
import { type ArtefactArray, readArtefact, writeArtefact } from '../artefact.ts';
import { checkSameShape } from '../check-examples.ts';
import type { FittedModel, Goal } from '../learner.ts';
import { logistic } from './exponential.ts';
import { predictMargin } from './predict-trees.ts';
import type { TreeEnsemble } from './tree-ensemble.ts';

const ARRAYS = {
  ...{ treeStart: Int32Array, feature: Int32Array, threshold: Float64Array, left: Int32Array, right: Int32Array },
  ...{ missingLeft: Uint8Array, leaf: Float64Array, cover: Float64Array, gain: Float64Array },
  ...{ categoryStart: Int32Array, categories: Int32Array },
} as const;
type ArrayName = keyof typeof ARRAYS;
const ARRAY_NAMES = Object.keys(ARRAYS) as ArrayName[];

type Origin = Pick<FittedModel, 'learner' | 'goal' | 'stepCount'>;

/** A fitted model that is a sum of trees. */
export function treeModel({ learner, goal, stepCount }: Origin, trees: TreeEnsemble): FittedModel {
  const { featureCount } = trees;
  const model: FittedModel = {
    ...{ learner, goal, stepCount, featureCount },
    body: { kind: 'trees', trees },
    predict: (inputs) => {
      checkSameShape(model, inputs);
      const margins = predictMargin(trees, inputs);
      return trees.link === 'logistic' ? margins.map(logistic) : margins;
    },
    save: () => {
      const { head, arrays } = splitEnsemble(trees);
      return writeArtefact({ kind: kindOf(learner), meta: { goal, stepCount, ...head }, arrays });
    },
  };
  return model;
}

/** @throws RangeError for bytes that `save` of this learner did not write. */
export function loadTreeModel(learner: string, goals: readonly Goal[], bytes: Uint8Array): FittedModel {
  const { meta, arrays } = readArtefact(bytes, kindOf(learner));
  const goal = goals.find((each) => each === meta.goal);
  expect(goal !== undefined, `${learner} does not learn ${meta.goal}`);
  return treeModel({ learner, goal, stepCount: Number(meta.stepCount) }, joinEnsemble(meta, arrays));
}

/** An ensemble as JSON and arrays for an artefact. */
export function splitEnsemble(trees: TreeEnsemble): {
  head: Record<string, unknown>;
  arrays: Record<string, ArtefactArray>;
} {
  const { featureCount, link, base, scale, comparison, roundsInputs } = trees;
  return {
    head: { featureCount, link, comparison, roundsInputs },
    // Numbers that are added up go as bits: JSON is no place for them.
    arrays: {
      ...Object.fromEntries(ARRAY_NAMES.map((name) => [name, trees[name]])),
      ...(trees.zeroIsMissing ? { zeroIsMissing: trees.zeroIsMissing } : {}),
      baseAndScale: Float64Array.of(base, scale),
    },
  };
}

/** @throws RangeError if a part is missing or of another kind. */
export function joinEnsemble(head: Record<string, unknown>, arrays: Record<string, ArtefactArray>): TreeEnsemble {
  const get = <Name extends ArrayName>(name: Name): InstanceType<(typeof ARRAYS)[Name]> => {
    const array = arrays[name];
    expect(array instanceof ARRAYS[name], `the artefact has no ${name}`);
    return array as InstanceType<(typeof ARRAYS)[Name]>;
  };
  const numbers = arrays.baseAndScale;
  expect(numbers instanceof Float64Array && numbers.length === 2, 'the artefact has no base and scale');
  return {
    featureCount: Number(head.featureCount),
    link: head.link === 'logistic' ? 'logistic' : 'identity',
    base: numbers[0]!,
    scale: numbers[1]!,
    comparison: head.comparison === 'less_or_equal' ? 'less_or_equal' : 'less',
    roundsInputs: head.roundsInputs === true,
    treeStart: get('treeStart'),
    feature: get('feature'),
    threshold: get('threshold'),
    left: get('left'),
    right: get('right'),
    missingLeft: get('missingLeft'),
    ...(arrays.zeroIsMissing instanceof Uint8Array ? { zeroIsMissing: arrays.zeroIsMissing } : {}),
    leaf: get('leaf'),
    cover: get('cover'),
    gain: get('gain'),
    categoryStart: get('categoryStart'),
    categories: get('categories'),
  };
}

function kindOf(learner: string): string {
  return `${learner}/1`;
}
