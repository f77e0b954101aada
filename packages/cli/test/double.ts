import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PROBLEMS, type Problem, type ProblemCode } from '@touchstone/contracts/problems';
import type { Route } from '@touchstone/contracts/route';
import { ALL_ROUTES } from '@touchstone/contracts/routes';
import { z } from 'zod';
import type { Terminal } from '../src/terminal.ts';

/** A request as the double saw it, after the contract's schemas. */
export type Seen = { id: string; params: unknown; query: unknown; body: unknown; authorization: string | undefined };

/** What the double says instead of the contract's example. */
export type Answers = Record<string, (seen: Seen, count: number) => unknown>;

/**
 * A server made of the contracts alone: it validates every request as the real one does, and answers with the examples
 * of the contract. Replaces the server in the tests of this package; test/stories uses the real one.
 */
export async function startDouble(answers: Answers = {}) {
  const seen: Seen[] = [];
  const server = createServer(async (request, response) => {
    const send = (status: number, type: string, text: string) =>
      response.writeHead(status, { 'content-type': type }).end(text);
    const refuse = (code: ProblemCode, detail: string, details: Problem['details'] = [], challenge?: string) =>
      send(
        PROBLEMS[code].status,
        'application/problem+json',
        JSON.stringify({
          type: `/problems#${code}`,
          ...PROBLEMS[code],
          detail,
          code,
          requestId: 'R1',
          details,
          challenge,
        }),
      );
    const content = await readAll(request);
    const url = new URL(request.url ?? '/', 'http://double');
    const matched = matchRoute(request.method ?? '', url.pathname);
    if (matched === undefined) return refuse('NOT_FOUND', `There is no ${request.method} ${url.pathname}.`);
    const { route, params } = matched;
    const parts = {
      params: route.params?.safeParse(params),
      query: route.query?.safeParse(Object.fromEntries(url.searchParams)),
      body: route.takes === 'bytes' ? undefined : route.body?.safeParse(parseJson(content)),
    };
    const details = Object.entries(parts).flatMap(([name, result]) =>
      (result?.error?.issues ?? []).map((issue) => ({ path: [name, ...issue.path].join('.'), rule: issue.message })),
    );
    if (details.length > 0) return refuse('INVALID_REQUEST', `${route.id} was asked wrongly.`, details);
    const told: Seen = {
      id: route.id,
      params: parts.params?.data,
      query: parts.query?.data,
      body: route.takes === 'bytes' ? content : parts.body?.data,
      authorization: request.headers.authorization,
    };
    seen.push(told);
    const count = seen.filter((each) => each.id === route.id).length;
    const given = answers[route.id]?.(told, count);
    if (given instanceof Refusal) return refuse(given.code, given.detail, given.details, given.challenge);
    if (route.status === 204) return response.writeHead(204).end();
    if (route.gives === 'events') return send(200, 'text/event-stream', String(given ?? ': open\n\n'));
    if (route.gives === 'csv' || route.gives === 'bytes') return send(200, 'text/csv', String(given ?? 'day,level\n'));
    // What the double says must be what the contract says.
    const answer = route.answer?.parse(given ?? exampleOf(route));
    return send(route.status, 'application/json', JSON.stringify(answer));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    seen,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Makes the double answer with a problem. */
export class Refusal {
  readonly code: ProblemCode;
  readonly detail: string;
  readonly details: Problem['details'];
  readonly challenge: string | undefined;
  constructor(code: ProblemCode, detail: string, details: Problem['details'] = [], challenge?: string) {
    this.code = code;
    this.detail = detail;
    this.details = details;
    this.challenge = challenge;
  }
}

/** The contract's own example of a route's answer. */
export function exampleOf(route: Route): unknown {
  if (route.answer === undefined) return undefined;
  return build(z.toJSONSchema(route.answer, { io: 'output' }));
}

function build(schema: z.core.JSONSchema._JSONSchema): unknown {
  if (typeof schema === 'boolean') return null;
  if (schema.example !== undefined) return schema.example;
  if (schema.enum !== undefined) return schema.enum[0];
  if (schema.const !== undefined) return schema.const;
  const [first] = schema.anyOf ?? schema.allOf ?? [];
  if (first !== undefined) return build(first);
  if (schema.type === 'object') {
    return Object.fromEntries(Object.entries(schema.properties ?? {}).map(([name, part]) => [name, build(part)]));
  }
  if (schema.type === 'array') {
    const { items } = schema;
    return items === undefined || Array.isArray(items) ? [] : [build(items)];
  }
  return { string: 'text', number: 1, integer: 1, boolean: true }[String(schema.type)] ?? null;
}

function matchRoute(method: string, path: string) {
  for (const route of ALL_ROUTES) {
    const names: string[] = [];
    const pattern = route.path.replace(/:(\w+)/g, (_match, name: string) => {
      names.push(name);
      return '([^/]+)';
    });
    const found = new RegExp(`^/api/v1${pattern}$`).exec(path);
    if (route.method !== method || found === null) continue;
    const params = Object.fromEntries(names.map((name, i) => [name, decodeURIComponent(found[i + 1] ?? '')]));
    return { route, params };
  }
  return undefined;
}

async function readAll(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString('utf8');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A terminal that remembers. Questions are answered from a list; Ctrl-C is pressed with `interrupt`. */
export function fakeTerminal(
  environment: Record<string, string | undefined>,
  options: { answers?: string[] | undefined; input?: string; isInteractive?: boolean } = {},
) {
  const said = { out: '', err: '', questions: [] as string[] };
  const listeners = new Set<() => void>();
  const answers = [...(options.answers ?? [])];
  const terminal: Terminal = {
    out: (text) => {
      said.out += text;
    },
    err: (text) => {
      said.err += text;
    },
    isInteractive: options.isInteractive ?? false,
    environment,
    async ask(question) {
      said.questions.push(question);
      return answers.shift() ?? '';
    },
    readInput: async () => options.input ?? '',
    onInterrupt(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  const interrupt = () => {
    for (const listener of listeners) listener();
  };
  return { terminal, said, interrupt, listeners };
}
