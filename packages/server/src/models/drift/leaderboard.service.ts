import type { LeaderboardRow } from '@touchstone/contracts/drift';
import { type ModelManifest, modelManifest, type Skill, type TargetName } from '@touchstone/contracts/model-manifest';
import { createRandom } from '@touchstone/quant/random/random';
import { meanInterval } from '@touchstone/quant/stats/block-bootstrap';
import { sql } from 'kysely';
import type { Database, Principal, Transaction } from '../../platform/database/database.ts';

export type LeaderboardService = ReturnType<typeof createLeaderboardService>;

/** Newest versions looked at. */
const VERSIONS_MAX = 300;
const SEED = 1;
const RESAMPLES = 400;
const BLOCK_HORIZONS = 4;
const BLOCK_MIN = 10;
const LIVE_DAYS_MIN = 20;
const NOTE =
  'Sorted by the worse end of the 95 % interval, so that luck on few days does not lead. Evaluations are walk-forward on the past and hypothetical; live figures are of predictions sealed before their outcome.';

type VersionRow = { modelId: number; name: string; number: number; manifest: ModelManifest; aliases: string[] };
/** Mean loss of the predictions of one day, by `model version`, days in order. */
type LiveDays = ReadonlyMap<string, LiveDay[]>;
type LiveDay = { mean: number; count: number };
type Entry = Omit<LeaderboardRow, 'rank'>;

/** Models and the simple rules they were held against, in one list for each thing that can be compared. */
export function createLeaderboardService({ database }: { database: Database }) {
  return {
    read: (principal: Principal, asked: { target?: TargetName | undefined; servedOnly?: boolean | undefined }) =>
      database.transaction(
        principal,
        async (tx) => {
          const versions = (await listVersions(tx)).filter(
            ({ manifest, aliases }) =>
              manifest.skill !== null &&
              (asked.target === undefined || manifest.target === asked.target) &&
              (asked.servedOnly !== true || aliases.length > 0),
          );
          const boards = new Map<string, { versions: VersionRow[]; skill: Skill }>();
          for (const version of versions) {
            const skill = version.manifest.skill!;
            const key = `${version.manifest.target} ${version.manifest.horizonDays} ${skill.metric}`;
            const board = boards.get(key) ?? { versions: [], skill };
            boards.set(key, board);
            board.versions.push(version);
          }
          const live = await listLiveDays(tx);
          const told = Array.from(boards.values(), ({ versions: rows, skill }) => boardOf(rows, skill, live));
          told.sort((a, b) => a.title.localeCompare(b.title));
          return { boards: told, note: NOTE };
        },
        { readOnly: true },
      ),
  };
}

function boardOf(versions: readonly VersionRow[], { metric, higherIsBetter }: Skill, live: LiveDays) {
  const { target, horizonDays } = versions[0]!.manifest;
  const entries = versions.map((version) =>
    modelEntry(version, liveOf(live.get(`${version.modelId} ${version.number}`) ?? [], version)),
  );
  entries.push(...baselineEntries(versions));
  const worst = higherIsBetter ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  const sign = higherIsBetter ? -1 : 1;
  entries.sort((a, b) => {
    const [x, y] = [a.lowerBound ?? worst, b.lowerBound ?? worst];
    return x === y ? a.name.localeCompare(b.name) : sign * (x - y);
  });
  return {
    ...{ target, horizonDays, metric, title: `${target ?? 'own target'}, ${horizonDays} days, ${metric}` },
    rows: entries.map((entry, k) => ({ rank: k + 1, ...entry })),
  };
}

function modelEntry({ name, number, manifest, aliases }: VersionRow, live: Entry['live']): Entry {
  const skill = manifest.skill!;
  const lowerBound = skill.higherIsBetter ? skill.low : skill.high;
  const figure = `${skill.value?.toPrecision(3) ?? 'none'}, at ${skill.higherIsBetter ? 'least' : 'most'} ${lowerBound?.toPrecision(3) ?? 'unknown'}`;
  return {
    ...{ kind: 'model', name, version: number, aliases, target: manifest.target, horizonDays: manifest.horizonDays },
    ...{ metric: skill.metric, higherIsBetter: skill.higherIsBetter, value: skill.value, lowerBound },
    boundBasis: lowerBound === null ? 'none' : 'measured',
    ...{ sampleCount: skill.sampleCount, firstDay: skill.firstDay, lastDay: skill.lastDay, live },
    trialCount: skill.trialCount,
    sentence: `${name} v${number}: ${figure} on ${skill.sampleCount.toLocaleString('en-US')} forecasts after ${skill.trialCount} trials.`,
  };
}

