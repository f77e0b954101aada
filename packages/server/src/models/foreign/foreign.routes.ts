import * as contract from '@touchstone/contracts/foreign';
import { csvOf } from '../../features/index.ts';
import type { Serve } from '../../platform/http/serve.ts';
import { bytesOf } from '../../platform/http/serve-routes.ts';
import type { ForeignService } from './foreign.service.ts';
import type { TrainingTableService } from './training-table.service.ts';

/** Foreign models and the rows they learn from, over HTTP. */
export function registerForeignRoutes(serve: Serve, foreign: ForeignService, tables: TrainingTableService): void {
  serve(contract.downloadVersionOnnx, async ({ caller, params: { model, version }, query, reply }) => {
    const { name, bytes } = await foreign.exportMember(caller, model, version, query.member);
    return send(reply, `${model}-${version}-${name}.onnx`, bytes);
  });
  serve(contract.sendForeignModel, ({ caller, request }) =>
    foreign.send(caller, bytesOf(request, contract.ONNX_BYTES_MAX)),
  );
  serve(contract.registerForeignModel, ({ caller, params, body }) => foreign.register(caller, params.model, body));
  serve(contract.freezeTrainingTable, async ({ caller, body }) => ({ task: await tables.freeze(caller, body) }));
  serve(contract.getTrainingTable, async ({ caller, params: { sha256, target } }) => {
    const { spec } = await tables.read(caller, sha256, target);
    return spec;
  });
  serve(contract.downloadTrainingTable, async ({ caller, params: { sha256, target }, query, reply }) => {
    const { file, rows } = await tables.read(caller, sha256, target);
    const bytes = query.format === 'arrow' ? file : Buffer.from([...csvOf(rows)].join(''));
    return send(reply, `${sha256.slice(0, 12)}-${target}.${query.format}`, bytes);
  });
}

type Sender = Parameters<Parameters<Serve>[1]>[0]['reply'];

function send(reply: Sender, name: string, bytes: Uint8Array) {
  return reply
    .type('application/octet-stream')
    .header('content-disposition', `attachment; filename="${name}"`)
    .header('content-length', bytes.length)
    .send(Buffer.from(bytes));
}
