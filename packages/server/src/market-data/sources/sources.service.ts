import type { Source } from '@touchstone/contracts/data';
import { changedMeanwhile } from '../../platform/database/changed-meanwhile.ts';
import type { Database, Principal } from '../../platform/database/database.ts';
import { appendEvidence } from '../../platform/evidence/evidence.ts';
import { found } from '../../platform/problem-error.ts';
import { auditOf, checkOwn } from '../facts/rows.ts';
import { findSources, renameSource, type SourceRow } from './sources.repository.ts';

export type SourcesService = ReturnType<typeof createSourcesService>;

export function createSourcesService(database: Database) {
  return {
    async list(principal: Principal): Promise<{ items: Source[] }> {
      return database.transaction(principal, async (tx) => ({ items: (await findSources(tx)).map(sourceOf) }), {
        readOnly: true,
      });
    },
    /** @throws NOT_FOUND, FORBIDDEN for a source of the system, CONFLICT */
    async rename(principal: Principal, id: number, change: { name: string; version: number }): Promise<Source> {
      return database.transaction(principal, async (tx) => {
        const [before] = await findSources(tx, id);
        checkOwn(principal, found(before, `There is no source ${id}.`), 'This source');
        if (!(await renameSource(tx, id, change.name, change.version)))
          throw await changedMeanwhile(tx, 'source', id, { name: `Source ${id}`, version: change.version });
        await appendEvidence(tx, {
          kind: 'source.renamed',
          subjectKind: 'source',
          subjectId: id,
          body: { name: change.name },
        });
        const [after] = await findSources(tx, id);
        return sourceOf(found(after, `There is no source ${id}.`));
      });
    },
  };
}

function sourceOf(row: SourceRow): Source {
  return {
    ...auditOf(row),
    id: row.id,
    tenantId: row.tenant_id,
    code: row.code,
    name: row.name,
    kind: row.kind,
    calendar: row.calendar,
    currency: row.currency,
    priceBasis: row.price_basis,
    knownAtRule: row.known_at_rule,
    instrumentCount: row.instrument_count,
    firstDay: row.first_day,
    lastDay: row.last_day,
    openCaseCount: row.open_case_count,
  };
}
