import type { Message } from '@fjord/core';

/** The table property that holds a stream's state of a pipeline. Dots in it are only for people. */
export function statePropertyName(pipeline: string, stream: string): string {
  return `fjord.state.${pipeline}.${stream}`;
}

/** What a stream's property holds: who wrote it, whether the table had rows of others before, and the source's state. */
export type StreamProperty = { attempt: number; adopted?: true; state: unknown };

/** What the marker table holds: the newest attempt, and the state that all streams share. */
export type MarkerProperty = { attempt: number; state: unknown };

/** The marker's property. */
export const MARKER_PROPERTY = 'fjord.pipeline';

/** The namespace of marker tables; each pipeline has one, named by its id. */
export const MARKER_NAMESPACE = ['fjord'];

/** Name of a pipeline's marker table. */
export function markerName(pipeline: string): string {
  return `pipeline_${pipeline}`;
}

/** Begins the names of all branches that pipelines stage on. */
export const STAGING_PREFIX = 'fjord-';

/** The branch on which a pipeline stages the rows of one generation that will replace a table's. */
export function stagingBranch(pipeline: string, generation: number): string {
  return `${STAGING_PREFIX}${pipeline}-g${generation}`;
}

/** Reads a property as written by this package; undefined if there is none. */
export function parseStreamProperty(value: string | undefined): StreamProperty | undefined {
  return value === undefined ? undefined : JSON.parse(value);
}

/** Reads the marker as written by this package; undefined if there is none. */
export function parseMarkerProperty(value: string | undefined): MarkerProperty | undefined {
  return value === undefined ? undefined : JSON.parse(value);
}

/** The STATE message for a stream's property, or for the marker when no stream is named. */
export function stateMessage(stream: string | undefined, state: unknown): Message<'STATE'> {
  return { type: 'STATE', ...(stream !== undefined && { stream }), state };
}
