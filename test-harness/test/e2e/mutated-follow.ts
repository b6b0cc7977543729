import { once } from 'node:events';
import { expect } from 'vitest';
import { sync } from './followed-tables.ts';
import { killConnectors, type Victim } from './kill-run.ts';
import type { Mutations } from './mutations.ts';
import type { Pipeline } from './pipeline.ts';

const VICTIMS: Victim[] = ['source', 'destination', 'both'];
const KILLS = 5;

/** What makes the random changes. Another one each day, the same all day; FJORD_TEST_SEED repeats one. */
export const SEED = Number(process.env['FJORD_TEST_SEED'] ?? Math.floor(Date.now() / 86_400_000));

/** Changes the tables while a sync follows them that is killed again and again, and then lets it come to its end. */
export async function followThroughKills(pipeline: Pipeline, mutations: Mutations): Promise<void> {
  for (let kill = 0; kill < KILLS; kill++) {
    const running = pipeline.start('--follow');
    running.stdout.resume();
    let stderr = '';
    running.stderr.on('data', (data: Buffer) => (stderr += data.toString()));
    const ended = once(running, 'close');
    try {
      while (!stderr.includes('"PROGRESS"')) {
        expect(stderr).not.toContain('"ERROR"');
        expect(running.exitCode, stderr).toBeNull();
        await mutations.run(1);
      }
      await mutations.run(mutations.below(40));
      expect(running.exitCode, stderr).toBeNull();
      running.kill('SIGSTOP');
      killConnectors(running.pid ?? 0, VICTIMS[mutations.below(VICTIMS.length)]!);
    } finally {
      running.kill('SIGKILL');
    }
    await ended;
  }
  await mutations.run(20);
  await sync(pipeline);
}
