import type { Database } from '../database/database.ts';
import { watchStatements } from '../database/statements.ts';
import { exportSpans, type SpanExport, tellStatementSpan } from './export-spans.ts';

/** Sends the spans of requests, tasks, vendor calls and statements to a collector, until closed. */
export async function startTracing(
  endpoint: string,
  version: string,
  database: Database,
  log: { warn(fields: object, text: string): void },
): Promise<SpanExport> {
  const exporting = await exportSpans(endpoint, version, log);
  const stopWatching = watchStatements(database.pool, tellStatementSpan);
  return {
    flush: exporting.flush,
    async close() {
      stopWatching();
      await exporting.close();
    },
  };
}
