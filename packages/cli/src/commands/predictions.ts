import type { TargetName } from '@touchstone/contracts/model-manifest';
import {
  type AskedSubject,
  type Calibration,
  getCalibration,
  getPrediction,
  getPredictionExplanation,
  joinOutcomes,
  listPredictions,
  type Prediction,
  postPrediction,
  postPredictions,
  replayPrediction,
  startUniversePredictions,
} from '@touchstone/contracts/predictions';
import { type Call, type Command, LIMIT_OPTION, type Output, TIME_OPTIONS, timesOf, UsageError } from '../command.ts';
import { allPages, indexId, limitOf, numberOf, universeId } from '../look-up.ts';
import { facts, number, percent, show, table } from '../render.ts';
import { watchTask } from '../watch-task.ts';
import { timeLine } from './data.ts';

const WHICH_OPTIONS = {
  alias: { value: 'NAME', summary: 'Which version: the one this alias points at; default champion' },
  version: { value: 'NUMBER', summary: 'Exactly this version, without fallback' },
};
const GROUPS_SHOWN = 8;
const DIFFERENT = 1;

export const predictionCommands: Command[] = [
  {
    name: 'predict',
    summary: 'Ask a model for a forecast of subjects, or of a whole universe; it is sealed before it is answered',
    args: ['MODEL', '[SUBJECT…]'],
    options: {
      ...WHICH_OPTIONS,
      ...TIME_OPTIONS,
      index: { summary: 'SUBJECT is the name or number of an index' },
      universe: { value: 'NAME', summary: 'Instead of subjects: every member, in the background' },
      detach: { summary: 'With --universe: do not wait until it is done' },
    },
    example: 'predict volatility-direction ALDR',
    run: predict,
  },
  {
    name: 'predictions',
    summary: 'Predictions as they were sealed, newest first, with what happened',
    args: [],
    options: {
      ...LIMIT_OPTION,
      model: { value: 'NAME', summary: 'Only of this model' },
      version: { value: 'NUMBER', summary: 'Only of this version' },
      instrument: { value: 'NUMBER', summary: 'Only about this instrument' },
      'as-of': { value: 'DAY', summary: 'Only of this day' },
      state: { value: 'STATE', summary: 'pending, resolved or abstained' },
    },
    example: 'predictions --model volatility-direction --state resolved',
    async run(call) {
      const version = call.number('version');
      const instrument = call.number('instrument');
      const query = {
        model: call.text('model'),
        ...(version === undefined ? {} : { version }),
        ...(instrument === undefined ? {} : { subjectKind: 'instrument' as const, subjectId: instrument }),
        asOf: call.text('as-of'),
        state: stateOf(call.text('state')),
      };
      const answer = await allPages(limitOf(call), (page) =>
        call.client.call(listPredictions, { query: { ...query, ...page } }),
      );
      return { json: answer, text: predictionTable(answer.items) };
    },
  },
  {
    name: 'predictions show',
    summary: 'One prediction with its seal, its lineage and what happened',
    args: ['NUMBER'],
    example: 'predictions show 4711',
    async run(call) {
      const params = { predictionId: numberOf(call.args[0], 'NUMBER') };
      const answer = await call.client.call(getPrediction, { params });
      return { json: answer, text: predictionText(answer) };
    },
  },
  {
    name: 'predictions explain',
    summary: 'Why a prediction says what it says, as it was sealed with it',
    args: ['NUMBER'],
    example: 'predictions explain 4711',
    async run(call) {
      const params = { predictionId: numberOf(call.args[0], 'NUMBER') };
      const answer = await call.client.call(getPredictionExplanation, { params });
      const groups = table(
        answer.groups.slice(0, GROUPS_SHOWN),
        [
          { title: 'GROUP', value: (row) => row.name },
          { title: 'CONTRIBUTES', value: (row) => row.contribution },
          { title: 'MOST OF IT', value: (row) => row.features[0]?.name ?? null },
          { title: 'WHICH IS', value: (row) => row.features[0]?.value ?? null },
        ],
        answer.reason?.sentence ?? 'Nothing contributes.',
      );
      const how = facts([
        ['method', `${answer.method}${answer.exact ? '' : ', an estimate'}`],
        ['scale', answer.scale],
        ['average case', answer.baseValue],
        ['this case', answer.total],
        ['left open', answer.residual],
        ['standard error', answer.standardError],
        ['stability', answer.stability.sentence],
      ]);
      return { json: answer, text: `${answer.sentence}\n${answer.counterfactual.sentence}\n\n${groups}\n${how}` };
    },
  },
  {
    name: 'predictions join',
    summary: 'Join the outcomes that are due, as known by now',
    args: [],
    options: { detach: { summary: 'Do not wait until it is done' } },
    example: 'predictions join',
    async run(call) {
      const { task } = await call.client.call(joinOutcomes);
      const shown = call.flag('detach') ? task : await watchTask(call, task);
      const { due, joined, notSettled } = shown.result ?? {};
      const pairs = [
        ['task', shown.id],
        ['state', shown.state],
        ['due', due],
        ['joined', joined],
        ['not settled yet', notSettled],
      ] as const;
      return { json: shown, text: facts(pairs) };
    },
  },
  {
    name: 'predictions calibration',
    summary: 'How the predictions of a model turned out: reliability, coverage, skill, abstentions',
    args: ['MODEL'],
    options: {
      version: { value: 'NUMBER', summary: 'Only of this version' },
      sealed: { summary: 'Only predictions sealed before their outcome' },
    },
    example: 'predictions calibration volatility-direction',
    async run(call) {
      const version = call.number('version');
      const answer = await call.client.call(getCalibration, {
        params: { model: call.args[0] ?? '' },
        query: { basis: call.flag('sealed') ? 'sealed' : 'all', ...(version === undefined ? {} : { version }) },
      });
      return { json: answer, text: calibrationText(answer) };
    },
  },
  {
    name: 'replay',
    summary: 'Compute a prediction again from the inputs that were kept, and compare to the byte',
    args: ['NUMBER'],
    example: 'replay 4711',
    async run(call) {
      const params = { predictionId: numberOf(call.args[0], 'NUMBER') };
      const answer = await call.client.call(replayPrediction, { params });
      const head = facts([
        ['equal', answer.equal],
        ['sealed', answer.sealedSha256],
        ['replayed', answer.replayedSha256],
        ['code then', answer.codeVersionThen],
        ['code now', answer.codeVersionNow],
      ]);
      const differences = table(
        answer.differences,
        [
          { title: 'PART', value: (row) => row.part },
          { title: 'SEALED', value: (row) => row.sealed },
          { title: 'REPLAYED', value: (row) => row.replayed },
        ],
        '',
      );
      const text = `${answer.sentence}\n${head}${answer.equal ? '' : differences}`;
      return { json: answer, text, ...(answer.equal ? {} : { exitCode: DIFFERENT }) };
    },
  },
];

