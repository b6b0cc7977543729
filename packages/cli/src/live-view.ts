import type { WriteStream } from 'node:tty';
import type { OperatorLine, StreamProgress } from '@fjord/engine';
import { formatBytes, formatCount } from './table-text.ts';

/** Calm for the eye, and no cost at 1,000 streams. */
const REDRAW_MS = 200;

/** One line for each stream at work, redrawn in place; warnings and errors scroll by above. */
export class LiveView {
  readonly #terminal: WriteStream;
  #drawn = 0;
  #drawnAt = 0;

  constructor(terminal: WriteStream) {
    this.#terminal = terminal;
  }

  show(current: () => StreamProgress[]): void {
    if (Date.now() - this.#drawnAt < REDRAW_MS) return;
    this.#drawnAt = Date.now();
    const streams = current();
    this.clear();
    const running = streams.filter(({ status }) => status === 'RUNNING').slice(0, Math.max(1, this.#terminal.rows - 3));
    const done = streams.filter(({ status }) => status === 'COMPLETE').length;
    const lines = [
      ...running.map((stream) => progressLine(stream, Date.now())),
      `${done} of ${streams.length} streams complete`,
    ];
    this.#terminal.write(lines.map((line) => `${line.slice(0, this.#terminal.columns - 1)}\n`).join(''));
    this.#drawn = lines.length;
  }

  log(line: OperatorLine): void {
    if (line.type !== 'LOG' || (line.level !== 'warn' && line.level !== 'error')) return;
    this.clear();
    this.#terminal.write(`${line.level}: ${line.message}\n`);
  }

  /** Takes the lines off the screen. */
  clear(): void {
    if (this.#drawn > 0) this.#terminal.write(`\u001B[${this.#drawn}A\u001B[0J`);
    this.#drawn = 0;
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

const clock = (seconds: number) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, '0')}`;
