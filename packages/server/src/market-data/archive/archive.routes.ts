import { bringBackArchive, listArchives, startArchive } from '@touchstone/contracts/keeping';
import type { Database } from '../../platform/database/database.ts';
import type { Serve } from '../../platform/http/serve.ts';
import type { Tasks } from '../../platform/tasks/tasks.ts';
import { ARCHIVE_TASK, type ArchiveService, BRING_BACK_TASK } from './archive.service.ts';

export type ArchiveRouteParts = { database: Database; tasks: Tasks; service: ArchiveService };

export function registerArchiveRoutes(serve: Serve, { database, tasks, service }: ArchiveRouteParts): void {
  serve(listArchives, ({ caller }) => service.list(caller));
  serve(startArchive, async ({ caller, body }) => {
    service.checkMayArchive();
    const title = `Archive bars older than ${body.olderThanYears} years`;
    const work = { kind: ARCHIVE_TASK, title, input: body };
    return { task: await database.transaction(caller, (tx) => tasks.start(tx, work)) };
  });
  serve(bringBackArchive, async ({ caller, params }) => ({
    task: await database.transaction(caller, async (tx) => {
      await service.checkArchived(tx, params.year);
      return tasks.start(tx, {
        kind: BRING_BACK_TASK,
        title: `Bring back the bars of ${params.year}`,
        input: { year: params.year },
      });
    }),
  }));
}
