import type { Explanation, Outcome, Prediction, ServedBy } from '@touchstone/contracts/predictions';
import { sql } from 'kysely';
import type { NamedSubject } from '../../features/index.ts';
import type { Transaction } from '../../platform/database/database.ts';
import { appendEvidence } from '../../platform/evidence/evidence.ts';
import { readBody, type SealedBody } from './seal.ts';

/** What makes two predictions the same. */
export type SaidKey = {
  modelId: number;
  version: number;
  subjectKind: 'instrument' | 'index';
  subjectId: number;
  asOf: string;
  knownAt: string;
  recordedAt: string;
  waySha256: string;
};

/** A prediction that is not written yet. */
export type NewPrediction = {
  key: SaidKey;
  servedBy: ServedBy;
  alias: string | null;
  reconstructed: boolean;
  body: SealedBody;
  text: string;
  explanation: string;
  sha256: string;
  input: { sha256: string; content: Buffer };
};

export type StoredPrediction = {
  id: number;
  modelId: number;
  servedBy: ServedBy;
  alias: string | null;
  reconstructed: boolean;
  body: SealedBody;
  /** As hashed. */
  text: string;
  sealedSha256: string;
  beforeOutcome: boolean;
  evidenceSequence: number;
  sealedAt: string;
};

const SEAL_LOCK = 7420017;
/** A prediction sealed so near to midnight could be stamped after it. */
const MIDNIGHT_MARGIN = '1 minute';
export const SEALED = 'prediction.sealed';

/**
 * Writes predictions with one record of the evidence that names each seal; those that were said before stay as they are.
 *
 * @returns for each, in order, what is stored of it, and whether it was there before.
 */
export async function insertMissingPredictions(
  tx: Transaction,
  predictions: readonly NewPrediction[],
): Promise<{ stored: StoredPrediction; isOld: boolean }[]> {
  const { tenantId } = tx.principal;
  // Whoever is next sees what this one wrote: a statement of its own, or its snapshot would be older than the lock.
  await sql`SELECT pg_advisory_xact_lock(${SEAL_LOCK}::int, ${tenantId}::int)`.execute(tx.query);
  const before = await findSaid(
    tx,
    predictions.map(({ key }) => key),
  );
  const fresh = new Map<string, NewPrediction>();
  for (const prediction of predictions) {
    const text = keyText(prediction.key);
    if (!before.has(text)) fresh.set(text, prediction);
  }
  const written = fresh.size === 0 ? new Map<string, StoredPrediction>() : await insertSealed(tx, fresh);
  return predictions.map(({ key }) => {
    const text = keyText(key);
    const old = before.get(text);
    return { stored: old ?? written.get(text)!, isOld: old !== undefined };
  });
}