/** Each rule once, as measured beside the version with the most forecasts. */
function baselineEntries(versions: readonly VersionRow[]): Entry[] {
  const best = new Map<string, Entry>();
  for (const { name: model, number, manifest } of versions) {
    const skill = manifest.skill!;
    const bound = skill.higherIsBetter ? skill.low : skill.high;
    const width = skill.value === null || bound === null ? null : bound - skill.value;
    for (const { name, value } of skill.baselines) {
      const known = best.get(name);
      if (known !== undefined && known.sampleCount >= skill.sampleCount) continue;
      // The rule was asked on the same days; its own interval is not told, so that it gets the width of the model's.
      const lowerBound = value === null || width === null ? null : value + width;
      best.set(name, {
        ...{ kind: 'baseline', name, version: null, aliases: [], target: manifest.target },
        ...{ horizonDays: manifest.horizonDays, metric: skill.metric, higherIsBetter: skill.higherIsBetter },
        ...{ value, lowerBound, boundBasis: lowerBound === null ? 'none' : 'borrowed' },
        ...{ sampleCount: skill.sampleCount, firstDay: skill.firstDay, lastDay: skill.lastDay },
        ...{ trialCount: 0, live: null },
        sentence: `${name}: ${value?.toPrecision(3) ?? 'none'} on the days of ${model} v${number}.`,
      });
    }
  }
  return [...best.values()];
}

function liveOf(days: readonly LiveDay[], { manifest }: VersionRow): Entry['live'] {
  const sampleCount = days.reduce((sum, { count }) => sum + count, 0);
  if (sampleCount === 0) return null;
  const means = Float64Array.from(days, ({ mean }) => mean);
  const metric =
    manifest.unit === 'probability' ? 'brier' : manifest.target === 'forward_volatility' ? 'qlike' : 'loss';
  const loss = means.reduce((a, b) => a + b, 0) / means.length;
  if (means.length < LIVE_DAYS_MIN) return { metric, loss, low: null, high: null, sampleCount };
  const blockLength = Math.min(means.length, Math.max(BLOCK_MIN, BLOCK_HORIZONS * manifest.horizonDays));
  const { low, high } = meanInterval(means, {
    ...{ random: createRandom(SEED), blockLength, resampleCount: RESAMPLES },
  });
  return { metric, loss, low, high, sampleCount };
}

/** Of predictions that were on record before anybody could know; of one question to one version the first counts. */
async function listLiveDays(tx: Transaction): Promise<LiveDays> {
  const { rows } = await sql<{ model_id: number; version_number: number; mean: number; count: number }>`
    SELECT model_id, version_number, avg(loss) AS mean, count(*)::integer AS count FROM (
      SELECT DISTINCT ON (p.model_id, p.version_number, p.event_day, p.subject_kind, p.subject_id)
        p.model_id, p.version_number, p.event_day, o.loss
      FROM prediction p JOIN prediction_outcome o ON o.tenant_id = p.tenant_id AND o.prediction_id = p.id
      WHERE p.tenant_id = ${tx.principal.tenantId} AND p.before_outcome AND p.served_by IN ('model', 'previous')
        AND o.loss IS NOT NULL
      ORDER BY p.model_id, p.version_number, p.event_day, p.subject_kind, p.subject_id, p.id
    ) said GROUP BY model_id, version_number, event_day ORDER BY model_id, version_number, event_day`.execute(tx.query);
  const days = new Map<string, LiveDay[]>();
  for (const { model_id: modelId, version_number: number, mean, count } of rows) {
    const key = `${modelId} ${number}`;
    const told = days.get(key) ?? [];
    days.set(key, told);
    told.push({ mean: Number(mean), count });
  }
  return days;
}

/** Newest versions of all models that take an alias, with the aliases that point at them. */
async function listVersions(tx: Transaction): Promise<VersionRow[]> {
  const { rows } = await sql<{
    model_id: number;
    name: string;
    number: number;
    manifest: unknown;
    aliases: string[] | null;
  }>`
    WITH pointing AS (
      SELECT DISTINCT ON (model_id, alias) model_id, alias, to_number FROM model_alias_event
      WHERE tenant_id = ${tx.principal.tenantId} ORDER BY model_id, alias, id DESC
    )
    SELECT v.model_id, m.name, v.number, v.manifest, a.aliases
    FROM model_version v JOIN model m ON m.tenant_id = v.tenant_id AND m.id = v.model_id
    LEFT JOIN LATERAL (
      SELECT array_agg(alias ORDER BY alias) AS aliases FROM pointing p
      WHERE p.model_id = v.model_id AND p.to_number = v.number
    ) a ON true
    LEFT JOIN LATERAL (
      SELECT archived FROM model_version_choice c
      WHERE c.tenant_id = v.tenant_id AND c.model_id = v.model_id AND c.version_number = v.number ORDER BY c.id DESC LIMIT 1
    ) c ON true
    WHERE v.tenant_id = ${tx.principal.tenantId} AND m.deleted_at IS NULL AND c.archived IS NOT TRUE
    ORDER BY v.created_at DESC, v.model_id, v.number DESC LIMIT ${VERSIONS_MAX}`.execute(tx.query);
  return rows.map(({ model_id: modelId, name, number, manifest, aliases }) => ({
    ...{ modelId, name, number, aliases: aliases ?? [] },
    manifest: modelManifest.parse(manifest),
  }));
}
