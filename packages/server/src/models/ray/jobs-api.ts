import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';

/** Where a job of a cluster stands. */
export type RayJob = {
  status: 'PENDING' | 'RUNNING' | 'STOPPED' | 'SUCCEEDED' | 'FAILED';
  message: string;
  /** Of the program; null: it has none (yet), or was ended from outside. */
  exitCode: number | null;
};

/** The cluster cannot be asked. */
export class RayAwayError extends Error {
  override name = 'RayAwayError';
}

const STATUSES = ['PENDING', 'RUNNING', 'STOPPED', 'SUCCEEDED', 'FAILED'] as const;
const ANSWER_MS_MAX = 20_000;
const ANSWER_BYTES_MAX = 4 * 1024 * 1024;

/**
 * The Jobs API of a Ray cluster, as version 2.60 answers it. Uses plain requests: the dashboard refuses to change anything for
 * what looks like a browser, and `fetch` sends the headers of one.
 *
 * Every function throws RayAwayError when there is no answer, or one that no cluster gives.
 */
export function createRayJobs(address: string) {
  const base = address.replace(/\/+$/, '');

  async function ask(method: string, path: string, body?: object): Promise<{ status: number; body: unknown }> {
    const { status, text } = await send(method, `${base}${path}`, body).catch((error: NodeJS.ErrnoException) => {
      throw new RayAwayError(`no answer from ${address}: ${error.code ?? error.message}`, { cause: error });
    });
    if (status >= 500 || status === 405)
      throw new RayAwayError(`${address} answered ${status}: ${text.split('\n')[0]!.slice(0, 200)}`);
    try {
      return { status, body: JSON.parse(text) };
    } catch {
      return { status, body: text };
    }
  }

  const refused = (what: string, { status, body }: { status: number; body: unknown }) =>
    new RayAwayError(`${address} refused to ${what} with ${status}: ${JSON.stringify(body).slice(0, 200)}`);

  return {
    ask,

    async submit(job: { id: string; entrypoint: string; metadata: Record<string, string> }): Promise<void> {
      const answer = await ask('POST', '/api/jobs/', {
        ...{ submission_id: job.id, entrypoint: job.entrypoint, metadata: job.metadata },
        entrypoint_num_cpus: 1,
      });
      if (answer.status !== 200) throw refused('take a job', answer);
    },

    /** Null: the cluster knows no such job (any more). */
    async find(id: string): Promise<RayJob | null> {
      const answer = await ask('GET', `/api/jobs/${id}`);
      if (answer.status === 404) return null;
      const told: { status?: unknown; message?: unknown; driver_exit_code?: unknown } = Object(answer.body);
      const known = STATUSES.find((name) => name === told.status);
      if (known === undefined) throw refused('tell of a job', answer);
      const { message, driver_exit_code: exitCode } = told;
      return {
        status: known,
        message: String(message ?? ''),
        exitCode: typeof exitCode === 'number' ? exitCode : null,
      };
    },

    async readLogs(id: string): Promise<string> {
      const { logs }: { logs?: unknown } = Object((await ask('GET', `/api/jobs/${id}/logs`)).body);
      return typeof logs === 'string' ? logs : '';
    },

    async stop(id: string): Promise<void> {
      await ask('POST', `/api/jobs/${id}/stop`);
    },

    /** Forgets a job that has ended. */
    async remove(id: string): Promise<void> {
      await ask('DELETE', `/api/jobs/${id}`);
    },
  };
}

function send(method: string, address: string, body?: object): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const request = address.startsWith('https:') ? requestHttps : requestHttp;
    const content = body === undefined ? undefined : JSON.stringify(body);
    const headers =
      content === undefined
        ? {}
        : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(content)) };
    const sent = request(address, { method, headers, signal: AbortSignal.timeout(ANSWER_MS_MAX) }, (answer) => {
      const chunks: Buffer[] = [];
      let size = 0;
      answer.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size > ANSWER_BYTES_MAX) sent.destroy(new Error('the answer is too long'));
        else chunks.push(chunk);
      });
      answer.on('error', reject);
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') }));
    });
    sent.on('error', reject);
    sent.end(content);
  });
}
