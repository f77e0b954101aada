import type { Detected } from './dialect.ts';
import { isMissing, type NumberStyle } from './parse-number.ts';

type Votes = { point: number; comma: number; weakPoint: number; weakComma: number; example: string };

/**
 * Decimal sign and grouping from the texts of number fields.
 *
 * A sign followed by other than three digits, or standing after the other sign, is a decimal sign beyond doubt; `1.234`
 * alone can be either and only counts when nothing better is there.
 */
export function detectNumberStyle(
  prices: string[],
  volumes: string[],
  separator: string,
): { decimal: Detected<NumberStyle['decimal']>; thousands: Detected<NumberStyle['thousands']>; ambiguous: boolean } {
  const votes: Votes = { point: 0, comma: 0, weakPoint: 0, weakComma: 0, example: '' };
  for (const text of prices) countVote(text, votes);
  const { decimal, ambiguous } = decideDecimal(votes, separator);
  return { decimal, thousands: detectThousands([...prices, ...volumes], decimal.value), ambiguous };
}

function countVote(text: string, votes: Votes): void {
  if (isMissing(text.trim())) return;
  const point = text.lastIndexOf('.');
  const comma = text.lastIndexOf(',');
  if (point < 0 && comma < 0) return;
  votes.example ||= text.trim();
  const at = Math.max(point, comma);
  const sign = point > comma ? 'point' : 'comma';
  const other = sign === 'point' ? 'comma' : 'point';
  const parts = text.split(text[at]!);
  const mixed = point >= 0 && comma >= 0;
  if (parts.length > 2) {
    // The same sign twice can only group.
    votes[other]++;
    return;
  }
  const digits = /^\d*/.exec(parts[1]!)![0].length;
  const before = parts[0]!.replace(/\D/g, '');
  const cannotGroup = digits !== 3 || before.length > 3 || before === '' || before.startsWith('0');
  if (mixed || cannotGroup) votes[sign]++;
  else votes[sign === 'point' ? 'weakPoint' : 'weakComma']++;
}

function decideDecimal(
  { point, comma, weakPoint, weakComma, example }: Votes,
  separator: string,
): { decimal: Detected<NumberStyle['decimal']>; ambiguous: boolean } {
  const clear = point + comma;
  if (clear > 0) {
    const value = point >= comma ? '.' : ',';
    const name = value === '.' ? 'point' : 'comma';
    const certain = Math.min(point, comma) === 0;
    const evidence = certain
      ? `${clear} numbers such as ${example} can only be read with a decimal ${name}.`
      : `${Math.max(point, comma)} numbers need a decimal ${name}, ${Math.min(point, comma)} the other sign.`;
    return { decimal: { value, confidence: certain ? 'certain' : 'likely', evidence }, ambiguous: false };
  }
  if (weakPoint + weakComma === 0)
    return {
      decimal: { value: '.', confidence: 'assumed', evidence: 'No price in the sample has a decimal sign.' },
      ambiguous: false,
    };
  // All that is there looks like 1.234 or 1,234. Files parted by semicolons mostly come from places with decimal commas.
  const value = weakPoint >= weakComma ? (separator === ';' ? ',' : '.') : separator === ';' ? ',' : '.';
  return {
    decimal: {
      value,
      confidence: 'assumed',
      evidence: `Numbers such as ${example} can be read as a fraction or as grouped thousands.`,
    },
    ambiguous: true,
  };
}

function detectThousands(texts: string[], decimal: string): Detected<NumberStyle['thousands']> {
  const candidates = [decimal === '.' ? ',' : '.', ' ', "'"] as const;
  const patterns = { ',': /\d,\d{3}(?!\d)/, '.': /\d\.\d{3}(?!\d)/, ' ': /\d[ \u00a0\u202f]\d{3}/, "'": /\d['’]\d{3}/ };
  for (const value of candidates) {
    const example = texts.find((text) => patterns[value].test(text));
    if (example !== undefined)
      return { value, confidence: 'likely', evidence: `Numbers such as ${example.trim()} are grouped in threes.` };
  }
  return {
    value: candidates[0],
    confidence: 'assumed',
    evidence: `No number in the sample is grouped; '${candidates[0]}' between exact groups of three would be read as grouping.`,
  };
}
