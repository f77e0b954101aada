import { type ModelManifest, modelManifest } from '@touchstone/contracts/model-manifest';
import type { Checklist, ModelSummary, VersionDetail } from '@touchstone/contracts/models';
import { CHECKLIST } from '@touchstone/contracts/models';
import { checkEvaluable } from '../../features/index.ts';
import type { Database, Transaction } from '../../platform/database/database.ts';
import { appendEvidence } from '../../platform/evidence/evidence.ts';
import { hashOf } from '../../platform/object-store/bundle.ts';
import type { ObjectStore } from '../../platform/object-store/object-store.ts';
import { found, ProblemError } from '../../platform/problem-error.ts';
import { previousChampion, toPeriods } from './champion-line.ts';
import { ensureModel } from './ensure-model.ts';
import * as repository from './model.repository.ts';
import {
  type AliasChange,
  type AliasMover,
  CHAMPION,
  LATEST,
  MODEL_SUBJECT,
  PREVIOUS,
  type Registry,
} from './registry.types.ts';
import { createResolvedModels } from './resolved-models.ts';
import { createRunLog } from './run-log.ts';

export type RegistryParts = { database: Database; objects: ObjectStore; codeVersion: string };

/** Names that mean something to readers and are pointed at nothing by hand. */
const RESERVED: readonly string[] = [PREVIOUS, LATEST];
/** Deleted models that may share a name. */
const NAMESAKES_MAX = 1_000;
const PERIODS_MAX = 1_000;
const EVENTS_MAX = 10_000;

