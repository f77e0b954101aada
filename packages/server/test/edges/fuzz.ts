import type { Route } from '@touchstone/contracts/route';
import fc from 'fast-check';
import { z } from 'zod';
import type { TestServer } from '../test-server.ts';
import type { Belongings } from './whole-server.ts';

/** A request made from a route's own schemas: often nearly right, often hostile. */
export type FuzzRequest = { path: string; body: string | undefined; headers: Record<string, string> };
/** An answer that must not be. */
export type FuzzFailure = { routeId: string; request: FuzzRequest; status: number; text: string; log: string };

const HOSTILE_TEXTS = [
  '',
  ' ',
  '\0',
  'a\0b',
  '\ud800',
  'a\udfffb',
  '\u202eright to left',
  'e\u0301\u0301\u0301',
  '💶'.repeat(300),
  'x'.repeat(5000),
  "'; DROP TABLE instrument; --",
  '" OR 1=1 --',
  '%_\\',
  '\\x00',
  '../../../etc/passwd',
  '..%2f..%2fetc%2fpasswd',
  '<script>alert(1)</script>',
  '{{7*7}}',
  '$(id)',
  '=1+1',
  '0x1F',
  '1e999',
  'NaN',
  '-0',
  '2147483648',
  '9223372036854775808',
  '99999999999999999999999999',
  '0000-00-00',
  '9999-12-31',
  '10000-01-01',
  '-0001-01-01',
  '2024-02-30',
  '0001-01-01',
  '0001-01-01T00:00:00.000Z',
  '9999-12-31T23:59:59.999Z',
  '2024-01-02T00:00:00+14:00',
  'null',
  'true',
  '[]',
  '{}',
  'MTAw',
  'WzFd',
  'WzFlOTld',
  'Wy0xXQ',
  'WzEuNV0',
  'WyJcdTAwMDAiXQ',
  'WyJcdTAwMDAiLDFd',
  'WyIyMDI0LTAyLTMwIiwxXQ',
  '__proto__',
  'constructor',
];
const HOSTILE_VALUES: readonly unknown[] = [
  null,
  true,
  -1,
  0,
  -0,
  1.5,
  1e308,
  -1e308,
  5e-324,
  2147483647,
  2147483648,
  Number.MAX_SAFE_INTEGER,
  1e21,
  [],
  {},
  [[[[[[]]]]]],
  { a: { b: { c: null } } },
  { toString: 1, valueOf: 2, length: -1, hasOwnProperty: 3 },
  Array.from({ length: 2000 }, (_, i) => i),
];

type Node = {
  type?: string | string[];
  enum?: unknown[];
  const?: unknown;
  format?: string;
  pattern?: string;
  properties?: Record<string, Node>;
  required?: string[];
  items?: Node;
  additionalProperties?: Node | boolean;
  anyOf?: Node[];
  oneOf?: Node[];
  allOf?: Node[];
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  maxItems?: number;
  default?: unknown;
  examples?: unknown[];
  example?: unknown;
};

const hostileText = fc.oneof(fc.constantFrom(...HOSTILE_TEXTS), fc.string({ unit: 'binary', maxLength: 60 }));
const hostile: fc.Arbitrary<unknown> = fc.oneof(
  hostileText,
  fc.constantFrom(...HOSTILE_VALUES),
  fc.jsonValue({ maxDepth: 3 }),
);

/** Cursors of every shape we write: one number, an instant or a day and a number, a text and a number. */
const cursor = fc.oneof(
  fc
    .tuple(fc.oneof(fc.integer(), fc.constantFrom('2024-01-02', '2024-01-02T00:00:00.000Z', 'ALDR')), fc.integer())
    .chain(([first, second]) => fc.constantFrom([first], [first, second]))
    .map((parts) => Buffer.from(JSON.stringify(parts)).toString('base64url')),
  fc.constantFrom(...HOSTILE_TEXTS.filter((text) => text.startsWith('W'))),
);

/** `calm` values fit their schema, so that a request gets past the first check; `wild` ones need not. */
type Temper = { known: readonly unknown[]; isWild: boolean };

function arbitraryOf(node: Node, temper: Temper): fc.Arbitrary<unknown> {
  const fitting = fittingOf(node, temper);
  return temper.isWild ? fc.oneof({ weight: 6, arbitrary: fitting }, { weight: 1, arbitrary: hostile }) : fitting;
}

