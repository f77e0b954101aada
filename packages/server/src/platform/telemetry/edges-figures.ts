import type { Edges } from '../http/edges.ts';
import { registerCacheFigures, registerGauge } from './gauges.ts';

/** Gives /metrics what limits and cache do in this process. */
export function registerEdgesFigures(edges: Edges): void {
  registerCacheFigures(() => {
    const { kind, hitCount, missCount } = edges.describe().cache;
    return { kind, hits: hitCount, misses: missCount };
  });
  const figures: [string, string, 'gauge' | 'counter', () => number][] = [
    ['cache_usable', '1 while kept answers may be used.', 'gauge', () => Number(edges.describe().cache.usable)],
    [
      'limits_degraded',
      '1 while each process counts by itself.',
      'gauge',
      () => Number(edges.describe().limits.degraded),
    ],
    ['limits_refused', 'Requests refused by a limit.', 'counter', () => edges.describe().limits.refusedCount],
    [
      'limits_counted_locally',
      'Requests counted without the shared store.',
      'counter',
      () => edges.describe().limits.countedLocallyCount,
    ],
  ];
  for (const [name, help, kind, read] of figures) {
    registerGauge({ name: kind === 'counter' ? `${name}_total` : name, help, kind, read: () => [{ value: read() }] });
  }
}
