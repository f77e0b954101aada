import { getPatterns } from '@touchstone/contracts/patterns';
import type { Serve } from '../../platform/http/serve.ts';
import type { PatternsService } from './patterns.service.ts';

export function registerPatternRoutes(serve: Serve, patterns: PatternsService): void {
  serve(getPatterns, ({ caller, params, query }) => patterns.read(caller, params, query));
}