async function predict(call: Call): Promise<Output> {
  const [model = '', ...subjects] = call.args;
  const version = call.number('version');
  const which = { ...timesOf(call), alias: call.text('alias'), ...(version === undefined ? {} : { version }) };
  const universe = call.text('universe');
  if ((universe === undefined) === (subjects.length === 0))
    throw new UsageError('Say what to predict: one or more subjects, or --universe NAME.');
  if (universe !== undefined) {
    const body = { universeId: await universeId(call, universe), ...which };
    const { task } = await call.client.call(startUniversePredictions, { params: { model }, body });
    const shown = call.flag('detach') ? task : await watchTask(call, task);
    const { memberCount, predicted, abstained, fromStore, problems } = shown.result ?? {};
    const pairs = [
      ['task', shown.id],
      ['state', shown.state],
      ['members', memberCount],
      ['predicted', predicted],
      ['abstained', abstained],
      ['known before', fromStore],
      ['problems', problems],
    ] as const;
    return { json: shown, text: facts(pairs) };
  }
  const asked = await Promise.all(subjects.map((text) => subjectAsked(call, text)));
  const [first] = asked;
  if (asked.length === 1 && first !== undefined) {
    const answer = await call.client.call(postPrediction, { params: { model }, body: { subject: first, ...which } });
    return { json: answer, text: predictionText(answer) };
  }
  const answer = await call.client.call(postPredictions, { params: { model }, body: { subjects: asked, ...which } });
  const told = answer.items.flatMap(({ prediction }) => prediction ?? []);
  const problems = answer.items.flatMap(({ problem }) => problem?.detail ?? []);
  return { json: answer, text: [predictionTable(told), ...problems.map((line) => `${line}\n`)].join('') };
}

async function subjectAsked(call: Call, text: string): Promise<AskedSubject> {
  if (call.flag('index')) return { kind: 'index', id: await indexId(call, text) };
  return { kind: 'instrument', symbol: text };
}

function stateOf(text: string | undefined): 'pending' | 'resolved' | 'abstained' | undefined {
  if (text === undefined || text === 'pending' || text === 'resolved' || text === 'abstained') return text;
  throw new UsageError(`--state must be pending, resolved or abstained, was "${text}".`);
}

const nameOf = ({ subject }: Prediction) => subject.symbol ?? subject.name;

