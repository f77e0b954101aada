import {
  augmentDataset,
  diffDatasets,
  downloadDataset,
  freezeDataset,
  getDataset,
  getDatasetPointer,
  listDatasets,
} from '@touchstone/contracts/datasets';
import { decodeCursor, toPage } from '../../platform/http/cursor.ts';
import type { Serve } from '../../platform/http/serve.ts';
import type { AugmentService } from './augment.service.ts';
import type { DatasetService } from './dataset.service.ts';

export function registerDatasetRoutes(serve: Serve, datasets: DatasetService, augmentation: AugmentService): void {
  serve(augmentDataset, ({ caller, params, body }) => augmentation.augment(caller, params.sha256, body));
  serve(freezeDataset, ({ caller, body }) => datasets.freeze(caller, body));
  serve(listDatasets, async ({ caller, query }) => {
    const key = decodeCursor(query.cursor, ['instant', 'string']);
    const after = key === null ? undefined : { createdAt: String(key[0]), sha256: String(key[1]) };
    const rows = await datasets.list(caller, { after, limit: query.limit + 1 });
    return toPage(rows, query.limit, (row) => [row.createdAt, row.sha256]);
  });
  serve(getDataset, ({ caller, params }) => datasets.get(caller, params.sha256));
  serve(downloadDataset, async ({ caller, params, query, reply }) => {
    const { stream, byteCount, type, ending } = await datasets.file(caller, params.sha256, query.part, query.format);
    if (byteCount !== null) reply.header('content-length', byteCount);
    const name = `${params.sha256.slice(0, 12)}.${ending}`;
    return reply.type(type).header('content-disposition', `attachment; filename="${name}"`).send(stream);
  });
  serve(getDatasetPointer, ({ caller, params }) => datasets.pointer(caller, params.sha256));
  serve(diffDatasets, ({ caller, params, query }) =>
    datasets.diff(caller, params.sha256, params.otherSha256, query.limit),
  );
}
