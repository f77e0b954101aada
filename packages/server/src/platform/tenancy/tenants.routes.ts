import { createTenant, listTenants } from '@touchstone/contracts/people';
import type { LinkService } from '../auth/links.service.ts';
import type { Database } from '../database/database.ts';
import type { Serve } from '../http/serve.ts';
import { createTenantService } from './tenants.service.ts';

/** For the operator alone. */
export function registerTenantRoutes(serve: Serve, database: Database, links: LinkService): void {
  const tenants = createTenantService(database, links);
  serve(listTenants, async ({ caller }) => ({ items: await tenants.list(caller) }));
  serve(createTenant, ({ caller, body }) => tenants.create(caller, body.name, body.ownerEmail));
}
