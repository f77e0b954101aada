import type { Calibration, Forecast, Hop, ServedBy } from '@touchstone/contracts/predictions';
import { raiseAlert, resolveAlert } from '../../platform/alerts/alerts.ts';
import type { Database, Principal } from '../../platform/database/database.ts';
import { type GaugeValue, registerGauge } from '../../platform/telemetry/gauges.ts';
import type { ResolvedVersion } from '../registry/registry.types.ts';

/** What was answered, as far as figures and alerts tell of it. */
export type Served = { servedBy: ServedBy; hops: readonly Hop[]; forecast: Forecast; milliseconds: number };
export type ServingWatch = ReturnType<typeof createServingWatch>;

/** The same alert is not raised again for every request. */
const RAISED_EVERY_MS = 60_000;
const TIMES_KEPT = 1_000;

type Figures = {
  tenantId: number;
  model: string;
  served: Map<ServedBy, number>;
  hops: Map<string, number>;
  abstentions: Map<string, number>;
  /** Last times, in a ring. */
  times: number[];
  timeCount: number;
};

/** Counts what is served for /metrics, and tells people when a model does not answer for itself. */
export function createServingWatch(database: Database, log: { warn(fields: object, text: string): void }) {
  const figures = new Map<string, Figures>();
  const raised = new Map<string, number>();
  const looked = new Set<string>();

  function figuresOf(tenantId: number, model: string): Figures {
    const key = `${tenantId} ${model}`;
    let known = figures.get(key);
    if (known === undefined) {
      known = { tenantId, model, served: new Map(), hops: new Map(), abstentions: new Map(), times: [], timeCount: 0 };
      figures.set(key, known);
    }
    return known;
  }

  const counter = (name: string, help: string, label: string, pick: (of: Figures) => ReadonlyMap<string, number>) =>
    registerGauge({
      ...{ name, help, kind: 'counter', labelNames: ['tenant', 'model', label] },
      read: () =>
        [...figures.values()].flatMap((of) =>
          Array.from(pick(of), ([told, value]): GaugeValue => {
            return {
              value,
              tenantId: of.tenantId,
              labels: { tenant: String(of.tenantId), model: of.model, [label]: told },
            };
          }),
        ),
    });
  counter('predictions_total', 'Predictions made, by who answered.', 'served_by', ({ served }) => served);
  counter('prediction_hops_total', 'Steps away from the version asked for, by reason.', 'reason', ({ hops }) => hops);
  counter('prediction_abstentions_total', 'Predictions without a value, by reason.', 'reason', (of) => of.abstentions);
  registerGauge({
    ...{
      name: 'prediction_model_seconds',
      help: 'Time of a forecast, without its inputs and explanation, of the last 1,000.',
    },
    labelNames: ['tenant', 'model', 'quantile'],
    read: () =>
      [...figures.values()].flatMap((of) => {
        const sorted = of.times.toSorted((a, b) => a - b);
        return [0.5, 0.95, 0.99].map((quantile): GaugeValue => {
          const value = quantileOf(sorted, quantile) / 1000;
          const labels = { tenant: String(of.tenantId), model: of.model, quantile: String(quantile) };
          return { value, tenantId: of.tenantId, labels };
        });
      }),
  });

  /** Raised at most once a minute, resolved once the champion answers for itself again. */
  async function tell(principal: Principal, version: ResolvedVersion, { servedBy, hops }: Served): Promise<void> {
    const sameAs = `model.falls_back:model:${version.modelId}`;
    const key = `${principal.tenantId} ${sameAs}`;
    const [first] = hops;
    if (first === undefined) {
      // Once in a process, for what was raised before it started or by another one.
      if (!raised.delete(key) && looked.has(key)) return;
      looked.add(key);
      await database.transaction(principal, (tx) => resolveAlert(tx, sameAs));
      return;
    }
    const at = raised.get(key);
    if (at !== undefined && performance.now() - at < RAISED_EVERY_MS) return;
    raised.set(key, performance.now());
    const who = {
      model: 'the model',
      previous: 'the champion before it',
      baseline: 'the simple rule',
      nobody: 'nobody',
    };
    await database.transaction(principal, (tx) =>
      raiseAlert(tx, {
        ...{ kind: 'model.falls_back', severity: servedBy === 'nobody' ? 'critical' : 'warning', sameAs },
        title: `${version.model}: ${first.code === 'expired' ? 'the served version has expired' : 'the served version does not answer'}`,
        detail: `${hops.map(({ sentence }) => sentence).join(' ')} Now ${who[servedBy]} answers. Train and promote a version, or roll back.`,
        ...{ subjectKind: 'model', subjectId: version.modelId },
      }),
    );
  }

  return {
    /** Milliseconds of the forecasts this process made; null: none yet. */
    latencyOf(tenantId: number, model: string): Calibration['latency'] {
      const sorted = (figures.get(`${tenantId} ${model}`)?.times ?? []).toSorted((a, b) => a - b);
      if (sorted.length === 0) return null;
      return { medianMs: quantileOf(sorted, 0.5), p99Ms: quantileOf(sorted, 0.99), count: sorted.length };
    },

    async note(principal: Principal, version: ResolvedVersion, served: Served): Promise<void> {
      const of = figuresOf(principal.tenantId, version.model);
      const count = <K>(map: Map<K, number>, key: K) => map.set(key, (map.get(key) ?? 0) + 1);
      count(of.served, served.servedBy);
      for (const { code } of served.hops) count(of.hops, code);
      if (served.forecast.abstained !== null) count(of.abstentions, served.forecast.abstained.code);
      of.times[of.timeCount++ % TIMES_KEPT] = served.milliseconds;
      // Telling people must not cost the one who asked the answer.
      await tell(principal, version, served).catch((error: unknown) =>
        log.warn({ err: error, model: version.model }, 'an alert could not be raised'),
      );
    },
  };
}

/** Of ascending values; 0 of none. */
function quantileOf(sorted: readonly number[], quantile: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(quantile * sorted.length))] ?? 0;
}
