/**
 * The fields of one line. A field that begins with the quote may hold separators, and the quote doubled; a quote inside
 * an unquoted field stands for itself. A quoted field ends on its line; null when it does not, or when text follows it.
 */
export function splitLine(line: string, separator: string, quote: string | null): string[] | null {
  if (quote === null || !line.includes(quote)) return line.split(separator);
  const fields: string[] = [];
  let at = 0;
  for (;;) {
    let start = at;
    while (line[start] === ' ' && separator !== ' ') start++;
    if (line[start] === quote) {
      let field = '';
      let from = start + 1;
      let end = line.indexOf(quote, from);
      while (end >= 0 && line[end + 1] === quote) {
        field += line.slice(from, end + 1);
        from = end + 2;
        end = line.indexOf(quote, from);
      }
      if (end < 0) return null;
      fields.push(field + line.slice(from, end));
      at = end + 1;
      while (line[at] === ' ') at++;
      if (at >= line.length) return fields;
      if (line[at] !== separator) return null;
      at++;
    } else {
      const end = line.indexOf(separator, at);
      if (end < 0) {
        fields.push(line.slice(at));
        return fields;
      }
      fields.push(line.slice(at, end));
      at = end + 1;
    }
  }
}
