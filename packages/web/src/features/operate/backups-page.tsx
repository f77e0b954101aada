import { useMutation, useQuery } from '@tanstack/react-query';
import {
  type Archive,
  bringBackArchive,
  listArchives,
  listBackups,
  startArchive,
  startBackup,
  startDrill,
} from '@touchstone/contracts/keeping';
import type { Task } from '@touchstone/contracts/tasks';
import { useState } from 'react';
import { ConfirmButton } from '../../components/confirm.tsx';
import { DataTable } from '../../components/data-table.tsx';
import { onSubmit, TextField } from '../../components/form.tsx';
import { Gate } from '../../components/gate.tsx';
import { ProblemNotice } from '../../components/problem-notice.tsx';
import { QueryView } from '../../components/query-view.tsx';
import { SubNav } from '../../components/sub-nav.tsx';
import { TaskProgress } from '../../components/task-progress.tsx';
import { Badge, Button, Empty, Hash, PageHeader, Panel } from '../../components/ui.tsx';
import { useRefusal } from '../../lib/auth.ts';
import { formatBytes, formatCount, formatInstant, formatNumber, plural } from '../../lib/format.ts';
import { apiQuery } from '../../lib/query.ts';
import { client } from '../../lib/session.ts';

export function BackupsPage() {
  return (
    <>
      <SubNav of="operate" />
      <PageHeader title="Backups and archives">
        A backup that was never restored is a hope. The drill restores the newest one beside and compares it.
      </PageHeader>
      <div className="grid gap-4">
        <Gate scope="system:write">
          <Backups />
        </Gate>
        <Gate scope="system:read">
          <Archives />
        </Gate>
      </div>
    </>
  );
}

function Backups() {
  const backups = useQuery(apiQuery(listBackups));
  const [taskId, setTaskId] = useState<number | null>(null);
  const [done, setDone] = useState<Task | null>(null);
  const start = useMutation({
    mutationFn: (route: typeof startBackup | typeof startDrill) => client.call(route),
    onSuccess: ({ task }) => setTaskId(task.id),
  });
  const isEmpty = backups.data?.items.length === 0;
  return (
    <Panel
      title="Backups"
      hint={
        backups.data && (
          <>
            In <code className="font-mono text-xs break-all">{backups.data.folder}</code>. Kept:{' '}
            {backups.data.keeps.daily} daily, {backups.data.keeps.weekly} weekly, {backups.data.keeps.monthly} monthly.
          </>
        )
      }
      actions={
        <>
          <Button
            look="main"
            isBusy={start.isPending && start.variables === startBackup}
            onClick={() => start.mutate(startBackup)}
          >
            Back up now
          </Button>
          <Button
            isBusy={start.isPending && start.variables === startDrill}
            disabled={isEmpty}
            onClick={() => start.mutate(startDrill)}
          >
            Restore drill
          </Button>
        </>
      }
      flush
    >
      {(taskId !== null || start.error) && (
        <div className="grid gap-3 px-4 pb-4">
          {taskId !== null && <TaskProgress taskId={taskId} onDone={setDone} key={taskId} />}
          {done !== null && done.id === taskId && <DrillOutcome task={done} />}
          {start.error && <ProblemNotice error={start.error} />}
        </div>
      )}
      <QueryView query={backups}>
        {({ items }) => (
          <DataTable
            label="Backups"
            rows={items}
            rowKey={(backup) => backup.name}
            empty={
              <Empty title="There is no backup yet">
                <p>Make one now, and a schedule of the kind “Back up” for every night.</p>
              </Empty>
            }
            columns={[
              {
                key: 'at',
                header: 'Backup',
                cell: (backup) => (
                  <span className="block min-w-40">
                    <span className="font-medium">{formatInstant(backup.createdAt)}</span>
                    <code className="block font-mono text-xs break-all text-soft">{backup.name}</code>
                  </span>
                ),
              },
              {
                key: 'state',
                header: 'State',
                cell: (backup) => (
                  <Badge tone={backup.state === 'verified' ? 'accent' : 'warn'}>
                    {backup.state === 'verified' ? 'read back' : 'not read back'}
                  </Badge>
                ),
              },
              { key: 'size', header: 'Size', isNumber: true, cell: (backup) => formatBytes(backup.byteCount) },
              {
                key: 'kept',
                header: 'Kept as',
                isWide: true,
                cell: (backup) => backup.keptAs.join(', ') || 'goes next',
              },
              { key: 'root', header: 'Hash of all', isWide: true, cell: (backup) => <Hash value={backup.root} /> },
            ]}
          />
        )}
      </QueryView>
    </Panel>
  );
}

