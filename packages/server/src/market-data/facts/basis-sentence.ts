/** Why prices of one basis do not go into a source of another. Two bases under one name would be adjusted twice or not at all. */
export function basisSentence(source: string, has: string, was: string): string {
  const spell = (basis: string) => basis.replace('_', ' ');
  return `The prices of source ${source} are ${spell(has)}, this file's are ${spell(was)}. Import it under another source.`;
}
