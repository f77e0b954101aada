import type { Reason } from '@touchstone/contracts/market';

export type ReasonCode = Reason['code'];

/** Reasons as one byte each; 0 is a value. The order is part of what the online store holds: add at the end. */
export const REASON_CODES = [
  'too_little_history',
  'all_missing',
  'no_range',
  'no_volume',
  'gap_in_window',
  'not_known_yet',
  'not_defined',
  'unknown_feature',
  'unknown_entity',
  'expired',
  'not_materialised',
  'failed',
  'took_too_long',
] as const satisfies readonly ReasonCode[];

const SENTENCES: Record<(typeof REASON_CODES)[number], string> = {
  too_little_history: 'Fewer bars were known by then than the feature needs before its first value.',
  all_missing: 'No bar of the instrument is known.',
  no_range: 'The feature needs open, high and low, and the source does not tell them.',
  no_volume: 'The feature needs a volume, and the source does not tell it.',
  gap_in_window: 'A price is missing among the bars the feature looks at.',
  not_known_yet: 'Nothing about that day was known at that moment.',
  not_defined: 'The formula has no value there, for example after a division by zero.',
  unknown_feature: 'There is no such feature.',
  unknown_entity: 'There is no such instrument.',
  expired: 'The value is older than its view allows.',
  not_materialised: 'Nothing was brought into the online store for this instrument yet.',
  failed: 'The feature failed while it was computed.',
  took_too_long: 'The feature was stopped because it took too long.',
};

/** The byte of a reason. */
export function reasonByte(code: (typeof REASON_CODES)[number]): number {
  return REASON_CODES.indexOf(code) + 1;
}

/** The reason of a byte; null for a value. */
export function reasonOfByte(byte: number): (typeof REASON_CODES)[number] | null {
  return REASON_CODES[byte - 1] ?? null;
}

export function sentenceOf(code: (typeof REASON_CODES)[number]): string {
  return SENTENCES[code];
}
