import type { BiasGroup } from '@touchstone/contracts/drift';
import {
  adjustTogether,
  compareGroups,
  GROUP_DAYS_MIN,
  type GroupComparison,
  type GroupRow,
} from '@touchstone/quant/evaluation/experiments/group-losses';
import { createRandom } from '@touchstone/quant/random/random';
import { dayNumber } from '@touchstone/quant/series/day';
import { sortedQuantile } from '@touchstone/quant/stats/quantile';
import type { Database, Principal } from '../../platform/database/database.ts';
import { found } from '../../platform/problem-error.ts';
import { findModel } from '../registry/model.repository.ts';
import type { Registry, ResolvedVersion } from '../registry/registry.types.ts';
import { countAbstained, findRegimes, findTraits, type InstrumentTraits } from './bias.repository.ts';
import { listScored, type ScoredRow } from './drift.repository.ts';

export type BiasService = ReturnType<typeof createBiasService>;

const SEED = 1;
const ERROR_RATE = 0.05;
const BLOCK_HORIZONS = 4;
const BLOCK_MIN = 10;
const THIRDS = ['low', 'middle', 'high'] as const;
const SIZES = { low: 'small', middle: 'middle', high: 'large' } as const;

type Dimension = BiasGroup['dimension'];
type Scored = ScoredRow & { loss: number };

/** Whether a model does worse on some parts of what it is asked. */
export function createBiasService(parts: { database: Database; registry: Pick<Registry, 'resolve' | 'servingChain'> }) {
  const { database, registry } = parts;

  async function versionOf(principal: Principal, model: string, version: number | undefined) {
    if (version !== undefined) return registry.resolve(principal, model, { version });
    const { champion } = await registry.servingChain(principal, model);
    return champion ?? registry.resolve(principal, model, { alias: 'latest' }).catch(() => null);
  }

  return {
    /** @throws NOT_FOUND */
    async read(principal: Principal, model: string, asked: number | undefined) {
      await database.transaction(
        principal,
        async (tx) => found(await findModel(tx, model), `There is no model ${model}.`),
        {
          readOnly: true,
        },
      );
      const version = await versionOf(principal, model, asked);
      if (version === null) return empty(model, null, 'There is no version of it yet.');
      return database.transaction(
        principal,
        async (tx) => {
          const after = version.manifest.trainedUntil;
          const rows = (await listScored(tx, { ...version, after })).filter(
            (row): row is Scored => row.loss !== null && row.subjectKind === 'instrument',
          );
          if (rows.length === 0)
            return empty(model, version, `No prediction about a day after ${after} has an outcome yet.`);
          const ids = [...new Set(rows.map(({ subjectId }) => subjectId))];
          const traits = await findTraits(tx, ids);
          const regimes = await findRegimes(tx, ids);
          const abstained = await countAbstained(tx, { ...version, after });
          return report(version, rows, { traits, regimes, abstained });
        },
        { readOnly: true, isolation: 'repeatable read' },
      );
    },
  };
}

type Known = {
  traits: Map<number, InstrumentTraits>;
  regimes: Map<string, string>;
  abstained: Map<number, { asked: number; abstained: number }>;
};

function report(version: ResolvedVersion, rows: readonly Scored[], known: Known) {
  const blockLength = Math.max(BLOCK_MIN, BLOCK_HORIZONS * version.manifest.horizonDays);
  const random = createRandom(SEED);
  const told: { dimension: Dimension; compared: GroupComparison; members: Scored[] }[] = [];
  for (const [dimension, groupOf] of groupings(rows, known)) {
    const members = new Map<string, Scored[]>();
    const grouped = rows.flatMap((row): GroupRow[] => {
      const group = groupOf(row);
      if (group === null) return [];
      members.set(group, [...(members.get(group) ?? []), row]);
      return [{ day: dayNumber(row.eventDay), loss: row.loss, group }];
    });
    // One part has nothing to be compared with.
    if (members.size < 2) continue;
    for (const compared of compareGroups(grouped, blockLength, random.split(dimension)))
      told.push({ dimension, compared, members: members.get(compared.group)! });
  }
  const adjusted = adjustTogether(told.map(({ compared }) => compared));
  const groups = told.map(({ dimension, compared, members }, k) =>
    toGroup(dimension, compared, members, adjusted[k]!, known),
  );
  groups.sort((a, b) => (a.adjustedP ?? 2) - (b.adjustedP ?? 2) || (b.difference ?? 0) - (a.difference ?? 0));
  return {
    ...{ model: version.model, version: version.version, metric: metricOf(version), sampleCount: rows.length },
    loss: rows.reduce((sum, { loss }) => sum + loss, 0) / rows.length,
    ...{ groups, testCount: adjusted.filter((p) => !Number.isNaN(p)).length, survivorship: SURVIVORSHIP, reason: null },
  };
}

