import { ApiProblem } from '@touchstone/contracts/client';
import type { Route } from '@touchstone/contracts/route';
import { client } from './session.ts';

const RECONNECT_MS = 3_000;

type Reader = {
  /** One event: its name, and what it carries. */
  onEvent: (name: string, data: unknown) => void;
  onOpen?: (isOpen: boolean) => void;
  /** The server said no, and would say it again; the reader stops. Without it the reader goes on asking. */
  onRefused?: (problem: ApiProblem) => void;
};
type Input = { params?: object; query?: object };

/**
 * Reads server-sent events until it is told to stop, and asks again after each end. EventSource cannot carry an access
 * token, so the stream is read by fetch.
 */
export function readEventStream(route: Route, reader: Reader, input: Input = {}): () => void {
  const ending = new AbortController();
  void keepReading(route, reader, input, ending.signal);
  return () => ending.abort();
}

async function keepReading(route: Route, reader: Reader, input: Input, ending: AbortSignal): Promise<void> {
  while (!ending.aborted) {
    try {
      const response = await client.raw(route, input);
      reader.onOpen?.(true);
      await readEvents(response, reader, ending);
    } catch (error) {
      if (reader.onRefused && error instanceof ApiProblem && !error.problem.retryable) {
        reader.onRefused(error);
        return;
      }
      // Whoever listens also asks now and then; the stream is only quicker.
    }
    reader.onOpen?.(false);
    await new Promise((resolve) => setTimeout(resolve, RECONNECT_MS));
  }
}

async function readEvents(response: Response, reader: Reader, ending: AbortSignal): Promise<void> {
  const stream = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  if (!stream) return;
  const cancel = () => void stream.cancel().catch(() => {});
  if (ending.aborted) return cancel();
  ending.addEventListener('abort', cancel, { once: true });
  let rest = '';
  while (!ending.aborted) {
    const { done, value } = await stream.read();
    if (done) return;
    const blocks = (rest + value).split('\n\n');
    rest = blocks.pop() ?? '';
    for (const block of blocks) tell(block, reader);
  }
}

function tell(block: string, reader: Reader): void {
  const lines = block.split('\n');
  const field = (name: string) =>
    lines
      .filter((line) => line.startsWith(`${name}:`))
      .map((line) => line.slice(name.length + 1).trim())
      .join('');
  const name = field('event');
  if (name !== '') reader.onEvent(name, JSON.parse(field('data')));
}
