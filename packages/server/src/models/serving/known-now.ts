import type { AskedSubject } from '@touchstone/contracts/predictions';
import { findInstruments, type Subject } from '../../features/index.ts';
import { type ReadTime, resolveTime, type TimeQuery } from '../../market-data/index.ts';
import { type Change, type Database, type Principal, SYSTEM_TENANT_ID } from '../../platform/database/database.ts';
import { ProblemError } from '../../platform/problem-error.ts';

/** What a question left open, answered from memory until something changes that it could rest on. */
export type KnownNow = {
  /** @throws INVALID_REQUEST for a day nobody could know yet. */
  time(asked: TimeQuery): Promise<ReadTime>;
  /** Undefined: there is none that may be seen. */
  find(asked: AskedSubject): Promise<Subject | undefined>;
};

/** Evidence of these kinds can move the bars of a subject, its name, or the default times. */
const KINDS = new Set(['run', 'case', 'instrument', 'source', 'index', 'universe']);
const KEPT_MAX = 20_000;

/**
 * The last publication and the numbers of symbols, kept for each tenant until a change is heard of, in this process or in
 * another. While changes of others could be missed nothing is kept.
 */
export function createKnownNow(database: Database): (principal: Principal) => KnownNow {
  const kept = new Map<number, KnownNow>();
  const forget = ({ tenantId, subjectKind }: Change) => {
    if (!KINDS.has(subjectKind)) return;
    // Everybody builds on the facts of the system.
    if (tenantId === SYSTEM_TENANT_ID) kept.clear();
    else kept.delete(tenantId);
  };
  database.onCommit({
    async after(changes) {
      changes.forEach(forget);
    },
  });
  database.elsewhere.listen({ onChange: forget, onGap: () => kept.clear() });

  return (principal) => {
    if (!database.elsewhere.isHeard()) {
      kept.clear();
      return readNow(database, principal);
    }
    const known = kept.get(principal.tenantId) ?? readNow(database, { ...principal, actorId: null });
    kept.set(principal.tenantId, known);
    return known;
  };
}

function readNow(database: Database, principal: Principal): KnownNow {
  const times = new Map<string, Promise<ReadTime>>();
  const names = new Map<string, Promise<Subject | undefined>>();
  function once<T>(map: Map<string, Promise<T>>, key: string, make: () => Promise<T>): Promise<T> {
    const before = map.get(key);
    if (before !== undefined) return before;
    if (map.size >= KEPT_MAX) map.clear();
    const made = make();
    map.set(key, made);
    made.catch(() => map.delete(key));
    return made;
  }
  return {
    async time({ asOf, knownAt, recordedAt }) {
      const found = await once(times, `${knownAt ?? ''}/${recordedAt ?? ''}`, () =>
        database.transaction(principal, (tx) => resolveTime(tx, { knownAt, recordedAt }), { readOnly: true }),
      );
      if (asOf === undefined) return found;
      if (Date.parse(found.knownAt) < Date.parse(`${asOf}T00:00:00Z`))
        throw new ProblemError(
          'INVALID_REQUEST',
          `asOf ${asOf} is later than knownAt ${found.knownAt}: nobody could know that day yet.`,
        );
      return { ...found, asOf };
    },
    find({ kind, id, symbol }) {
      if (kind === 'index') return Promise.resolve(id === undefined ? undefined : { kind, id });
      const key = id ?? symbol ?? '';
      return once(names, `${typeof key} ${key}`, async () => {
        const found = await database.transaction(principal, (tx) => findInstruments(tx, new Set([key])), {
          readOnly: true,
        });
        const number = found.get(key);
        return number === undefined ? undefined : { kind: 'instrument', id: number };
      });
    },
  };
}
