import { type Problem, problem } from './problems.ts';
import { type Answer, type Input, type Route, takesKey } from './route.ts';

/** A problem document as an error. */
export class ApiProblem extends Error {
  readonly problem: Problem;
  constructor(told: Problem) {
    super(told.detail);
    this.name = 'ApiProblem';
    this.problem = told;
  }
}

/** What a request can carry. */
export type Payload = string | Uint8Array<ArrayBuffer> | Blob | ReadableStream<Uint8Array>;

type Parts = { params?: unknown; query?: unknown; body?: unknown };

/** Sends a request; the web adds cookies and the CSRF token, the CLI its access token. */
export type Send = (
  path: string,
  init: { method: string; headers: Record<string, string>; body?: Payload },
) => Promise<Response>;

/** Calls routes with the types of their contracts. Answers are not validated again: the server did. */
export type Client = {
  call<R extends Route>(route: R, ...input: unknown extends Input<R> ? [] : [Input<R>]): Promise<Answer<R>>;
  /** For routes that give CSV, bytes or events, and for uploads. */
  raw(route: Route, input?: { params?: object; query?: object; body?: Payload }): Promise<Response>;
  /** The address of a route, for links. */
  address(route: Route, input?: { params?: object; query?: object }): string;
};

const RETRY_AFTER_MS = 300;
/** How often an answer is asked for again while the first request with its key still runs. */
const WAITS_MAX = 5;
const WAIT_MS = 1_000;

/**
 * A request that got no answer is sent once more when that cannot do anything twice: a read, or a POST whose
 * Idempotency-Key lets the server tell the two apart.
 */
export function createClient(send: Send): Client {
  const address = (route: Route, input: Parts | undefined) =>
    `/api/v1${fillPath(route.path, input?.params)}${queryText(input?.query)}`;
  const request = async (route: Route, input: Parts | undefined, body: Payload | undefined, type: string) => {
    const headers: Record<string, string> = body === undefined ? {} : { 'content-type': type };
    if (takesKey(route)) headers['idempotency-key'] = newKey();
    const isSafe = (route.method === 'GET' || takesKey(route)) && !(body instanceof ReadableStream);
    const attempt = () => send(address(route, input), { method: route.method, headers, body });
    let response = await attempt().catch(async (error: unknown) => {
      if (!isSafe || !isUnanswered(error)) throw error;
      await pause(RETRY_AFTER_MS);
      return attempt();
    });
    for (let waits = 0; !response.ok; waits++) {
      const told = await readProblem(response);
      if (told.code !== 'KEY_IN_USE' || !isSafe || waits === WAITS_MAX) throw new ApiProblem(told);
      await pause(WAIT_MS);
      response = await attempt();
    }
    return response;
  };
  return {
    address,
    raw: (route, input) => request(route, input, input?.body, 'application/octet-stream'),
    async call(route, ...[input]) {
      const parts: Parts | undefined = input;
      const body = parts?.body === undefined ? undefined : JSON.stringify(parts.body);
      const response = await request(route, parts, body, 'application/json');
      return response.status === 204 ? undefined : JSON.parse(await response.text());
    },
  };
}

/** True when no server said anything: every problem that was told came with an answer, except this one of the web's. */
function isUnanswered(error: unknown): boolean {
  return !(error instanceof ApiProblem) || error.problem.code === 'UNREACHABLE';
}

/** 128 random bits. `crypto.randomUUID` is missing on pages that were not fetched over https. */
function newKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function fillPath(path: string, params: unknown): string {
  const values = new Map(Object.entries(params ?? {}));
  return path.replace(/:(\w+)/g, (_match, name: string) => encodeURIComponent(String(values.get(name))));
}

function queryText(query: unknown): string {
  const parts = new URLSearchParams();
  for (const [key, value] of Object.entries(query ?? {})) {
    if (value !== undefined && value !== null && value !== '') parts.append(key, String(value));
  }
  const text = parts.toString();
  return text === '' ? '' : `?${text}`;
}

async function readProblem(response: Response): Promise<Problem> {
  const parsed = problem.safeParse(await response.json().catch(() => null));
  if (parsed.success) return parsed.data;
  return {
    type: 'about:blank',
    title: 'The server gave no reason',
    status: response.status,
    detail: `The server answered ${response.status} without a problem document.`,
    code: 'UNEXPECTED',
    requestId: '',
    retryable: response.status >= 500,
    details: [],
  };
}
