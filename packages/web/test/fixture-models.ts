import * as automl from '@touchstone/contracts/automl';
import * as drift from '@touchstone/contracts/drift';
import * as experiments from '@touchstone/contracts/experiments';
import * as foreign from '@touchstone/contracts/foreign';
import type { ModelManifest, Skill, TargetName } from '@touchstone/contracts/model-manifest';
import * as models from '@touchstone/contracts/models';
import * as predictions from '@touchstone/contracts/predictions';
import * as training from '@touchstone/contracts/training';
import type { Stage } from './fixture-operate.ts';
import type { On } from './fixture-server.ts';
import * as world from './fixture-world.ts';

/** Models and what they say, for the fixture server: made up, but whole. */

const AT = '2026-01-04T18:20:00.000Z';
const BEFORE = '2025-10-03T08:00:00.000Z';
const CODE = '0.1.0+fixture';
const FEATURES = ['forecast:variance_week_month', 'forecast:leverage', 'natr_14', 'roc_21', 'rsi_14'];
const LIMITS = ['The universe holds only what is listed today: survivors flatter everybody.'];

function skillOf(part: Partial<Skill> = {}): Skill {
  return {
    ...{ metric: 'balanced_accuracy', higherIsBetter: true, value: 0.672, low: 0.648, high: 0.695 },
    ...{ firstDay: '2016-01-04', lastDay: '2025-12-23', sampleCount: 25_140, trialCount: 12 },
    costs: 'none: a forecast of risk, no trade',
    baselines: [
      { name: 'past majority', value: 0.5, difference: 0.172, low: 0.148, high: 0.195 },
      { name: '5-day above 22-day mean', value: 0.629, difference: 0.043, low: 0.021, high: 0.066 },
      { name: 'linear model', value: 0.661, difference: 0.011, low: 0.002, high: 0.021 },
    ],
    ...{ coverage: 0.76, valueWhenActing: 0.717, intervalCoverage: null, intervalLevel: null },
    ...part,
  };
}

const PASSED = {
  passed: true,
  sentence: 'Better than each of 3 baselines: the lowest lower bound is +0.002 over the linear model.',
};
const REFUSED = {
  passed: false,
  sentence: 'Not better than the base rate: the difference is +0.004 [-0.011, 0.019].',
};

function manifestOf(target: TargetName, passed: boolean): ModelManifest {
  const skill = passed
    ? skillOf()
    : skillOf({
        ...{ metric: 'brier', higherIsBetter: false, value: 0.158, low: 0.149, high: 0.168, coverage: 1 },
        ...{ valueWhenActing: null, intervalCoverage: null },
        baselines: [{ name: 'base rate', value: 0.162, difference: 0.004, low: -0.011, high: 0.019 }],
      });
  return {
    ...{ format: 'forecaster', target, horizonDays: 5, unit: 'probability', universeId: 2, features: FEATURES },
    stepCount: 20,
    members: [
      { learner: 'gradient_boosted_trees', weight: 0.45, settings: { trees: 200, depth: 3 }, skill: null },
      { learner: 'linear', weight: 0.35, settings: {}, skill: null },
      { learner: 'lstm', weight: 0.2, settings: { hidden: 16 }, skill: null },
    ],
    ...{ datasetSha256: world.hashOf('dataset'), featureSha256: world.hashOf('features') },
    ...{ configSha256: world.hashOf('config'), codeVersion: CODE, seed: 1 },
    ...{ firstDay: '2014-06-02', trainedUntil: '2025-12-23', expiresAfterDays: 120, skill },
    ...{ verdict: passed ? PASSED : REFUSED, costSeconds: 41.2, costJoules: 620, limits: LIMITS },
  };
}

