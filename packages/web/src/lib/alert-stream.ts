import { type Alert, alert, watchAlerts } from '@touchstone/contracts/alerts';
import { useEffect } from 'react';
import { readEventStream } from './event-stream.ts';

/**
 * Alerts as they are raised, acknowledged and resolved. A browser opens only six connections to one address over HTTP/1.1,
 * and this stream stays open on every page; so one tab reads it and tells the others.
 */

const NAME = 'touchstone.alerts';
const listeners = new Set<(changed: Alert) => void>();
let stop: (() => void) | null = null;

/** Hears of every alert that changes, as long as the component is there. */
export function useAlertEvents(handle: (changed: Alert) => void): void {
  useEffect(() => {
    listeners.add(handle);
    stop ??= listen();
    return () => {
      listeners.delete(handle);
      if (listeners.size > 0) return;
      stop?.();
      stop = null;
    };
  }, [handle]);
}

function listen(): () => void {
  const channel = new BroadcastChannel(NAME);
  channel.onmessage = (event) => tell(event.data);
  const ending = new AbortController();
  const read = () =>
    new Promise<void>((resolve) => {
      const end = readEventStream(watchAlerts, {
        onEvent: (name, data) => {
          if (name !== 'alert') return;
          tell(data);
          channel.postMessage(data);
        },
      });
      ending.signal.addEventListener('abort', () => {
        end();
        resolve();
      });
    });
  // Locks exist only where the browser trusts the address; elsewhere one tab is assumed.
  if (isSecureContext) navigator.locks.request(NAME, { signal: ending.signal }, read).catch(() => {});
  else void read();
  return () => {
    ending.abort();
    channel.close();
  };
}

function tell(data: unknown): void {
  const parsed = alert.safeParse(data);
  if (!parsed.success) return;
  for (const listener of listeners) listener(parsed.data);
}
