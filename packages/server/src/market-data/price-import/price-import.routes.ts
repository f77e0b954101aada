import { previewImport, startImport, uploadFile } from '@touchstone/contracts/data';
import type { Serve } from '../../platform/http/serve.ts';
import { bytesOf } from '../../platform/http/serve-routes.ts';
import type { PriceImportService } from './price-import.service.ts';

export function registerPriceImportRoutes(serve: Serve, service: PriceImportService): void {
  serve(uploadFile, ({ query, request }) => service.upload(query.fileName, bytesOf(request)));
  serve(previewImport, ({ body }) => service.preview(body));
  serve(startImport, async ({ caller, body }) => ({ task: await service.accept(caller, body) }));
}