function versionOf(model: string, version: number): models.VersionDetail {
  const isChampion = model === 'volatility-direction' && version === 3;
  const passed = model === 'volatility-direction' && version > 1;
  const manifest = manifestOf(
    passed || model === 'volatility-direction' ? 'volatility_direction' : 'drawdown_touch',
    passed,
  );
  return {
    ...{ model, version, runId: 10 + version, target: manifest.target, trainedUntil: manifest.trainedUntil },
    ...{ skill: manifest.skill, verdict: manifest.verdict, artefactSha256: world.hashOf(`${model} ${version}`) },
    ...{ artefactByteCount: 48_120, manifestSha256: world.hashOf(`manifest ${model} ${version}`) },
    aliases: isChampion ? ['champion'] : version === 2 && passed ? ['previous'] : [],
    ...{ archived: version === 1 && model === 'volatility-direction', archivedReason: null },
    ...{ createdAt: version === 3 ? AT : BEFORE, createdBy: 3, manifest },
  };
}

const champion = { version: 3, since: AT, by: 3, reason: 'Better than its predecessor in the shadow test.' };

function modelOf(name: string): models.ModelSummary {
  const isServed = name === 'volatility-direction';
  const newest = versionOf(name, isServed ? 3 : 1);
  return {
    ...{ name, description: '', target: newest.target, versionCount: isServed ? 3 : 1 },
    ...{ latestVersion: newest.version, lastTrainedUntil: newest.trainedUntil, lastRegisteredAt: newest.createdAt },
    ...{ champion: isServed ? champion : null, verdict: newest.verdict, skill: newest.skill },
    ...{ createdAt: BEFORE, createdBy: 3, updatedAt: AT, updatedBy: 3, deletedAt: null, version: 1 },
  };
}

const EVENTS: models.AliasEvent[] = [
  {
    ...{ id: 3, alias: 'champion', action: 'promoted', from: 2, to: 3, reason: champion.reason, at: AT, by: 3 },
    checklist: models.CHECKLIST.map((item) => ({ item, signed: true, note: '' })),
  },
  {
    ...{ id: 2, alias: 'champion', action: 'rolled_back', from: 3, to: 2, by: 3, checklist: [] },
    ...{ reason: 'Fell back on a third of names.', at: '2025-11-12T08:00:00.000Z' },
  },
  {
    ...{ id: 1, alias: 'champion', action: 'promoted', from: null, to: 2, reason: 'First to pass the gate.' },
    ...{ at: BEFORE, by: 3, checklist: [] },
  },
];

function predictionOf(predictionId: number): predictions.Prediction {
  const instrument = world.instruments[predictionId % world.instruments.length]!;
  const asOf = world.DAYS.at(-1 - 7 * (predictionId % 9))!;
  const isDue = predictionId % 9 > 0;
  const abstains = predictionId % 5 === 4;
  const value = 0.3 + 0.4 * Math.abs(Math.sin(predictionId));
  const happened = predictionId % 2;
  return {
    ...{ predictionId, model: 'volatility-direction', version: 3, alias: 'champion' },
    servedBy: abstains ? 'nobody' : predictionId % 7 === 3 ? 'previous' : 'model',
    subject: {
      ...{ kind: 'instrument', id: instrument.id, symbol: instrument.symbol, name: instrument.name },
      currency: instrument.currency,
    },
    time: { asOf, knownAt: `${asOf}T22:00:00.000Z`, recordedAt: world.RECORDED_AT, reconstructed: isDue },
    ...{ target: 'volatility_direction', horizonDays: 5, dueDay: isDue ? asOf : '2026-01-08' },
    forecast: {
      ...{ value: abstains ? null : value, unit: 'probability', lower: null, upper: null, level: null },
      confidence: abstains ? null : 0.71,
      abstained: abstains ? { code: 'not_sure_enough', sentence: 'Sure to 0.53; it speaks from 0.58 on.' } : null,
      leaning: abstains ? 0.53 : null,
      baseline: { name: '5-day above 22-day mean', value: 0.5 },
      members: [
        { learner: 'gradient_boosted_trees', weight: 0.45, value: value + 0.02 },
        { learner: 'linear', weight: 0.35, value: value - 0.03 },
        { learner: 'lstm', weight: 0.2, value },
      ],
    },
    hops:
      predictionId % 7 === 3
        ? [
            {
              ...{ from: 'model', version: 3, to: 'previous', code: 'artefact_damaged' },
              sentence: 'The bytes of version 3 are not those that were registered.',
            },
          ]
        : [],
    lineage: {
      ...{ dataSha256: world.hashOf('bars'), featureSha256: world.hashOf('features') },
      ...{ inputSha256: world.hashOf(`inputs ${predictionId}`), artefactSha256: world.hashOf('model') },
      ...{ modelVersion: 'volatility-direction@3', codeVersion: CODE, seed: 1 },
    },
    seal: {
      ...{ sha256: world.hashOf(`seal ${predictionId}`), sealedAt: AT, evidenceSequence: 812 },
      beforeOutcome: !isDue,
    },
    explanation: `/api/v1/predictions/${predictionId}/explanation`,
    outcome:
      isDue && !abstains
        ? {
            ...{ value: happened, day: asOf, knownAt: `${asOf}T22:00:00.000Z`, joinedAt: AT },
            ...{ loss: (value - happened) ** 2, baselineLoss: 0.25, inside: null },
          }
        : null,
    ...{ fromStore: true, modelMilliseconds: null },
  };
}

