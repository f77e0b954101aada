import type { BarPanel } from './bar-panel.ts';
import type { Fault, FaultyPanel } from './fault-injector.ts';
import type { FaultKind } from './fault-settings.ts';
import type { FindingKind, PanelFinding } from './finding.ts';

/**
 * Finding kinds that answer a fault of a kind; the first is its own name. A bad tick outside its bar's range is a
 * contradiction as well; a level step of factor two is a split to the court even where another company's history was
 * spliced in; a zero price is a non-positive price.
 */
export const COMPATIBLE: Readonly<Record<FaultKind, readonly [FindingKind, ...FindingKind[]]>> = {
  'bad-tick': ['bad-tick', 'ohlc-violation'],
  'nonpositive-price': ['nonpositive-price', 'zero-as-missing'],
  'stale-run': ['stale-run'],
  'missing-bars': ['missing-bars'],
  'duplicate-bar': ['duplicate-bar'],
  'ohlc-violation': ['ohlc-violation', 'bad-tick'],
  'unadjusted-split': ['split-suspicion', 'ticker-reuse'],
  'twice-adjusted-split': ['split-suspicion', 'ticker-reuse'],
  'ticker-reuse': ['ticker-reuse', 'split-suspicion'],
  'zero-as-missing': ['zero-as-missing', 'nonpositive-price'],
  'date-slip': ['date-slip'],
  'currency-swap': ['currency-swap'],
};

/** Bars a finding may lie beside a fault and still answer it. */
const ROW_TOLERANCE = 1;

export type CourtScore = {
  faults: number;
  found: number;
  /** Distinct known real defects that a finding touches. */
  knownFound: number;
  findings: number;
  falseFindings: number;
  /** Rows held back that belong to no planted fault and no known defect: what a careful court costs. */
  innocentRowsHeld: number;
  /** `named` counts the faults found under their own name. */
  byFault: Partial<Record<FaultKind, { faults: number; found: number; named: number }>>;
  byFinding: Partial<Record<FindingKind, { findings: number; false: number }>>;
  missed: Fault[];
  wrong: PanelFinding[];
};

/**
 * Compares findings with planted faults.
 *
 * A fault is found when a finding of a compatible kind overlaps its rows, give or take one bar. A finding is false when
 * it overlaps no fault of any kind, give or take one bar, and no row of a known defect.
 *
 * @param known For each row of the clean panel the number of its known real defect, or -1.
 */
export function scoreCourt(faulty: FaultyPanel, findings: readonly PanelFinding[], known: Int32Array): CourtScore {
  const { panel, faults, sourceRow } = faulty;
  const faultsOf: Fault[][] = Array.from({ length: panel.offset.length - 1 }, () => []);
  for (const fault of faults) faultsOf[fault.instrument]!.push(fault);
  const found = new Set<Fault>();
  const named = new Set<Fault>();
  const knownFound = new Set<number>();
  const wrong: PanelFinding[] = [];
  const byFinding: CourtScore['byFinding'] = {};
  for (const finding of findings) {
    byFinding[finding.kind] ??= { findings: 0, false: 0 };
    const tally = byFinding[finding.kind]!;
    tally.findings += 1;
    const near = (faultsOf[finding.instrument] ?? []).filter(
      (fault) => finding.firstRow <= fault.lastRow + ROW_TOLERANCE && finding.lastRow >= fault.firstRow - ROW_TOLERANCE,
    );
    for (const fault of near) {
      if (COMPATIBLE[fault.kind].includes(finding.kind)) found.add(fault);
      if (COMPATIBLE[fault.kind][0] === finding.kind) named.add(fault);
    }
    const defect = knownDefectAt(panel, finding, sourceRow, known);
    if (defect >= 0) knownFound.add(defect);
    if (near.length > 0 || defect >= 0) continue;
    tally.false += 1;
    wrong.push(finding);
  }
  const byFault: CourtScore['byFault'] = {};
  for (const fault of faults) {
    byFault[fault.kind] ??= { faults: 0, found: 0, named: 0 };
    const tally = byFault[fault.kind]!;
    tally.faults += 1;
    if (found.has(fault)) tally.found += 1;
    if (named.has(fault)) tally.named += 1;
  }
  return {
    faults: faults.length,
    found: found.size,
    knownFound: knownFound.size,
    findings: findings.length,
    falseFindings: wrong.length,
    innocentRowsHeld: innocentRows(faulty, findings, known),
    byFault,
    byFinding,
    missed: faults.filter((fault) => !found.has(fault)),
    wrong,
  };
}

function knownDefectAt(panel: BarPanel, finding: PanelFinding, sourceRow: Int32Array, known: Int32Array): number {
  if (finding.instrument < 0) return -1;
  const start = panel.offset[finding.instrument]!;
  for (let row = finding.firstRow; row <= finding.lastRow; row++) {
    const defect = known[sourceRow[start + row]!]!;
    if (defect >= 0) return defect;
  }
  return -1;
}

function innocentRows(faulty: FaultyPanel, findings: readonly PanelFinding[], known: Int32Array): number {
  const { panel, faults, sourceRow } = faulty;
  const held = new Uint8Array(panel.day.length);
  for (const finding of findings) {
    if (finding.action !== 'quarantine' || finding.instrument < 0) continue;
    const start = panel.offset[finding.instrument]!;
    held.fill(1, start + finding.firstRow, start + finding.lastRow + 1);
  }
  for (const fault of faults) {
    const start = panel.offset[fault.instrument]!;
    held.fill(0, start + fault.firstRow, start + fault.lastRow + 1);
  }
  let rows = 0;
  for (let row = 0; row < held.length; row++) if (held[row] === 1 && known[sourceRow[row]!] === -1) rows += 1;
  return rows;
}
