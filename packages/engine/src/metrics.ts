import { readFileSync } from 'node:fs';
import { Counter, Gauge, Registry } from 'prom-client';
import type { OperatorLine } from './connector-process.ts';
import type { StreamProgress } from './progress.ts';
import { isRetry } from './retry-line.ts';

/** Streams that have series of their own: a label with more values than this would burden the monitoring. The others share one. */
const MAX_STREAM_LABELS = 1_000;
const OTHERS = '(others)';
/** Every value that the label `phase` can have. */
export const PHASES = ['waiting', 'backfill', 'catching-up', 'following', 'running', 'complete', 'incomplete'] as const;
type Phase = (typeof PHASES)[number];
/** The kernel counts in hundredths of a second for every program (`USER_HZ`, proc(5)). */
const TICKS_PER_SECOND = 100;
const PAGE_BYTES = 4096;

/** Where a process of the sync is found. */
type ProcessName = 'engine' | 'source' | 'destination';

/**
 * The metrics of a sync for Prometheus, by its conventions: base units, `_total` for what only grows. Figures are taken when they are
 * asked for, so that they cost nothing in between.
 */
export class SyncMetrics {
  readonly #registry = new Registry();
  readonly #pids = new Map<ProcessName, number>([['engine', process.pid]]);
  readonly #retries: Counter<'from'>;
  readonly #errors: Counter<'from' | 'code'>;
  readonly #restarts: Counter;
  #streams: () => StreamProgress[] = () => [];

  constructor({ pipeline, version }: { pipeline: string; version: string }) {
    this.#registry.setDefaultLabels({ pipeline });
    const info = { name: 'fjord_build_info', help: 'The version of Fjord that runs, as a label; always 1.' };
    new Gauge({ ...info, labelNames: ['version'], registers: [this.#registry] }).set({ version }, 1);
    this.#gauge('fjord_start_timestamp_seconds', 'When this process began.').set(Date.now() / 1000 - process.uptime());
    this.#addStreams();
    this.#addPhases();
    this.#retries = this.#counter('fjord_retries_total', 'Faults that were survived by trying again.', ['from']);
    this.#errors = this.#counter('fjord_errors_total', 'Errors that ended a stream or a run, by code.', [
      'from',
      'code',
    ]);
    this.#restarts = this.#counter(
      'fjord_restarts_total',
      'How often a following sync has begun again after a fault.',
      [],
    );
    this.#addProcesses();
  }

  /** The figures as they are now, in the text format of Prometheus. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** Takes over how the streams of the present run are looked at. */
  progress(streams: () => StreamProgress[]): void {
    this.#streams = streams;
  }

  /** Takes a line of a connector: a warning that carries the code of an error is a fault that was tried again. */
  line(line: OperatorLine, from: ProcessName): void {
    if (line.type === 'ERROR') this.#errors.inc({ from, code: line.code });
    if (isRetry(line)) this.#retries.inc({ from });
  }

  /** A connector was started for the run. */
  started(role: 'source' | 'destination', pid: number): void {
    this.#pids.set(role, pid);
  }

  /** A following sync begins again. */
  restarted(): void {
    this.#restarts.inc();
  }