async function insertSealed(
  tx: Transaction,
  fresh: ReadonlyMap<string, NewPrediction>,
): Promise<Map<string, StoredPrediction>> {
  const { tenantId } = tx.principal;
  const all = [...fresh.values()];
  await insertInputs(tx, all);
  const { rows: numbers } = await sql<{ id: number; today: string }>`
    SELECT nextval('prediction_id_seq') AS id,
           ((clock_timestamp() + ${MIDNIGHT_MARGIN}::interval) AT TIME ZONE 'UTC')::date::text AS today
    FROM generate_series(1, ${all.length}::int)`.execute(tx.query);
  const ids = numbers.map(({ id }) => Number(id));
  const { today } = numbers[0]!;
  const shut = await findShut(tx, all, today);
  await appendEvidence(tx, {
    ...{ kind: SEALED, subjectKind: 'prediction', subjectId: ids[0]! },
    body: { seals: Object.fromEntries(all.map(({ sha256 }, i) => [String(ids[i]!), sha256])) },
  });
  const rows = all.map((one, i) => ({
    ...{ id: ids[i]!, modelId: one.key.modelId, version: one.key.version, servedBy: one.servedBy, alias: one.alias },
    ...{ way: one.key.waySha256, subjectKind: one.key.subjectKind, subjectId: one.key.subjectId },
    ...{ asOf: one.key.asOf, knownAt: one.key.knownAt, recordedAt: one.key.recordedAt },
    ...{ reconstructed: one.reconstructed, horizonDays: one.body.horizonDays },
    ...{ eventDay: one.body.eventDay, dueDay: one.body.dueDay, value: one.body.forecast.value },
    ...{ lower: one.body.forecast.lower, upper: one.body.forecast.upper },
    ...{ baseline: one.body.forecast.baseline.value, abstained: one.body.forecast.abstained?.code ?? null },
    ...{ input: one.input.sha256, body: one.text, explanation: one.explanation, sealed: one.sha256 },
    beforeOutcome: one.body.dueDay > today && !shut.has(one),
  }));
  const column = <K extends keyof (typeof rows)[number]>(name: K) => rows.map((row) => row[name]);
  const { rows: stored } = await sql<{ id: number; evidence_sequence: number; created_at: string }>`
    INSERT INTO prediction (id, tenant_id, model_id, version_number, served_by, alias, way_sha256, subject_kind, subject_id,
      as_of, known_at, recorded_at, reconstructed, horizon_days, event_day, due_day, value, lower, upper, baseline, abstained,
      input_sha256, body, explanation, sealed_sha256, before_outcome, evidence_sequence)
    SELECT n.*, e.sequence FROM unnest(${column('id')}::bigint[], ${rows.map(() => tenantId)}::int[], ${column('modelId')}::int[],
      ${column('version')}::int[], ${column('servedBy')}::text[], ${column('alias')}::text[], ${column('way')}::text[],
      ${column('subjectKind')}::text[], ${column('subjectId')}::int[], ${column('asOf')}::date[],
      ${column('knownAt')}::timestamptz[], ${column('recordedAt')}::timestamptz[], ${column('reconstructed')}::boolean[],
      ${column('horizonDays')}::int[], ${column('eventDay')}::date[], ${column('dueDay')}::date[],
      ${column('value')}::float8[], ${column('lower')}::float8[], ${column('upper')}::float8[],
      ${column('baseline')}::float8[], ${column('abstained')}::text[], ${column('input')}::text[], ${column('body')}::text[],
      ${column('explanation')}::text[], ${column('sealed')}::text[], ${column('beforeOutcome')}::boolean[]) AS n,
      (SELECT max(sequence) AS sequence FROM evidence WHERE tenant_id = ${tenantId}) AS e
    RETURNING id, evidence_sequence, created_at`.execute(tx.query);
  const stamps = new Map(stored.map((row) => [Number(row.id), row]));
  return new Map(
    all.map((one, i) => {
      const row = rows[i]!;
      const stamp = stamps.get(row.id)!;
      return [
        keyText(one.key),
        {
          ...{ id: row.id, modelId: row.modelId, servedBy: one.servedBy, alias: one.alias },
          ...{ reconstructed: one.reconstructed, body: one.body, text: one.text, sealedSha256: one.sha256 },
          ...{ beforeOutcome: row.beforeOutcome, evidenceSequence: Number(stamp.evidence_sequence) },
          sealedAt: stamp.created_at,
        },
      ];
    }),
  );
}

/** Those whose outcome could be known by our clock already, because a bar of the due day or later was told. */
async function findShut(
  tx: Transaction,
  all: readonly NewPrediction[],
  today: string,
): Promise<ReadonlySet<NewPrediction>> {
  const open = all.filter(({ key, body }) => key.subjectKind === 'instrument' && body.dueDay > today);
  if (open.length === 0) return new Set();
  const { rows } = await sql<{ n: number }>`
    SELECT q.n::int AS n FROM unnest(${open.map(({ key }) => key.subjectId)}::int[],
      ${open.map(({ body }) => body.dueDay)}::date[]) WITH ORDINALITY AS q (instrument_id, due_day, n)
    WHERE EXISTS (SELECT FROM bar_key b WHERE b.instrument_id = q.instrument_id AND b.day >= q.due_day)`.execute(
    tx.query,
  );
  return new Set(rows.map(({ n }) => open[n - 1]!));
}

