import type { AsKnownPanel } from '../series/as-known-panel.ts';
import { type CapSnapshots, capsAsKnown, type KnownCaps } from './caps-as-known.ts';
import { createTargetWriter } from './target-weights.ts';
import { type ThreePillarDecisions, type ThreePillarParameters, threePillarTargets } from './three-pillar.ts';

export type AsKnownThreePillarInput = {
  /** T ascending days since 1970-01-01. */
  day: Int32Array;
  panel: AsKnownPanel;
  /** Absent: that pillar is dropped. */
  caps?: CapSnapshots;
  member?: Uint8Array;
  parameters?: ThreePillarParameters;
};

/** Rows a decision looks back: 60 returns and the price before them. */
const HISTORY_ROWS = 61;

/**
 * The three-pillar decisions with every row's own knowledge: a correction changes the decisions from the row on at which
 * it was known, and none before.
 *
 * Between two revisions the panel is one and the kernel decides all rows at once. Time O(T·N + revised rows · 61 · N).
 *
 * @throws RangeError as `threePillarTargets` does.
 */
export function threePillarAsKnown(input: AsKnownThreePillarInput): ThreePillarDecisions {
  const { day, panel } = input;
  const { rowCount, columnCount, revisions } = panel;
  const close = panel.totalReturn.slice();
  const caps = input.caps && capsAsKnown(day, panel.splitAdjusted, columnCount, 'split_adjusted', input.caps);
  const start = input.parameters?.startRow ?? 0;
  const every = input.parameters?.rebalanceEvery ?? 1;
  const parts: { decisions: ThreePillarDecisions; offset: number }[] = [];
  let next = 0;
  let from = 0;
  while (from < rowCount) {
    for (; next < revisions.length && revisions[next]!.row === from; next++) {
      const revision = revisions[next]!;
      for (let t = 0; t < rowCount; t++) close[t * columnCount + revision.column] = revision.totalReturn[t]!;
      if (caps && input.caps) reviseCaps(caps, day, input.caps, revision.column, revision.splitAdjusted, from);
    }
    const to = revisions[next]?.row ?? rowCount;
    const firstDecision = start + Math.ceil(Math.max(0, from - start) / every) * every;
    if (firstDecision < to) {
      const offset = Math.max(0, firstDecision - HISTORY_ROWS);
      const cut = { from: offset * columnCount, to: to * columnCount };
      const decisions = threePillarTargets({
        day: day.subarray(offset, to),
        close: close.subarray(cut.from, cut.to),
        columnCount,
        ...(caps ? { caps: sliceCaps(caps, offset, to) } : {}),
        ...(input.member ? { member: input.member.subarray(cut.from, cut.to) } : {}),
        parameters: { ...input.parameters, startRow: firstDecision - offset },
      });
      parts.push({ decisions, offset });
    }
    from = to;
  }
  return join(parts);
}

function sliceCaps(caps: KnownCaps, from: number, to: number): KnownCaps {
  const n = caps.columnCount;
  return {
    ...caps,
    cap: caps.cap.subarray(from * n, to * n),
    snapshotDay: caps.snapshotDay.subarray(from * n, to * n),
    day: caps.day.subarray(from, to),
  };
}

/** Carries the capitalisations of one column anew along its revised prices, for the rows from `fromRow` on. */
function reviseCaps(
  caps: KnownCaps,
  day: Int32Array,
  snapshots: CapSnapshots,
  column: number,
  splitAdjusted: Float64Array,
  fromRow: number,
): void {
  const mine = [...snapshots.column.keys()].filter((k) => snapshots.column[k] === column);
  const revised = capsAsKnown(day, splitAdjusted, 1, 'split_adjusted', {
    day: Int32Array.from(mine, (k) => snapshots.day[k]!),
    column: new Int32Array(mine.length),
    cap: Float64Array.from(mine, (k) => snapshots.cap[k]!),
    origin: snapshots.origin,
  });
  for (let t = fromRow; t < day.length; t++) {
    caps.cap[t * caps.columnCount + column] = revised.cap[t]!;
    caps.snapshotDay[t * caps.columnCount + column] = revised.snapshotDay[t]!;
  }
}

function join(parts: readonly { decisions: ThreePillarDecisions; offset: number }[]): ThreePillarDecisions {
  const writer = createTargetWriter();
  const counts = { candidateCount: [] as number[], noCapCount: [] as number[], noVolatilityCount: [] as number[] };
  const pillars: number[] = [];
  const pillarScores: number[] = [];
  for (const { decisions, offset } of parts) {
    const { targets } = decisions;
    for (const score of decisions.pillarScores) pillarScores.push(score);
    for (let r = 0; r < targets.row.length; r++) {
      const a = targets.offset[r]!;
      const b = targets.offset[r + 1]!;
      writer.add(
        targets.row[r]! + offset,
        targets.status[r]!,
        targets.column.subarray(a, b),
        targets.weight.subarray(a, b),
        b - a,
      );
      counts.candidateCount.push(decisions.candidateCount[r]!);
      counts.noCapCount.push(decisions.noCapCount[r]!);
      counts.noVolatilityCount.push(decisions.noVolatilityCount[r]!);
      pillars.push(decisions.pillars[r]!);
    }
  }
  return {
    targets: writer.finish(),
    candidateCount: Int32Array.from(counts.candidateCount),
    noCapCount: Int32Array.from(counts.noCapCount),
    noVolatilityCount: Int32Array.from(counts.noVolatilityCount),
    pillars: Uint8Array.from(pillars),
    pillarScores: Float64Array.from(pillarScores),
  };
}
