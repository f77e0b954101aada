import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type BarPanel, daysOfPanel } from '../src/quality/bar-panel.ts';
import { courtSettings } from '../src/quality/court-settings.ts';
import { type Fault, injectFaults } from '../src/quality/fault-injector.ts';
import { type FaultKind, faultSettings } from '../src/quality/fault-settings.ts';
import { type FindingKind, judgePanel, type PanelFinding } from '../src/quality/judge-bars.ts';
import { createRandom } from '../src/random/random.ts';
import { dayNumber } from '../src/series/day.ts';
import { findDataFile, type NamedPanel, readDailyPanel } from './daily-panel.ts';
import { KNOWN_DEFECTS } from './known-defects.ts';

/** One judged figure. `interval` is the 95 % Wilson interval; `verdict` compares its point with the target. */
export type StudyResult = {
  name: string;
  figure: number;
  unit: string;
  interval: [low: number, high: number];
  target: number;
  verdict: 'met' | 'not met' | 'not resolvable';
  input: Record<string, string | number>;
  settings: Record<string, unknown>;
  trials: number;
  detail: Record<string, unknown>;
};

const FILE = 'equities/us_stocks_daily_2010_2019_yahoo_adj.csv.gz';
/** Seeds the limits were tuned on; never judged. */
export const TUNING_SEEDS = [1, 2, 3, 4, 5] as const;
export const JUDGED_SEEDS = [101, 102, 103] as const;
const RECALL_TARGET = 0.99;
const PRECISION_TARGET = 0.95;

/**
 * Finding kinds that answer a fault of a kind. A bad tick outside its bar's range is a contradiction as well; a level
 * step of factor two is a split to the court even where another company's history was spliced in; a zero price is a
 * non-positive price.
 */
