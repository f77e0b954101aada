import type { BlastRadiusService } from '../../features/index.ts';

/** Trials over changed datasets: their figures were true of the rows as they were. Called once while wiring. */
export function registerTrialDependents(blastRadius: BlastRadiusService): void {
  blastRadius.registerDependents('trial', async (tx, { datasets }) => {
    if (datasets.size === 0) return [];
    const rows = await tx.query
      .selectFrom('trial')
      .select(['id', 'name', 'kind', 'dataset_sha256'])
      .where('dataset_sha256', 'in', [...datasets.keys()])
      .orderBy('id', 'desc')
      .execute();
    return rows.map(({ id, name, kind, dataset_sha256: sha256 }) => ({
      id: String(id),
      name: `${kind}: ${name}`,
      ...datasets.get(sha256 ?? '')!,
    }));
  });
}
