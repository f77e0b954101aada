import {
  type AliasEvent,
  archiveModelVersion,
  CHECKLIST,
  createModel,
  deleteModel,
  downloadModelArtefact,
  getModel,
  getModelCard,
  getModelVersion,
  getServingHistory,
  listAliasHistory,
  listModelAliases,
  listModels,
  listModelVersions,
  type ModelSummary,
  promoteModel,
  removeModelAlias,
  restoreModelVersion,
  rollbackModel,
  setModelAlias,
  undeleteModel,
  updateModel,
  type VersionSummary,
  withdrawModel,
} from '@touchstone/contracts/models';
import { type Call, type Command, LIMIT_OPTION, type Output, UsageError } from '../command.ts';
import { allPages, limitOf, numberOf } from '../look-up.ts';
import { bytes, facts, show, table } from '../render.ts';
import { saveTo } from '../save.ts';

const REASON = { reason: { value: 'TEXT', summary: 'Why, for those who ask later' } } as const;
const EXPECTED = {
  expected: { value: 'VERSION', summary: 'Where it must point now, or `none`; default: where it does' },
} as const;

/** Models: what there is, how good it is, what is served, and who decided so. */
export const modelCommands: Command[] = [
  {
    name: 'model list',
    summary: 'Models with what is served, the last training and the verdict of the gate',
    args: [],
    options: { ...LIMIT_OPTION, deleted: { summary: 'Also the deleted ones' } },
    example: 'model list',
    async run(call) {
      const includeDeleted = call.flag('deleted') ? 'true' : 'false';
      const answer = await allPages(limitOf(call), (page) =>
        call.client.call(listModels, { query: { ...page, includeDeleted } }),
      );
      const text = table(
        answer.items,
        [
          { title: 'MODEL', value: (row) => row.name, whole: true },
          { title: 'TARGET', value: (row) => row.target?.replaceAll('_', ' ') ?? null },
          { title: 'CHAMPION', value: (row) => row.champion?.version ?? null },
          { title: 'VERSIONS', value: (row) => row.versionCount },
          { title: 'TRAINED UNTIL', value: (row) => row.lastTrainedUntil },
          { title: 'SKILL', value: skillOf },
          { title: 'GATE', value: gateOf },
        ],
        'There is no model.',
      );
      return { json: answer, text };
    },
  },
  {
    name: 'model show',
    summary: 'One model with its aliases',
    args: ['MODEL'],
    example: 'model show volatility-direction',
    async run(call) {
      const model = await call.client.call(getModel, { params: modelOf(call) });
      return { json: model, text: describe(model) + aliasTable(model.aliases) };
    },
  },
  {
    name: 'model create',
    summary: 'Name a model before its first version',
    args: ['MODEL'],
    options: { description: { value: 'TEXT', summary: 'What it is for' } },
    example: 'model create volatility-direction',
    async run(call) {
      const body = { name: call.args[0] ?? '', description: call.text('description') };
      const model = await call.client.call(createModel, { body });
      return { json: model, text: describe(model) };
    },
  },
  {
    name: 'model describe',
    summary: 'Describe a model anew',
    args: ['MODEL', 'TEXT'],
    example: 'model describe volatility-direction "Whether the next week swings more."',
    async run(call) {
      const params = modelOf(call);
      const { version } = await call.client.call(getModel, { params });
      const body = { description: call.args[1] ?? '', version };
      const model = await call.client.call(updateModel, { params, body });
      return { json: model, text: describe(model) };
    },
  },
  {
    name: 'model delete',
    summary: 'Delete a model that serves nothing; its versions stay on record',
    args: ['MODEL'],
    example: 'model delete volatility-direction',
    async run(call) {
      const { model } = modelOf(call);
      await call.client.call(deleteModel, { params: { model } });
      return {
        json: { deleted: model },
        text: `Model ${model} is deleted; \`model undelete ${model}\` brings it back.\n`,
      };
    },
  },
  {
    name: 'model undelete',
    summary: 'Bring a deleted model back',
    args: ['MODEL'],
    example: 'model undelete volatility-direction',
    async run(call) {
      const model = await call.client.call(undeleteModel, { params: modelOf(call) });
      return { json: model, text: describe(model) };
    },
  },
  {
    name: 'model versions',
    summary: 'Versions of a model, newest first',
    args: ['MODEL'],
    options: LIMIT_OPTION,
    example: 'model versions volatility-direction',
    async run(call) {
      const params = modelOf(call);
      const answer = await allPages(limitOf(call), (query) => call.client.call(listModelVersions, { params, query }));
      const text = table(
        answer.items,
        [
          { title: 'VERSION', value: (row) => row.version },
          { title: 'ALIASES', value: (row) => row.aliases.join(', ') || (row.archived ? 'archived' : null) },
          { title: 'TRAINED UNTIL', value: (row) => row.trainedUntil },
          { title: 'SKILL', value: skillOf },
          { title: 'GATE', value: gateOf },
          { title: 'RUN', value: (row) => row.runId },
          { title: 'SIZE', value: (row) => bytes(row.artefactByteCount), right: true },
          { title: 'REGISTERED', value: (row) => row.createdAt },
        ],
        'Nothing was registered yet.',
      );
      return { json: answer, text };
    },
  },
  {
    name: 'model version',
    summary: 'One version with its manifest: data, features, members, skill, verdict',
    args: ['MODEL', 'VERSION'],
    example: 'model version volatility-direction 3',
    async run(call) {
      const version = await call.client.call(getModelVersion, { params: versionOf(call) });
      const { datasetSha256, featureSha256, codeVersion, seed, features, members } = version.manifest;
      const more = facts([
        ['dataset', datasetSha256],
        ['features', `${features.length}, ${featureSha256}`],
        ['members', members.map(({ learner, weight }) => `${learner} ${weight}`).join(', ')],
        ['code', `${codeVersion}, seed ${seed}`],
      ]);
      return { json: version, text: describeVersion(version) + more };
    },
  },
  {
    name: 'model card',
    summary: 'The card of a version as Markdown',
    args: ['MODEL', 'VERSION'],
    example: 'model card volatility-direction 3',
    async run(call) {
      const card = await call.client.call(getModelCard, { params: versionOf(call) });
      return { json: card, text: card.markdown };
    },
  },
  {
    name: 'model download',
    summary: 'Save the bytes of a version',
    args: ['MODEL', 'VERSION', 'FILE'],
    example: 'model download volatility-direction 3 model.bin',
    async run(call) {
      return saveTo(call.args[2] ?? '', await call.client.raw(downloadModelArtefact, { params: versionOf(call) }));
    },
  },
  {
    name: 'model archive',
    summary: 'Take a version out of choice',
    args: ['MODEL', 'VERSION'],
    options: REASON,
    example: 'model archive volatility-direction 1 --reason "Learnt from a wrong calendar"',
    async run(call) {
      const body = { reason: reasonOf(call) };
      const version = await call.client.call(archiveModelVersion, { params: versionOf(call), body });
      return { json: version, text: describeVersion(version) };
    },
  },
  {
    name: 'model restore',
    summary: 'Bring an archived version back into choice',
    args: ['MODEL', 'VERSION'],
    options: REASON,
    example: 'model restore volatility-direction 1 --reason "Needed as a baseline"',
    async run(call) {
      const body = { reason: reasonOf(call) };
      const version = await call.client.call(restoreModelVersion, { params: versionOf(call), body });
      return { json: version, text: describeVersion(version) };
    },
  },
  {
    name: 'model alias',
    summary: 'Point an alias at a version',
    args: ['MODEL', 'ALIAS', 'VERSION'],
    options: { ...REASON, ...EXPECTED },
    example: 'model alias volatility-direction challenger 3 --reason "To compare"',
    async run(call) {
      const [model = '', alias = ''] = call.args;
      const version = numberOf(call.args[2], 'VERSION');
      const body = { version, expected: await expectedOf(call, alias), reason: reasonOf(call) };
      return told(await call.client.call(setModelAlias, { params: { model, alias }, body }), model);
    },
  },
  {
    name: 'model unalias',
    summary: 'Take an alias away',
    args: ['MODEL', 'ALIAS'],
    options: { ...REASON, ...EXPECTED },
    example: 'model unalias volatility-direction challenger --reason "Compared"',
    async run(call) {
      const [model = '', alias = ''] = call.args;
      const body = { expected: await expectedOf(call, alias), reason: reasonOf(call) };
      return told(await call.client.call(removeModelAlias, { params: { model, alias }, body }), model);
    },
  },
  {
    name: 'model aliases',
    summary: 'Where each alias of a model points',
    args: ['MODEL'],
    example: 'model aliases volatility-direction',
    async run(call) {
      const answer = await call.client.call(listModelAliases, { params: modelOf(call) });
      return { json: answer, text: aliasTable(answer.items) };
    },
  },
  {
    name: 'model history',
    summary: 'Every change of every alias: who, when, why',
    args: ['MODEL'],
    options: { ...LIMIT_OPTION, alias: { value: 'ALIAS', summary: 'Only this one' } },
    example: 'model history volatility-direction --alias champion',
    async run(call) {
      const params = modelOf(call);
      const alias = call.text('alias');
      const answer = await allPages(limitOf(call), (page) =>
        call.client.call(listAliasHistory, { params, query: { ...page, alias } }),
      );
      const text = table(
        answer.items,
        [
          { title: 'AT', value: (row) => row.at },
          { title: 'ALIAS', value: (row) => row.alias },
          { title: 'WHAT', value: (row) => row.action.replaceAll('_', ' ') },
          { title: 'FROM', value: (row) => row.from },
          { title: 'TO', value: (row) => row.to },
          { title: 'BY', value: (row) => row.by },
          { title: 'WHY', value: (row) => row.reason, whole: true },
        ],
        'No alias was ever set.',
      );
      return { json: answer, text };
    },
  },
  {
    name: 'model promote',
    summary: 'Make a version that passed the gate the champion, with a signed check list',
    args: ['MODEL', 'VERSION'],
    options: {
      ...REASON,
      ...EXPECTED,
      sign: { value: 'ITEMS', summary: `What you sign, with commas, or all: ${CHECKLIST.join(', ')}` },
      note: { value: 'TEXT', summary: 'A word beside what is signed' },
    },
    example: 'model promote volatility-direction 3 --sign all --reason "Better in the shadow test"',
    async run(call) {
      const params = modelOf(call);
      const body = {
        ...{ version: numberOf(call.args[1], 'VERSION'), reason: reasonOf(call), checklist: signedOf(call) },
        expected: await expectedOf(call, 'champion'),
      };
      return told(await call.client.call(promoteModel, { params, body }), params.model);
    },
  },
  {
    name: 'model rollback',
    summary: 'Make the champion before the champion again, in one step',
    args: ['MODEL'],
    options: { ...REASON, expected: { value: 'VERSION', summary: 'The champion to leave; default: whichever it is' } },
    example: 'model rollback volatility-direction --reason "Alarms after the split"',
    async run(call) {
      const params = modelOf(call);
      const body = { reason: reasonOf(call), expected: call.number('expected') };
      return told(await call.client.call(rollbackModel, { params, body }), params.model);
    },
  },
  {
    name: 'model withdraw',
    summary: 'Leave a model without a champion: its forecasts abstain',
    args: ['MODEL'],
    options: { ...REASON, ...EXPECTED },
    example: 'model withdraw volatility-direction --expected 3 --reason "Recalled"',
    async run(call) {
      const params = modelOf(call);
      const expected = await expectedOf(call, 'champion');
      if (expected === null) throw new UsageError(`${params.model} has no champion to withdraw.`);
      const body = { expected, reason: reasonOf(call) };
      return told(await call.client.call(withdrawModel, { params, body }), params.model);
    },
  },
  {
    name: 'model serving',
    summary: 'Which version answered when, and at one instant',
    args: ['MODEL'],
    options: { at: { value: 'INSTANT', summary: 'Default: now' } },
    example: 'model serving volatility-direction --at 2026-01-15T22:00:00Z',
    async run(call) {
      const time = call.text('at');
      const parsed = time === undefined ? undefined : Date.parse(time);
      if (Number.isNaN(parsed)) throw new UsageError(`--at must be an instant like 2026-01-15T22:00:00Z, was ${time}`);
      const query = parsed === undefined ? {} : { at: new Date(parsed).toISOString() };
      const answer = await call.client.call(getServingHistory, { params: modelOf(call), query });
      const text = table(
        answer.periods,
        [
          { title: 'FROM', value: (row) => row.from },
          { title: 'UNTIL', value: (row) => row.until ?? 'now' },
          { title: 'VERSION', value: (row) => row.version ?? 'none' },
          { title: 'BY', value: (row) => row.by },
          { title: 'WHY', value: (row) => row.reason, whole: true },
        ],
        'Nothing was ever served.',
      );
      const then = answer.version === null ? 'nothing answered' : `version ${answer.version} answered`;
      return { json: answer, text: `At ${answer.at} ${then}.\n\n${text}` };
    },
  },
];