const EXPLANATION: predictions.Explanation = {
  ...{ method: 'exact_trees+exact_linear+sampling', exact: false, scale: 'margin', baseValue: -0.12, total: 0.58 },
  ...{ residual: 2e-4, standardError: 0.004 },
  groups: [
    ['volatility', 0.52, ['natr_14', 'forecast:variance_week_month']],
    ['momentum', -0.14, ['roc_21', 'rsi_14']],
    ['leverage', 0.32, ['forecast:leverage']],
  ].map(([name, contribution, features]) => ({
    name: String(name),
    contribution: Number(contribution),
    features: (features as string[]).map((feature, _, all) => ({
      ...{ name: feature, value: 1.84, contribution: Number(contribution) / all.length },
    })),
  })),
  counterfactual: { found: true, sentence: 'With natr_14 at 1.31 instead of 1.84 it would say less than one half.' },
  stability: { value: 0.97, sentence: 'The three largest groups stay the three largest when inputs move by 1 %.' },
  ...{ sentence: 'Volatility and leverage speak for it, momentum against it.', reason: null },
};

function trainingOf(id: number): training.Training {
  const isRunning = id === 2;
  const one = (family: training.FamilyName, value: number, low: number, passed: boolean) => ({
    ...{ target: 'volatility_direction' as const, family, model: 'volatility-direction', version: 3 },
    artefactSha256: world.hashOf(family),
    skill: skillOf({
      ...{ value, low: value - 0.02, high: value + 0.02 },
      baselines: [{ name: 'linear model', value: 0.661, difference: value - 0.661, low, high: low + 0.02 }],
    }),
    ...{ verdict: passed ? PASSED : REFUSED, isRecommended: family === 'ensemble', promoted: false },
    ...{ costSeconds: 12.4, trialId: 41 },
  });
  return {
    ...{ id, universeId: 2, taskId: 1, state: isRunning ? 'running' : 'done', progress: isRunning ? 0.4 : 1 },
    progressNote: isRunning ? '31 of 90 parts; lstm for drawdown_touch, fold 3' : '',
    settings: { targets: ['volatility_direction'], seed: 1, effort: 'normal', promote: 'never' },
    datasetSha256: world.hashOf('dataset'),
    ...{ partCount: 90, partsDone: isRunning ? 31 : 90, partsReused: 12, partsFailed: 0 },
    models: isRunning
      ? []
      : [
          one('linear', 0.661, 0, true),
          one('gradient_boosted_trees', 0.664, -0.008, false),
          one('random_forest', 0.655, -0.015, false),
          one('lstm', 0.652, -0.02, false),
          one('transformer', 0.648, -0.024, false),
          one('ensemble', 0.672, 0.002, true),
        ],
    ...{ createdAt: AT, createdBy: 3 },
  };
}

