import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Route } from '@touchstone/contracts/route';
import type { FastifyInstance } from 'fastify';
import { ProblemError } from '../problem-error.ts';

const FILES = {
  'swagger-ui.css': 'text/css; charset=utf-8',
  'index.css': 'text/css; charset=utf-8',
  'swagger-ui-bundle.js': 'text/javascript; charset=utf-8',
} as const;

const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Touchstone API</title>
<link rel="stylesheet" href="/api/docs/swagger-ui.css">
<link rel="stylesheet" href="/api/docs/index.css">
</head>
<body>
<div id="docs"></div>
<script src="/api/docs/swagger-ui-bundle.js"></script>
<script src="/api/docs/start.js"></script>
</body>
</html>
`;
const START = `SwaggerUIBundle({ url: '/api/openapi.json', dom_id: '#docs', deepLinking: true });\n`;

/** The API's description for programs at /api/openapi.json and for people at /api/docs. Made when first asked for. */
export function addApiDocs(app: FastifyInstance, served: readonly Route[], version: string): void {
  let document: Promise<string> | undefined;
  app.get('/api/openapi.json', async (_request, reply) => {
    document ??= import('./open-api.ts').then(({ buildOpenApi }) => JSON.stringify(buildOpenApi(served, version)));
    return reply.type('application/json; charset=utf-8').send(await document);
  });
  app.get('/api/docs', async (_request, reply) => reply.type('text/html; charset=utf-8').send(PAGE));
  app.get<{ Params: { file: string } }>('/api/docs/:file', async (request, reply) => {
    if (request.params.file === 'start.js') return reply.type('text/javascript; charset=utf-8').send(START);
    const [name, type] = Object.entries(FILES).find(([file]) => file === request.params.file) ?? [];
    if (name === undefined || type === undefined) throw new ProblemError('NOT_FOUND', 'There is no such file here.');
    const folder = path.dirname(fileURLToPath(import.meta.resolve('@fastify/swagger-ui')));
    const content = await readFile(path.join(folder, 'static', name));
    return reply.type(type).header('cache-control', 'public, max-age=3600').send(content);
  });
}
