/** An instant as an SQL literal, for COPY, which takes no parameters. */
export function literal(instant: string): string {
  return `'${new Date(instant).toISOString()}'::timestamptz`;
}

/** A day as an SQL literal. @throws RangeError if it is no day. */
export function dayLiteral(day: string): string {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(day)) throw new RangeError(`a day must look like 2026-01-15, was ${day}`);
  return `'${day}'::date`;
}