const TARGET_LIST: training.TargetDefinition[] = [
  ['volatility_direction', 'Will it swing more than last month?', 5],
  ['drawdown_touch', 'Will the low fall 5 % below the close?', 21],
  ['return_rank', 'Where among the universe?', 21],
].map(([target, title, horizonDays]) => ({
  ...{ target: target as TargetName, title: String(title), horizonDays: Number(horizonDays), unit: 'probability' },
  definition: '1 if the mean daily variance of the next 5 sessions is above that of the last 22, else 0.',
  ...{ kind: 'probability', metric: 'balanced_accuracy', baselines: ['past majority'], stepCount: 20 },
  features: FEATURES.map((name) => ({ name, expression: name })),
}));

const CALIBRATION: Omit<predictions.Calibration, 'model' | 'basis'> = {
  ...{ version: null, target: 'volatility_direction' },
  counts: {
    ...{ predictions: 2520, resolved: 2400, pending: 120, abstained: 310 },
    ...{ sealedBeforeOutcome: 120, reconstructed: 2400, inSample: 0 },
  },
  reliability: {
    bins: [0.15, 0.25, 0.35, 0.45, 0.55, 0.65, 0.75, 0.85].map((forecast, at) => ({
      ...{ from: forecast - 0.05, to: forecast + 0.05, forecast, observed: forecast + 0.02 * Math.sin(at * 2) },
      ...{ low: forecast - 0.06, high: forecast + 0.07, count: 180 + 40 * at },
    })),
    ...{ error: 0.021, reason: null },
  },
  coverage: {
    ...{ level: null, items: [] },
    reason: { code: 'not_defined', sentence: 'A probability has no interval; its calibration stands beside.' },
  },
  skill: {
    ...{ value: 0.031, low: 0.012, high: 0.049, baseline: 0, baselineName: '5-day above 22-day mean' },
    ...{ firstDay: '2025-01-02', lastDay: '2025-12-23', sampleCount: 2400, trialCount: 1, reason: null },
    metric: 'Brier',
  },
  abstentions: [
    { code: 'not_sure_enough', count: 290 },
    { code: 'missing_features', count: 20 },
  ],
  adaptive: [],
  latency: { medianMs: 0.04, p99Ms: 0.9, count: 1000 },
  note: '2,400 of 2,520 are reconstructed: made of a past whose outcome could be known.',
};

const CHECK: drift.DriftCheck = {
  ...{ id: 41, model: 'volatility-direction', version: 3, asOf: world.LAST_DAY, checkedAt: AT },
  ...{ findingCount: 6, alarmCount: 1, codeVersion: CODE },
};

function findingsOf(alarmsOnly: boolean): drift.DriftFinding[] {
  const all = FEATURES.map(
    (feature, at): drift.DriftFinding => ({
      ...{ id: at + 1, checkId: 41, area: 'feature', rule: 'level', feature, instrumentId: null, instrumentCount: 20 },
      ...{ asOf: world.LAST_DAY, sampleCount: 21, statistic: at === 0 ? 3.4 : 1.1, threshold: 2.6, alarm: at === 0 },
      ...{ alarmsPerYearExpected: 0.75, effect: 0.031 / (at + 1), rank: at + 1, reason: null },
      sentence:
        at === 0
          ? `${feature}: mean of 21 sessions 3.4 standard deviations above its past (limit 2.6); moves the mean prediction by +0.031.`
          : `${feature}: mean of 21 sessions 1.1 standard deviations above its past (limit 2.6).`,
    }),
  );
  return all.filter(({ alarm }) => alarm || !alarmsOnly);
}

