import type { CreditStatus } from './credit-bucket.ts';

export type CreditPlan = {
  credits: number;
  /** From now to the last question, rounded up; 0 when there is nothing to ask. */
  minutes: number;
  /** Days of the vendor (UTC) it touches. */
  days: number;
  /** For the user: '13 symbols = 13 credits, 2 minutes'. */
  sentence: string;
};

/** What asking for some symbols will cost, and how long it takes with what is left. */
export function planCredits(
  symbolCount: number,
  status: Pick<CreditStatus, 'minuteLeft' | 'minuteLimit' | 'dayLeft' | 'dayLimit'>,
  creditsPerSymbol = 1,
): CreditPlan {
  const credits = symbolCount * creditsPerSymbol;
  const asked = `${count(symbolCount, 'symbol')} = ${count(credits, 'credit')}`;
  if (credits === 0) return { credits, minutes: 0, days: 0, sentence: asked };
  const rest = Math.max(0, credits - status.minuteLeft);
  const minutes = 1 + Math.ceil(rest / status.minuteLimit);
  const restOfDay = Math.max(0, credits - status.dayLeft);
  if (restOfDay === 0) return { credits, minutes, days: 1, sentence: `${asked}, ${count(minutes, 'minute')}` };
  const days = 1 + Math.ceil(restOfDay / status.dayLimit);
  const today = status.dayLeft === 0 ? 'none left today' : `${status.dayLeft.toLocaleString('en')} of them today`;
  return { credits, minutes, days, sentence: `${asked}, ${count(days, 'day')}: ${today}` };
}

function count(value: number, noun: string): string {
  return `${value.toLocaleString('en')} ${noun}${value === 1 ? '' : 's'}`;
}
