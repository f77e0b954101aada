import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import { verifyContents } from '../market-data/index.ts';
import { verifyPredictions } from '../models/index.ts';
import type { Database, Principal, Transaction } from '../platform/database/database.ts';
import { verifyEvidence } from '../platform/evidence/evidence.ts';
import { hashOf } from '../platform/object-store/bundle.ts';
import type { ObjectStore } from '../platform/object-store/object-store.ts';
import { ProblemError } from '../platform/problem-error.ts';

/** What was looked at and whether it is as it was written. The sentence names the first things that are not. */
export type Check = { name: string; count: number; ok: boolean; sentence: string };
export type Verdict = { ok: boolean; checks: Check[] };

export type VerifyOptions = {
  progress?: (fraction: number, note: string) => void;
  signal?: AbortSignal;
};

const NAMED_MAX = 10;
/** Reading the facts takes by far the most time. */
const EVIDENCE_SHARE = 0.1;
const CONTENTS_SHARE = 0.7;

/**
 * Proves that nothing was changed behind the back of the application: walks the evidence chain, counts and hashes the
 * rows of every publication again, compares publications with the evidence, and hashes every object that a dataset or
 * an index run names. Reads only; each tenant in one transaction of its own.
 *
 * It finds what was changed by hand, by a failing disk or by a bad restore. It does not find a history that somebody
 * with full rights has rewritten from its first record on: for that, keep the newest hash somewhere else.
 */
export async function verifyInstallation(
  database: Database,
  objects: ObjectStore,
  principals: readonly Principal[],
  options: VerifyOptions = {},
): Promise<Verdict> {
  const checks: Check[] = [];
  for (const [i, principal] of principals.entries()) {
    const progress = (fraction: number, note: string) => options.progress?.((i + fraction) / principals.length, note);
    const suffix = principals.length === 1 ? '' : ` of tenant ${principal.tenantId}`;
    const found = await database.transaction(
      principal,
      (tx) => checkTenant(tx, objects, { ...options, progress }),
      // Deleted runs and indexes keep their facts and results.
      { isolation: 'repeatable read', readOnly: true, includeDeleted: true },
    );
    checks.push(...found.map((check) => ({ ...check, name: check.name + suffix })));
  }
  return { ok: checks.every((check) => check.ok), checks };
}

type Walk = { progress: (fraction: number, note: string) => void; signal?: AbortSignal };

async function checkTenant(tx: Transaction, objects: ObjectStore, walk: Walk): Promise<Check[]> {
  const checks: Check[] = [];
  walk.progress(0, 'Walk the evidence chain');
  checks.push(await checkEvidence(tx), await checkPublications(tx), await checkRowCounts(tx));
  walk.signal?.throwIfAborted();
  checks.push(await checkContents(tx, walk));
  checks.push(await checkObjects(tx, objects, walk));
  checks.push(await checkModels(tx));
  checks.push(await checkPredictions(tx));
  walk.progress(1, 'Done');
  return checks;
}

async function checkEvidence(tx: Transaction): Promise<Check> {
  const verdict = await verifyEvidence(tx);
  if (verdict.ok)
    return fits('evidence chain', verdict.records, `All ${verdict.records} records of the evidence chain fit.`);
  return { name: 'evidence chain', count: verdict.sequence, ok: false, sentence: verdict.sentence };
}

/** Each publication is as its record in the chain tells it, and none is without a record. */
async function checkPublications(tx: Transaction): Promise<Check> {
  const { tenantId } = tx.principal;
  const published = await tx.query
    .selectFrom('publication')
    .select(['run_id', 'content_sha256'])
    .where('tenant_id', '=', tenantId)
    .where('kind', '=', 'publish')
    .execute();
  const records = await tx.query
    .selectFrom('evidence')
    .select(['subject_id', 'body'])
    .where('tenant_id', '=', tenantId)
    .where('kind', '=', 'run.published')
    .execute();
  const found = new Map(published.map((row) => [row.run_id, row.content_sha256.toString('hex')]));
  const told = new Map(records.map((record) => [Number(record.subject_id), contentToldIn(record.body)]));
  const runs = [...new Set([...found.keys(), ...told.keys()])].toSorted((a, b) => a - b);
  const broken = runs.filter((run) => found.get(run) !== told.get(run));
  return judge('publications', runs.length, broken, 'publications are as the evidence tells', (run) =>
    !told.has(run)
      ? `Run ${run} is published, and the evidence does not know of it.`
      : found.has(run)
        ? `The publication of run ${run} has another content hash than its evidence.`
        : `Run ${run} was published by the evidence, and its publication is gone.`,
  );
}

