import { ALL_INDICATORS, INDICATOR_FACTORIES } from './catalogue.ts';
import type { Indicator } from './indicator.ts';

const FAMILIES: Readonly<Record<Indicator['family'], string>> = {
  overlap: 'Averages, bands and stops',
  momentum: 'Momentum',
  volatility: 'Volatility',
  volume: 'Volume',
  price: 'Price',
  cycle: 'Cycle',
  statistic: 'Statistics',
  risk: 'Risk',
  candle: 'Candlestick patterns',
  alpha158: 'Alpha158',
};

/** The tables of docs/methods/indicators.md: every indicator of the default set by family, as Markdown. */
export function indicatorList(): string {
  const columns = ALL_INDICATORS.reduce((sum, { outputs }) => sum + outputs.length, 0);
  const lines = [
    `The default set has ${columns} columns from ${ALL_INDICATORS.length} indicators; ${INDICATOR_FACTORIES.length} kinds take parameters of your own.`,
  ];
  for (const [family, title] of Object.entries(FAMILIES)) {
    const indicators = ALL_INDICATORS.filter((indicator) => indicator.family === family);
    if (indicators.length === 0) continue;
    lines.push('', `### ${title}`, '', ...table([HEAD, ...indicators.map(cellsOf)]));
    const notes = new Map(indicators.flatMap(({ title, note }) => (note ? [[title, note] as const] : [])));
    if (notes.size > 0) lines.push('');
    for (const [about, note] of notes) lines.push(`- ${about}: ${lowerFirst(note)}`);
  }
  return `${lines.join('\n')}\n`;
}

const HEAD = ['Name', 'What it is', 'Columns', 'Unit', 'Warm-up', 'Memory', 'Reference', 'Tolerance'];

/** As the formatter of the documents has it: columns of one width. */
function table([head, ...rows]: readonly string[][]): string[] {
  const widths = head!.map((_, at) => Math.max(...[head!, ...rows].map((cells) => cells[at]!.length)));
  const line = (cells: readonly string[]) => `| ${cells.map((cell, at) => cell.padEnd(widths[at]!)).join(' | ')} |`;
  return [line(head!), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)];
}

function cellsOf(indicator: Indicator): string[] {
  const { name, title, outputs, unit, warmUp, reference } = indicator;
  const endings = outputs.map((output) => (output.startsWith(`${name}_`) ? output.slice(name.length + 1) : output));
  const columns = outputs.length === 1 ? '' : endings.join(', ');
  const tolerance = reference.tolerance === 0 ? 'definition' : String(reference.tolerance);
  return [`\`${name}\``, title, columns, unit, String(warmUp), memoryOf(indicator), reference.source, tolerance];
}

function memoryOf({ memory }: Indicator): string {
  if (memory.kind === 'recursive') return `settles in ${memory.settle}`;
  return memory.kind === 'window' ? 'window' : 'for ever';
}

/** A note follows a colon: it begins small, unless its first word is a name or symbol. */
function lowerFirst(sentence: string): string {
  return /^[A-Z][a-z]+ /.test(sentence) && !/^(TA-Lib|Wilder|Skender|Lean|Chande)/.test(sentence)
    ? sentence[0]!.toLowerCase() + sentence.slice(1)
    : sentence;
}
