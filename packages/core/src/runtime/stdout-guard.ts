import type { Log } from '../run-context.ts';

/** From here on text printed by libraries or by mistake (console.log, process.stdout) becomes a log line: stdout carries only protocol. */
export function guardStdout(log: Log): void {
  const divert = (chunk: unknown) => {
    const text = typeof chunk === 'string' ? chunk : Buffer.from(chunk as Uint8Array).toString();
    log('warn', 'text was printed to stdout and diverted here', { text: text.trimEnd() });
  };
  process.stdout.write = (chunk: unknown, encoding?: unknown, done?: unknown): boolean => {
    divert(chunk);
    const callback = typeof encoding === 'function' ? encoding : done;
    if (typeof callback === 'function') process.nextTick(() => callback());
    return true;
  };
}
