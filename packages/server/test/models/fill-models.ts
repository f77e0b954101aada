import { createRegistry } from '../../src/models/index.ts';
import type { Database } from '../../src/platform/database/database.ts';
import type { ObjectStore } from '../../src/platform/object-store/object-store.ts';
import { SIGNED, testManifest } from './manifest.ts';

/** A model with a champion, a challenger that did not pass the gate, and the run they came from. */
export async function fillModels(
  parts: { database: Database; objects: ObjectStore },
  tenantId: number,
  { model, mark }: { model: string; mark: string },
): Promise<{ runId: number; artefactSha256: string }> {
  const registry = createRegistry({ ...parts, codeVersion: 'test' });
  return parts.database.transaction({ tenantId, actorId: null }, async (tx) => {
    const { runId } = await registry.startRun(tx, { model, experiment: mark, name: mark, parameters: { note: mark } });
    await registry.logMetrics(tx, runId, [{ name: 'loss', value: 0.5 }]);
    await registry.logArtefact(tx, runId, 'note.txt', Buffer.from(mark));
    await registry.finishRun(tx, runId, { status: 'finished' });
    const manifest = testManifest({ limits: [mark] });
    const first = { model, runId, manifest, artefact: Buffer.from(`${mark} 1`) };
    const { artefactSha256 } = await registry.registerVersion(tx, first);
    const weak = { ...manifest, verdict: { passed: false, sentence: mark } };
    await registry.registerVersion(tx, { model, runId, manifest: weak, artefact: Buffer.from(`${mark} 2`) });
    const promotion = { model, expected: null, reason: mark, version: 1, checklist: SIGNED };
    await registry.promote(tx, { scopes: ['model:promote'] }, promotion);
    await registry.setAlias(tx, { model, alias: 'challenger', expected: null, reason: mark, version: 2 });
    return { runId, artefactSha256 };
  });
}