const SURVIVORSHIP =
  'The instruments are those that are listed in the universe today: what was delisted was never asked about, and sizes and sectors are those of now. Figures of the past are flattered by both.';

/** Loss of an outcome as it was joined: by the target. */
function metricOf({ manifest }: ResolvedVersion): string {
  if (manifest.target === 'forward_volatility') return 'qlike';
  return manifest.unit === 'probability' ? 'brier' : 'squared_error';
}

type GroupOf = (row: Scored) => string | null;

function groupings(rows: readonly Scored[], { traits, regimes }: Known): [Dimension, GroupOf][] {
  const caps = [...traits.values()].flatMap(({ marketCap }) => marketCap ?? []);
  const sizeOf = thirdsOf(caps);
  const wildness = thirdsOf(rows.flatMap(({ volatility }) => volatility ?? []));
  return [
    ['sector', ({ subjectId }) => traits.get(subjectId)?.sector ?? null],
    [
      'size',
      ({ subjectId }) => {
        const third = sizeOf(traits.get(subjectId)?.marketCap ?? null);
        return third === null ? null : SIZES[third];
      },
    ],
    ['volatility', ({ volatility }) => wildness(volatility)],
    ['regime', ({ subjectId, eventDay }) => regimes.get(`${subjectId}/${eventDay}`) ?? null],
    ['currency', ({ subjectId }) => traits.get(subjectId)?.currency ?? null],
  ];
}

function thirdsOf(values: readonly number[]): (value: number | null) => (typeof THIRDS)[number] | null {
  const sorted = Float64Array.from(values).sort();
  const [first, second] = [sortedQuantile(sorted, 1 / 3), sortedQuantile(sorted, 2 / 3)];
  return (value) => {
    if (value === null || !(second > first)) return null;
    if (value <= first) return 'low';
    return value <= second ? 'middle' : 'high';
  };
}

function toGroup(
  dimension: Dimension,
  compared: GroupComparison,
  members: readonly Scored[],
  adjustedP: number,
  { abstained }: Known,
): BiasGroup {
  const { group, sampleCount, dayCount } = compared;
  const instruments = new Set(members.map(({ subjectId }) => subjectId));
  const isTested = !Number.isNaN(compared.pValue);
  const isTold = isTested && adjustedP <= ERROR_RATE;
  const [asked, silent] = [...instruments].reduce(
    ([a, b], id) => [a + (abstained.get(id)?.asked ?? 0), b + (abstained.get(id)?.abstained ?? 0)],
    [0, 0],
  );
  // By what an instrument is, not by what the day was: of days without an outcome nothing is known here.
  const isOfInstruments = dimension === 'sector' || dimension === 'size' || dimension === 'currency';
  const figures = `${dimension} ${group}: loss ${compared.loss.toPrecision(3)} against ${compared.lossOfOthers.toPrecision(3)} elsewhere`;
  const verdict = isTold ? (compared.difference > 0 ? 'worse' : 'better') : 'not to be told from chance';
  return {
    ...{ dimension, group, sampleCount, dayCount, instrumentCount: instruments.size },
    ...{ loss: finite(compared.loss), lossOfOthers: finite(compared.lossOfOthers) },
    ...{ difference: finite(compared.difference), low: finite(compared.low), high: finite(compared.high) },
    ...{ pValue: finite(compared.pValue), adjustedP: finite(adjustedP), isTold },
    abstainedShare: isOfInstruments && asked > 0 ? silent / asked : null,
    sentence: isTested
      ? `${figures} [${compared.low.toPrecision(2)}, ${compared.high.toPrecision(2)}]: ${verdict}.`
      : `${dimension} ${group}: ${dayCount} days with an outcome; needs ${GROUP_DAYS_MIN}.`,
    reason: isTested
      ? null
      : { code: 'too_little_history', sentence: `${dayCount} days with an outcome; needs ${GROUP_DAYS_MIN}.` },
  };
}

function empty(model: string, version: ResolvedVersion | null, sentence: string) {
  return {
    ...{ model, version: version?.version ?? null, metric: version === null ? 'loss' : metricOf(version) },
    ...{ sampleCount: 0, loss: null, groups: [], testCount: 0, survivorship: SURVIVORSHIP },
    reason: { code: 'not_known_yet' as const, sentence },
  };
}

function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
