/** The known name that differs in the fewest letters, if it is near enough to have been meant; null otherwise. */
export function nearestName(wanted: string, known: Iterable<string>): string | null {
  const allowed = Math.max(1, Math.floor(wanted.length / 3));
  let best: string | null = null;
  let least = allowed + 1;
  for (const name of known) {
    if (Math.abs(name.length - wanted.length) >= least) continue;
    const distance = editDistance(wanted, name);
    if (distance < least) [best, least] = [name, distance];
  }
  return best;
}

/** Letters put in, left out or replaced to get from one text to another (Levenshtein). */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = previous[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      row.push(Math.min(replaced, previous[j]! + 1, row[j - 1]! + 1));
    }
    previous = row;
  }
  return previous[b.length]!;
}
