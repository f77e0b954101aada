import { dayText } from '@touchstone/quant/series/day';
import type { Subject } from '../../features/index.ts';
import type { Database, Principal } from '../../platform/database/database.ts';
import type { ResolvedVersion } from '../registry/registry.types.ts';
import { findLevels, type IntervalState } from './interval.repository.ts';

const GROUPS_MAX = 20_000;

/** Subjects that share an interval: each has its own. */
export function groupOf({ kind, id }: Subject): string {
  return `${kind}:${id}`;
}

/** The level asked of an interval, as outcomes known by a day have moved it. Kept until an outcome is joined. */
export function createIntervalLevels(database: Database) {
  let kept = new Map<string, Promise<IntervalState[]>>();
  const forget = ({ subjectKind }: { subjectKind: string }) => {
    if (subjectKind === 'prediction_outcome') kept = new Map();
  };
  database.onCommit({
    async after(changes) {
      changes.forEach(forget);
    },
  });
  database.elsewhere.listen({
    onChange: forget,
    onGap: () => {
      kept = new Map();
    },
  });
  return {
    /** Null: no outcome has moved it yet. */
    async find(
      principal: Principal,
      { modelId, version }: Pick<ResolvedVersion, 'modelId' | 'version'>,
      subject: Subject,
      { eventDay }: { eventDay: number | null },
    ): Promise<number | null> {
      if (eventDay === null) return null;
      const key = `${principal.tenantId} ${modelId} ${version} ${groupOf(subject)}`;
      const now = kept;
      let states = now.get(key);
      if (states === undefined) {
        if (now.size >= GROUPS_MAX) now.clear();
        states = database.transaction(
          principal,
          (tx) => findLevels(tx, { modelId, version, group: groupOf(subject) }),
          { readOnly: true },
        );
        now.set(key, states);
        states.catch(() => now.delete(key));
      }
      const day = dayText(eventDay);
      return (await states).findLast(({ throughDay }) => throughDay <= day)?.level ?? null;
    },
  };
}