/** What a drill found; a backup has nothing to add to its row in the table. */
function DrillOutcome({ task }: { task: Task }) {
  const { rowCount, seconds, ok } = task.result ?? {};
  if (ok !== true || typeof rowCount !== 'number' || typeof seconds !== 'number') return null;
  return (
    <p className="text-sm">
      {plural(rowCount, 'row')} restored beside and compared in {formatNumber(seconds, 1)} s: equal.
    </p>
  );
}

const ARCHIVE_STATES: Record<Archive['state'], string> = {
  written: 'written',
  verified: 'verified',
  archived: 'archived',
  brought_back: 'brought back',
};

function archivedOf(all: readonly Archive[], year: number): Archive[] {
  return all.filter((one) => one.year === year && one.state === 'archived');
}

function sumOf(archives: readonly Archive[]): number {
  return archives.reduce((sum, one) => sum + one.rowCount, 0);
}

function Archives() {
  const archives = useQuery(apiQuery(listArchives));
  const refusal = useRefusal('system:write');
  const [years, setYears] = useState('10');
  const [taskId, setTaskId] = useState<number | null>(null);
  const start = useMutation({
    mutationFn: () => client.call(startArchive, { body: { olderThanYears: Number(years) } }),
    onSuccess: ({ task }) => setTaskId(task.id),
  });
  return (
    <Panel
      title="Archived years"
      hint="Old price bars in Parquet files. They are read like all others; no answer changes by it."
      flush
    >
      {refusal === null && (
        <form className="flex flex-wrap items-end gap-3 px-4 pb-4" onSubmit={onSubmit(() => start.mutate())}>
          <div className="w-48">
            <TextField
              label="Older than (whole years)"
              type="number"
              min={1}
              max={200}
              required
              path="body.olderThanYears"
              error={start.error}
              value={years}
              onValue={setYears}
            />
          </div>
          <Button type="submit" isBusy={start.isPending}>
            Archive them
          </Button>
        </form>
      )}
      {(taskId !== null || start.error) && (
        <div className="grid gap-3 px-4 pb-4">
          {taskId !== null && <TaskProgress taskId={taskId} key={taskId} />}
          {start.error && <ProblemNotice error={start.error} />}
        </div>
      )}
      <QueryView query={archives}>
        {({ items }) => (
          <DataTable
            label="Archived years"
            rows={items}
            rowKey={(archive) => archive.id}
            empty={
              <Empty title="No year is archived">
                <p>All price bars lie in the database. Archiving is worth it when it grows large.</p>
              </Empty>
            }
            columns={[
              {
                key: 'year',
                header: 'Year',
                cell: (archive) => (
                  <>
                    <span className="font-medium">{archive.year}</span>
                    {archive.tenantId === 0 && <span className="block text-xs text-soft">simulated market</span>}
                  </>
                ),
              },
              {
                key: 'state',
                header: 'State',
                cell: (archive) => (
                  <Badge tone={archive.state === 'archived' ? 'accent' : 'plain'}>
                    {ARCHIVE_STATES[archive.state]}
                  </Badge>
                ),
              },
              { key: 'rows', header: 'Rows', isNumber: true, cell: (archive) => formatCount(archive.rowCount) },
              {
                key: 'instruments',
                header: 'Instruments',
                isNumber: true,
                isWide: true,
                cell: (archive) => formatCount(archive.instrumentCount),
              },
              {
                key: 'size',
                header: 'Size',
                isNumber: true,
                isWide: true,
                cell: (archive) => formatBytes(archive.byteCount),
              },
              {
                key: 'content',
                header: 'Content',
                isWide: true,
                cell: (archive) => <Hash value={archive.contentSha256} />,
              },
              {
                key: 'act',
                header: <span className="sr-only">Actions</span>,
                // A year comes back as a whole, so that it has one button.
                cell: (archive) =>
                  refusal === null &&
                  archive.state === 'archived' &&
                  archivedOf(items, archive.year)[0]?.id === archive.id && (
                    <ConfirmButton
                      action="Bring back"
                      title={`Bring ${archive.year} back?`}
                      run={async () => {
                        const { task } = await client.call(bringBackArchive, { params: { year: archive.year } });
                        setTaskId(task.id);
                      }}
                    >
                      All of {archive.year}, {plural(sumOf(archivedOf(items, archive.year)), 'row')} of every tenant, go
                      into the database again. No answer changes by it.
                    </ConfirmButton>
                  ),
              },
            ]}
          />
        )}
      </QueryView>
    </Panel>
  );
}