/** Nothing if the record was damaged: the walk of the chain names it. */
function contentToldIn(body: string): string {
  try {
    const record: { body?: { contentSha256?: string } } = JSON.parse(body);
    return record.body?.contentSha256 ?? '';
  } catch {
    return '';
  }
}

/** A lost row is told as such, for a hash says only that something differs. */
async function checkRowCounts(tx: Transaction): Promise<Check> {
  const counts = FACT_TABLES.map((table) => `SELECT run_id, count(*) AS n FROM ${table} GROUP BY run_id`);
  const { rows } = await sql<{ run: number; told: number; found: number }>`
    WITH counted AS (SELECT run_id, sum(n)::int AS n FROM (${sql.raw(counts.join(' UNION ALL '))}) t GROUP BY run_id)
    SELECT p.run_id AS run, p.row_count AS told, coalesce(c.n, 0) AS found
    FROM publication p LEFT JOIN counted c ON c.run_id = p.run_id
    WHERE p.tenant_id = ${tx.principal.tenantId} AND p.kind = 'publish' ORDER BY 1
  `.execute(tx.query);
  const broken = rows.filter((row) => row.told !== row.found);
  return judge('row counts', rows.length, broken, 'publications have the rows they had', ({ run, told, found }) =>
    found < told
      ? `Run ${run} was published with ${told} rows and has ${found}: ${told - found} are missing.`
      : `Run ${run} was published with ${told} rows and has ${found}: ${found - told} were added.`,
  );
}

/** Each version of a model is what its record in the chain tells of it. */
async function checkModels(tx: Transaction): Promise<Check> {
  const { rows } = await sql<{ model: string; version: number; manifest: unknown; isTold: boolean; sha256: string }>`
    SELECT m.name AS model, v.number AS version, v.manifest, v.manifest_sha256 AS sha256, EXISTS (
        SELECT FROM evidence e WHERE e.tenant_id = v.tenant_id AND e.kind = 'model.version_registered'
          AND e.subject_kind = 'model' AND e.subject_id = v.model_id::text
          AND e.body LIKE '%"artefactSha256":"' || v.artefact_sha256 || '"%' AND e.body LIKE '%"version":' || v.number || '}%'
          AND e.body LIKE '%"manifestSha256":"' || v.manifest_sha256 || '"%') AS "isTold"
    FROM model_version v JOIN model m ON m.tenant_id = v.tenant_id AND m.id = v.model_id
    WHERE v.tenant_id = ${tx.principal.tenantId} ORDER BY 1, 2`.execute(tx.query);
  const broken = rows.filter(({ manifest, isTold, sha256 }) => !isTold || hashOf(manifest) !== sha256);
  return judge(
    'model versions',
    rows.length,
    broken,
    'model versions are as the evidence tells',
    ({ model, version }) => `Version ${version} of ${model} is not what was registered.`,
  );
}

/** Each prediction is what was sealed, and none that was sealed is gone. */
async function checkPredictions(tx: Transaction): Promise<Check> {
  const { count, broken } = await verifyPredictions(tx);
  return judge(
    'predictions',
    count,
    broken,
    'predictions are as they were sealed',
    ({ id, fault }) => `Prediction ${id} ${fault}.`,
  );
}

const FACT_TABLES = [
  // Wherever the bars lie.
  ...['bar_key', 'corporate_action', 'market_cap', 'fundamental', 'exchange_rate', 'macro_observation'],
  ...['listing_event', 'exchange_holiday'],
];

