import type { Span, SpanAttributes, Trace } from './span.ts';

export type { Span, SpanAttributes, Trace };

/** The trace of a process: its own span, those below it, and what a child process needs to continue it. */
export type ProcessTrace = {
  trace: Trace;
  /** For the environment of child processes (W3C Trace Context). */
  traceparent: string;
  /** Ends the process's own span, and sends what is left; a collector that does not answer is not waited for long. */
  end(error?: unknown): Promise<void>;
};

/** Whether the standard variables of OpenTelemetry ask for traces. */
export function isTracing(env: NodeJS.ProcessEnv = process.env): boolean {
  const hasEndpoint = Boolean(env['OTEL_EXPORTER_OTLP_ENDPOINT'] ?? env['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT']);
  return hasEndpoint && env['OTEL_SDK_DISABLED'] !== 'true' && env['OTEL_TRACES_EXPORTER'] !== 'none';
}

/** What a process is called in a trace, and what it says of its own span. */
export type TraceStart = { service: string; version: string; name: string; attributes?: SpanAttributes };

/**
 * Begins the trace of this process, below the span that the variable TRACEPARENT names, if traces are asked for. `onMissing` is told the
 * packages to install where OpenTelemetry is not there; the work goes on without a trace.
 */
export async function openTrace(
  start: TraceStart,
  onMissing: (message: string) => void,
): Promise<ProcessTrace | undefined> {
  if (!isTracing()) return undefined;
  try {
    const { openOtelTrace } = await import('./otel.ts');
    return openOtelTrace(start);
  } catch {
    onMissing(`no traces are sent: npm install ${PACKAGES.join(' ')}`);
    return undefined;
  }
}

const PACKAGES = [
  '@opentelemetry/api',
  '@opentelemetry/resources',
  '@opentelemetry/sdk-trace',
  '@opentelemetry/exporter-trace-otlp-http',
];
