import { createRecent } from '../../platform/cache/recent.ts';
import type { Database, Principal, Transaction } from '../../platform/database/database.ts';
import { found } from '../../platform/problem-error.ts';
import { previousChampion } from './champion-line.ts';
import * as repository from './model.repository.ts';
import { CHAMPION, type Choice, LATEST, MODEL_SUBJECT, PREVIOUS, type ResolvedVersion } from './registry.types.ts';

/** Where the names of one model lead. */
type Signs = { modelId: number; aliases: ReadonlyMap<string, number>; archived: ReadonlySet<number> };

/** Without a line that tells of changes elsewhere, what is kept is looked at again after this. */
const UNHEARD_MS = 1_000;
/** With one, this bounds the damage should a change be forgotten. */
const HEARD_MS = 60_000;
const EVENTS_MAX = 10_000;
const VERSIONS_KEPT = 500;

/** Versions behind aliases, kept in memory: a question costs nothing until something of a model changes in any process. */
export function createResolvedModels(database: Database) {
  /** By tenant, then by the name of the model. */
  const kept = new Map<number, Map<string, { at: number; signs: Promise<Signs> }>>();
  const drop = ({ tenantId, subjectKind }: { tenantId: number; subjectKind: string }) => {
    if (subjectKind === MODEL_SUBJECT) kept.delete(tenantId);
  };
  database.onCommit({
    async after(changes) {
      for (const change of changes) drop(change);
    },
  });
  database.elsewhere.listen({ onChange: drop, onGap: () => kept.clear() });
  // A version never changes, only whether it is archived, and that is among the signs.
  const versions = createRecent<Omit<ResolvedVersion, 'archived'>>(VERSIONS_KEPT);

  function signsOf(principal: Principal, model: string): Promise<Signs> {
    let ofTenant = kept.get(principal.tenantId);
    if (ofTenant === undefined) {
      ofTenant = new Map();
      kept.set(principal.tenantId, ofTenant);
    }
    const known = ofTenant.get(model);
    const usableMs = database.elsewhere.isHeard() ? HEARD_MS : UNHEARD_MS;
    if (known !== undefined && performance.now() - known.at < usableMs) return known.signs;
    // Kept before it is there: a change meanwhile takes it away, and who asks after the change starts anew.
    const signs = database.transaction(principal, (tx) => loadSigns(tx, model), { readOnly: true });
    const entry = { at: performance.now(), signs };
    ofTenant.set(model, entry);
    signs.catch(() => {
      if (ofTenant.get(model) === entry) ofTenant.delete(model);
    });
    return signs;
  }

  async function versionOf(principal: Principal, model: string, signs: Signs, number: number) {
    const { modelId, archived } = signs;
    const version = await versions.get(`${principal.tenantId}/${modelId}/${number}`, () =>
      database.transaction(
        principal,
        async (tx) => {
          const [row] = await repository.listVersionsPage(tx, { id: modelId, name: model }, { number, limit: 1 });
          const { manifest, manifestSha256, artefactSha256 } = found(row, `There is no version ${number} of ${model}.`);
          return { model, modelId, version: number, manifest, manifestSha256, artefactSha256 };
        },
        { readOnly: true },
      ),
    );
    return { ...version, archived: archived.has(number) };
  }

  return {
    async resolve(principal: Principal, model: string, choice: Choice): Promise<ResolvedVersion> {
      const signs = await signsOf(principal, model);
      const number = 'version' in choice ? choice.version : signs.aliases.get(choice.alias);
      const missing = 'alias' in choice ? `${model} has no ${choice.alias}.` : '';
      return versionOf(principal, model, signs, found(number, missing));
    },

    async servingChain(principal: Principal, model: string) {
      const signs = await signsOf(principal, model);
      const load = async (alias: string) => {
        const number = signs.aliases.get(alias);
        return number === undefined ? null : versionOf(principal, model, signs, number);
      };
      return { champion: await load(CHAMPION), previous: await load(PREVIOUS) };
    },
  };
}

async function loadSigns(tx: Transaction, model: string): Promise<Signs> {
  const { id: modelId, latestVersion } = found(await repository.findModel(tx, model), `There is no model ${model}.`);
  const archived = await repository.findArchived(tx, modelId);
  const aliases = new Map((await repository.findAliases(tx, modelId)).map(({ alias, version }) => [alias, version]));
  const events = await repository.listAliasEvents(tx, modelId, { alias: CHAMPION, limit: EVENTS_MAX });
  const previous = previousChampion(events.reverse(), archived);
  if (previous !== null) aliases.set(PREVIOUS, previous);
  if (latestVersion > 0) aliases.set(LATEST, latestVersion);
  return { modelId, aliases, archived };
}