async function insertInputs(tx: Transaction, all: readonly NewPrediction[]): Promise<void> {
  const contents = new Map(all.map(({ input }) => [input.sha256, input.content]));
  await sql`
    INSERT INTO prediction_input (tenant_id, sha256, content)
    SELECT ${tenantOf(tx)}::int, n.* FROM unnest(${[...contents.keys()]}::text[], ${[...contents.values()]}::bytea[]) AS n
    ON CONFLICT DO NOTHING`.execute(tx.query);
}

const tenantOf = (tx: Transaction) => tx.principal.tenantId;

export function keyText(key: SaidKey): string {
  const { modelId, version, subjectKind, subjectId, asOf, knownAt, recordedAt, waySha256 } = key;
  return `${modelId} ${version} ${subjectKind} ${subjectId} ${asOf} ${knownAt} ${recordedAt} ${waySha256}`;
}

/** Those of the keys that were said before, by their text. */
async function findSaid(tx: Transaction, keys: readonly SaidKey[]): Promise<Map<string, StoredPrediction>> {
  const column = <K extends keyof SaidKey>(name: K) => keys.map((key) => key[name]);
  const { rows } = await sql<PredictionRow>`
    SELECT p.* FROM unnest(${column('modelId')}::int[], ${column('version')}::int[], ${column('subjectKind')}::text[],
      ${column('subjectId')}::int[], ${column('asOf')}::date[], ${column('knownAt')}::timestamptz[],
      ${column('recordedAt')}::timestamptz[], ${column('waySha256')}::text[])
      AS k (model_id, version_number, subject_kind, subject_id, as_of, known_at, recorded_at, way_sha256)
    JOIN prediction p USING (model_id, version_number, subject_kind, subject_id, as_of, known_at, recorded_at, way_sha256)
    WHERE p.tenant_id = ${tenantOf(tx)}`.execute(tx.query);
  return new Map(
    rows.map((row) => {
      const stored = toStored(row);
      return [keyText(keyOf(row)), stored];
    }),
  );
}

type PredictionRow = {
  id: number;
  model_id: number;
  version_number: number;
  served_by: string;
  alias: string | null;
  way_sha256: string;
  subject_kind: string;
  subject_id: number;
  as_of: string;
  known_at: string;
  recorded_at: string;
  reconstructed: boolean;
  body: string;
  sealed_sha256: string;
  before_outcome: boolean;
  evidence_sequence: number;
  created_at: string;
};

function keyOf(row: PredictionRow): SaidKey {
  return {
    ...{ modelId: row.model_id, version: row.version_number, subjectId: row.subject_id, waySha256: row.way_sha256 },
    subjectKind: row.subject_kind === 'index' ? 'index' : 'instrument',
    ...{ asOf: row.as_of, knownAt: row.known_at, recordedAt: row.recorded_at },
  };
}

function toStored(row: PredictionRow): StoredPrediction {
  return {
    ...{ id: Number(row.id), modelId: row.model_id, servedBy: servedByOf(row.served_by), alias: row.alias },
    ...{ reconstructed: row.reconstructed, body: readBody(row.body), text: row.body, sealedSha256: row.sealed_sha256 },
    ...{ beforeOutcome: row.before_outcome, evidenceSequence: Number(row.evidence_sequence) },
    sealedAt: row.created_at,
  };
}

function servedByOf(text: string): ServedBy {
  if (text === 'model' || text === 'previous' || text === 'baseline' || text === 'nobody') return text;
  throw new Error(`prediction holds the server ${text}`);
}