function fittingOf(node: Node, temper: Temper): fc.Arbitrary<unknown> {
  const { known, isWild } = temper;
  if (node.enum !== undefined) return fc.constantFrom(...node.enum);
  if (node.const !== undefined) return fc.constant(node.const);
  const choices = node.anyOf ?? node.oneOf;
  if (choices !== undefined) return fc.oneof(...choices.map((choice) => arbitraryOf(choice, temper)));
  const examples = [...(node.examples ?? []), ...(node.example === undefined ? [] : [node.example])];
  const example = examples.length === 0 ? [] : [fc.constantFrom(...examples)];
  const type = Array.isArray(node.type) ? node.type[0] : node.type;
  switch (type) {
    case 'object': {
      if (node.properties === undefined) return fc.dictionary(hostileText, hostile, { maxKeys: 4 });
      const fields = Object.fromEntries(
        Object.entries(node.properties).map(([key, field]) => [key, arbitraryOf(field, temper)]),
      );
      const whole = fc.record(fields, { requiredKeys: node.required ?? [] });
      return isWild ? fc.oneof({ weight: 4, arbitrary: whole }, fc.record(fields, { requiredKeys: [] })) : whole;
    }
    case 'array':
      return fc.array(arbitraryOf(node.items ?? {}, temper), { maxLength: 4 });
    case 'integer':
      return fc.oneof(
        ...example,
        fc.constantFrom(...known.filter((value) => typeof value === 'number' && value <= (node.maximum ?? value)), 1),
        fc.integer({ min: Math.max(-(2 ** 31), node.minimum ?? -5), max: Math.min(500, node.maximum ?? 500) }),
        fc.constant(Math.min(2 ** 53, node.maximum ?? 2 ** 53)),
      );
    case 'number':
      return fc.oneof(
        ...example,
        fc.double({
          ...{ noNaN: true, noDefaultInfinity: true },
          ...(node.minimum === undefined ? {} : { min: node.minimum }),
          ...(node.maximum === undefined ? {} : { max: node.maximum }),
        }),
      );
    case 'boolean':
      return fc.boolean();
    case 'null':
      return fc.constant(null);
    case 'string':
      return textOf(node, temper, example);
    default:
      return fc.oneof(...example, hostile);
  }
}

function textOf(node: Node, { known }: Temper, example: fc.Arbitrary<unknown>[]): fc.Arbitrary<unknown> {
  const names = known.filter((value) => typeof value === 'string');
  if (node.format === 'date') return fc.oneof(...example, dayText());
  if (node.format === 'date-time') {
    return fc.oneof(
      ...example,
      fc.date({ noInvalidDate: true, min: FIRST, max: LAST }).map((at) => at.toISOString()),
    );
  }
  if (node.pattern !== undefined && example.length > 0) {
    return fc.oneof({ weight: 5, arbitrary: fc.oneof(...example) }, fc.constantFrom('', ...names, ...HOSTILE_TEXTS));
  }
  return fc.oneof(
    ...example,
    ...example,
    ...(names.length === 0 ? [] : [fc.constantFrom(...names)]),
    hostileText,
    fc.string({ minLength: node.minLength ?? 0, maxLength: Math.min(node.maxLength ?? 40, 300) }),
  );
}

const FIRST = new Date('0001-01-01T00:00:00Z');
const LAST = new Date('9999-12-31T00:00:00Z');
const dayText = () =>
  fc.date({ noInvalidDate: true, min: FIRST, max: LAST }).map((at) => at.toISOString().slice(0, 10));

function rarely<T, N>(isWild: boolean, value: fc.Arbitrary<T>, none: N): fc.Arbitrary<T | N> {
  return fc.oneof({ weight: isWild ? 1 : 0, arbitrary: value }, { weight: 15, arbitrary: fc.constant(none) });
}

function exampleIn(node: Node | undefined): unknown {
  return node?.examples?.[0] ?? node?.example;
}

