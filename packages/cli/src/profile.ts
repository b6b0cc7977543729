import { mkdirSync, writeFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import path from 'node:path';

/** A CPU profile of all processes of a sync while it is in scope. */
export type Profiling = AsyncDisposable & {
  /** For the environment of the connectors: Node writes a profile of each, and of each thread, when it ends. */
  env: Record<string, string>;
};

/** Begins profiling into a folder: a `.cpuprofile` of each process and thread, for a browser's developer tools or speedscope to draw. */
export async function startProfiling(folder: string): Promise<Profiling> {
  const place = path.resolve(folder);
  mkdirSync(place, { recursive: true });
  const session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.start');
  const options = [process.env['NODE_OPTIONS'], '--cpu-prof', `--cpu-prof-dir=${JSON.stringify(place)}`];
  return {
    env: { NODE_OPTIONS: options.filter(Boolean).join(' ') },
    async [Symbol.asyncDispose]() {
      const { profile } = await session.post('Profiler.stop');
      writeFileSync(path.join(place, `engine.${process.pid}.cpuprofile`), JSON.stringify(profile));
      session.disconnect();
    },
  };
}
