import { type Problem, problem } from './problems.ts';
import type { Answer, Input, Route } from './route.ts';

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

export function createClient(send: Send): Client {
  const address = (route: Route, input: Parts | undefined) =>
    `/api/v1${fillPath(route.path, input?.params)}${queryText(input?.query)}`;
  const request = async (route: Route, input: Parts | undefined, body: Payload | undefined, type: string) => {
    const headers: Record<string, string> = body === undefined ? {} : { 'content-type': type };
    const response = await send(address(route, input), { method: route.method, headers, body });
    if (!response.ok) throw new ApiProblem(await readProblem(response));
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
