import type { Statement } from '../database/statements.ts';
import { beginSpan, collectSpans, isRecording, type Span, tellSpan } from '../trace/trace.ts';
import { normaliseSql } from './plan-text.ts';

export type SpanExport = {
  /** Sends what is waiting. */
  flush(): Promise<void>;
  close(): Promise<void>;
};

const EVERY_MS = 2_000;
const BATCH_SPANS_MAX = 512;
/** Spans beyond this are dropped: a collector that is away must not fill our memory. */
const WAITING_SPANS_MAX = 8_192;
const EXPORT_DONE = 0;

/**
 * Sends spans to a collector by OTLP over HTTP. Only this function loads OpenTelemetry, so an installation without a
 * collector never does.
 *
 * @param endpoint As OTEL_EXPORTER_OTLP_ENDPOINT: without the path `/v1/traces`.
 */
export async function exportSpans(
  endpoint: string,
  version: string,
  log: { warn(fields: object, text: string): void },
): Promise<SpanExport> {
  const { OTLPTraceExporter } = await import('@opentelemetry/exporter-trace-otlp-http');
  const { resourceFromAttributes } = await import('@opentelemetry/resources');
  const { SpanKind, SpanStatusCode, TraceFlags } = await import('@opentelemetry/api');
  const exporter = new OTLPTraceExporter({ url: `${endpoint.replace(/\/+$/, '')}/v1/traces` });
  const resource = resourceFromAttributes({ 'service.name': 'touchstone', 'service.version': version });
  const kinds = {
    ...{ server: SpanKind.SERVER, client: SpanKind.CLIENT, consumer: SpanKind.CONSUMER, internal: SpanKind.INTERNAL },
  };
  const contextOf = (span: Span, spanId: string) => ({
    ...{ traceId: span.traceId, spanId, traceFlags: TraceFlags.SAMPLED },
  });
  const toReadable = (span: Span) => ({
    name: span.name,
    kind: kinds[span.kind],
    spanContext: () => contextOf(span, span.spanId),
    ...(span.parentSpanId === null ? {} : { parentSpanContext: contextOf(span, span.parentSpanId) }),
    startTime: toHighResolution(span.startedAtMs),
    endTime: toHighResolution(span.endedAtMs),
    duration: toHighResolution(span.endedAtMs - span.startedAtMs),
    status:
      span.problem === null ? { code: SpanStatusCode.UNSET } : { code: SpanStatusCode.ERROR, message: span.problem },
    attributes: span.attributes,
    ...{ links: [], events: [], ended: true, resource, instrumentationScope: { name: 'touchstone', version } },
    ...{ droppedAttributesCount: 0, droppedEventsCount: 0, droppedLinksCount: 0 },
  });

  const waiting: Span[] = [];
  let dropped = 0;
  const stopCollecting = collectSpans((span) => {
    if (waiting.length >= WAITING_SPANS_MAX) dropped++;
    else waiting.push(span);
  });
  const send = () =>
    new Promise<void>((resolve) => {
      const batch = waiting.splice(0, BATCH_SPANS_MAX);
      if (batch.length === 0) return resolve();
      exporter.export(batch.map(toReadable), (result) => {
        if (result.code !== EXPORT_DONE) log.warn({ err: result.error }, 'traces could not be sent');
        resolve();
      });
    });
  const flush = async () => {
    if (dropped > 0) log.warn({ dropped }, 'traces were dropped: the collector is too slow or away');
    dropped = 0;
    while (waiting.length > 0) await send();
  };
  const timer = setInterval(() => void flush(), EVERY_MS);
  timer.unref();
  return {
    flush,
    async close() {
      clearInterval(timer);
      stopCollecting();
      await flush();
      await exporter.shutdown();
    },
  };
}

/** A statement as a span below the work that asked for it. Its text has no values. */
export function tellStatementSpan(statement: Statement): void {
  const { trace } = statement;
  if (trace === null || !isRecording(trace)) return;
  const text = normaliseSql(statement.text);
  const { trace: own } = beginSpan('', 'client', { parent: trace });
  const endedAtMs = performance.timeOrigin + performance.now();
  tellSpan({
    ...{ traceId: trace.traceId, spanId: own.spanId, parentSpanId: trace.spanId, kind: 'client' as const },
    name: text.split(' ', 1)[0] ?? 'SQL',
    ...{ startedAtMs: endedAtMs - statement.ms, endedAtMs },
    attributes: { 'db.system.name': 'postgresql', 'db.query.text': text.slice(0, 2_000) },
    problem: statement.problem,
  });
}

function toHighResolution(milliseconds: number): [number, number] {
  const seconds = Math.floor(milliseconds / 1000);
  return [seconds, Math.round((milliseconds - seconds * 1000) * 1e6)];
}
