import { ConnectorError } from '../errors.ts';

/** A stopped process must be gone within 10 s; a second is left to write the last lines. */
const STOP_DEADLINE_MS = 9_000;
/** How often a connector looks whether the engine that started it still lives. */
const PARENT_CHECK_MS = 1_000;

/** Turns SIGTERM, SIGINT and the death of the engine (FJORD_PARENT_PID) into one abort signal whose reason is the ConnectorError to end with. */
export function watchStopSignals(): AbortController {
  const controller = new AbortController();
  const stop = (error: ConnectorError, exitCode: number) => {
    controller.abort(error);
    setTimeout(() => process.exit(exitCode), STOP_DEADLINE_MS).unref();
  };
  process.on('SIGTERM', () => stop(new ConnectorError('terminated', 'The run was asked to stop by SIGTERM.'), 143));
  process.on('SIGINT', () => stop(new ConnectorError('interrupted', 'The run was interrupted.'), 130));
  const parent = process.env['FJORD_PARENT_PID'];
  if (parent !== undefined) watchParent(Number(parent), () => stop(parentGone(), 143));
  return controller;
}

function watchParent(pid: number, onGone: () => void): void {
  const timer = setInterval(() => {
    if (process.ppid === pid) return;
    clearInterval(timer);
    onGone();
  }, PARENT_CHECK_MS);
  timer.unref();
}

const parentGone = () => new ConnectorError('terminated', 'The engine that started this connector has ended.');
