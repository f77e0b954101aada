import type { ModelManifest, Skill, TargetName } from '@touchstone/contracts/model-manifest';
import { CHECKLIST } from '@touchstone/contracts/models';
import type { FamilyName, TrainedModel } from '@touchstone/contracts/training';
import type { Evaluation } from '@touchstone/quant/evaluation/forecast-training/assemble-forecasters';
import { isHigherBetter } from '@touchstone/quant/evaluation/panel-skill';
import { targetNamed } from '@touchstone/quant/evaluation/targets/targets';
import { dayText } from '@touchstone/quant/series/day';
import type { Transaction } from '../../platform/database/database.ts';
import { hashOf } from '../../platform/object-store/bundle.ts';
import type { Registry } from '../registry/registry.types.ts';
import { type FamilyRecipe, MEMBER_FAMILIES } from './families.ts';
import { featureHashOf, limitsOf, modelNameOf, referenceOf } from './targets.ts';
import type { Assembled } from './training.worker.ts';

/** What a training knows of all its models. */
export type RegisterContext = {
  registry: Registry;
  universeId: number;
  datasetSha256: string;
  codeVersion: string;
  seed: number;
  effort: string;
  promote: 'never' | 'if_passed';
  trialCount: number;
  firstDay: string;
  /** Learnt from, and of how many with enough history. */
  members: { count: number; of: number };
};

/** One target: what came out, and the recipes it came from. */
export type RegisterTarget = {
  target: TargetName;
  assembled: readonly Assembled[];
  recipes: readonly FamilyRecipe[];
  /** Seconds of the fits of each family. */
  seconds: ReadonlyMap<string, number>;
  /** Families that could not be made, and why. */
  failed: ReadonlyMap<FamilyName, string>;
};

/** A version still answers a quarter and a month after the last outcome it saw. */
const EXPIRES_AFTER_DAYS = 120;
/** A core at work, with its share of memory and power supply. An estimate. */
const WATTS = 15;
const PROMOTION = 'It passed the gate, and the training was asked to promote what does.';

/** Registers every model of a target as a version, counts it in the ledger, and promotes what passed where that was asked for. */
export async function registerTarget(
  tx: Transaction,
  context: RegisterContext,
  { target, assembled, recipes, seconds, failed }: RegisterTarget,
): Promise<TrainedModel[]> {
  const model = modelNameOf(target, context.universeId);
  const recommended = recommendedOf(assembled);
  const made: TrainedModel[] = [];
  const skills = new Map(assembled.map(({ family, evaluation }) => [family, skillOf(evaluation, context.trialCount)]));
  for (const one of assembled) {
    const family = one.family as FamilyName;
    const own = family === 'ensemble' ? [...seconds.values()].reduce((a, b) => a + b, 0) : (seconds.get(family) ?? 0);
    const skill = skills.get(family) ?? null;
    const { passed, sentence } = one.evaluation.verdict;
    const { runId } = await context.registry.startRun(tx, {
      ...{ model, name: `${family} for ${target}`, datasetSha256: context.datasetSha256 },
      ...{
        codeVersion: context.codeVersion,
        seed: context.seed,
        parameters: parametersOf(target, family, recipes, context),
      },
    });
    await context.registry.logMetrics(tx, runId, metricsOf(one.evaluation, own));
    const manifest = manifestOf(context, target, one, recipes, skills, own);
    const version = await context.registry.registerVersion(tx, { model, runId, manifest, artefact: one.bytes });
    const { trialId } = await context.registry.finishRun(tx, runId, { status: 'finished' });
    made.push({
      ...{ target, family, model, version: version.version, artefactSha256: version.artefactSha256, skill },
      ...{
        verdict: { passed, sentence },
        isRecommended: family === recommended,
        promoted: false,
        costSeconds: own,
        trialId,
      },
    });
  }
  for (const [family, problem] of failed)
    made.push({
      ...{ target, family, model, version: null, artefactSha256: null, skill: null },
      verdict: { passed: false, sentence: `It could not be made: ${problem}` },
      ...{ isRecommended: false, promoted: false, costSeconds: seconds.get(family) ?? 0, trialId: null },
    });
  const best = made.find(({ isRecommended }) => isRecommended);
  if (context.promote === 'if_passed' && best?.version != null) {
    const aliases = await context.registry.listAliases(tx, model);
    await context.registry.promote(
      tx,
      { scopes: ['model:promote'] },
      {
        ...{ model, version: best.version, reason: PROMOTION },
        expected: aliases.find(({ alias }) => alias === 'champion')?.version ?? null,
        checklist: CHECKLIST.map((item) => ({ item, signed: true, note: 'Signed by asking the training to promote.' })),
      },
    );
    best.promoted = true;
  }
  return made;
}