export type PredictionFilter = {
  model?: string | undefined;
  version?: number | undefined;
  subjectKind?: string | undefined;
  subjectId?: number | undefined;
  asOf?: string | undefined;
  state?: 'pending' | 'resolved' | 'abstained' | undefined;
};

/** A stored prediction with the name of its subject and what happened. */
export type ToldPrediction = { stored: StoredPrediction; subject: NamedSubject; outcome: Outcome | null };

type ToldRow = PredictionRow & {
  symbol: string | null;
  subject_name: string | null;
  currency: string | null;
  outcome_value: number | null;
  outcome_day: string | null;
  outcome_known_at: string | null;
  outcome_joined_at: string | null;
  loss: number | null;
  baseline_loss: number | null;
  inside: boolean | null;
};

const TOLD = sql`
  SELECT p.*, i.symbol, coalesce(i.name, x.name) AS subject_name, i.currency, o.value AS outcome_value, o.day AS outcome_day,
    o.known_at AS outcome_known_at, o.created_at AS outcome_joined_at, o.loss, o.baseline_loss, o.inside
  FROM prediction p JOIN model m ON m.tenant_id = p.tenant_id AND m.id = p.model_id
  LEFT JOIN instrument i ON p.subject_kind = 'instrument' AND i.id = p.subject_id
  LEFT JOIN index_definition x ON p.subject_kind = 'index' AND x.id = p.subject_id
  LEFT JOIN prediction_outcome o ON o.tenant_id = p.tenant_id AND o.prediction_id = p.id`;

/** A private index is its maker's alone. */
const mayBeSeen = (tx: Transaction) =>
  sql`(p.subject_kind = 'instrument' OR x.visibility = 'tenant' OR x.created_by = ${tx.principal.actorId})`;

/** Newest first, below the given number. */
export async function listPredictionsPage(
  tx: Transaction,
  filter: PredictionFilter,
  page: { before: number | undefined; limit: number },
): Promise<ToldPrediction[]> {
  const conditions = [sql`p.tenant_id = ${tenantOf(tx)}`, mayBeSeen(tx)];
  if (page.before !== undefined) conditions.push(sql`p.id < ${page.before}`);
  if (filter.model !== undefined) conditions.push(sql`m.name = ${filter.model}`);
  if (filter.version !== undefined) conditions.push(sql`p.version_number = ${filter.version}`);
  if (filter.subjectKind !== undefined) conditions.push(sql`p.subject_kind = ${filter.subjectKind}`);
  if (filter.subjectId !== undefined) conditions.push(sql`p.subject_id = ${filter.subjectId}`);
  if (filter.asOf !== undefined) conditions.push(sql`p.as_of = ${filter.asOf}::date`);
  if (filter.state === 'abstained') conditions.push(sql`p.abstained IS NOT NULL`);
  if (filter.state === 'resolved') conditions.push(sql`o.prediction_id IS NOT NULL`);
  if (filter.state === 'pending') conditions.push(sql`o.prediction_id IS NULL`);
  const { rows } = await sql<ToldRow>`${TOLD} WHERE ${sql.join(conditions, sql` AND `)}
    ORDER BY p.id DESC LIMIT ${page.limit}`.execute(tx.query);
  return rows.map(toTold);
}

export async function findPrediction(tx: Transaction, id: number): Promise<ToldPrediction | undefined> {
  const { rows } = await sql<ToldRow>`${TOLD} WHERE p.tenant_id = ${tenantOf(tx)} AND p.id = ${id}
    AND ${mayBeSeen(tx)}`.execute(tx.query);
  return rows[0] === undefined ? undefined : toTold(rows[0]);
}

