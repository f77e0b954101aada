/**
 * The first exam of the quality court: the real defects that the README beside the shared data names. The files are not
 * part of the project; where they are absent the exam says so and is skipped.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findDataFile, type NamedPanel, readDailyPanel } from '../../study/_daily-panel.ts';
import { dayNumber, dayText } from '../series/day.ts';
import { daysOfPanel } from './bar-panel.ts';
import type { PriceBasis } from './court-context.ts';
import type { FindingKind, PanelFinding } from './finding.ts';
import { judgePanel } from './judge-bars.ts';

type Judged = NamedPanel & { findings: PanelFinding[] };
type Defect = { name: string; isFound: (judged: Judged) => boolean };

function on(symbol: string, day: string, kinds: readonly FindingKind[]): Defect {
  const number = dayNumber(day);
  return {
    name: `${symbol} ${day}`,
    isFound: ({ findings, symbols }) =>
      findings.some(
        (f) =>
          (f.instrument < 0 ? '*' : symbols[f.instrument]) === symbol &&
          kinds.includes(f.kind) &&
          f.firstDay <= number &&
          f.lastDay >= number,
      ),
  };
}

/** At least `least` findings in a symbol, for series that are garbage as a whole. */
function garbage(symbol: string, least: number): Defect {
  return {
    name: `${symbol} garbage`,
    isFound: ({ findings, symbols }) => findings.filter((f) => symbols[f.instrument] === symbol).length >= least,
  };
}

/** Every row the test picks must lie inside a finding of one of the kinds. */
function allRows(
  name: string,
  kinds: readonly FindingKind[],
  isDefect: (panel: NamedPanel['panel'], row: number) => boolean,
): Defect {
  return {
    name,
    isFound: ({ findings, panel }) => {
      const covered = new Uint8Array(panel.day.length);
      for (const f of findings) {
        if (f.instrument < 0 || !kinds.includes(f.kind)) continue;
        const start = panel.offset[f.instrument]!;
        covered.fill(1, start + f.firstRow, start + f.lastRow + 1);
      }
      let defects = 0;
      let found = 0;
      for (let row = 0; row < panel.day.length; row++) {
        if (!isDefect(panel, row)) continue;
        defects += 1;
        found += covered[row]!;
      }
      console.log(`  ${name}: ${found} of ${defects} rows`);
      return defects > 0 && found === defects;
    },
  };
}

const TICK: readonly FindingKind[] = ['bad-tick', 'ohlc-violation'];

function exam(file: string, basis: PriceBasis, sessionShare: number, defects: readonly Defect[]): void {
  const path = findDataFile(file);
  const skip = path === undefined && `${file} is not in the data folder (TOUCHSTONE_DATA)`;
  test(`finds the known defects of ${file}`, { skip }, () => {
    const named = readDailyPanel(path!);
    const tradingDays = daysOfPanel(named.panel, sessionShare);
    const judged = { ...named, findings: judgePanel(named.panel, { tradingDays, basis }) };
    const missed: string[] = [];
    for (const defect of defects) {
      const isFound = defect.isFound(judged);
      console.log(`  ${isFound ? 'found ' : 'missed'} ${defect.name}`);
      if (!isFound) missed.push(defect.name);
    }
    for (const kind of [...new Set(judged.findings.map((f) => f.kind))].sort()) {
      console.log(`  ${judged.findings.filter((f) => f.kind === kind).length} findings of ${kind}`);
    }
    assert.deepEqual(missed, [], `missed in ${file}, sessions from ${dayText(tradingDays[0]!)}`);
  });
}

exam('equities/us_stocks_daily_1998_2017_cc0.csv.gz', 'total_return', 0, [
  on('EIX', '2009-09-01', TICK),
  on('EIX', '2012-03-08', TICK),
  on('EIX', '2012-03-22', TICK),
  on('NUE', '2007-01-16', TICK),
  on('*', '1999-11-16', ['thin-day']),
  allRows(
    'rows with high below or low above another price',
    TICK,
    ({ open, high, low, close }, row) =>
      high[row]! < Math.max(open[row]!, close[row]!) || low[row]! > Math.min(open[row]!, close[row]!),
  ),
  allRows('rows with volume 0', ['zero-as-missing'], ({ volume }, row) => volume[row] === 0),
]);

exam('equities/us_stocks_daily_2010_2019_yahoo_adj.csv.gz', 'total_return', 0.5, [
  on('DHR', '2016-07-05', ['split-suspicion', 'ticker-reuse']),
  garbage('COL', 100),
  allRows('rows with volume 0', ['zero-as-missing'], ({ volume }, row) => volume[row] === 0),
]);

exam('equities/sp500_daily_2016_2019_yahoo_rawadj.csv.gz', 'split_adjusted', 0.5, [
  garbage('COL', 50),
  garbage('SCG', 5),
  allRows('rows with volume 0', ['zero-as-missing'], ({ volume }, row) => volume[row] === 0),
  allRows(
    'rows with high below or low above another price by more than rounding',
    TICK,
    ({ open, high, low, close }, row) =>
      high[row]! * (1 + 1e-4) < Math.max(open[row]!, close[row]!) ||
      low[row]! > Math.min(open[row]!, close[row]!) * (1 + 1e-4),
  ),
]);

exam('equities/corp_actions_raw_daily_1998_2021_lean.csv.gz', 'raw', 0.2, [
  on('FB', '2012-05-18', ['ticker-reuse']),
  on('WM', '2009-08-05', ['ticker-reuse']),
  // The day GOOG passed from the class A to the class C share: the step is that of the 2:1 distribution.
  on('GOOG', '2014-04-03', ['split-suspicion', 'ticker-reuse']),
]);

exam('indices_etfs/etf_index_daily_1990_2021_yahoo_adj.csv.gz', 'total_return', 0.5, [
  allRows(
    'rows with the high below the close by more than rounding',
    TICK,
    ({ high, close }, row) => high[row]! * (1 + 1e-4) < close[row]!,
  ),
  {
    // Its prices are right, only huge: 1e9 dollars before the reverse splits. Scale alone must not condemn a bar.
    name: 'UVXY passes at prices of 1e5 to 1e9',
    isFound: ({ findings, symbols, panel }) => {
      const instrument = symbols.indexOf('UVXY');
      const bars = panel.offset[instrument + 1]! - panel.offset[instrument]!;
      const held = findings.filter((f) => f.instrument === instrument && f.action === 'quarantine');
      const rows = held.reduce((sum, f) => sum + f.lastRow - f.firstRow + 1, 0);
      console.log(`  UVXY: ${held.length} findings hold back ${rows} of ${bars} bars`);
      return rows < 0.01 * bars;
    },
  },
]);