const COMPATIBLE: Readonly<Record<FaultKind, readonly FindingKind[]>> = {
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

export type Score = {
  faults: number;
  found: number;
  /** Distinct known real defects that a finding touches. */
  knownFound: number;
  findings: number;
  falseFindings: number;
  byFault: Record<string, { faults: number; found: number }>;
  byFinding: Record<string, { findings: number; false: number }>;
  missed: Fault[];
  wrong: PanelFinding[];
};

/** Injects, judges and scores one seed. Matching is defined in docs/methods/quality-court.md. */
export function scoreSeed({ panel, symbols }: NamedPanel, tradingDays: Int32Array, seed: number): Score {
  const faulty = injectFaults(panel, createRandom(seed));
  const findings = judgePanel(faulty.panel, { tradingDays, basis: 'total_return' });
  return score(faulty.panel, faulty.faults, findings, faulty.sourceRow, knownRows({ panel, symbols }));
}

export function score(
  panel: BarPanel,
  faults: readonly Fault[],
  findings: readonly PanelFinding[],
  sourceRow: Int32Array,
  known: Int32Array,
): Score {
  const count = panel.offset.length - 1;
  const faultsOf: Fault[][] = Array.from({ length: count }, () => []);
  for (const fault of faults) faultsOf[fault.instrument]!.push(fault);
  const found = new Set<Fault>();
  const knownFound = new Set<number>();
  const wrong: PanelFinding[] = [];
  const byFinding: Score['byFinding'] = {};
  for (const finding of findings) {
    byFinding[finding.kind] ??= { findings: 0, false: 0 };
    const tally = byFinding[finding.kind]!;
    tally.findings += 1;
    const near = (faultsOf[finding.instrument] ?? []).filter(
      (fault) => finding.firstRow <= fault.lastRow + 1 && finding.lastRow >= fault.firstRow - 1,
    );
    for (const fault of near) if (COMPATIBLE[fault.kind].includes(finding.kind)) found.add(fault);
    const defect = knownDefectAt(panel, finding, sourceRow, known);
    if (defect >= 0) knownFound.add(defect);
    if (near.length > 0 || defect >= 0) continue;
    tally.false += 1;
    wrong.push(finding);
  }
  const byFault: Score['byFault'] = {};
  for (const fault of faults) {
    byFault[fault.kind] ??= { faults: 0, found: 0 };
    byFault[fault.kind]!.faults += 1;
    if (found.has(fault)) byFault[fault.kind]!.found += 1;
  }
  return {
    faults: faults.length,
    found: found.size,
    knownFound: knownFound.size,
    findings: findings.length,
    falseFindings: wrong.length,
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

/**
 * For each row of the clean panel the known defect it belongs to, or -1. A row with volume 0 outside every listed
 * defect is one of its own, numbered from the length of the list on.
 */
export function knownRows({ panel, symbols }: NamedPanel): Int32Array {
  const known = new Int32Array(panel.day.length).fill(-1);
  KNOWN_DEFECTS.forEach((defect, index) => {
    const instrument = symbols.indexOf(defect.symbol);
    if (instrument < 0) return;
    const [first, last] = [dayNumber(defect.firstDay), dayNumber(defect.lastDay)];
    for (let row = panel.offset[instrument]!; row < panel.offset[instrument + 1]!; row++)
      if (panel.day[row]! >= first && panel.day[row]! <= last) known[row] = index;
  });
  for (let row = 0; row < known.length; row++)
    if (known[row] === -1 && panel.volume[row] === 0) known[row] = KNOWN_DEFECTS.length + row;
  return known;
}

/** 95 % Wilson interval of a share. @see Wilson (1927), doi:10.1080/01621459.1927.10502953 */
export function wilson(hits: number, trials: number): [number, number] {
  const z = 1.959963984540054;
  const p = hits / trials;
  const scale = 1 + z ** 2 / trials;
  const middle = (p + z ** 2 / (2 * trials)) / scale;
  const half = (z * Math.sqrt((p * (1 - p)) / trials + z ** 2 / (4 * trials ** 2))) / scale;
  return [middle - half, middle + half];
}

/** Reads the panel and the sessions it was recorded on. @throws Error with the reason where the data are absent. */
export function loadPanel(): NamedPanel & { tradingDays: Int32Array; path: string } {
  const path = findDataFile(FILE);
  if (path === undefined) throw new Error(`${FILE} is not in the data folder; set TOUCHSTONE_DATA`);
  const named = readDailyPanel(path);
  return { ...named, path, tradingDays: daysOfPanel(named.panel, 0.5) };
}

export async function run(): Promise<StudyResult[]> {
  const named = loadPanel();
  const scores = JUDGED_SEEDS.map((seed) => scoreSeed(named, named.tradingDays, seed));
  const sum = (pick: (score: Score) => number) => scores.reduce((total, score) => total + pick(score), 0);
  const [faults, found] = [sum((score) => score.faults), sum((score) => score.found)];
  // Known defects are the same in every seed, so they count once a seed, like everything else.
  const truths = found + sum((score) => score.knownFound);
  const claims = truths + sum((score) => score.falseFindings);
  const detail = { perFaultKind: perFaultKind(scores), perFindingKind: perFindingKind(scores), seeds: JUDGED_SEEDS };
  const shared = {
    input: { file: FILE, sha256: hashOf(named.path), bars: named.panel.day.length, instruments: named.symbols.length },
    settings: { court: courtSettings, injector: faultSettings, codeHash: codeHash() },
    trials: JUDGED_SEEDS.length,
  };
  const findings = sum((score) => score.findings);
  const result = (name: string, hits: number, trials: number, target: number): StudyResult => ({
    name,
    figure: hits / trials,
    unit: 'share',
    interval: wilson(hits, trials),
    target,
    verdict: hits / trials >= target ? 'met' : 'not met',
    ...shared,
    detail: { hits, of: trials, ...detail },
  });
  return [
    result('quality-court recall', found, faults, RECALL_TARGET),
    result('quality-court precision', truths, claims, PRECISION_TARGET),
    result(
      'quality-court precision by finding',
      findings - sum((score) => score.falseFindings),
      findings,
      PRECISION_TARGET,
    ),
  ];
}

function perFaultKind(scores: readonly Score[]): Record<string, unknown> {
  const rows: Record<string, unknown> = {};
  for (const kind of Object.keys(faultSettings.prevalence)) {
    const faults = scores.reduce((total, score) => total + (score.byFault[kind]?.faults ?? 0), 0);
    const found = scores.reduce((total, score) => total + (score.byFault[kind]?.found ?? 0), 0);
    rows[kind] = { faults, found, recall: found / faults, interval: wilson(found, faults) };
  }
  return rows;
}

function perFindingKind(scores: readonly Score[]): Record<string, unknown> {
  const rows: Record<string, unknown> = {};
  for (const kind of [...new Set(scores.flatMap((score) => Object.keys(score.byFinding)))].sort()) {
    const findings = scores.reduce((total, score) => total + (score.byFinding[kind]?.findings ?? 0), 0);
    const wrong = scores.reduce((total, score) => total + (score.byFinding[kind]?.false ?? 0), 0);
    rows[kind] = {
      findings,
      false: wrong,
      precision: (findings - wrong) / findings,
      interval: wilson(findings - wrong, findings),
    };
  }
  return rows;
}

function hashOf(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}

/** Hash of the files whose change would change the figures. */
function codeHash(): string {
  const hash = createHash('sha256');
  const folder = join(import.meta.dirname, '../src/quality');
  for (const name of ['bar-panel', 'court-settings', 'fault-injector', 'fault-settings', 'judge-bars', 'median'])
    hash.update(readFileSync(join(folder, `${name}.ts`)));
  for (const name of ['known-defects', 'quality-court'])
    hash.update(readFileSync(join(import.meta.dirname, `${name}.ts`)));
  return hash.digest('hex');
}

if (import.meta.main) {
  for (const result of await run()) {
    const [low, high] = result.interval.map((bound) => bound.toFixed(4));
    console.log(
      `${result.name}: ${result.figure.toFixed(4)} [${low}, ${high}], target ${result.target}: ${result.verdict}`,
    );
    if (result.name !== 'quality-court recall') continue;
    console.table(result.detail.perFaultKind);
    console.table(result.detail.perFindingKind);
  }
}
