import type { FastifyInstance } from 'fastify';

/** The API's description; filled by the API document's own module. */
export function addApiDocs(_app: FastifyInstance): void {}
