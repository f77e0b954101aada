import * as contract from '@touchstone/contracts/experiments';
import { decodeIdCursor, toPage } from '../../platform/http/cursor.ts';
import type { Serve } from '../../platform/http/serve.ts';
import type { AbTestService } from './ab-test.service.ts';
import { answerPower } from './answerable.ts';

export function registerAbTestRoutes(serve: Serve, tests: AbTestService): void {
  serve(contract.getAbPower, async ({ query }) => answerPower(query));
  serve(contract.createAbTest, ({ caller, params, body }) => tests.create(caller, params.model, body));
  serve(contract.listAbTests, async ({ caller, params, query }) => {
    const before = decodeIdCursor(query.cursor) ?? undefined;
    const rows = await tests.list(caller, params.model, { before, limit: query.limit + 1 });
    return toPage(rows, query.limit, (row) => [row.id]);
  });
  serve(contract.getAbTest, ({ caller, params }) => tests.read(caller, params.testId));
  serve(contract.getAbTestArm, ({ caller, params, query }) =>
    tests.arm(caller, params.testId, { kind: 'instrument', id: query.instrumentId }, query.day),
  );
  serve(contract.stopAbTest, ({ caller, params, body }) => tests.stop(caller, params.testId, body.reason));
}
