import { previewImport, startImport, uploadFile } from '@touchstone/contracts/data';
import type { Serve } from '../../platform/http/serve.ts';
import { bytesOf } from '../../platform/http/serve-routes.ts';
import type { PriceImportService } from './price-import.service.ts';

export function registerPriceImportRoutes(serve: Serve, service: PriceImportService): void {
  serve(uploadFile, ({ caller, query, request }) => service.upload(caller, query.fileName, bytesOf(request)));
  serve(previewImport, ({ caller, body }) => service.preview(caller, body));
  serve(startImport, async ({ caller, body }) => ({ task: await service.accept(caller, body) }));
}
