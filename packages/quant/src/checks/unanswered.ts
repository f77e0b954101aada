/** An answer that does not exist for these values, and why: a long batch carries on with it. */
export type Unanswered = { status: 'undefined'; reason: string };

export function unanswered(reason: string): Unanswered {
  return { status: 'undefined', reason };
}
