import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type CourtScore, scoreCourt } from '../src/quality/court-score.ts';
import { courtSettings } from '../src/quality/court-settings.ts';
import { injectFaults } from '../src/quality/fault-injector.ts';
import { type FaultKind, faultSettings } from '../src/quality/fault-settings.ts';
import { type FindingKind, judgePanel } from '../src/quality/judge-bars.ts';
import { createRandom } from '../src/random/random.ts';
import { dayNumber } from '../src/series/day.ts';
import { tradingDays } from '../src/series/trading-calendar.ts';
import { findDataFile, type NamedPanel, readDailyPanel } from './_daily-panel.ts';
import { KNOWN_DEFECTS } from './_known-defects.ts';

/** One judged figure. `interval` is the 95 % Wilson interval; `verdict` compares its point with the target. */
export type StudyResult = {
  name: string;
  figure: number;
  unit: string;
  interval: [low: number, high: number];
  target: number;
  verdict: 'met' | 'not met' | 'not resolvable';
  /** `target` and `verdict` in the words of the runner's table. */
  goal: string;
  met: boolean;
  input: Record<string, string | number>;
  settings: Record<string, unknown>;
  trials: number;
  detail: Record<string, unknown>;
};

const FILE = 'equities/us_stocks_daily_2010_2019_yahoo_adj.csv.gz';
/** Seeds the limits were tuned on; never judged. */
const TUNING_SEEDS = [1, 2, 3, 4, 5] as const;
const JUDGED_SEEDS = [101, 102, 103] as const;
const RECALL_TARGET = 0.99;
const PRECISION_TARGET = 0.95;

/** Injects, judges and scores one seed. Matching is defined in docs/methods/quality-court.md. */
function scoreSeed(named: NamedPanel, sessions: Int32Array, seed: number): CourtScore & { milliseconds: number } {
  const faulty = injectFaults(named.panel, createRandom(seed));
  const start = performance.now();
  const findings = judgePanel(faulty.panel, { tradingDays: sessions, basis: 'total_return' });
  const milliseconds = performance.now() - start;
  return { ...scoreCourt(faulty, findings, knownRows(named)), milliseconds };
}

/** The panel as it is: what the court says where nobody planted anything. */
function scoreUntouched(named: NamedPanel, sessions: Int32Array): CourtScore {
  const sourceRow = Int32Array.from({ length: named.panel.day.length }, (_, row) => row);
  const findings = judgePanel(named.panel, { tradingDays: sessions, basis: 'total_return' });
  return scoreCourt({ panel: named.panel, faults: [], sourceRow }, findings, knownRows(named));
}

/**
 * For each row of the clean panel the known defect it belongs to, or -1. A row with volume 0 outside every listed
 * defect is one of its own, numbered from the length of the list on.
 */