function modelOf(call: Call): { model: string } {
  return { model: call.args[0] ?? '' };
}

function versionOf(call: Call): { model: string; version: number } {
  return { ...modelOf(call), version: numberOf(call.args[1], 'VERSION') };
}

function reasonOf(call: Call): string {
  const reason = call.text('reason');
  if (reason === undefined) throw new UsageError('Say why with --reason TEXT.');
  return reason;
}

/** Where an alias points: as said, or as it is at this moment. */
async function expectedOf(call: Call, alias: string): Promise<number | null> {
  const told = call.text('expected');
  if (told === 'none') return null;
  if (told !== undefined) return numberOf(told, '--expected');
  const { items } = await call.client.call(listModelAliases, { params: modelOf(call) });
  return items.find((item) => item.alias === alias)?.version ?? null;
}

function signedOf(call: Call) {
  const words = (call.text('sign') ?? '').split(',').filter((word) => word !== '');
  const unknown = words.filter((word) => word !== 'all' && !CHECKLIST.some((item) => item === word));
  if (unknown.length > 0 || words.length === 0)
    throw new UsageError(`Sign with --sign all, or some of ${CHECKLIST.join(',')}.`);
  const note = call.text('note') ?? '';
  return CHECKLIST.filter((item) => words.includes('all') || words.includes(item)).map((item) => ({
    ...{ item, signed: true, note },
  }));
}

