import { readFileSync } from 'node:fs';
import { isTracing, openTrace, type ProcessTrace } from '@fjord/core/tracing';
import type { Pipeline } from './pipeline.ts';

/** The trace of one run, if the standard variables ask for traces: the connectors continue it. */
export async function openRunTrace(
  { id }: Pipeline,
  warn: (message: string) => void,
): Promise<ProcessTrace | undefined> {
  if (!isTracing()) return undefined;
  const manifest = new URL('../package.json', import.meta.url);
  const { version }: { version: string } = JSON.parse(readFileSync(manifest, 'utf8'));
  return openTrace({ service: 'fjord', version, name: 'sync', attributes: { 'fjord.pipeline': id } }, warn);
}
