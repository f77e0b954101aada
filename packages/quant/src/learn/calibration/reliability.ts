import { expect } from '../../checks/expect.ts';
import { type Interval, wilson } from '../../stats/binomial-interval.ts';

export type ReliabilityBin = {
  /** Probabilities from `low` on, below `high`; the last bin holds 1 too. */
  low: number;
  high: number;
  count: number;
  /** Mean probability told; null in an empty bin. */
  forecast: number | null;
  /** Share of ones that came; null in an empty bin. */
  rate: number | null;
  /** 95 % Wilson interval of the rate; 0..1 in an empty bin. It takes the rows as independent. */
  interval: Interval;
};

export type Reliability = {
  bins: ReliabilityBin[];
  /** Rows with a probability and a label. */
  count: number;
  /** Mean of (probability − label)²; null without rows, as all below. */
  brier: number | null;
  /** Brier = calibrationLoss − resolution + uncertainty + withinBins. */
  calibrationLoss: number | null;
  resolution: number | null;
  uncertainty: number | null;
  /** What the bins cannot see: differences between probabilities of one bin. */
  withinBins: number | null;
  /** Mean |forecast − rate| of the bins by their rows. */
  expectedCalibrationError: number | null;
};

/**
 * How probabilities that were told compare with what came: a table, the Brier score and its parts, the expected calibration
 * error. Rows without a probability or a label (NaN) are left out.
 *
 * @param probabilities n values in 0..1. @param labels n values, 0 or 1.
 * @param binCount Bins of equal width, 1..100.
 * @throws RangeError on other values or different lengths.
 * @see Murphy 1973, doi:10.1175/1520-0450(1973)012<0595:ANVPOT>2.0.CO;2; Stephenson, Coelho and Jolliffe 2008,
 * doi:10.1175/2007WAF2006116.1 (the part within bins); Wilson 1927, doi:10.1080/01621459.1927.10502953.
 */
export function reliability(probabilities: Float64Array, labels: Float64Array, binCount = 10): Reliability {
  expect(
    labels.length === probabilities.length,
    `labels must have ${probabilities.length} values, had ${labels.length}`,
  );
  expect(
    Number.isInteger(binCount) && binCount >= 1 && binCount <= 100,
    `binCount must be a whole number in 1..100, was ${binCount}`,
  );
  const sums = Array.from({ length: binCount }, () => ({ count: 0, forecast: 0, ones: 0 }));
  let [count, ones, squares] = [0, 0, 0];
  probabilities.forEach((p, row) => {
    const y = labels[row]!;
    if (Number.isNaN(p) || Number.isNaN(y)) return;
    expect(p >= 0 && p <= 1, `probabilities must be in 0..1, row ${row} was ${p}`);
    expect(y === 0 || y === 1, `labels must be 0 or 1, row ${row} was ${y}`);
    const bin = sums[Math.min(binCount - 1, Math.floor(p * binCount))]!;
    bin.count++;
    bin.forecast += p;
    bin.ones += y;
    count++;
    ones += y;
    squares += (p - y) ** 2;
  });
  const bins = sums.map(
    (bin, i): ReliabilityBin => ({
      low: i / binCount,
      high: (i + 1) / binCount,
      count: bin.count,
      forecast: bin.count === 0 ? null : bin.forecast / bin.count,
      rate: bin.count === 0 ? null : bin.ones / bin.count,
      interval: wilson(bin.ones, bin.count),
    }),
  );
  if (count === 0)
    return {
      bins,
      count,
      brier: null,
      calibrationLoss: null,
      resolution: null,
      uncertainty: null,
      withinBins: null,
      expectedCalibrationError: null,
    };
  const base = ones / count;
  let [calibrationLoss, resolution, expectedCalibrationError] = [0, 0, 0];
  for (const bin of bins) {
    if (bin.forecast === null || bin.rate === null) continue;
    calibrationLoss += (bin.count * (bin.forecast - bin.rate) ** 2) / count;
    resolution += (bin.count * (bin.rate - base) ** 2) / count;
    expectedCalibrationError += (bin.count * Math.abs(bin.forecast - bin.rate)) / count;
  }
  const brier = squares / count;
  const uncertainty = base * (1 - base);
  const withinBins = brier - calibrationLoss + resolution - uncertainty;
  return { bins, count, brier, calibrationLoss, resolution, uncertainty, withinBins, expectedCalibrationError };
}
