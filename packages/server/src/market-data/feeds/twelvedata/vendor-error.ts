import type { FeedGap } from '../feed.ts';

export type VendorErrorDetails = {
  /** EpochMs when asking again makes sense; null: only after somebody changes something. */
  retryAt?: number | null;
  /** The same question may be answered a moment later. */
  isPassing?: boolean;
  /** It says something about the vendor's health, not about the question. */
  isOutage?: boolean;
  /** It would be the same for any other question: a key that is not accepted. */
  endsAll?: boolean;
  /** The vendor itself says that these credits are spent. */
  spent?: 'minute' | 'day';
  cause?: unknown;
};

/** Why the vendor gave no good answer. The message is a sentence for the user and never holds the key. */
export class VendorError extends Error {
  readonly kind: FeedGap['kind'];
  readonly retryAt: number | null;
  readonly isPassing: boolean;
  readonly isOutage: boolean;
  readonly endsAll: boolean;
  readonly spent: 'minute' | 'day' | null;

  constructor(kind: FeedGap['kind'], sentence: string, details: VendorErrorDetails = {}) {
    super(sentence, { cause: details.cause });
    this.name = 'VendorError';
    this.kind = kind;
    this.retryAt = details.retryAt ?? null;
    this.isPassing = details.isPassing ?? false;
    this.isOutage = details.isOutage ?? false;
    this.endsAll = details.endsAll ?? false;
    this.spent = details.spent ?? null;
  }
}

/** After this long it makes sense to ask again what was asked in vain. */
const RETRY_AFTER_MS = { unavailable: 15 * 60_000, lies: 6 * 3_600_000, empty: 12 * 3_600_000 };

/** What an error means for one symbol of a question. */
export function gapOf(symbol: string, error: VendorError, now: number): FeedGap {
  const { kind, message: sentence } = error;
  const later = kind === 'unavailable' || kind === 'lies' || kind === 'empty' ? now + RETRY_AFTER_MS[kind] : null;
  return { symbol, kind, sentence, retryAt: error.retryAt ?? later };
}

export function lie(sentence: string, details: VendorErrorDetails = {}): VendorError {
  return new VendorError('lies', sentence, { isPassing: true, ...details });
}

/**
 * What an error of the vendor means, by the code of its body (or of HTTP) and its message.
 *
 * @param symbol The one it is about; null: the question as a whole.
 */
export function errorOf(code: number, message: string, symbol: string | null): VendorError {
  const about = symbol === null ? 'the question' : `“${symbol}”`;
  // The vendor marks words with asterisks; a sentence for people has none.
  const told = message.replaceAll('**', '');
  const said = told === '' ? `error ${code}` : `error ${code}: ${told}`;
  if (code === 401) {
    return new VendorError('refused', `TwelveData does not accept the key (${said}).`, { endsAll: true });
  }
  if (code === 402 || code === 403) {
    return new VendorError('refused', `The TwelveData plan does not cover this (${said}).`);
  }
  if (code === 429) {
    // The wording of the documented answer tells the two spans apart; an unknown wording counts as a minute.
    const spent = /for the day|daily/i.test(message) ? 'day' : 'minute';
    return new VendorError('credits', `The credits of the TwelveData key are spent for the ${spent} (${said}).`, {
      ...{ spent, isPassing: spent === 'minute' },
    });
  }
  if (code >= 500) {
    return new VendorError('unavailable', `TwelveData failed (${said}).`, { isPassing: true, isOutage: true });
  }
  if ((code === 400 || code === 404) && /no data/i.test(message)) {
    return new VendorError('empty', `TwelveData has no data for ${about} on these days.`);
  }
  if ((code === 400 || code === 404) && /symbol|figi/i.test(message)) {
    return new VendorError('unknown', `TwelveData does not know ${about} (${said}).`);
  }
  if (code === 404) return new VendorError('empty', `TwelveData has no data for ${about} (${said}).`);
  return new VendorError('unavailable', `TwelveData did not accept the question about ${about} (${said}).`);
}