/** The one registry of a process. */
export function createRegistry({ database, objects, codeVersion }: RegistryParts): Registry {
  const runs = createRunLog(objects, codeVersion);

  async function setAlias(
    tx: Transaction,
    change: AliasChange & { alias: string; version: number },
  ): ReturnType<Registry['setAlias']> {
    checkFree(change.alias);
    const { id } = await lockLiving(tx, change.model);
    await checkExpected(tx, id, change);
    await mustChoose(tx, { id, name: change.model }, change.version);
    return move(tx, id, { ...change, action: 'set', to: change.version, checklist: [] });
  }

  return {
    ...runs,

    async createModel(tx, model) {
      if (RESERVED.includes(model.name)) throw new ProblemError('INVALID_REQUEST', `${model.name} is no free name.`);
      const id = await repository.insertModel(tx, model);
      if (id === undefined) throw new ProblemError('ALREADY_EXISTS', `There is a model ${model.name} already.`);
      await appendEvidence(tx, { kind: 'model.created', subjectKind: MODEL_SUBJECT, subjectId: id, body: {} });
      return getSummary(tx, model.name);
    },

    async registerVersion(tx, { model, runId, manifest: told, artefact }) {
      const manifest = checkManifest(told);
      if (manifest.verdict?.passed === true) await checkEvaluable(tx, manifest.datasetSha256);
      // Content-addressed: should this transaction fail, the same bytes will find themselves there.
      const stored = await objects.put(Buffer.from(artefact));
      await ensureModel(tx, model);
      const { id, latestVersion } = await lockLiving(tx, model);
      const version = latestVersion + 1;
      const manifestSha256 = hashOf(manifest);
      await repository.insertVersion(tx, {
        ...{ modelId: id, number: version, runId, manifest, manifestSha256 },
        ...{ artefactSha256: stored.sha256, artefactByteCount: stored.byteCount },
      });
      await repository.countUp(tx, id, version);
      await appendEvidence(tx, {
        ...{ kind: 'model.version_registered', subjectKind: MODEL_SUBJECT, subjectId: id },
        body: {
          ...{ version, runId, manifestSha256, artefactSha256: stored.sha256 },
          ...{ datasetSha256: manifest.datasetSha256, featureSha256: manifest.featureSha256 },
          ...{ codeVersion: manifest.codeVersion, seed: manifest.seed, passed: manifest.verdict?.passed ?? null },
        },
      });
      return { model, modelId: id, version, artefactSha256: stored.sha256 };
    },

    setAlias,

    async removeAlias(tx, change) {
      checkFree(change.alias);
      const { id } = await lockLiving(tx, change.model);
      return remove(tx, id, change);
    },

    async promote(tx, mover, change) {
      mustPromote(mover);
      const { model, version } = change;
      const { id } = await lockLiving(tx, model);
      await checkExpected(tx, id, { ...change, alias: CHAMPION });
      const { manifest } = await mustChoose(tx, { id, name: model }, version);
      if (version === change.expected)
        throw new ProblemError('NOT_POSSIBLE_NOW', `Version ${version} of ${model} is the champion already.`);
      checkGate(model, version, manifest);
      checkSigned(change.checklist);
      return move(tx, id, { ...change, alias: CHAMPION, action: 'promoted', to: version });
    },

    async rollback(tx, mover, { model, reason, expected }) {
      mustPromote(mover);
      const { id } = await lockLiving(tx, model);
      const events = await repository.listAliasEvents(tx, id, { alias: CHAMPION, limit: EVENTS_MAX });
      const current = events[0]?.to ?? null;
      if (expected !== undefined) await checkExpected(tx, id, { model, alias: CHAMPION, expected });
      const to = previousChampion(events.reverse(), await repository.findArchived(tx, id));
      if (to === null)
        throw new ProblemError('NOT_POSSIBLE_NOW', `${model} has no champion before this one to go back to.`);
      return move(tx, id, {
        ...{ model, alias: CHAMPION, action: 'rolled_back', expected: current, to, reason, checklist: [] },
      });
    },

    async withdraw(tx, mover, change) {
      mustPromote(mover);
      const { id } = await lockLiving(tx, change.model);
      return remove(tx, id, { ...change, alias: CHAMPION });
    },

    async setArchived(tx, { model, version, archived, reason }) {
      const { id } = await lockLiving(tx, model);
      const before = await getVersion(tx, { id, name: model }, version);
      if (before.archived === archived)
        throw new ProblemError(
          'NOT_POSSIBLE_NOW',
          `Version ${version} of ${model} is ${archived ? 'archived already' : 'not archived'}.`,
        );
      if (archived && before.aliases.length > 0)
        throw new ProblemError(
          'NOT_POSSIBLE_NOW',
          `Version ${version} of ${model} is its ${before.aliases.join(', ')}. Point that elsewhere first.`,
        );
      await repository.insertChoice(tx, { modelId: id, version, archived, reason });
      await appendEvidence(tx, {
        kind: archived ? 'model.version_archived' : 'model.version_restored',
        ...{ subjectKind: MODEL_SUBJECT, subjectId: id, body: { version } },
      });
      return toSummary(await getVersion(tx, { id, name: model }, version));
    },

    async findVersion(tx, model, version) {
      const id = await repository.findModelId(tx, model);
      if (id === undefined) return undefined;
      const [row] = await repository.listVersionsPage(tx, { id, name: model }, { number: version, limit: 1 });
      return row;
    },

    listAliases: async (tx, model) => repository.findAliases(tx, await getModelId(tx, model)),

    async servingPeriods(tx, model) {
      const id = await getModelId(tx, model);
      return toPeriods(await repository.listAliasEvents(tx, id, { alias: CHAMPION, limit: PERIODS_MAX }));
    },

    async servedAt(tx, model, at) {
      const event = await repository.findLastEvent(tx, await getModelId(tx, model), CHAMPION, at);
      return event?.to ?? null;
    },

    ...createResolvedModels(database),

    async readArtefact(sha256) {
      try {
        return await objects.get(sha256);
      } catch (error) {
        // The store is away: the file may be well.
        if (error instanceof ProblemError) throw error;
        throw new ProblemError(
          'ARTEFACT_DAMAGED',
          `The file ${sha256.slice(0, 12)} is not what was stored, or is gone. Restore it from a backup.`,
          { cause: error },
        );
      }
    },
  };
}

