import type { WriteStream } from 'node:tty';
import type { OperatorLine, StreamProgress } from '@fjord/engine';
import { formatBytes, formatCount } from './table-text.ts';

/** Calm for the eye, and no cost at 1,000 streams. */
const REDRAW_MS = 200;
/** More lines than this nobody follows. */
const MAX_STREAMS = 12;
/** Speed is that of the last seconds: what was before tells nothing of what is left. */
const WINDOW_MS = 10_000;

type Sample = { at: number; rows: number; bytes: number };

/** The streams at work in a line each and all of them in a last one, redrawn in place; warnings and errors scroll by above. */
export class LiveView {
  readonly #terminal: WriteStream;
  readonly #samples: Sample[] = [];
  #drawn = 0;
  #drawnAt = 0;
  #retries = 0;

  constructor(terminal: WriteStream) {
    this.#terminal = terminal;
  }

  show(current: () => StreamProgress[]): void {
    const now = Date.now();
    if (now - this.#drawnAt < REDRAW_MS) return;
    this.#drawnAt = now;
    const streams = current();
    const running = streams.filter(({ status }) => status === 'RUNNING');
    const shown = running.slice(0, Math.max(1, Math.min(MAX_STREAMS, this.#terminal.rows - 4)));
    const lines = [
      ...shown.map((stream) => progressLine(stream, now)),
      ...(running.length > shown.length ? [`… and ${formatCount(running.length - shown.length)} more at work`] : []),
      totalLine(streams, { ...this.#speed(streams, now), retries: this.#retries }),
    ];
    // In one write, each line replaced as a whole: nothing flickers.
    const up = this.#drawn > 0 ? `\u001B[${this.#drawn}A` : '';
    const width = this.#terminal.columns - 1;
    this.#terminal.write(`${up}${lines.map((line) => `${line.slice(0, width)}\u001B[K\n`).join('')}\u001B[0J`);
    this.#drawn = lines.length;
  }

  /** A fault was survived by trying again. */
  countRetry(): void {
    this.#retries += 1;
  }

  /** Shows a line of the log above the streams. */
  log(line: OperatorLine): void {
    if (line.type !== 'LOG') return;
    this.clear();
    this.#terminal.write(`${line.level}: ${line.message}\n`);
  }

  /** Takes the lines off the screen. */
  clear(): void {
    if (this.#drawn > 0) this.#terminal.write(`\u001B[${this.#drawn}A\u001B[0J`);
    this.#drawn = 0;
  }

  #speed(streams: readonly StreamProgress[], now: number): { rowsPerSecond: number; bytesPerSecond: number } {
    const sum = (field: 'rows' | 'bytes') => streams.reduce((total, stream) => total + stream[field], 0);
    const last = { at: now, rows: sum('rows'), bytes: sum('bytes') };
    this.#samples.push(last);
    while ((this.#samples[1]?.at ?? now) < now - WINDOW_MS) this.#samples.shift();
    const first = this.#samples[0] ?? last;
    const seconds = Math.max(0.001, (now - first.at) / 1000);
    return {
      rowsPerSecond: Math.max(0, last.rows - first.rows) / seconds,
      bytesPerSecond: Math.max(0, last.bytes - first.bytes) / seconds,
    };
  }
}

/** `public.orders  1,200,000 rows  83.1 MB/s  62 %  0:12 left`. */
export function progressLine(stream: StreamProgress, now: number): string {
  const seconds = Math.max(0.001, (now - (stream.startedAt ?? now)) / 1000);
  const parts = [stream.stream, `${formatCount(stream.rows)} rows`, `${formatBytes(stream.bytes / seconds)}/s`];
  const { estimatedRows = 0, rows, lagBytes, lagSeconds } = stream;
  if (lagBytes !== undefined) {
    const late = lagSeconds === undefined ? '' : `, ${lagSeconds.toFixed(1)} s`;
    return [parts[0], parts[1], `${formatBytes(lagBytes)}${late} behind`].join('  ');
  }
  if (estimatedRows > 0 && rows > 0 && rows < estimatedRows) {
    parts.push(
      `${Math.floor((100 * rows) / estimatedRows)} %`,
      `${clock(((estimatedRows - rows) * seconds) / rows)} left`,
    );
  }
  return parts.join('  ');
}

/** `12 of 1,000 streams complete  45.2 MB/s  12:33 left  2 retries`. What is left is told only where every stream has an estimate. */
export function totalLine(
  streams: readonly StreamProgress[],
  { rowsPerSecond, bytesPerSecond, retries }: { rowsPerSecond: number; bytesPerSecond: number; retries: number },
): string {
  const open = streams.filter(({ status }) => status === 'WAITING' || status === 'RUNNING');
  const done = streams.filter(({ status }) => status === 'COMPLETE').length;
  const left = open.reduce(
    (sum, { estimatedRows, rows }) => sum + Math.max(0, (estimatedRows ?? Number.NaN) - rows),
    0,
  );
  return [
    `${formatCount(done)} of ${formatCount(streams.length)} streams complete`,
    `${formatBytes(Math.round(bytesPerSecond))}/s`,
    ...(left > 0 && rowsPerSecond > 0 ? [`${clock(left / rowsPerSecond)} left`] : []),
    ...(retries > 0 ? [`${formatCount(retries)} ${retries === 1 ? 'retry' : 'retries'}`] : []),
  ].join('  ');
}

const clock = (seconds: number) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, '0')}`;
