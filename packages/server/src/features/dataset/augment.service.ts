import type { SyntheticMark } from '@touchstone/contracts/augmentation';
import type { Dataset } from '@touchstone/contracts/datasets';
import {
  type BarRows,
  SYNTHETIC_DAYS_MIN,
  type SyntheticBars,
  type SyntheticSettings,
} from '@touchstone/quant/simulate/synthetic-bars';
import type { Compute } from '../../platform/compute/compute.ts';
import type { Database, Principal } from '../../platform/database/database.ts';
import { appendEvidence } from '../../platform/evidence/evidence.ts';
import {
  type Bundle,
  type BundleTable,
  floatColumn,
  intColumn,
  readBundle,
  readPart,
  writeBundle,
} from '../../platform/object-store/bundle.ts';
import type { ObjectStore } from '../../platform/object-store/object-store.ts';
import { found, ProblemError } from '../../platform/problem-error.ts';
import { findDataset, insertMissingDataset } from './dataset.repository.ts';
import { checkEvaluable } from './evaluable.ts';

export type AugmentService = ReturnType<typeof createAugmentService>;

const WORKER = new URL('./augment.worker.ts', import.meta.url);
/** More bars than these take longer than a request may. */
const ROWS_MAX = 600_000;

export function createAugmentService(database: Database, objects: ObjectStore, compute: Compute) {
  return {
    /**
     * Makes a dataset of synthetic bars from a frozen one. Equal settings give the same dataset.
     *
     * @throws ProblemError NOT_FOUND, SYNTHETIC_REFUSED for a dataset that is itself made up, TOO_LARGE, NOT_ENOUGH_HISTORY.
     */
    async augment(principal: Principal, parentSha256: string, settings: SyntheticSettings): Promise<Dataset> {
      const parent = await database.transaction(principal, async (tx) => {
        const dataset = found(await findDataset(tx, parentSha256), `There is no dataset ${parentSha256}.`);
        await checkEvaluable(tx, parentSha256);
        return dataset;
      });
      if (parent.rowCount > ROWS_MAX)
        throw new ProblemError('TOO_LARGE', `At most ${ROWS_MAX} bars are made at once; these are ${parent.rowCount}.`);
      const frozen = await readBundle(objects, parentSha256);
      const real = lastTold(await readPart(objects, frozen, 'bars'));
      const made = await compute.run<SyntheticBars | null>(WORKER, 'makeSynthetic', { real, settings });
      if (made === null)
        throw new ProblemError(
          'NOT_ENOUGH_HISTORY',
          `Made-up bars need ${SYNTHETIC_DAYS_MIN} real days to learn from.`,
        );
      const mark = markOf(parentSha256, settings, made);
      const bundle = await writeSynthetic(objects, frozen, made, mark);
      return database.transaction(principal, async (tx) => {
        const query = { parentSha256, generator: settings.generator, seed: settings.seed };
        const time = { ...parent.time, reconstructed: false };
        await insertMissingDataset(tx, 'synthetic', query, bundle, time, mark);
        await appendEvidence(tx, {
          kind: 'dataset.augmented',
          subjectKind: 'dataset',
          subjectId: bundle.sha256,
          body: { query, parts: bundle.parts },
        });
        return found(await findDataset(tx, bundle.sha256), `There is no dataset ${bundle.sha256}.`);
      });
    },
  };
}

/** Of several tellings of a bar the last counts; bars come ordered by instrument and day. */
function lastTold(table: BundleTable): BarRows {
  const instrument = intColumn(table, 'instrument');
  const day = intColumn(table, 'day');
  const rows: number[] = [];
  for (let row = 0; row < table.rowCount; row++) {
    const next = row + 1;
    if (next < table.rowCount && instrument[next] === instrument[row] && day[next] === day[row]) continue;
    if (floatColumn(table, 'close')[row]! > 0) rows.push(row);
  }
  const float = (name: string) => Float64Array.from(rows, (row) => floatColumn(table, name)[row]!);
  return {
    instrument: Int32Array.from(rows, (row) => instrument[row]!),
    day: Int32Array.from(rows, (row) => day[row]!),
    open: float('open'),
    high: float('high'),
    low: float('low'),
    close: float('close'),
    volume: float('volume'),
  };
}

function markOf(parentSha256: string, settings: SyntheticSettings, made: SyntheticBars): SyntheticMark {
  const orNull = (value: number) => (Number.isFinite(value) ? value : null);
  const facts = made.facts.map(({ fact, real, low, high, synthetic, isWithin }) => ({
    fact,
    real: orNull(real),
    low: orNull(low),
    high: orNull(high),
    synthetic: orNull(synthetic),
    isWithin,
  }));
  return {
    generator: settings.generator,
    seed: settings.seed,
    parameters: made.parameters,
    parentSha256,
    facts,
    factsWithin: facts.filter(({ isWithin }) => isWithin === true).length,
    factsMeasured: facts.filter(({ isWithin }) => isWithin !== null).length,
  };
}

/** The mark stands in the manifest and on every row, so that a file that went its own way still says what it is. */
function writeSynthetic(objects: ObjectStore, frozen: Bundle, made: SyntheticBars, mark: SyntheticMark) {
  const { bars } = made;
  const rowCount = bars.day.length;
  const table: BundleTable = {
    rowCount,
    columns: {
      instrument: { type: 'int32', values: bars.instrument },
      day: { type: 'date', values: bars.day },
      synthetic: { type: 'int32', values: new Int32Array(rowCount).fill(1) },
      open: { type: 'float64', values: bars.open },
      high: { type: 'float64', values: bars.high },
      low: { type: 'float64', values: bars.low },
      close: { type: 'float64', values: bars.close },
      volume: { type: 'float64', values: bars.volume },
    },
  };
  return writeBundle(objects, { ...frozen.about, synthetic: mark }, { bars: table });
}
