import { sql } from 'kysely';
import type { LinkService } from '../auth/links.service.ts';
import { actAs } from '../auth/sessions.ts';
import type { Database, Principal } from '../database/database.ts';
import { appendEvidence } from '../evidence/evidence.ts';
import { found } from '../problem-error.ts';

type TenantRow = { id: number; name: string; people_count: number; created_at: string };

/** Tenants as the operator handles them: made and counted. What is inside is seen by their own people only. */
export function createTenantService(database: Database, links: LinkService) {
  const told = (row: TenantRow) => ({
    ...{ id: row.id, name: row.name, peopleCount: row.people_count, createdAt: row.created_at },
  });

  return {
    list: (principal: Principal) =>
      database.transaction(
        principal,
        async (tx) => {
          const { rows } = await sql<TenantRow>`SELECT * FROM touchstone_list_tenants()`.execute(tx.query);
          return rows.map(told);
        },
        { readOnly: true },
      ),

    /** Makes a tenant with an invitation for its first owner, in one transaction. Both chains of evidence tell of it. */
    create: (principal: Principal, name: string, ownerEmail: string) =>
      database.transaction(principal, async (tx) => {
        const made = await sql<{ id: number }>`SELECT touchstone_create_tenant(${name}) AS id`.execute(tx.query);
        const tenantId = made.rows[0]!.id;
        const { rows } = await sql<TenantRow>`SELECT * FROM touchstone_list_tenants() WHERE id = ${tenantId}`.execute(
          tx.query,
        );
        const tenant = told(found(rows[0], 'There is no such tenant.'));
        const entry = { kind: 'tenant.created', subjectKind: 'tenant', subjectId: tenantId, body: { tenantId } };
        await appendEvidence(tx, entry);
        const inside = await actAs(tx, { tenantId, actorId: null });
        await appendEvidence(inside, entry);
        const { link, expiresAt } = await links.addInvitation(inside, ownerEmail, 'owner');
        // Back to the operator: what is written at the commit is about their request.
        await actAs(tx, principal);
        return { link, expiresAt, tenant };
      }),
  };
}
