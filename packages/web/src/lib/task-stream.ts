import { useQuery } from '@tanstack/react-query';
import { getTask, type Task, task, watchTasks } from '@touchstone/contracts/tasks';
import { useEffect, useState } from 'react';
import { readEventStream } from './event-stream.ts';
import { apiQuery, queryClient, refreshAll } from './query.ts';

/** Live progress of background work. One stream serves the whole page; while it is away, tasks are polled. */

const POLL_MS = 1_000;
const POLL_BESIDE_STREAM_MS = 10_000;

const listeners = new Set<(changed: Task) => void>();
let stop: (() => void) | null = null;
let isOpen = false;

/** Hears of every task that changes, as long as the component is there. */
export function useTaskEvents(handle: (changed: Task) => void): void {
  useEffect(() => {
    listeners.add(handle);
    stop ??= openStream();
    return () => {
      listeners.delete(handle);
      if (listeners.size > 0) return;
      stop?.();
      stop = null;
    };
  }, [handle]);
}

/** One task, kept up to date by the stream or by polling. */
export function useTask(taskId: number | null, whenDone?: (done: Task) => void) {
  const [finished, setFinished] = useState<number | null>(null);
  const query = useQuery({
    ...apiQuery(getTask, { params: { taskId: taskId ?? 0 } }),
    enabled: taskId !== null,
    placeholderData: undefined,
    refetchInterval: ({ state }) => {
      if (state.data && isOver(state.data)) return false;
      return isOpen ? POLL_BESIDE_STREAM_MS : POLL_MS;
    },
  });
  useTaskEvents(writeToCache);
  const current = query.data;
  useEffect(() => {
    if (!current || !isOver(current) || finished === current.id) return;
    setFinished(current.id);
    void refreshAll();
    whenDone?.(current);
  }, [current, finished, whenDone]);
  return query;
}

export function isOver(of: Pick<Task, 'state'>): boolean {
  return of.state === 'done' || of.state === 'failed' || of.state === 'cancelled';
}

function writeToCache(changed: Task): void {
  queryClient.setQueryData(apiQuery(getTask, { params: { taskId: changed.id } }).queryKey, changed);
}

function openStream(): () => void {
  return readEventStream(watchTasks, {
    onOpen: (open) => {
      isOpen = open;
    },
    onEvent: (name, data) => {
      const parsed = name === 'task' ? task.safeParse(data) : null;
      if (!parsed?.success) return;
      for (const listener of listeners) listener(parsed.data);
    },
  });
}
