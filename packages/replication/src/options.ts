import { type Static, type TObject, Type } from '@sinclair/typebox';

/** Options that every database source has, whatever its database. They stand beside the connector's own. */
export const ReplicationOptions = Type.Object({
  parallel: Type.Integer({
    title: 'Parallel readers',
    description: 'How many chunks are read at once, each on a connection and in a worker thread of its own.',
    default: 2,
    minimum: 1,
    maximum: 64,
  }),
  chunkMB: Type.Number({
    title: 'Chunk size',
    description: 'About how many megabytes of the source table one chunk covers.',
    default: 128,
    exclusiveMinimum: 0,
  }),
  consistency: Type.Union([Type.Literal('snapshot'), Type.Literal('chunk')], {
    title: 'Consistency',
    description:
      'snapshot: all rows as of one moment, an unfinished stream starts over after a crash. chunk: short transactions, resumed chunk by chunk; rows that move meanwhile may be read twice or not at all.',
    default: 'snapshot',
  }),
});
export type ReplicationOptions = Static<typeof ReplicationOptions>;

/** The connector's own options and replication's, as one schema. */
export function withReplicationOptions(own: TObject): TObject {
  return Type.Object({ ...own.properties, ...ReplicationOptions.properties });
}
