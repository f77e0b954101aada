import { useSyncExternalStore } from 'react';

/** What the newest answer said about its own time, so that the frame of the page can say it once. */
export type ToldTime = { asOf: string; knownAt: string; recordedAt: string; reconstructed: boolean };

let told: ToldTime | null = null;
const listeners = new Set<() => void>();

export function noteTimeOf(answer: unknown): void {
  const time = typeof answer === 'object' && answer !== null && 'time' in answer ? answer.time : null;
  if (
    !isToldTime(time) ||
    (told !== null && told.knownAt === time.knownAt && told.reconstructed === time.reconstructed)
  )
    return;
  // One panel made of declared times is enough to make the page a reconstructed one.
  const isStill = told !== null && told.knownAt === time.knownAt && told.reconstructed;
  told = { ...time, reconstructed: time.reconstructed || isStill };
  for (const listener of listeners) listener();
}

export function useToldTime(): ToldTime | null {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => told,
  );
}

function isToldTime(value: unknown): value is ToldTime {
  return typeof value === 'object' && value !== null && 'knownAt' in value && 'reconstructed' in value;
}