/** @throws NOT_FOUND */
export async function getModelId(tx: Transaction, model: string): Promise<number> {
  return found(await repository.findModelId(tx, model), `There is no model ${model}.`);
}

/** @throws NOT_FOUND */
export async function getSummary(tx: Transaction, name: string): Promise<ModelSummary> {
  const rows = await repository.listModelsPage(tx, { name, limit: NAMESAKES_MAX });
  const { id: _id, ...summary } = found(
    rows.find(({ deletedAt }) => deletedAt === null),
    `There is no model ${name}.`,
  );
  return summary;
}

/** Also brings a version's manifest. @throws NOT_FOUND */
export async function getVersion(
  tx: Transaction,
  model: { id: number; name: string },
  version: number,
): Promise<VersionDetail> {
  const [row] = await repository.listVersionsPage(tx, model, { number: version, limit: 1 });
  return found(row, `There is no version ${version} of ${model.name}.`);
}

/** Describes a model anew. @throws NOT_FOUND, CONFLICT */
export async function updateModel(
  tx: Transaction,
  name: string,
  change: { description: string; version: number },
): Promise<ModelSummary> {
  const { id } = await lockLiving(tx, name);
  if (!(await repository.updateDescription(tx, id, change))) {
    const { version, updatedBy } = await getSummary(tx, name);
    throw new ProblemError(
      'CONFLICT',
      `${name} is at version ${version} by now${byUser(updatedBy)}; your change started from version ${change.version}.`,
    );
  }
  await appendEvidence(tx, { kind: 'model.described', subjectKind: MODEL_SUBJECT, subjectId: id, body: {} });
  return getSummary(tx, name);
}

/** Hides a model that serves nothing. Needs a transaction that sees deleted rows. @throws NOT_FOUND, NOT_POSSIBLE_NOW */
export async function deleteModel(tx: Transaction, name: string): Promise<void> {
  const { id } = await lockLiving(tx, name);
  const champion = await repository.findLastEvent(tx, id, CHAMPION);
  if (champion !== undefined && champion.to !== null)
    throw new ProblemError('NOT_POSSIBLE_NOW', `Version ${champion.to} of ${name} is served. Withdraw it first.`);
  await repository.setModelDeleted(tx, id, true);
  await appendEvidence(tx, { kind: 'model.deleted', subjectKind: MODEL_SUBJECT, subjectId: id, body: {} });
}

/** Needs a transaction that sees deleted rows. @throws NOT_FOUND, ALREADY_EXISTS */
export async function undeleteModel(tx: Transaction, name: string): Promise<ModelSummary> {
  const row = found(await repository.lockModel(tx, name), `There is no model ${name}.`);
  if (row.deletedAt === null) throw new ProblemError('ALREADY_EXISTS', `${name} is not deleted.`);
  await repository.setModelDeleted(tx, row.id, false);
  await appendEvidence(tx, { kind: 'model.undeleted', subjectKind: MODEL_SUBJECT, subjectId: row.id, body: {} });
  return getSummary(tx, name);
}

/** @returns a summary of a version, without its manifest. */
export function toSummary({ manifest: _manifest, ...summary }: VersionDetail) {
  return summary;
}

async function lockLiving(tx: Transaction, name: string): Promise<{ id: number; latestVersion: number }> {
  const row = await repository.lockModel(tx, name);
  const living = row?.deletedAt === null ? row : undefined;
  const { id, latestVersion } = found(living, `There is no model ${name}.`);
  return { id, latestVersion };
}

/** What the contract asks of a manifest, named. A version that cannot be made again is no version. */
function checkManifest(told: ModelManifest): ModelManifest {
  const parsed = modelManifest.safeParse(told);
  const details = parsed.success
    ? []
    : parsed.error.issues.map(({ path, message }) => ({ path: `manifest.${path.join('.')}`, rule: message }));
  if (parsed.success && parsed.data.codeVersion.trim() === '')
    details.push({ path: 'manifest.codeVersion', rule: 'Must say which code trained it.' });
  if (parsed.success && details.length === 0) return parsed.data;
  throw new ProblemError(
    'INVALID_REQUEST',
    `The manifest lacks what a version must tell: ${details
      .slice(0, 5)
      .map(({ path }) => path)
      .join(', ')}.`,
    { details },
  );
}

