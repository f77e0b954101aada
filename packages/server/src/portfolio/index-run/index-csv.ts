import type { IndexLevels } from '@touchstone/contracts/indexes';

/** The levels of a run as CSV, with where they come from in the columns, so that the file stands alone. */
export function levelsCsv(levels: IndexLevels): string {
  const head = [
    'date',
    'level',
    'level_gross',
    'level_next_close',
    'equal_weight',
    'buy_and_hold',
    'benchmark',
    'currency',
    'run',
    'dataset_sha256',
    'note',
  ];
  const rows = levels.days.map((day, t) => [
    day,
    levels.level[t],
    levels.levelGross[t],
    levels.levelNextClose[t],
    levels.equalWeight[t],
    levels.buyAndHold[t],
    levels.benchmark?.[t] ?? '',
    levels.currency,
    levels.run.runNumber,
    levels.run.lineage.datasetSha256,
    'hypothetical',
  ]);
  return csv([head, ...rows]);
}

type Holdings = {
  day: string | null;
  runNumber: number;
  items: { symbol: string; name: string; sector: string | null; weight: number; previousWeight: number }[];
};

/** The holdings of one rebalance as CSV. Weights are fractions. */
export function holdingsCsv(holdings: Holdings): string {
  const head = ['date', 'symbol', 'name', 'sector', 'weight', 'weight_before', 'run'];
  const rows = holdings.items.map((item) => [
    holdings.day,
    item.symbol,
    item.name,
    item.sector,
    item.weight,
    item.previousWeight,
    holdings.runNumber,
  ]);
  return csv([head, ...rows]);
}

function csv(rows: readonly (readonly unknown[])[]): string {
  return `${rows.map((row) => row.map(field).join(',')).join('\r\n')}\r\n`;
}

/** Quoted where it must be. A text that a spreadsheet would take for a formula gets an apostrophe before it. */
function field(value: unknown): string {
  if (value === null || value === undefined) return '';
  if (typeof value === 'number') return String(value);
  const text = /^[=+\-@\t\r]/.test(String(value)) ? `'${value}` : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
