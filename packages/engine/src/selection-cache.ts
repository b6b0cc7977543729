import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Selection } from '@fjord/core';
import type { Pipeline } from './pipeline.ts';
import { replaceFile } from './state-cache.ts';

const fileOf = ({ folder, id }: Pipeline) => path.join(folder, '.fjord', id, 'streams.json');

/** Keeps what a sync has selected, for verbs that look at tables while the source is away. A folder that cannot be written stops no sync. */
export async function rememberSelection(pipeline: Pipeline, selection: Selection): Promise<void> {
  await replaceFile(fileOf(pipeline), `${JSON.stringify(selection)}\n`).catch(() => undefined);
}

/** What the last sync from this folder had selected; undefined if there was none. */
export async function recallSelection(pipeline: Pipeline): Promise<Selection | undefined> {
  try {
    // Written by `rememberSelection`; connectors check it like any other.
    return JSON.parse(await readFile(fileOf(pipeline), 'utf8')) as Selection;
  } catch {
    return undefined;
  }
}