/** What was said to exactly this question; undefined: nothing yet. */
export async function findTold(tx: Transaction, key: SaidKey): Promise<ToldPrediction | undefined> {
  const { rows } = await sql<ToldRow>`${TOLD} WHERE p.tenant_id = ${tenantOf(tx)} AND p.model_id = ${key.modelId}
    AND p.version_number = ${key.version} AND p.subject_kind = ${key.subjectKind} AND p.subject_id = ${key.subjectId}
    AND p.as_of = ${key.asOf}::date AND p.known_at = ${key.knownAt}::timestamptz
    AND p.recorded_at = ${key.recordedAt}::timestamptz AND p.way_sha256 = ${key.waySha256}
    AND ${mayBeSeen(tx)}`.execute(tx.query);
  return rows[0] === undefined ? undefined : toTold(rows[0]);
}

function toTold(row: ToldRow): ToldPrediction {
  const kind = row.subject_kind === 'index' ? 'index' : 'instrument';
  const subject: NamedSubject = {
    ...{ kind, id: row.subject_id, symbol: row.symbol },
    ...{ name: row.subject_name ?? `${kind} ${row.subject_id}`, currency: row.currency ?? 'USD' },
  };
  const outcome =
    row.outcome_value === null
      ? null
      : {
          ...{ value: row.outcome_value, day: row.outcome_day!, knownAt: row.outcome_known_at! },
          ...{ joinedAt: row.outcome_joined_at!, loss: row.loss, baselineLoss: row.baseline_loss, inside: row.inside },
        };
  return { stored: toStored(row), subject, outcome };
}

/** The explanation as it was sealed. */
export async function findExplanation(
  tx: Transaction,
  id: number,
): Promise<{ text: string; explanation: Explanation; sealedSha256: string } | undefined> {
  const row = await tx.query
    .selectFrom('prediction')
    .select(['explanation', 'sealed_sha256'])
    .where('tenant_id', '=', tenantOf(tx))
    .where('id', '=', id)
    .executeTakeFirst();
  if (row === undefined) return undefined;
  return { text: row.explanation, explanation: JSON.parse(row.explanation), sealedSha256: row.sealed_sha256 };
}

export async function findInput(tx: Transaction, sha256: string): Promise<Buffer | undefined> {
  const row = await tx.query
    .selectFrom('prediction_input')
    .select('content')
    .where('tenant_id', '=', tenantOf(tx))
    .where('sha256', '=', sha256)
    .executeTakeFirst();
  return row?.content;
}

/** A stored prediction as it crosses the wire. */
export function toPrediction({ stored, subject, outcome }: ToldPrediction): Prediction {
  const { body } = stored;
  return {
    ...{ predictionId: stored.id, model: body.model, version: body.version, alias: stored.alias },
    ...{ servedBy: stored.servedBy, subject, time: { ...body.time, reconstructed: stored.reconstructed } },
    ...{ target: targetOf(body.target), horizonDays: body.horizonDays, dueDay: body.dueDay },
    ...{ forecast: body.forecast, hops: body.hops },
    lineage: {
      ...{ dataSha256: body.dataSha256, featureSha256: body.featureSha256, inputSha256: body.inputSha256 },
      ...{ artefactSha256: body.artefactSha256, modelVersion: `${body.model}@${body.version}` },
      ...{ codeVersion: body.codeVersion, seed: body.seed },
    },
    seal: {
      ...{ sha256: stored.sealedSha256, sealedAt: stored.sealedAt, evidenceSequence: stored.evidenceSequence },
      beforeOutcome: stored.beforeOutcome,
    },
    explanation: `/api/v1/predictions/${stored.id}/explanation`,
    ...{ outcome, fromStore: true, modelMilliseconds: null },
  };
}

function targetOf(text: string | null): Prediction['target'] {
  return text as Prediction['target'];
}

export async function findModelId(tx: Transaction, name: string): Promise<number | undefined> {
  const row = await tx.query
    .selectFrom('model')
    .select('id')
    .where('tenant_id', '=', tenantOf(tx))
    .where('name', '=', name)
    .executeTakeFirst();
  return row?.id;
}