const GROUPS: drift.BiasGroup[] = [
  ['volatility', 'high', 0.028, 0.004],
  ['volatility', 'middle', 0.002, -0.011],
  ['sector', 'Energy', 0.009, -0.01],
  ['regime', 'bear', 0.021, -0.002],
].map(([dimension, group, difference, low]) => ({
  ...{ dimension: dimension as drift.BiasGroup['dimension'], group: String(group) },
  ...{ sampleCount: 840, dayCount: 210, instrumentCount: 7, loss: 0.219 + Number(difference), lossOfOthers: 0.219 },
  ...{ difference: Number(difference), low: Number(low), high: Number(difference) + 0.024, pValue: 0.14 },
  ...{ adjustedP: Number(low) > 0 ? 0.012 : 0.84, isTold: Number(low) > 0, abstainedShare: 0.24, reason: null },
  sentence: `${dimension} ${group}: loss ${(0.219 + Number(difference)).toFixed(3)} against 0.219 elsewhere.`,
}));

function boardRow(part: Partial<drift.LeaderboardRow> & Pick<drift.LeaderboardRow, 'rank' | 'name'>) {
  return {
    ...{ kind: 'model' as const, version: 3, aliases: [], target: 'volatility_direction' as const },
    ...{ horizonDays: 5, metric: 'balanced_accuracy', higherIsBetter: true, boundBasis: 'measured' as const },
    ...{ value: 0.66, lowerBound: 0.64, sampleCount: 25_140, firstDay: '2016-01-04', lastDay: '2025-12-23' },
    ...{ trialCount: 12, live: null, sentence: 'At least 0.64 on 25,140 forecasts after 12 trials.' },
    ...part,
  };
}

const BOARD: drift.LeaderboardRow[] = [
  boardRow({
    ...{ rank: 1, name: 'volatility-direction', aliases: ['champion'], value: 0.672, lowerBound: 0.648 },
    live: { metric: 'brier', loss: 0.221, low: 0.209, high: 0.234, sampleCount: 260 },
  }),
  boardRow({ rank: 2, name: 'linear model', kind: 'baseline', version: null, value: 0.661, lowerBound: 0.637 }),
  boardRow({
    ...{ rank: 3, name: '5-day above 22-day mean', kind: 'baseline', version: null, value: 0.629 },
    ...{ lowerBound: 0.606, boundBasis: 'borrowed' },
  }),
];

const TEST: experiments.AbTest = {
  ...{ id: 1, model: 'volatility-direction', controlVersion: 2, treatmentVersion: 3, metric: 'brier' },
  ...{ effect: 0.01, assignment: 'shadow', blockDays: 5, maximumDays: 500, level: 0.05, power: 0.8, neededDays: 236 },
  noise: { longRunDeviation: 0.061, basis: 'paired_history', dayCount: 180 },
  ...{ state: 'running', startedAt: BEFORE, startedBy: 3, firstDay: '2025-10-06' },
  ...{ stoppedAt: null, stoppedBy: null, stopReason: null },
};

function resultOf(): experiments.AbTestResult {
  const days = world.DAYS.filter((day) => day >= '2025-10-06').slice(0, 60);
  const mean = days.map((_, at) => -0.012 + 0.01 * Math.sin(at / 6) * Math.exp(-at / 30));
  const width = (at: number) => 0.2 / Math.sqrt(at + 4) / 3;
  return {
    ...{ dayCount: 60, pairCount: 1200, unpairedCount: 3, servedTreatmentShare: 0 },
    ...{ controlLoss: 0.231, treatmentLoss: 0.219, difference: -0.012, standardError: 0.005 },
    hac: { low: -0.022, high: -0.002, pValue: 0.02 },
    bootstrap: { low: -0.021, high: -0.003 },
    sequential: { low: -0.026, high: 0.002, firstDay: null },
    path: {
      days,
      mean,
      low: mean.map((value, at) => value - width(at)),
      high: mean.map((value, at) => value + width(at)),
    },
    decision: 'undecided',
    sentence:
      'After 60 of about 236 sessions the difference is -0.012 [-0.026, 0.002]: undecided. Looking every day is allowed.',
    reason: null,
  };
}

