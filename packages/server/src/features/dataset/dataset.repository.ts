import { type SyntheticMark, syntheticMark } from '@touchstone/contracts/augmentation';
import type { Dataset } from '@touchstone/contracts/datasets';
import type { Selectable } from 'kysely';
import type { ReadTime } from '../../market-data/index.ts';
import type { Transaction } from '../../platform/database/database.ts';
import type { DatasetTable } from '../../platform/database/schema-types.ts';
import type { Bundle } from '../../platform/object-store/bundle.ts';

/** Writes the row of a frozen dataset, if this tenant has not frozen the same before. */
export async function insertMissingDataset(
  tx: Transaction,
  kind: Dataset['kind'],
  query: object,
  bundle: Bundle,
  time: ReadTime,
  synthetic: SyntheticMark | null = null,
): Promise<void> {
  const bars = mainPart(bundle);
  await tx.query
    .insertInto('dataset')
    .values({
      tenant_id: tx.principal.tenantId,
      sha256: bundle.sha256,
      kind,
      query: JSON.stringify(query),
      as_of: time.asOf,
      known_at: time.knownAt,
      recorded_at: time.recordedAt,
      row_count: bars?.rowCount ?? 0,
      byte_count: bundle.byteCount,
      columns: JSON.stringify(bars?.columns ?? []),
      synthetic: synthetic === null ? null : JSON.stringify(synthetic),
    })
    .onConflict((conflict) => conflict.columns(['tenant_id', 'sha256']).doNothing())
    .execute();
}

/** The table a dataset is asked for. */
export function mainPart({ parts }: Pick<Bundle, 'parts'>): Bundle['parts'][number] | undefined {
  return parts.find(({ name }) => name === 'bars' || name === 'features');
}

export async function findDataset(tx: Transaction, sha256: string): Promise<Dataset | undefined> {
  const row = await tx.query.selectFrom('dataset').selectAll().where('sha256', '=', sha256).limit(1).executeTakeFirst();
  return row && toDataset(row);
}

/** Newest first; pages by creation time and hash. */
export async function listDatasetsPage(
  tx: Transaction,
  page: { after: { createdAt: string; sha256: string } | undefined; limit: number },
): Promise<Dataset[]> {
  let query = tx.query.selectFrom('dataset').selectAll().where('tenant_id', '=', tx.principal.tenantId);
  const { after } = page;
  if (after !== undefined) {
    query = query.where(({ eb, refTuple, tuple }) =>
      eb(refTuple('created_at', 'sha256'), '<', tuple(after.createdAt, after.sha256)),
    );
  }
  const rows = await query.orderBy('created_at', 'desc').orderBy('sha256', 'desc').limit(page.limit).execute();
  return rows.map(toDataset);
}

function toDataset(row: Selectable<DatasetTable>): Dataset {
  return {
    sha256: row.sha256,
    kind:
      row.synthetic !== null
        ? 'synthetic'
        : row.kind === 'prices' || row.kind === 'features'
          ? row.kind
          : 'index-input',
    query: Object.fromEntries(Object.entries(row.query ?? {})),
    time: { asOf: row.as_of, knownAt: row.known_at, recordedAt: row.recorded_at },
    rowCount: row.row_count,
    byteCount: row.byte_count,
    columns: JSON.parse(JSON.stringify(row.columns)),
    synthetic: row.synthetic === null ? null : syntheticMark.parse(row.synthetic),
    createdAt: row.created_at,
    createdBy: row.created_by,
  };
}
