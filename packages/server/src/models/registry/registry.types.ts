import type {
  AliasEvent,
  Checklist,
  ModelAlias,
  ModelManifest,
  ModelSummary,
  RunStatus,
  ServingPeriod,
  VersionDetail,
  VersionSummary,
} from '@touchstone/contracts/models';
import type { Scope } from '@touchstone/contracts/policy';
import type { Principal, Transaction } from '../../platform/database/database.ts';
import type { StoredObject } from '../../platform/object-store/object-store.ts';

/** What is served of a model. Only `promote`, `rollback` and `withdraw` move it. */
export const CHAMPION = 'champion';
/** Read-only: the champion before the champion. */
export const PREVIOUS = 'previous';
/** Read-only: the version with the highest number. */
export const LATEST = 'latest';
/** Evidence of models, versions and aliases is about this kind, by the id of the model. */
export const MODEL_SUBJECT = 'model';

export type NewRun = {
  /** Group it belongs to. Default: the model's name, else `default`. */
  experiment?: string;
  /** Made when there is none of this name; null: tracked only. */
  model: string | null;
  name: string;
  parameters?: Record<string, unknown>;
  tags?: Record<string, string>;
  datasetSha256?: string | null;
  /** Default: this server's code. */
  codeVersion?: string;
  seed?: number | null;
};

/** A value that a run measured; may be NaN or infinite. */
export type NewMetric = { name: string; value: number; step?: number; at?: string };

export type RunEnd = {
  status: Exclude<RunStatus, 'running'>;
  /** Why it failed or was stopped. */
  reason?: string | null;
  /** The row in the trials ledger that the training wrote itself. Left out: one is written here. */
  trialId?: number;
};

export type NewVersion = {
  /** Made when there is none of this name. */
  model: string;
  runId: number | null;
  /** Checked against the contract: what is missing there is refused by name. */
  manifest: ModelManifest;
  artefact: Uint8Array;
};

export type RegisteredVersion = { model: string; modelId: number; version: number; artefactSha256: string };

/** Who moves an alias: the champion needs the scope `model:promote`. */
export type AliasMover = { scopes: readonly Scope[] };

export type AliasChange = {
  model: string;
  /** Version it pointed at when the mover decided; null: nowhere. */
  expected: number | null;
  reason: string;
};

/** A version as serving needs it. */
export type ResolvedVersion = {
  model: string;
  modelId: number;
  version: number;
  manifest: ModelManifest;
  manifestSha256: string;
  artefactSha256: string;
  archived: boolean;
};

export type Choice = { alias: string } | { version: number };

/** Runs, versions, aliases. Methods with `tx` write in the caller's transaction and append evidence there. */
export type Registry = {
  startRun(tx: Transaction, run: NewRun): Promise<{ runId: number }>;
  /** @throws CONFLICT when a parameter was said before with another value. */
  logParameters(tx: Transaction, runId: number, parameters: Record<string, unknown>): Promise<void>;
  logMetrics(tx: Transaction, runId: number, metrics: readonly NewMetric[]): Promise<void>;
  /** Adds to the tags of a run; null takes one away. */
  setRunTags(tx: Transaction, runId: number, tags: Record<string, string | null>): Promise<void>;
  logArtefact(tx: Transaction, runId: number, name: string, content: Uint8Array): Promise<StoredObject>;
  /** Ends a run and counts it in the trials ledger. @throws NOT_POSSIBLE_NOW when it has ended. */
  finishRun(tx: Transaction, runId: number, end: RunEnd): Promise<{ trialId: number | null }>;

  /** @throws ALREADY_EXISTS */
  createModel(tx: Transaction, model: { name: string; description: string }): Promise<ModelSummary>;
  /**
   * Registers an immutable version and gives it the next number of its model.
   *
   * @throws INVALID_REQUEST naming what the manifest lacks; SYNTHETIC_REFUSED when a passed gate rests on made-up rows.
   */
  registerVersion(tx: Transaction, version: NewVersion): Promise<RegisteredVersion>;
  setAlias(tx: Transaction, change: AliasChange & { alias: string; version: number }): Promise<AliasEvent>;
  removeAlias(tx: Transaction, change: AliasChange & { alias: string }): Promise<AliasEvent>;
  /** @throws FORBIDDEN, GATE_NOT_PASSED, CHECKLIST_OPEN, CONFLICT, NOT_POSSIBLE_NOW */
  promote(
    tx: Transaction,
    mover: AliasMover,
    change: AliasChange & { version: number; checklist: Checklist },
  ): Promise<AliasEvent>;
  /** The champion before becomes champion again. @throws FORBIDDEN, NOT_POSSIBLE_NOW when there was none. */
  rollback(
    tx: Transaction,
    mover: AliasMover,
    change: { model: string; reason: string; expected?: number },
  ): Promise<AliasEvent>;
  withdraw(tx: Transaction, mover: AliasMover, change: AliasChange): Promise<AliasEvent>;
  setArchived(
    tx: Transaction,
    change: { model: string; version: number; archived: boolean; reason: string },
  ): Promise<VersionSummary>;

  findVersion(tx: Transaction, model: string, version: number): Promise<VersionDetail | undefined>;
  listAliases(tx: Transaction, model: string): Promise<ModelAlias[]>;
  /** Who answered when: periods newest first. @throws NOT_FOUND */
  servingPeriods(tx: Transaction, model: string): Promise<ServingPeriod[]>;
  /** The version that answered at an instant; null: none. */
  servedAt(tx: Transaction, model: string, at: string): Promise<number | null>;

  /**
   * The version behind an alias or number. Kept in memory until something of the model changes in any process.
   *
   * @throws NOT_FOUND naming what there is not.
   */
  resolve(principal: Principal, model: string, choice: Choice): Promise<ResolvedVersion>;
  /** What serving falls back on, in order: champion, then the one before. Kept like `resolve`. @throws NOT_FOUND */
  servingChain(
    principal: Principal,
    model: string,
  ): Promise<{ champion: ResolvedVersion | null; previous: ResolvedVersion | null }>;
  /** @throws ARTEFACT_DAMAGED when it is gone or does not have its hash. */
  readArtefact(sha256: string): Promise<Buffer>;
};
