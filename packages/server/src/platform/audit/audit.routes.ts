import { listAudit } from '@touchstone/contracts/people';
import type { Database } from '../database/database.ts';
import type { Serve } from '../http/serve.ts';
import { createAuditService } from './audit.service.ts';

/** Who did what. */
export function registerAuditRoutes(serve: Serve, database: Database): void {
  const audit = createAuditService(database);
  serve(listAudit, ({ caller, query }) => audit.list(caller, query));
}
