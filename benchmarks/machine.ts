import { cpus, totalmem } from 'node:os';

/** The machine that a figure belongs to. */
export type Machine = { cpu: string; cores: number; memoryGB: number; node: string; postgres?: string };

/** This machine; `postgres` is the version of the server that was measured. */
export function describeMachine(postgres?: string): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memoryGB: Math.round(totalmem() / 2 ** 30),
    node: process.versions.node,
    ...(postgres !== undefined && { postgres }),
  };
}