/** The ensemble where it passes: it is better than the linear model then. Else the simplest that passes; null: none does. */
export function recommendedOf(assembled: readonly Pick<Assembled, 'family' | 'evaluation'>[]): string | null {
  const passed = assembled.filter(({ evaluation }) => evaluation.verdict.passed).map(({ family }) => family);
  const order: readonly string[] = ['ensemble', ...MEMBER_FAMILIES];
  return order.find((family) => passed.includes(family)) ?? null;
}

/** What a trial is counted by: the same settings on the same data are one trial however often they are run. */
export function parametersOf(
  target: TargetName,
  family: FamilyName,
  recipes: readonly FamilyRecipe[],
  { seed, effort }: Pick<RegisterContext, 'seed' | 'effort'>,
): Record<string, unknown> {
  const own = recipes.filter((recipe) => family === 'ensemble' || recipe.family === family);
  return {
    ...{ target, family, effort, seed },
    members: own.map(({ learner, settings, stepCount, rowsMax }) => ({ learner, settings, stepCount, rowsMax })),
  };
}

function manifestOf(
  context: RegisterContext,
  targetName: TargetName,
  { stepCount, trainedUntil, evaluation, family }: Assembled,
  recipes: readonly FamilyRecipe[],
  skills: ReadonlyMap<string, Skill>,
  seconds: number,
): ModelManifest {
  const target = targetNamed(targetName);
  const { passed, sentence } = evaluation.verdict;
  return {
    ...{ format: 'forecaster', target: targetName, horizonDays: target.horizonDays, unit: target.unit },
    universeId: context.universeId,
    features: target.features.map(({ name }) => referenceOf(name)),
    stepCount,
    members: Object.entries(evaluation.weights).map(([name, weight]) => ({
      ...{ learner: name, weight },
      settings: recipes.find((recipe) => recipe.family === name)?.settings ?? {},
      skill: skills.get(name) ?? null,
    })),
    ...{ datasetSha256: context.datasetSha256, featureSha256: featureHashOf(target) },
    configSha256: hashOf(parametersOf(targetName, family as FamilyName, recipes, context)),
    ...{ codeVersion: context.codeVersion, seed: context.seed, firstDay: context.firstDay },
    ...{ trainedUntil: dayText(trainedUntil), expiresAfterDays: EXPIRES_AFTER_DAYS },
    ...{ skill: skills.get(family) ?? null, verdict: { passed, sentence } },
    ...{ costSeconds: seconds, costJoules: seconds * WATTS, limits: limitsOf(targetName, context.members) },
  };
}

/** The evaluation as the API tells a skill. */
export function skillOf(evaluation: Evaluation, trialCount: number): Skill {
  const { metric, verdict, money } = evaluation;
  const { skill, differences } = verdict;
  return {
    ...{ metric, higherIsBetter: isHigherBetter(metric) },
    ...{ value: orNull(skill.value), low: orNull(skill.low), high: orNull(skill.high) },
    firstDay: evaluation.firstDay === null ? null : dayText(evaluation.firstDay),
    lastDay: evaluation.lastDay === null ? null : dayText(evaluation.lastDay),
    ...{ sampleCount: evaluation.sampleCount, trialCount },
    costs: money === null ? 'none: a forecast of risk, no trade' : money.sentence,
    baselines: differences.map(({ name, baselineValue, value, low, high }) => ({
      ...{ name, value: orNull(baselineValue), difference: orNull(value), low: orNull(low), high: orNull(high) },
    })),
    ...{ coverage: evaluation.coverage, valueWhenActing: evaluation.valueWhenActing },
    ...{ intervalCoverage: evaluation.intervalCoverage, intervalLevel: evaluation.intervalLevel },
  };
}

function metricsOf({ metric, verdict, coverage, areaUnderCurve, intervalCoverage }: Evaluation, seconds: number) {
  const told = { [metric]: verdict.skill.value, coverage, auc: areaUnderCurve, interval_coverage: intervalCoverage };
  const metrics = Object.entries(told).flatMap(([name, value]) => (value === null ? [] : [{ name, value }]));
  const differences = verdict.differences.map(({ name, value }) => ({
    name: `skill over ${name}`.replaceAll(/[^a-z0-9 ._-]/gi, ' ').slice(0, 200),
    value,
  }));
  return [...metrics, ...differences, { name: 'seconds', value: seconds }];
}

function orNull(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