const POWER: experiments.PowerAnswer = {
  ...{ needed: 3843, unit: 'outcomes', power: 0.8, level: 0.05, years: 15.3, answerable: false },
  sentence: '55 % against 53 %: 3,843 independent outcomes, 15.3 years at one a session.',
  instead: [
    { metric: 'brier', sentence: 'Ask for the Brier score: it uses how sure a forecast was, not only its side.' },
  ],
};

function searchOf(id: number): automl.AutomlAnswer {
  const trial = (number: number, family: automl.AutomlTrial['family'], loss: number, inSet: boolean) => ({
    ...{ number, family, learner: family, settings: { maxDepth: 3, learningRate: 0.06 }, featureSet: 'variance' },
    ...{ stepCount: 10, trainDays: number % 2 === 0 ? 1000 : null, state: 'finished' as const, rung: 3, blocks: 4 },
    ...{ inner: { value: loss, low: loss - 0.01, high: loss + 0.01 }, inSet, pValue: inSet ? 0.43 : 0.02 },
    ...{ isChosen: number === 2, problem: null, seconds: 3.2, reused: false, trialId: 100 + number },
  });
  return {
    ...{ id, universeId: 2, target: 'volatility_direction', taskId: 1, state: 'done', progress: 1, progressNote: '' },
    settings: { seconds: 1200, seed: 1, effort: 'normal' },
    ...{ datasetSha256: world.hashOf('dataset'), loss: 'log_loss', rungCount: 3, innerBlocks: 4 },
    ...{ outerFrom: '2020-01-02', trialCount: 4, trialsReused: 1, unitsDone: 14, ended: 'seconds' },
    ...{ ranOn: 'threads', runNote: null, createdAt: AT, createdBy: 3 },
    chosen: {
      ...{ family: 'linear', trialNumbers: [2], model: 'volatility-direction', version: 3, trialId: 131 },
      sentence: '2 of 3 that were judged to the end cannot be told from the best; the simplest of them is trial 2.',
      ...{ inner: { value: 0.612, low: 0.601, high: 0.624 }, outer: { value: 0.621, low: 0.605, high: 0.637 } },
      ...{ skill: skillOf(), verdict: PASSED, artefactSha256: world.hashOf('chosen') },
    },
    bias: 'Only the second is reported as its skill.',
    trials: [
      trial(1, 'gradient_boosted_trees', 0.611, true),
      trial(2, 'linear', 0.612, true),
      trial(3, 'lstm', 0.668, false),
      {
        ...trial(4, 'transformer', 0, false),
        ...{ state: 'failed', rung: 0, blocks: 0, inner: null, pValue: null },
        problem: 'It grew beyond all bounds.',
      },
    ],
  };
}

