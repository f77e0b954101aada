import type { Schedule, ScheduleKind } from '@touchstone/contracts/tasks';
import { findOwnSource } from '../../market-data/index.ts';
import type { Database, Principal } from '../../platform/database/database.ts';
import { ProblemError } from '../../platform/problem-error.ts';
import type { ScheduleService } from '../../platform/tasks/schedule.service.ts';
import { findIndexesOfUniverse } from '../index/index.repository.ts';
import { getUniverseIn } from '../universe/universe.service.ts';

export type KeepCurrentService = ReturnType<typeof createKeepCurrentService>;

/** Minutes from the refresh to what follows it. A refresh of 426 symbols takes minutes where credits are few. */
const COURT_AFTER = 30;
const INDEXES_AFTER = 45;

type Wanted = { kind: ScheduleKind; title: string; input: Record<string, number>; minutes: number };

/** Keeps a universe and its indexes current: fetch, judge, compute, in this order after every close. */
export function createKeepCurrentService(database: Database, schedules: ScheduleService) {
  return {
    /** Makes the schedules that are missing and moves those that stand elsewhere. Asked again, it changes nothing. */
    keepCurrent: (
      principal: Principal,
      universeId: number,
      { sourceId, minutes }: { sourceId: number; minutes: number },
    ) =>
      database.transaction(principal, async (tx) => {
        const universe = await getUniverseIn(tx, universeId);
        if (universe.tenantId !== principal.tenantId) {
          throw new ProblemError(
            'NOT_POSSIBLE_NOW',
            `${universe.name} belongs to the system, which keeps it current itself.`,
          );
        }
        const source = await findOwnSource(tx, sourceId);
        if (source === undefined) throw new ProblemError('NOT_FOUND', `There is no source ${sourceId} of your own.`);
        // Two at once would make everything twice.
        await tx.client.query('SELECT FROM universe WHERE id = $1 FOR UPDATE', [universeId]);
        const indexes = await findIndexesOfUniverse(tx, universeId);
        const wanted: Wanted[] = [
          { kind: 'refresh', title: `Refresh ${universe.name}`, input: { universeId, sourceId }, minutes },
          { kind: 'court', title: `Judge ${universe.name}`, input: { universeId }, minutes: minutes + COURT_AFTER },
          ...indexes.map(({ id, name }) => ({
            ...{ kind: 'index-run' as const, title: `Compute ${name}`, input: { indexId: id } },
            minutes: minutes + INDEXES_AFTER,
          })),
        ];
        const present = await schedules.listIn(tx);
        const items: Schedule[] = [];
        let changedCount = 0;
        for (const { kind, title, input, minutes: after } of wanted) {
          const afterClose = { calendar: source.calendar, minutes: after };
          const body = { kind, title: title.slice(0, 200), input, afterClose, enabled: true };
          const same = present.find((schedule) => schedule.kind === kind && isSameSubject(kind, schedule.input, input));
          if (same !== undefined && isAsWanted(same, body)) {
            items.push(same);
            continue;
          }
          changedCount++;
          items.push(
            same === undefined
              ? await schedules.createIn(tx, body)
              : await schedules.updateIn(tx, same.id, { ...body, title: same.title, version: same.version }),
          );
        }
        return { items, changedCount };
      }),
  };
}

/** One refresh a universe, wherever it fetches from. */
function isSameSubject(kind: ScheduleKind, input: Schedule['input'], wanted: Record<string, number>): boolean {
  return kind === 'index-run' ? input.indexId === wanted.indexId : input.universeId === wanted.universeId;
}

function isAsWanted(
  schedule: Schedule,
  wanted: { input: Record<string, number>; afterClose: { calendar: string; minutes: number }; enabled: boolean },
): boolean {
  const { afterClose } = schedule;
  return (
    schedule.enabled === wanted.enabled &&
    afterClose?.calendar === wanted.afterClose.calendar &&
    afterClose.minutes === wanted.afterClose.minutes &&
    Object.entries(wanted.input).every(([name, value]) => schedule.input[name] === value)
  );
}
