import { useNavigate, useSearch } from '@tanstack/react-router';
import { useCallback, useMemo } from 'react';

/** The moment the page looks from. It lives in the address, so that a link shows the same thing to somebody else. */
export type KnownTime = { knownAt?: string; recordedAt?: string };

export function readKnownTime(search: Record<string, unknown>): KnownTime {
  const instant = (value: unknown) =>
    typeof value === 'string' && !Number.isNaN(Date.parse(value)) ? new Date(value).toISOString() : undefined;
  const knownAt = instant(search.knownAt);
  const recordedAt = instant(search.recordedAt);
  return { ...(knownAt && { knownAt }), ...(recordedAt && { recordedAt }) };
}

/** The times every read of a fact is asked with; empty for now. */
export function useKnownTime(): KnownTime {
  const search: Record<string, unknown> = useSearch({ strict: false });
  const { knownAt, recordedAt } = readKnownTime(search);
  return useMemo(() => ({ ...(knownAt && { knownAt }), ...(recordedAt && { recordedAt }) }), [knownAt, recordedAt]);
}

export function useSetKnownTime(): (time: KnownTime) => void {
  const navigate = useNavigate();
  return useCallback(
    (time) => {
      const known = { knownAt: time.knownAt, recordedAt: time.recordedAt };
      void navigate({ to: '.', search: (before) => ({ ...before, ...known }), replace: true, resetScroll: false });
    },
    [navigate],
  );
}
