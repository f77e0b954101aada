/** One value of a gauge. `tenantId` says whose it is: it is shown to that tenant and to the operator only. */
export type GaugeValue = { value: number; labels?: Readonly<Record<string, string>>; tenantId?: number };

/** A business figure somebody gives to /metrics. Read when asked for; what throws is left out and logged. */
export type GaugeSource = {
  /** Without the prefix `touchstone_`. */
  name: string;
  help: string;
  labelNames?: readonly string[];
  /** `counter` for what only grows. */
  kind?: 'gauge' | 'counter';
  read(): Promise<readonly GaugeValue[]> | readonly GaugeValue[];
};

/** How a cache does, for the health page. */
export type CacheFigures = { kind: string; hits: number; misses: number };

const sources = new Map<string, GaugeSource>();
let cacheFigures: (() => CacheFigures) | null = null;

/**
 * Offers a figure to /metrics. Process-wide like the metrics themselves; the same name again replaces it.
 *
 * @returns a function that takes it back.
 */
export function registerGauge(source: GaugeSource): () => void {
  sources.set(source.name, source);
  return () => {
    if (sources.get(source.name) === source) sources.delete(source.name);
  };
}

export function registeredGauges(): readonly GaugeSource[] {
  return [...sources.values()];
}

/** Says how the cache in use does. Called once while wiring. */
export function registerCacheFigures(read: () => CacheFigures): void {
  cacheFigures = read;
}

export function readCacheFigures(): CacheFigures | null {
  return cacheFigures?.() ?? null;
}
