import { formatInterval, formatMetric, unitWords } from '../lib/format.ts';

export type Metric = {
  name: string;
  label: string;
  unit: string;
  definition: string;
  value: number | null;
  reason: string | null;
  interval: readonly [number, number] | null;
};

/** A figure with its interval under it; without a value, the reason. */
export function MetricValue({ metric, isLarge }: { metric: Metric | undefined; isLarge?: boolean }) {
  if (metric === undefined) return <span className="text-soft">–</span>;
  if (metric.value === null) {
    return (
      <span className="ml-auto block max-w-40 text-xs whitespace-normal text-soft">
        <span aria-hidden="true">– </span>
        {metric.reason ?? 'No value.'}
      </span>
    );
  }
  const interval = formatInterval(metric);
  return (
    <span className="block">
      <span className={isLarge ? 'text-2xl font-semibold tracking-tight' : 'font-medium'}>{formatMetric(metric)}</span>
      {isLarge && unitWords(metric.unit) !== '' && (
        <span className="ml-1 text-sm text-soft">{unitWords(metric.unit)}</span>
      )}
      {interval && (
        <span className="block text-xs whitespace-nowrap text-soft">
          <span className="sr-only">95 % interval </span>
          {interval}
        </span>
      )}
    </span>
  );
}

/** The name of a figure; opened, its definition. */
export function MetricName({ metric }: { metric: Metric }) {
  const unit = unitWords(metric.unit);
  return (
    <details className="max-w-56 min-w-32 whitespace-normal">
      <summary className="w-fit list-none font-medium decoration-soft decoration-dotted underline-offset-4 hover:underline">
        {metric.label}
        {unit && <span className="font-normal text-soft"> ({unit})</span>}
        <span aria-hidden="true" className="ml-1 text-xs text-soft">
          ?
        </span>
      </summary>
      <p className="mt-1 text-xs text-soft">{metric.definition}</p>
    </details>
  );
}