function mustPromote({ scopes }: AliasMover): void {
  if (!scopes.includes('model:promote'))
    throw new ProblemError('FORBIDDEN', 'What is served is decided by a manager or an owner.');
}

function checkFree(alias: string): void {
  if (alias === CHAMPION)
    throw new ProblemError('INVALID_REQUEST', 'The champion is promoted, rolled back or withdrawn.');
  if (RESERVED.includes(alias))
    throw new ProblemError('INVALID_REQUEST', `${alias} follows from the others and cannot be set.`);
}

async function mustChoose(tx: Transaction, model: { id: number; name: string }, version: number) {
  const row = await getVersion(tx, model, version);
  if (row.archived)
    throw new ProblemError('NOT_POSSIBLE_NOW', `Version ${version} of ${model.name} is archived. Restore it first.`);
  return row;
}

function checkGate(model: string, version: number, { format, verdict }: ModelManifest): void {
  const what = `Version ${version} of ${model}`;
  if (format === 'mlflow')
    throw new ProblemError('GATE_NOT_PASSED', `${what} is kept as it came and cannot be served.`);
  if (verdict === null) throw new ProblemError('GATE_NOT_PASSED', `${what} was never judged by the gate.`);
  if (!verdict.passed) throw new ProblemError('GATE_NOT_PASSED', `${what} did not pass the gate: ${verdict.sentence}`);
}

function checkSigned(checklist: Checklist): void {
  const open = CHECKLIST.filter((item) => !checklist.some((told) => told.item === item && told.signed));
  if (open.length > 0)
    throw new ProblemError('CHECKLIST_OPEN', `Not signed: ${open.join(', ')}.`, {
      details: open.map((item) => ({ path: `body.checklist.${item}`, rule: 'Must be signed.' })),
    });
}

/** Of two who move an alias from the same place the second is told of the first. */
async function checkExpected(
  tx: Transaction,
  modelId: number,
  { model, alias, expected }: { model: string; alias: string; expected: number | null },
): Promise<number | null> {
  const last = await repository.findLastEvent(tx, modelId, alias);
  const current = last?.to ?? null;
  if (current === expected) return current;
  const was = expected === null ? 'there was none' : `it was version ${expected}`;
  const is =
    last === undefined
      ? `${model} has no ${alias}`
      : `${last.to === null ? `The ${alias} of ${model} was taken away` : `Version ${last.to} became ${alias} of ${model}`} at ${last.at}${byUser(last.by)}`;
  throw new ProblemError('CONFLICT', `${is}; you decided when ${was}. Look again.`);
}

function byUser(id: number | null): string {
  return id === null ? '' : ` by user ${id}`;
}

async function remove(tx: Transaction, modelId: number, change: AliasChange & { alias: string }) {
  const current = await checkExpected(tx, modelId, change);
  found(current, `${change.model} has no ${change.alias}.`);
  return move(tx, modelId, { ...change, action: 'removed', to: null, checklist: [] });
}

async function move(
  tx: Transaction,
  modelId: number,
  change: Omit<repository.NewAliasEvent, 'modelId' | 'from'> & Pick<AliasChange, 'expected'>,
) {
  const { alias, action, to, reason, checklist, expected: from } = change;
  const event = await repository.insertAliasEvent(tx, { modelId, alias, action, from, to, reason, checklist });
  await appendEvidence(tx, {
    kind: `model.alias_${action}`,
    ...{ subjectKind: MODEL_SUBJECT, subjectId: modelId },
    body: { eventId: event.id, alias, from, to, signed: checklist.map(({ item }) => item) },
  });
  return event;
}