/** The value as people read it, or why there is none. */
function saidOf({ forecast }: Prediction): string {
  if (forecast.value === null) return `abstains: ${forecast.abstained?.code.replaceAll('_', ' ') ?? 'no value'}`;
  return forecast.unit === 'probability' ? percent(forecast.value) : show(forecast.value);
}

function predictionTable(items: readonly Prediction[]): string {
  return table(
    items,
    [
      { title: 'NUMBER', value: (row) => row.predictionId },
      { title: 'MODEL', value: (row) => `${row.model}@${row.version}` },
      { title: 'ABOUT', value: nameOf },
      { title: 'AS OF', value: (row) => row.time.asOf },
      { title: 'DUE', value: (row) => row.dueDay },
      { title: 'SAID', value: saidOf },
      { title: 'BY', value: (row) => row.servedBy },
      { title: 'SEALED BEFORE', value: (row) => row.seal.beforeOutcome },
      { title: 'CAME', value: (row) => row.outcome?.value ?? null },
      { title: 'LOSS', value: (row) => row.outcome?.loss ?? null },
    ],
    'No prediction fits.',
  );
}

const QUESTIONS: Record<TargetName, string> = {
  volatility_direction: 'detects more swing than in the last month',
  forward_volatility: 'volatility of the next days',
  drawdown_touch: 'touches 5 % below the close',
  return_rank: 'place in its universe',
  return_direction: 'closes higher',
};

function predictionText(answer: Prediction): string {
  const { forecast, seal, lineage, outcome } = answer;
  const interval = forecast.lower === null ? null : `${show(forecast.lower)} to ${show(forecast.upper)}`;
  return [
    `${nameOf(answer)}: ${answer.target === null ? answer.model : QUESTIONS[answer.target]}\n${timeLine(answer.time)}\n`,
    facts([
      ['prediction', answer.predictionId],
      ['model', `${answer.model}@${answer.version}, answered by ${answer.servedBy}`],
      ['said', saidOf(answer)],
      ['why not', forecast.abstained?.sentence],
      ['unit', forecast.unit],
      ['interval', interval === null ? null : `${interval} (${percent(forecast.level)})`],
      ['surer than', forecast.confidence === null ? null : `${percent(forecast.confidence)} of past forecasts`],
      ['baseline', `${show(forecast.baseline.value)}, ${forecast.baseline.name}`],
      ...answer.hops.map((hop) => ['fell back', `${hop.from} to ${hop.to}: ${hop.sentence}`] as const),
      ['due', `${answer.dueDay}, ${answer.horizonDays} trading days`],
      ['sealed', `${seal.sha256}, ${seal.beforeOutcome ? 'before its outcome' : 'reconstructed'}`],
      ['evidence', seal.evidenceSequence],
      ['data', lineage.dataSha256],
      ['inputs', lineage.inputSha256],
      ['artefact', lineage.artefactSha256],
      ['code', lineage.codeVersion],
      ['came', outcome === null ? null : `${show(outcome.value)} on ${outcome.day}, loss ${show(outcome.loss)}`],
    ]),
  ].join('');
}

function calibrationText(answer: Calibration): string {
  const { counts, skill } = answer;
  const head = facts([
    ['predictions', number(counts.predictions)],
    ['resolved', number(counts.resolved)],
    ['abstained', number(counts.abstained)],
    ['sealed before', number(counts.sealedBeforeOutcome)],
    [
      'skill',
      skill.value === null
        ? skill.reason?.sentence
        : `${show(skill.value)} (${show(skill.low)} to ${show(skill.high)})`,
    ],
    ['over', `${skill.baselineName}; ${skill.metric}`],
  ]);
  const bins = table(
    answer.reliability.bins,
    [
      { title: 'SAID', value: (row) => `${percent(row.from)} to ${percent(row.to)}` },
      { title: 'MEAN', value: (row) => percent(row.forecast) },
      { title: 'CAME', value: (row) => percent(row.observed) },
      { title: 'FROM', value: (row) => percent(row.low) },
      { title: 'TO', value: (row) => percent(row.high) },
      { title: 'TIMES', value: (row) => row.count },
    ],
    answer.reliability.reason?.sentence ?? 'No forecast.',
  );
  const coverage = table(
    answer.coverage.items,
    [
      { title: 'INTERVALS', value: (row) => row.group },
      { title: 'HELD', value: (row) => percent(row.covered) },
      { title: 'FROM', value: (row) => percent(row.low) },
      { title: 'TO', value: (row) => percent(row.high) },
      { title: 'WIDTH', value: (row) => row.widthMean },
      { title: 'TIMES', value: (row) => row.count },
    ],
    answer.coverage.reason?.sentence ?? 'No interval.',
  );
  return `${answer.note}\n\n${head}\n${bins}\n${coverage}`;
}
