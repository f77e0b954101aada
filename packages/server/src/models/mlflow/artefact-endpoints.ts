import { z } from 'zod';
import { bytesOf } from '../../platform/http/serve-routes.ts';
import type { WireRoute } from '../../platform/http/serve-wire.ts';
import { found } from '../../platform/problem-error.ts';
import { recordArtefact } from '../registry/run-log.ts';
import { API, endpoint, type MlflowParts, numberId } from './endpoint.ts';
import { filesAt, listFolder, loggedModelNumber, type Place, placeOf, writableOf } from './files.ts';
import { lockedRun, mustRun } from './run-endpoints.ts';

const PROXY = '/api/2.0/mlflow-artifacts/artifacts';

/** Files: MLflow's proxy for artefacts, over the object store. */
export function artefactEndpoints({ database, objects, registry }: MlflowParts): WireRoute[] {
  const list = (caller: Parameters<typeof database.transaction>[0], place: Place) =>
    database.transaction(caller, async (tx) => listFolder(await filesAt(tx, registry, place), place.path), {
      readOnly: true,
    });
  const folder = z.object({ path: z.string().max(500).default('') });
  return [
    {
      ...{ method: 'GET', path: PROXY, scope: 'model:read' },
      handle: async ({ caller, query }) => {
        const { path } = folder.catch({ path: '' }).parse(query);
        return { files: await list(caller, placeOf(path)) };
      },
    },
    {
      ...{ method: 'GET', path: `${PROXY}/*`, scope: 'model:read' },
      handle: async ({ caller, params, reply }) => {
        const place = placeOf(params['*'] ?? '');
        const files = await database.transaction(caller, (tx) => filesAt(tx, registry, place), { readOnly: true });
        const file = found(
          files.find(({ path }) => path === place.path),
          `There is no file ${place.path} here.`,
        );
        const content = await registry.readArtefact(file.sha256);
        return reply
          .type('application/octet-stream')
          .header('content-disposition', 'attachment')
          .header('content-length', content.length)
          .send(content);
      },
    },
    {
      ...{ method: 'PUT', path: `${PROXY}/*`, scope: 'model:write', takes: 'bytes' },
      handle: async ({ caller, params, request }) => {
        const place = placeOf(params['*'] ?? '');
        const mayWrite = (tx: Parameters<typeof writableOf>[0]) =>
          writableOf(tx, place).then(async ({ runId, name }) => {
            mustRun(await lockedRun(tx, runId));
            return { runId, name };
          });
        // Asked before the bytes are taken, and again when they are there: the run may have ended meanwhile.
        await database.transaction(caller, mayWrite);
        const stored = await objects.put(bytesOf(request));
        await database.transaction(caller, async (tx) => {
          const { runId, name } = await mayWrite(tx);
          await recordArtefact(tx, runId, name, stored);
        });
        return {};
      },
    },
    endpoint(
      'GET',
      '/artifacts/list',
      'model:read',
      folder.extend({ run_id: numberId }),
      async ({ run_id: runId, path }, { caller }) => {
        const place = placeOf(`runs/${runId}/${path}`);
        const files = await list(caller, place);
        const from = place.path === '' ? '' : `${place.path}/`;
        return {
          root_uri: `mlflow-artifacts:/runs/${runId}`,
          files: files.map((file) => ({ ...file, path: `${from}${file.path}` })),
        };
      },
    ),
    {
      ...{ method: 'GET', path: `${API}/logged-models/:model_id/artifacts/directories`, scope: 'model:read' },
      handle: async ({ caller, params, query }) => {
        const { artifact_directory_path: path } = z
          .object({ artifact_directory_path: z.string().max(500).default('') })
          .parse(query);
        const id = loggedModelNumber(params.model_id ?? '');
        const files = await list(caller, placeOf(`models/m-${id}/${path}`));
        const from = path === '' ? '' : `${path.replace(/\/+$/, '')}/`;
        return {
          root_uri: `mlflow-artifacts:/models/m-${id}`,
          files: files.map((file) => ({ ...file, path: `${from}${file.path}` })),
        };
      },
    },
  ];
}