/** Answers every route about models and predictions. */
export function answerModels(on: On, isEmpty: boolean, startTask: Stage['startTask']): void {
  const pageOf = <T>(items: T[]) => ({ items: isEmpty ? [] : items, nextCursor: null });
  const names = ['volatility-direction', 'drawdown-touch'];
  on(models.listModels, () => pageOf(names.map(modelOf)));
  on(models.getModel, ({ params }) => ({
    ...modelOf(params.model),
    aliases: params.model === 'volatility-direction' ? [{ alias: 'champion', ...champion }] : [],
  }));
  on(models.createModel, ({ body }) => ({ ...modelOf(body.name), versionCount: 0, latestVersion: null }));
  on(models.updateModel, ({ params, body }) => ({ ...modelOf(params.model), description: body.description }));
  on(models.deleteModel, () => undefined);
  on(models.undeleteModel, ({ params }) => modelOf(params.model));
  on(models.listModelVersions, ({ params }) =>
    pageOf((params.model === 'volatility-direction' ? [3, 2, 1] : [1]).map((n) => withoutManifest(params.model, n))),
  );
  on(models.getModelVersion, ({ params }) => versionOf(params.model, params.version));
  on(models.getModelCard, ({ params }) => ({
    ...{ model: params.model, version: params.version, markdown: `# ${params.model}, version ${params.version}\n` },
    sections: [
      { title: 'What it is for', lines: ['Whether the next 5 sessions swing more than the last 22.'] },
      { title: 'Data', lines: ['20 instruments, 2 June 2014 to 23 December 2025.'] },
      { title: 'Limits', lines: LIMITS },
    ],
    checklist: models.CHECKLIST.map((item) => ({ item, signed: true, note: '' })),
  }));
  on(models.downloadModelArtefact, () => undefined);
  on(foreign.downloadVersionOnnx, () => undefined);
  on(foreign.sendForeignModel, () => ({
    ...{ fileSha256: 'f'.repeat(64), byteCount: 4150, producer: 'pytorch 1.13.0', operators: ['Gemm', 'Sigmoid'] },
    inputs: [{ name: 'features', element: 'float32', sizes: ['rows', 17] }],
    outputs: [{ name: 'value', element: 'float32', sizes: ['rows', 1] }],
  }));
  on(foreign.registerForeignModel, ({ params }) => {
    const { skill } = withoutManifest(params.model, 1);
    return {
      ...{ model: params.model, version: 1, artefactSha256: 'e'.repeat(64), judgedRows: 5040, skill },
      verdict: {
        passed: false,
        sentence:
          'Not better than the linear model: the difference is +0.004, 95 % interval −0.011 to +0.019. It came trained and was not walked forward: judged only on the days after 2022-12-30.',
      },
      rowMilliseconds: 0.08,
    };
  });
  on(models.archiveModelVersion, ({ params }) => ({
    ...withoutManifest(params.model, params.version),
    archived: true,
  }));
  on(models.restoreModelVersion, ({ params }) => withoutManifest(params.model, params.version));
  on(models.listModelAliases, () => ({ items: isEmpty ? [] : [{ alias: 'champion', ...champion }] }));
  on(models.setModelAlias, () => EVENTS[0]!);
  on(models.removeModelAlias, () => EVENTS[0]!);
  on(models.listAliasHistory, () => pageOf(EVENTS));
  on(models.promoteModel, () => EVENTS[0]!);
  on(models.rollbackModel, () => EVENTS[1]!);
  on(models.withdrawModel, () => EVENTS[1]!);
  on(models.getServingHistory, () => ({
    ...{ at: world.RECORDED_AT, version: isEmpty ? null : 3, since: isEmpty ? null : AT },
    periods: isEmpty
      ? []
      : [
          { version: 3, from: AT, until: null, by: 3, reason: champion.reason },
          { version: 2, from: BEFORE, until: AT, by: 3, reason: 'First to pass the gate.' },
        ],
  }));
  on(models.listExperiments, () => pageOf([]));
  on(models.listTrainingRuns, () => pageOf([]));

  on(training.listTargets, () => ({ items: TARGET_LIST, families: [...training.FAMILIES] }));
  on(training.train, () => ({
    ...startTask('models.training', 'Train models', ['Reading', 'Fitting'], () => ({})),
    trainingId: 2,
  }));
  on(training.listTrainings, () =>
    pageOf(
      [2, 1].map((id) => {
        const { models: _, ...rest } = trainingOf(id);
        return rest;
      }),
    ),
  );
  on(training.getTraining, ({ params }) => trainingOf(params.trainingId));

  on(automl.startAutoml, () => ({
    ...startTask('models.automl', 'Search for a model', ['Reading', 'Trying'], () => ({})),
    automlId: 1,
  }));
  on(automl.listAutoml, () => {
    const { chosen: _, bias: __, trials: ___, ...summary } = searchOf(1);
    return pageOf([summary]);
  });
  on(automl.getAutoml, ({ params }) => searchOf(params.automlId));

  on(predictions.postPrediction, () => predictionOf(18));
  on(predictions.postPredictions, () => ({ items: [{ prediction: predictionOf(18), problem: null }] }));
  on(predictions.startUniversePredictions, () =>
    startTask('models', 'Forecast a universe', ['Reading', 'Computing'], () => ({})),
  );
  on(predictions.joinOutcomes, () => startTask('models', 'Join outcomes', ['Reading', 'Computing'], () => ({})));
  on(predictions.listPredictions, ({ query }) =>
    pageOf(
      Array.from({ length: 24 }, (_, at) => predictionOf(at + 1)).filter(({ outcome, forecast }) => {
        if (query.state === 'abstained') return forecast.value === null;
        return query.state === undefined || (outcome !== null) === (query.state === 'resolved');
      }),
    ),
  );
  on(predictions.getPrediction, ({ params }) => predictionOf(params.predictionId));
  on(predictions.getPredictionExplanation, ({ params }) => ({
    ...EXPLANATION,
    ...{ predictionId: params.predictionId, sealSha256: world.hashOf(`seal ${params.predictionId}`) },
  }));
  on(predictions.replayPrediction, ({ params }) => ({
    ...{ predictionId: params.predictionId, equal: true, differences: [] },
    sealedSha256: world.hashOf(`seal ${params.predictionId}`),
    replayedSha256: world.hashOf(`seal ${params.predictionId}`),
    ...{ codeVersionThen: CODE, codeVersionNow: CODE },
    sentence: 'The same inputs and the same model gave the same bytes.',
  }));
  on(predictions.getCalibration, ({ params, query }) => ({ ...CALIBRATION, model: params.model, basis: query.basis }));

  on(drift.getDrift, ({ query }) => ({
    ...pageOf([CHECK, { ...CHECK, id: 40, asOf: '2025-12-24', alarmCount: 0 }]),
    ...{ check: isEmpty ? null : CHECK, findings: isEmpty ? [] : findingsOf(query.alarmsOnly === true) },
    budget: {
      ...{ alarmsPerYear: 6, featureCount: 8 },
      sentence: 'Each of 8 features has 0.75 false alarms a year; expected counts add up, whatever their dependence.',
    },
  }));
  on(drift.startDriftCheck, () => startTask('models', 'Check for drift', ['Reading', 'Computing'], () => ({})));
  on(drift.getBiasReport, ({ params }) => ({
    ...{ model: params.model, version: 3, metric: 'brier', sampleCount: 2520, loss: 0.223 },
    ...{ groups: GROUPS, testCount: GROUPS.length, reason: null },
    survivorship:
      'The universe holds what is listed today: what vanished was never asked about, which flatters everybody.',
  }));
  on(drift.getLeaderboard, () => ({
    boards: isEmpty
      ? []
      : [
          {
            ...{ target: 'volatility_direction' as const, horizonDays: 5, metric: 'balanced_accuracy' },
            ...{ title: 'Volatility direction, 5 days, balanced accuracy', rows: BOARD },
          },
        ],
    note: 'Sorted by the worse end of the interval, so that luck on few days does not lead. Hypothetical unless live.',
  }));
  on(experiments.getAbPower, () => POWER);
  on(experiments.createAbTest, () => TEST);
  on(experiments.listAbTests, () => pageOf([TEST]));
  on(experiments.getAbTest, () => ({ test: TEST, result: resultOf() }));
  on(experiments.getAbTestArm, () => ({ arm: 'control' as const, version: 2 }));
  on(experiments.stopAbTest, () => ({
    ...TEST,
    state: 'stopped' as const,
    stoppedAt: AT,
    stopReason: 'Decided.',
  }));
}

function withoutManifest(model: string, version: number): models.VersionSummary {
  const { manifest: _, ...summary } = versionOf(model, version);
  return summary;
}
