import { setTimeout as sleep } from 'node:timers/promises';
import { cancelTask, getTask, type Task } from '@touchstone/contracts/tasks';
import type { Call } from './command.ts';
import { createProgress } from './progress.ts';
import { Interrupted } from './terminal.ts';

const POLL_FIRST_MS = 60;
const POLL_LAST_MS = 700;

/** The task ended without having done its work. */
export class TaskEnded extends Error {
  readonly task: Task;
  constructor(task: Task) {
    super(task.problem?.detail ?? `Task ${task.id} ${task.state === 'cancelled' ? 'was cancelled' : 'failed'}.`);
    this.name = 'TaskEnded';
    this.task = task;
  }
}

/**
 * Shows the progress of a task until it is done. Ctrl-C asks once whether to cancel it; without a person to ask it
 * cancels.
 *
 * @throws TaskEnded if it failed or was cancelled; Interrupted if the person leaves it running.
 */
export async function watchTask(call: Call, started: Task): Promise<Task> {
  const { client, terminal } = call;
  const progress = createProgress(terminal, started.title);
  const asked = new AbortController();
  let leaving = false;
  let interrupted = false;
  const stopListening = terminal.onInterrupt(() => {
    if (interrupted) leaving = true;
    interrupted = true;
    asked.abort();
  });
  let wasAsked = false;
  try {
    let task = started;
    let wait = POLL_FIRST_MS;
    while (task.state === 'queued' || task.state === 'running') {
      progress.show(task.progress, task.progressNote);
      await sleep(wait, undefined, { signal: wasAsked ? undefined : asked.signal }).catch(() => {});
      wait = Math.min(POLL_LAST_MS, wait * 1.4);
      if (leaving) throw new Interrupted(`Task ${task.id} goes on. Look after it with: touchstone task ${task.id}`);
      if (interrupted && !wasAsked) {
        wasAsked = true;
        progress.done();
        if (!(await wantsToCancel(call, task))) {
          throw new Interrupted(`Task ${task.id} goes on. Look after it with: touchstone task ${task.id}`);
        }
        await client.call(cancelTask, { params: { taskId: task.id } });
      }
      task = await client.call(getTask, { params: { taskId: task.id } });
    }
    progress.done();
    if (task.state !== 'done') throw new TaskEnded(task);
    return task;
  } finally {
    progress.done();
    stopListening();
  }
}

async function wantsToCancel({ terminal }: Call, task: Task): Promise<boolean> {
  if (!terminal.isInteractive) return true;
  const answer = await terminal.ask(`Cancel "${task.title}"? [y/N] `);
  return /^y(es)?$/i.test(answer.trim());
}