function told(event: AliasEvent, model: string): Output {
  const to = event.to === null ? 'points nowhere' : `points at version ${event.to}`;
  const from = event.from === null ? 'nowhere' : `version ${event.from}`;
  return { json: event, text: `${event.alias} of ${model} ${to}; before: ${from}. Since ${event.at}.\n` };
}

function skillOf({ skill }: Pick<ModelSummary | VersionSummary, 'skill'>): string | null {
  if (skill === null) return null;
  const interval = skill.low === null || skill.high === null ? '' : ` [${show(skill.low)}, ${show(skill.high)}]`;
  return `${skill.metric.replaceAll('_', ' ')} ${show(skill.value)}${interval}`;
}

function gateOf({ verdict }: Pick<ModelSummary | VersionSummary, 'verdict'>): string {
  if (verdict === null) return 'not judged';
  return verdict.passed ? 'passed' : 'NOT PASSED';
}

function describe(model: ModelSummary): string {
  return facts([
    ['model', model.name],
    ['description', model.description],
    ['target', model.target],
    ['versions', model.versionCount],
    ['champion', model.champion === null ? 'none' : `version ${model.champion.version} since ${model.champion.since}`],
    ['trained until', model.lastTrainedUntil],
    ['skill', skillOf(model)],
    ['gate', `${gateOf(model)}. ${model.verdict?.sentence ?? ''}`],
  ]);
}

function describeVersion(version: VersionSummary): string {
  return facts([
    ['version', `${version.version} of ${version.model}`],
    ['aliases', version.aliases.join(', ') || 'none'],
    ['archived', version.archived ? (version.archivedReason ?? 'yes') : 'no'],
    ['target', version.target],
    ['trained until', version.trainedUntil],
    ['skill', skillOf(version)],
    ['gate', `${gateOf(version)}. ${version.verdict?.sentence ?? ''}`],
    ['training run', version.runId],
    ['file', `${version.artefactSha256}, ${bytes(version.artefactByteCount)}`],
    ['registered', version.createdAt],
  ]);
}

function aliasTable(
  aliases: readonly { alias: string; version: number; since: string; by: number | null; reason: string }[],
) {
  return table(
    aliases,
    [
      { title: 'ALIAS', value: (row) => row.alias },
      { title: 'VERSION', value: (row) => row.version },
      { title: 'SINCE', value: (row) => row.since },
      { title: 'BY', value: (row) => row.by },
      { title: 'WHY', value: (row) => row.reason, whole: true },
    ],
    'No alias points anywhere.',
  );
}