  #addStreams(): void {
    const each = (name: string, help: string, valueOf: (stream: StreamProgress) => number | undefined) => {
      const isTotal = name.endsWith('_total');
      const values = () => labelled(this.#streams(), valueOf, isTotal ? 'sum' : 'worst');
      const config = { name, help, labelNames: ['stream'], registers: [this.#registry] };
      if (isTotal) new Counter({ ...config, collect: collector(values, 'stream') });
      else new Gauge({ ...config, collect: collector(values, 'stream') });
    };
    each('fjord_stream_rows_read_total', 'Rows and changes read of a stream.', ({ rows }) => rows);
    each('fjord_stream_read_bytes_total', 'Bytes read of a stream, as Arrow columns.', ({ bytes }) => bytes);
    each('fjord_stream_commits_total', 'Commits of a stream that hold its state.', ({ commits }) => commits);
    each('fjord_stream_rejected_values_total', 'Values that did not fit their column.', ({ rejected }) =>
      Object.values(rejected).reduce((sum, count) => sum + count, 0),
    );
    each('fjord_stream_lag_bytes', 'Log between what was read and its head.', ({ lagBytes }) => lagBytes);
    each(
      'fjord_stream_lag_seconds',
      'Time between what was read and the head of the log.',
      (stream) => stream.lagSeconds,
    );
    each('fjord_stream_last_commit_timestamp_seconds', 'When a state last became durable.', ({ committedAt }) =>
      committedAt === undefined ? undefined : committedAt / 1000,
    );
  }

  #addPhases(): void {
    const streams = () => this.#streams();
    new Gauge({
      name: 'fjord_stream_phase',
      help: '1 for the phase that a stream is in.',
      labelNames: ['stream', 'phase'],
      registers: [this.#registry],
      collect() {
        this.reset();
        for (const stream of streams().slice(0, MAX_STREAM_LABELS)) {
          this.set({ stream: stream.stream, phase: phaseOf(stream) }, 1);
        }
      },
    });
    const counts = () => {
      const found = new Map<string, number>(PHASES.map((phase) => [phase, 0]));
      for (const stream of streams()) found.set(phaseOf(stream), (found.get(phaseOf(stream)) ?? 0) + 1);
      return found;
    };
    new Gauge({
      name: 'fjord_streams',
      help: 'How many streams are in a phase.',
      labelNames: ['phase'],
      registers: [this.#registry],
      collect: collector(counts, 'phase'),
    });
  }

  #addProcesses(): void {
    const each = (figure: keyof Usage) => () =>
      new Map(
        [...this.#pids].flatMap(([name, pid]): [string, number][] => {
          const usage = usageOf(pid);
          return usage ? [[name, usage[figure]]] : [];
        }),
      );
    const config = { labelNames: ['process'], registers: [this.#registry] };
    new Gauge({
      ...config,
      name: 'fjord_process_resident_memory_bytes',
      help: 'Memory of a process of the sync.',
      collect: collector(each('residentBytes'), 'process'),
    });
    new Counter({
      ...config,
      name: 'fjord_process_cpu_seconds_total',
      help: 'CPU time that a process of the sync has taken.',
      collect: collector(each('cpuSeconds'), 'process'),
    });
  }

  #gauge(name: string, help: string): Gauge {
    return new Gauge({ name, help, registers: [this.#registry] });
  }

  #counter<Label extends string>(name: string, help: string, labelNames: Label[]): Counter<Label> {
    return new Counter({ name, help, labelNames, registers: [this.#registry] });
  }
}

/** What prom-client calls before it prints a metric: the values are taken anew, each under its label. */
function collector(values: () => Map<string, number>, label: string) {
  return function collect(this: { reset(): void; inc(labels: Record<string, string>, value: number): void }): void {
    this.reset();
    for (const [name, value] of values()) this.inc({ [label]: name }, value);
  };
}

/** What streams beyond the bounded number share: of what grows the sum, else the greatest. */
function labelled(
  streams: readonly StreamProgress[],
  valueOf: (stream: StreamProgress) => number | undefined,
  others: 'sum' | 'worst',
): Map<string, number> {
  const values = new Map<string, number>();
  for (const [index, stream] of streams.entries()) {
    const value = valueOf(stream);
    if (value === undefined) continue;
    const label = index < MAX_STREAM_LABELS ? stream.stream : OTHERS;
    const known = values.get(label);
    values.set(label, known === undefined ? value : others === 'sum' ? known + value : Math.max(known, value));
  }
  return values;
}

function phaseOf({ status, phase }: StreamProgress): Phase {
  if (status === 'COMPLETE') return 'complete';
  if (status === 'INCOMPLETE') return 'incomplete';
  if (status === 'WAITING') return 'waiting';
  if (phase === 'failed' || phase === 'gone') return 'incomplete';
  // What a stream beside the change log calls its backfill.
  if (phase === 'loading') return 'backfill';
  return PHASES.find((known) => known === phase) ?? 'running';
}

type Usage = { residentBytes: number; cpuSeconds: number };

/** What a process takes with its threads (proc(5)); undefined where there is no such process, or no /proc. */
function usageOf(pid: number): Usage | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // Behind the name in parentheses, counted from the state: user and system time are fields 14 and 15, the resident pages field 24.
    const fields = stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number);
    const [userTicks = 0, systemTicks = 0, pages = 0] = [fields[11], fields[12], fields[21]];
    return { residentBytes: pages * PAGE_BYTES, cpuSeconds: (userTicks + systemTicks) / TICKS_PER_SECOND };
  } catch {
    return undefined;
  }
}
