import { exampleOf } from '@touchstone/contracts/example';
import { PROBLEMS, type ProblemCode, problem } from '@touchstone/contracts/problems';
import { problemsOf, type Route, takesKey } from '@touchstone/contracts/route';
import { z } from 'zod';
import { API_PREFIX } from './serve-routes.ts';

type Json = Record<string, unknown>;

const GROUPS: Record<Route['group'], string> = {
  auth: 'Sign-in, sessions, password.',
  data: 'Facts: sources, instruments, bars, imports, runs, findings, corrections.',
  dataset: 'Frozen answers of the facts.',
  universe: 'Sets of instruments.',
  index: 'Indexes, their runs and results.',
  benchmark: 'What an index is compared with.',
  strategy: 'Methods an index can follow.',
  market: 'What the bars say: volatility, regimes, anomalies, patterns, dependence, factors.',
  feature: 'Features: the catalogue, views, historical and online values.',
  model: 'Models: training, versions, aliases, drift, experiments',
  prediction: 'Predictions: ask, look back, replay',
  tasks: 'Background work and schedules.',
  diagnostics: 'State of the installation, evidence, trials.',
};

/** The OpenAPI 3.1 document of some routes. Every example in it comes from the fields' own. */
export function buildOpenApi(routes: readonly Route[], version: string) {
  const paths: Record<string, Json> = {};
  for (const route of routes) {
    const path = `${API_PREFIX}${route.path.replace(/:(\w+)/g, '{$1}')}`;
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operationOf(route) };
  }
  const used = new Set(routes.map((route) => route.group));
  return {
    openapi: '3.1.0',
    info: {
      title: 'Touchstone',
      version,
      description: 'Facts in, an honest index out. Errors are problem documents (RFC 9457); lists are paged by cursor.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    tags: Object.entries(GROUPS)
      .filter(([name]) => [...used].some((group) => group === name))
      .map(([name, description]) => ({ name, description })),
    paths,
    components: {
      schemas: { Problem: schemaOf(problem, 'output') },
      securitySchemes: { accessToken: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
    },
  };
}

const KEY_PARAMETER: Json = {
  ...{ name: 'Idempotency-Key', in: 'header', required: false },
  ...{ schema: { type: 'string', minLength: 8, maxLength: 200 }, example: '0b9f6a52c1d84a0e8f1d2b7a3c4e5f60' },
  description:
    'Sent again with the same request within a day, the first answer is given again and nothing is done twice.',
};

function operationOf(route: Route): Json {
  const needs = route.scope === 'public' ? 'Needs no sign-in.' : `Needs the right \`${route.scope}\`.`;
  return {
    operationId: route.id,
    tags: [route.group],
    summary: route.summary,
    description: `${route.summary}. ${needs}`,
    security: route.scope === 'public' ? [] : [{ accessToken: [] }],
    parameters: [
      ...parametersOf(route.params, 'path'),
      ...parametersOf(route.query, 'query'),
      ...(takesKey(route) ? [KEY_PARAMETER] : []),
    ],
    ...requestBodyOf(route),
    responses: { [route.status]: answerOf(route), ...problemAnswersOf(route) },
  };
}

function parametersOf(schema: z.ZodType | undefined, place: 'path' | 'query'): Json[] {
  if (schema === undefined) return [];
  const { properties = {}, required = [] } = schemaOf(schema, 'input');
  return Object.entries(properties).map(([name, field]) => {
    const { description, examples, ...type } = field;
    const told = { name, in: place, required: required.includes(name), schema: type };
    return {
      ...told,
      ...(description === undefined ? {} : { description }),
      ...(examples === undefined ? {} : { example: examples[0] }),
    };
  });
}

function requestBodyOf(route: Route): Json {
  if (route.takes === 'bytes') {
    const content = { 'application/octet-stream': { schema: { type: 'string', format: 'binary' } } };
    return { requestBody: { required: true, description: 'The file as it is.', content } };
  }
  if (route.body === undefined) return {};
  const example = exampleOf(route.body, `${route.id}.body`);
  return {
    requestBody: {
      required: true,
      content: { 'application/json': { schema: schemaOf(route.body, 'input'), example } },
    },
  };
}

const OTHER_ANSWERS = {
  csv: { 'text/csv': { schema: { type: 'string' }, example: 'day,value\n2026-01-15,101.25\n' } },
  bytes: { 'application/octet-stream': { schema: { type: 'string', format: 'binary' } } },
  events: { 'text/event-stream': { schema: { type: 'string' }, example: 'event: task\ndata: {"id":12}\n\n' } },
};

function answerOf(route: Route): Json {
  if (route.gives !== undefined && route.gives !== 'json') {
    return { description: 'As asked for.', content: OTHER_ANSWERS[route.gives] };
  }
  if (route.answer === undefined) return { description: 'Done.' };
  const example = exampleOf(route.answer, `${route.id}.answer`);
  return {
    description: 'As asked for.',
    content: { 'application/json': { schema: schemaOf(route.answer, 'output'), example } },
  };
}

function problemAnswersOf(route: Route): Json {
  const responses: Json = {};
  for (const [status, group] of Map.groupBy(problemsOf(route), (code) => PROBLEMS[code].status)) {
    const examples = Object.fromEntries(group.map((code) => [code, { value: problemExample(code) }]));
    const content = { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' }, examples } };
    responses[status] = { description: group.map((code) => `${code}: ${PROBLEMS[code].title}`).join('; '), content };
  }
  return responses;
}

function problemExample(code: ProblemCode): z.infer<typeof problem> {
  const { status, title, retryable } = PROBLEMS[code];
  const requestId = '4bf92f3577b34da6a3ce929d0e0e4736';
  return { type: `/problems#${code}`, title, status, detail: `${title}.`, code, requestId, retryable, details: [] };
}

type SchemaNode = { description?: string; examples?: unknown[]; [key: string]: unknown };
type ObjectNode = SchemaNode & { properties?: Record<string, SchemaNode>; required?: string[] };

function schemaOf(schema: z.ZodType, io: 'input' | 'output'): ObjectNode {
  const document = z.toJSONSchema(schema, {
    ...{ io, target: 'draft-2020-12', unrepresentable: 'any' },
    override({ jsonSchema }) {
      // `example` is this API's own word; JSON Schema has a list.
      const own: SchemaNode = jsonSchema;
      if (!('example' in own)) return;
      own.examples = [own.example];
      delete own.example;
    },
  });
  // Plain data from here on: the library's own type also allows schemas that are just true or false.
  const { $schema: _dialect, ...node }: ObjectNode = JSON.parse(JSON.stringify(document));
  return node;
}