async function checkContents(tx: Transaction, walk: Walk): Promise<Check> {
  const { runs, mismatches } = await verifyContents(tx, (done, total) => {
    walk.signal?.throwIfAborted();
    walk.progress(EVIDENCE_SHARE + (CONTENTS_SHARE * done) / total, `Read run ${done} of ${total} again`);
  });
  return judge(
    'contents',
    runs,
    mismatches,
    'publications have the content they had',
    ({ runId, expected, found }) =>
      `The rows of run ${runId} were changed: published ${expected.slice(0, 12)}, now ${found.slice(0, 12)}.`,
  );
}

/** What an object is needed for, and what is wrong with it. */
type Wanted = { sha256: string; what: string; isBundle: boolean };
type Fault = { what: string; sha256: string; fault: string };

async function checkObjects(tx: Transaction, objects: ObjectStore, walk: Walk): Promise<Check> {
  const wanted = await listWanted(tx);
  const seen = new Set<string>();
  const faults: Fault[] = [];
  for (let next = wanted.shift(); next !== undefined; next = wanted.shift()) {
    walk.signal?.throwIfAborted();
    if (seen.has(next.sha256)) continue;
    seen.add(next.sha256);
    const share = seen.size / (seen.size + wanted.length);
    walk.progress(
      EVIDENCE_SHARE + CONTENTS_SHARE + (1 - EVIDENCE_SHARE - CONTENTS_SHARE) * share,
      'Read the objects again',
    );
    const fault = await findFault(objects, next.sha256);
    if (fault !== null) faults.push({ ...next, fault });
    else if (next.isBundle) wanted.push(...(await listParts(objects, next)));
  }
  return judge(
    'objects',
    seen.size,
    faults,
    'objects have their hash',
    ({ what, sha256, fault }) => `Object ${sha256.slice(0, 12)}, needed by ${what}, ${fault}.`,
  );
}

async function listWanted(tx: Transaction): Promise<Wanted[]> {
  const { rows } = await sql<Wanted>`
    SELECT sha256, 'dataset ' || left(sha256, 12) AS what, true AS "isBundle" FROM dataset
    WHERE tenant_id = ${tx.principal.tenantId}
    UNION ALL
    SELECT artefact_sha256, 'version ' || number || ' of model ' || model_id, false FROM model_version
    WHERE tenant_id = ${tx.principal.tenantId}
    UNION ALL
    SELECT sha256, 'training run ' || run_id, false FROM run_artefact WHERE tenant_id = ${tx.principal.tenantId}
    UNION ALL
    SELECT result_sha256, 'run ' || run_number || ' of index ' || index_id, true FROM index_run
    WHERE tenant_id = ${tx.principal.tenantId}
    ORDER BY 1
  `.execute(tx.query);
  return rows;
}

async function findFault(objects: ObjectStore, sha256: string): Promise<string | null> {
  if ((await objects.find(sha256)) === undefined) return 'is missing';
  const hash = createHash('sha256');
  try {
    for await (const chunk of objects.stream(sha256)) hash.update(chunk);
  } catch (error) {
    // A store that is away is no fault of the object; what a bucket gives is hashed before it is handed on.
    if (error instanceof ProblemError) throw error;
    return 'cannot be read, or has other content than its hash says';
  }
  return hash.digest('hex') === sha256 ? null : 'has other content than its hash says';
}

/** A bundle names the hashes of its parts. */
async function listParts(objects: ObjectStore, { sha256, what }: Wanted): Promise<Wanted[]> {
  const { parts }: { parts?: { sha256: string }[] } = JSON.parse((await objects.get(sha256)).toString('utf8'));
  return (parts ?? []).map((part) => ({ sha256: part.sha256, what, isBundle: false }));
}

function judge<T>(name: string, count: number, broken: readonly T[], what: string, tell: (each: T) => string): Check {
  if (broken.length === 0) return fits(name, count, `All ${count} ${what}.`);
  const told = broken.slice(0, NAMED_MAX).map(tell);
  const more = broken.length > NAMED_MAX ? [`${broken.length - NAMED_MAX} more differ.`] : [];
  return { name, count, ok: false, sentence: [...told, ...more].join(' ') };
}

function fits(name: string, count: number, sentence: string): Check {
  return { name, count, ok: true, sentence };
}
