import type { AliasEvent, ServingPeriod } from '@touchstone/contracts/models';

/** The champions of a model in order: a rollback takes away what it left, so that a second one goes further back. */
export function championLine(events: readonly Pick<AliasEvent, 'action' | 'to'>[]): (number | null)[] {
  const line: (number | null)[] = [];
  for (const { action, to } of events) {
    if (action !== 'rolled_back') {
      line.push(to);
      continue;
    }
    while (line.length > 0 && line.at(-1) !== to) line.pop();
  }
  return line;
}

/**
 * The champion before the present one, or null.
 *
 * @param events Of the champion alias, oldest first.
 * @param archived Versions that may not come back.
 */
export function previousChampion(
  events: readonly Pick<AliasEvent, 'action' | 'to'>[],
  archived: ReadonlySet<number>,
): number | null {
  const line = championLine(events);
  const current = line.at(-1) ?? null;
  for (const version of line.slice(0, -1).reverse()) {
    if (version !== null && version !== current && !archived.has(version)) return version;
  }
  return null;
}

/** @param events Of the champion alias, newest first. */
export function toPeriods(events: readonly AliasEvent[]): ServingPeriod[] {
  return events.map(({ to, at, by, reason }, i) => ({
    ...{ version: to, from: at, until: events[i - 1]?.at ?? null, by, reason },
  }));
}