function schemaOf(schema: z.ZodType | undefined): Node {
  if (schema === undefined) return {};
  const node: Node = JSON.parse(JSON.stringify(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' })));
  return node;
}

/** Requests to one route. Numbers and hashes that exist are among the values. */
export function requestsOf(route: Route, known: Belongings): fc.Arbitrary<FuzzRequest> {
  return fc.oneof(temperedOf(route, known, false), temperedOf(route, known, true));
}

function temperedOf(route: Route, known: Belongings, isWild: boolean): fc.Arbitrary<FuzzRequest> {
  const values = Object.values(known).filter((value) => value !== known.token);
  const names = [...route.path.matchAll(/:(\w+)/g)].map((match) => match[1] ?? '');
  const own = new Map<string, unknown>(Object.entries(known));
  const temper: Temper = { known: values, isWild };
  const fieldsOf = schemaOf(route.params).properties ?? {};
  const paramOf = (name: string): fc.Arbitrary<unknown> => {
    const right = fc.constant(own.get(name) ?? exampleIn(fieldsOf[name]) ?? 1);
    return isWild ? fc.oneof(right, fc.constantFrom(...values), hostileText) : right;
  };
  const params = fc.record(Object.fromEntries(names.map((name) => [name, paramOf(name)])));
  const querySchema = schemaOf(route.query).properties ?? {};
  const query = fc.record(
    Object.fromEntries(
      Object.entries(querySchema).map(([key, node]) => [key, key === 'cursor' ? cursor : arbitraryOf(node, temper)]),
    ),
    { requiredKeys: [] },
  );
  const stray = rarely(isWild, fc.tuple(hostileText, hostileText), null);
  const body =
    route.takes === 'bytes'
      ? fc.oneof(hostileText, fc.string({ unit: 'binary', maxLength: 2000 }))
      : route.body === undefined
        ? rarely(isWild, hostile.map(toJson), undefined)
        : fc.oneof(
            { weight: isWild ? 8 : 100, arbitrary: arbitraryOf(schemaOf(route.body), temper).map(toJson) },
            { weight: 1, arbitrary: hostileText },
            {
              weight: 1,
              arbitrary: fc.constantFrom('{"__proto__":{"a":1}}', '{"constructor":{"prototype":{}}}', '[1,'),
            },
          );
  return fc.record({ params, query, stray, body }).map((parts) => {
    const path = route.path.replace(/:(\w+)/g, (_match, name: string) =>
      encode(String(new Map(Object.entries(parts.params)).get(name))),
    );
    const pairs = Object.entries(parts.query).map(([key, value]) => [key, flat(value)] as const);
    if (parts.stray !== null) pairs.push(parts.stray);
    const text = pairs.map(([key, value]) => `${encode(key)}=${encode(value)}`).join('&');
    const type = route.takes === 'bytes' ? 'application/octet-stream' : 'application/json';
    const body = route.method === 'GET' ? undefined : parts.body;
    const headers: Record<string, string> = body === undefined ? {} : { 'content-type': type };
    return {
      path: `${path}${text === '' ? '' : `?${text}`}`,
      ...{ body, headers },
    };
  });
}

/** Half a surrogate cannot be written as UTF-8; a client would send the replacement. */
function encode(text: string): string {
  return encodeURIComponent(text.toWellFormed());
}

function toJson(value: unknown): string {
  return JSON.stringify(value) ?? 'null';
}

function flat(value: unknown): string {
  return typeof value === 'string' ? value : toJson(value);
}

/** Routes that take away what others read come last. */
const LAST_ROUTES = ['retractRun', 'deleteIndex', 'deleteUniverse', 'deleteSchedule', 'endSession'];

export function fuzzOrder(routes: readonly Route[]): Route[] {
  const isLast = (route: Route) => LAST_ROUTES.includes(route.id) || route.method === 'DELETE';
  return [...routes.filter((route) => !isLast(route)), ...routes.filter(isLast)];
}

/** Sends `count` requests to a route; gives those that were answered with 5xx, and how many succeeded. */
export async function fuzzRoute(
  server: TestServer,
  route: Route,
  known: Belongings,
  { count, seed }: { count: number; seed: number },
): Promise<{ failures: FuzzFailure[]; statuses: Map<number, number> }> {
  const failures: FuzzFailure[] = [];
  const statuses = new Map<number, number>();
  for (const request of fc.sample(requestsOf(route, known), { numRuns: count, seed })) {
    const from = server.lines.length;
    const closing = new AbortController();
    const response = await fetch(`${server.url}/api/v1${request.path}`, {
      method: route.method,
      headers: { ...request.headers, authorization: `Bearer ${known.token}` },
      signal: closing.signal,
      ...(request.body === undefined ? {} : { body: request.body }),
    });
    statuses.set(response.status, (statuses.get(response.status) ?? 0) + 1);
    const isStream = response.headers.get('content-type')?.startsWith('text/event-stream') ?? false;
    const text = isStream ? '' : await response.text();
    closing.abort();
    if (response.status >= 500) {
      const log = server.lines.slice(from).find((line) => line.includes('"level":50')) ?? '';
      failures.push({ routeId: route.id, request, status: response.status, text, log });
    }
    server.lines.length = 0;
  }
  return { failures, statuses };
}
