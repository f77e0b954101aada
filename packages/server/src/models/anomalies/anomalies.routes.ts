import {
  getAnomalies,
  getAnomalyCase,
  judgeAnomalyCase,
  listAnomalyCases,
  sealAnomalies,
} from '@touchstone/contracts/anomalies';
import { decodeIdCursor, toPage } from '../../platform/http/cursor.ts';
import type { Serve } from '../../platform/http/serve.ts';
import type { AnomalyService } from './anomalies.service.ts';

export function registerAnomalyRoutes(serve: Serve, anomalies: AnomalyService): void {
  serve(getAnomalies, ({ caller, params, query }) => anomalies.read(caller, params, query));
  serve(sealAnomalies, ({ caller, params, body }) => anomalies.seal(caller, params, body));
  serve(listAnomalyCases, async ({ caller, query }) => {
    const { cursor, limit, ...filter } = query;
    const before = decodeIdCursor(cursor) ?? undefined;
    const { rows, detectors } = await anomalies.list(caller, filter, { before, limit: limit + 1 });
    return { ...toPage(rows, limit, (row) => [row.id]), detectors };
  });
  serve(getAnomalyCase, ({ caller, params }) => anomalies.get(caller, params.caseId));
  serve(judgeAnomalyCase, ({ caller, params, body }) => anomalies.judge(caller, params.caseId, body));
}
