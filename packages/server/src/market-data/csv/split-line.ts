/**
 * The fields of one line. A field that begins with the quote may hold separators, and the quote doubled; a quote inside
 * an unquoted field stands for itself. A quoted field ends on its line; null when it does not, or when text follows it.
 */
export function splitLine(line: string, separator: string, quote: string | null): string[] | null {
  if (quote === null || !line.includes(quote)) return line.split(separator);
  const fields: string[] = [];
  for (let at = 0; ; ) {
    const field = quotedField(line, at, quote) ?? plainField(line, at, separator);
    if (field === 'broken') return null;
    fields.push(field.text);
    if (field.end >= line.length) return fields;
    if (line[field.end] !== separator) return null;
    at = field.end + 1;
  }
}

/** `end` is where the field stops: at its separator or the end of the line. */
type Field = { text: string; end: number };

function plainField(line: string, at: number, separator: string): Field {
  const end = line.indexOf(separator, at);
  return end < 0 ? { text: line.slice(at), end: line.length } : { text: line.slice(at, end), end };
}

/** Null when no quote opens the field; spaces around the quotes do not matter. */
function quotedField(line: string, at: number, quote: string): Field | 'broken' | null {
  let from = at;
  while (line[from] === ' ') from++;
  if (line[from] !== quote) return null;
  from++;
  let text = '';
  let close = line.indexOf(quote, from);
  while (close >= 0 && line[close + 1] === quote) {
    text += line.slice(from, close + 1);
    from = close + 2;
    close = line.indexOf(quote, from);
  }
  if (close < 0) return 'broken';
  text += line.slice(from, close);
  let end = close + 1;
  while (line[end] === ' ') end++;
  return { text, end };
}