function knownRows({ panel, symbols }: NamedPanel): Int32Array {
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
function wilson(hits: number, trials: number): [number, number] {
  const z = 1.959963984540054;
  const p = hits / trials;
  const scale = 1 + z ** 2 / trials;
  const middle = (p + z ** 2 / (2 * trials)) / scale;
  const half = (z * Math.sqrt((p * (1 - p)) / trials + z ** 2 / (4 * trials ** 2))) / scale;
  return [middle - half, middle + half];
}

/** Reads the panel and the exchange's sessions over its span. @throws Error with the reason where the data are absent. */
function loadPanel(): NamedPanel & { tradingDays: Int32Array; path: string } {
  const path = findDataFile(FILE);
  if (path === undefined) throw new Error(`${FILE} is not in the data folder; set TOUCHSTONE_DATA`);
  const named = readDailyPanel(path);
  const first = named.panel.day.reduce((a, b) => Math.min(a, b));
  const last = named.panel.day.reduce((a, b) => Math.max(a, b));
  return { ...named, path, tradingDays: tradingDays('XNYS', first, last) };
}

export async function run(): Promise<StudyResult[]> {
  const named = loadPanel();
  const bars = named.panel.day.length;
  const scores = JUDGED_SEEDS.map((seed) => scoreSeed(named, named.tradingDays, seed));
  const sum = (pick: (score: CourtScore) => number) => scores.reduce((total, score) => total + pick(score), 0);
  const [faults, found] = [sum((score) => score.faults), sum((score) => score.found)];
  const [findings, wrong] = [sum((score) => score.findings), sum((score) => score.falseFindings)];
  // The strict reading: a fault or a known defect counts once, however many findings it draws.
  const truths = found + sum((score) => score.knownFound);
  const untouched = scoreUntouched(named, named.tradingDays);
  const detail = {
    perFaultKind: perFaultKind(scores),
    perFindingKind: perFindingKind(scores),
    perSeed: JUDGED_SEEDS.map((seed, k) => ({
      seed,
      recall: scores[k]!.found / scores[k]!.faults,
      falseFindings: scores[k]!.falseFindings,
      innocentRowsHeld: scores[k]!.innocentRowsHeld,
      judgeMilliseconds: Math.round(scores[k]!.milliseconds),
    })),
    untouched: {
      findings: untouched.findings,
      unverified: untouched.falseFindings,
      unverifiedPerMillionBars: (1e6 * untouched.falseFindings) / bars,
      innocentRowsHeld: untouched.innocentRowsHeld,
    },
  };
  const shared = {
    input: { file: FILE, sha256: hashOf(named.path), bars, instruments: named.symbols.length },
    settings: {
      court: courtSettings,
      injector: faultSettings,
      seeds: JUDGED_SEEDS,
      tunedOnSeeds: TUNING_SEEDS,
      codeHash: codeHash(),
    },
    trials: JUDGED_SEEDS.length,
  };
  const result = (name: string, hits: number, trials: number, target: number): StudyResult => ({
    name,
    figure: hits / trials,
    unit: 'share',
    interval: wilson(hits, trials),
    target,
    verdict: hits / trials >= target ? 'met' : 'not met',
    goal: `>= ${target}`,
    met: hits / trials >= target,
    ...shared,
    detail: { hits, of: trials, ...detail },
  });
  const results = [
    result('quality-court recall', found, faults, RECALL_TARGET),
    result('quality-court precision', truths, truths + wrong, PRECISION_TARGET),
    result('quality-court precision by finding', findings - wrong, findings, PRECISION_TARGET),
  ];
  print(results);
  return results;
}

type KindRow = { found: number; of: number; named?: number; share: number; low: number; high: number };

function perFaultKind(scores: readonly CourtScore[]): Record<string, KindRow> {
  const rows: Record<string, KindRow> = {};
  for (const kind of Object.keys(faultSettings.prevalence) as FaultKind[]) {
    const total = { faults: 0, found: 0, named: 0 };
    for (const { byFault } of scores) {
      total.faults += byFault[kind]?.faults ?? 0;
      total.found += byFault[kind]?.found ?? 0;
      total.named += byFault[kind]?.named ?? 0;
    }
    rows[kind] = { ...kindRow(total.found, total.faults), named: total.named };
  }
  return rows;
}

function perFindingKind(scores: readonly CourtScore[]): Record<string, KindRow> {
  const rows: Record<string, KindRow> = {};
  const kinds = new Set(scores.flatMap((score) => Object.keys(score.byFinding) as FindingKind[]));
  for (const kind of [...kinds].sort()) {
    const total = { findings: 0, false: 0 };
    for (const { byFinding } of scores) {
      total.findings += byFinding[kind]?.findings ?? 0;
      total.false += byFinding[kind]?.false ?? 0;
    }
    rows[kind] = kindRow(total.findings - total.false, total.findings);
  }
  return rows;
}

function kindRow(found: number, of: number): KindRow {
  const round = (value: number) => Math.round(1e4 * value) / 1e4;
  const [low, high] = wilson(found, of);
  return { found, of, share: round(found / of), low: round(low), high: round(high) };
}

function hashOf(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}

/** Hash of the files whose change would change the figures. */
function codeHash(): string {
  const hash = createHash('sha256');
  const folder = join(import.meta.dirname, '../src/quality');
  for (const name of [
    'bar-panel',
    'court-score',
    'court-settings',
    'fault-injector',
    'fault-settings',
    'judge-bars',
    'median',
  ])
    hash.update(readFileSync(join(folder, `${name}.ts`)));
  for (const name of ['_known-defects', 'quality-court'])
    hash.update(readFileSync(join(import.meta.dirname, `${name}.ts`)));
  return hash.digest('hex');
}

function print(results: readonly StudyResult[]): void {
  const { detail, settings } = results[0]!;
  for (const name of ['perFaultKind', 'perFindingKind', 'perSeed', 'untouched']) {
    console.log(name);
    console.table(detail[name]);
  }
  for (const result of results) {
    const [low, high] = result.interval.map((bound) => bound.toFixed(4));
    console.log(
      `${result.name}: ${result.figure.toFixed(4)} [${low}, ${high}], target ${result.target}: ${result.verdict}`,
    );
  }
  console.log(`code ${String(settings.codeHash).slice(0, 12)}`);
}

if (import.meta.main) await run();
