import { useQuery } from '@tanstack/react-query';
import { getTask, type Task, task, watchTasks } from '@touchstone/contracts/tasks';
import { useEffect, useState } from 'react';
import { apiQuery, queryClient, refreshAll } from './query.ts';
import { client } from './session.ts';

/**
 * Live progress of background work. One stream serves the whole page; EventSource cannot carry an access token, so the
 * stream is read by fetch. While it is away, tasks are polled.
 */

const RECONNECT_MS = 3_000;
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
  const ending = new AbortController();
  void keepReading(ending.signal);
  return () => ending.abort();
}

async function keepReading(ending: AbortSignal): Promise<void> {
  while (!ending.aborted) {
    try {
      const response = await client.raw(watchTasks);
      isOpen = true;
      await readEvents(response, ending);
    } catch {
      // The polling of each task carries on; the stream is only quicker.
    }
    isOpen = false;
    await new Promise((resolve) => setTimeout(resolve, RECONNECT_MS));
  }
}

async function readEvents(response: Response, ending: AbortSignal): Promise<void> {
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  if (!reader) return;
  ending.addEventListener('abort', () => void reader.cancel().catch(() => {}), { once: true });
  let rest = '';
  while (!ending.aborted) {
    const { done, value } = await reader.read();
    if (done) return;
    const blocks = (rest + value).split('\n\n');
    rest = blocks.pop() ?? '';
    for (const block of blocks) tell(block);
  }
}

function tell(block: string): void {
  const lines = block.split('\n');
  if (
    lines
      .find((line) => line.startsWith('event:'))
      ?.slice(6)
      .trim() !== 'task'
  )
    return;
  const text = lines
    .filter((line) => line.startsWith('data:'))
    .map((line) => line.slice(5).trim())
    .join('');
  const parsed = task.safeParse(JSON.parse(text));
  if (!parsed.success) return;
  for (const listener of listeners) listener(parsed.data);
}
