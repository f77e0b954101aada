import type { BlastRadiusService } from '../../features/index.ts';

/** Versions of models that learnt from changed datasets. Called once while wiring. */
export function registerModelDependents(blastRadius: BlastRadiusService): void {
  blastRadius.registerDependents('model-version', async (tx, { datasets }) => {
    if (datasets.size === 0) return [];
    const rows = await tx.query
      .selectFrom('model_version as v')
      .innerJoin('model as m', (join) => join.onRef('m.tenant_id', '=', 'v.tenant_id').onRef('m.id', '=', 'v.model_id'))
      .select(['m.name', 'v.number', 'v.dataset_sha256'])
      .where('v.dataset_sha256', 'in', [...datasets.keys()])
      .orderBy('v.created_at', 'desc')
      .execute();
    return rows.map(({ name, number, dataset_sha256: sha256 }) => ({
      ...{ id: `${name}/${number}`, name: `${name}, version ${number}` },
      ...datasets.get(sha256)!,
    }));
  });
}
