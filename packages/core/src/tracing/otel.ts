import { type Attributes, ROOT_CONTEXT, SpanStatusCode, trace as api, type Context } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { defaultResource, detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import type { ProcessTrace, TraceStart } from './index.ts';
import type { Span } from './span.ts';

/** A collector that is away must not hold up the end of a sync. */
const SEND_DEADLINE_MS = 2_000;
const TRACEPARENT = /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;

/** The trace of this process by OpenTelemetry's SDK: sent by OTLP over HTTP to where the standard variables say. */
export function openOtelTrace({ service, version, name, attributes = {} }: TraceStart): ProcessTrace {
  const own = resourceFromAttributes({
    'service.name': service,
    'service.version': version,
    'process.pid': process.pid,
  });
  const provider = new TracerProvider({
    // What the variables say (OTEL_RESOURCE_ATTRIBUTES, OTEL_SERVICE_NAME) wins.
    resource: defaultResource()
      .merge(own)
      .merge(detectResources({ detectors: [envDetector] })),
    spanProcessors: [new BatchSpanProcessor({ exporter: openExporter() })],
  });
  const tracer = provider.getTracer('fjord', version);
  const root = tracer.startSpan(name, { attributes }, parentOf(process.env['TRACEPARENT']));
  const below = api.setSpan(ROOT_CONTEXT, root);
  const { traceId, spanId, traceFlags } = root.spanContext();
  return {
    traceparent: `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`,
    trace: (child, more = {}) => asSpan(tracer.startSpan(child, { attributes: more }, below)),
    async end(error) {
      if (error !== undefined) failed(root, error);
      root.end();
      const late = new Promise<void>((resolve) => setTimeout(resolve, SEND_DEADLINE_MS).unref());
      await Promise.race([provider.shutdown().catch(() => undefined), late]);
    },
  };
}

/** Unless the variables say otherwise a try to send, and its repetitions, end when nobody waits for them any more: they keep the process alive. */
function openExporter(env: NodeJS.ProcessEnv = process.env): OTLPTraceExporter {
  const given = env['OTEL_EXPORTER_OTLP_TRACES_TIMEOUT'] ?? env['OTEL_EXPORTER_OTLP_TIMEOUT'];
  return new OTLPTraceExporter({ timeoutMillis: given === undefined ? SEND_DEADLINE_MS : Number(given) });
}

type OtelSpan = ReturnType<ReturnType<TracerProvider['getTracer']>['startSpan']>;

function asSpan(span: OtelSpan): Span {
  return {
    set: (attributes: Attributes) => void span.setAttributes(attributes),
    fail: (error) => failed(span, error),
    [Symbol.dispose]: () => span.end(),
  };
}

/** The code alone where there is one: messages may be long, and the log has them. */
function failed(span: OtelSpan, error: unknown): void {
  const code = typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : 'internal_error';
  span.setStatus({ code: SpanStatusCode.ERROR, message: code });
  span.setAttribute('error.type', code);
}

function parentOf(traceparent: string | undefined): Context {
  const [, traceId, spanId, flags = '00'] = TRACEPARENT.exec(traceparent ?? '') ?? [];
  if (traceId === undefined || spanId === undefined) return ROOT_CONTEXT;
  return api.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true });
}
