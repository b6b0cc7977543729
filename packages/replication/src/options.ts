import { type Static, type TObject, Type } from '@fjord/core/schema';

/** How rows that change while they are read are kept apart. */
export const ConsistencySchema = Type.Union([Type.Literal('snapshot'), Type.Literal('keys'), Type.Literal('chunk')], {
  title: 'Consistency',
  description:
    'snapshot: all rows as of one moment, an unfinished stream starts over after a crash; where no snapshot can be held, keys. keys: short transactions over ranges of the key, resumed chunk by chunk; each row is read once, as of its own moment. chunk: short transactions over ranges of pages, fastest; rows that move meanwhile may be read twice or not at all.',
  default: 'snapshot',
});
export type Consistency = Static<typeof ConsistencySchema>;

const ProfileSchema = Type.Union([Type.Literal('gentle'), Type.Literal('balanced'), Type.Literal('fast')], {
  title: 'Profile',
  description:
    'How much of the server a load may take. gentle: one reader that rests most of the time and waits while the server is busy. balanced: two readers that wait while replicas lag or connections run out. fast: four readers that wait for nothing.',
  default: 'balanced',
});
type Profile = Static<typeof ProfileSchema>;

/** Options that every database source has, whatever its database. They stand beside the connector's own. */
export const ReplicationOptions = Type.Object({
  profile: ProfileSchema,
  parallel: Type.Optional(
    Type.Integer({
      title: 'Parallel readers',
      description:
        'How many chunks are read at once, each on a connection and in a worker thread of its own; fewer if the server has fewer connections free. By profile 1, 2 or 4.',
      minimum: 1,
      maximum: 64,
    }),
  ),
  chunkMB: Type.Number({
    title: 'Chunk size',
    description: 'About how many megabytes of rows one chunk holds.',
    default: 128,
    exclusiveMinimum: 0,
  }),
  maxStatementSeconds: Type.Number({
    title: 'Longest statement',
    description:
      'No statement, and about no chunk, takes longer than this many seconds. What cannot be cut (a view, a foreign table) is exempt.',
    default: 60,
    minimum: 1,
  }),
  maxReplicaLagSeconds: Type.Optional(
    Type.Number({
      title: 'Replica lag',
      description: 'Reading pauses while a replica of the server is further behind. By profile 10, 60 or unlimited.',
      exclusiveMinimum: 0,
    }),
  ),
  maxActiveSessions: Type.Optional(
    Type.Integer({
      title: 'Active sessions',
      description: 'Reading pauses while more sessions of others are at work. By profile 16 or unlimited.',
      minimum: 1,
    }),
  ),
  minFreeConnections: Type.Optional(
    Type.Integer({
      title: 'Free connections',
      description: 'Reading pauses while the server has fewer connections left for others. By profile 10, 3 or 0.',
      minimum: 0,
    }),
  ),
  consistency: ConsistencySchema,
  retrySeconds: Type.Optional(
    Type.Number({
      title: 'Retry',
      description:
        'How long a fault that may pass (a restart, a failover, the network) is waited for. By default 60, and without end in `sync --follow`.',
      minimum: 0,
    }),
  ),
  maxSpillGB: Type.Number({
    title: 'Spill limit',
    description:
      'How many gigabytes of changes may wait on disk for rows that are still copied. Beyond, reading the change log pauses until they are.',
    default: 20,
    exclusiveMinimum: 0,
  }),
});
type GivenOptions = Static<typeof ReplicationOptions>;

/** What a profile means where the options say nothing. `workShare` is the part of the time in which a reader keeps the server at work. */
type Pace = {
  parallel: number;
  workShare: number;
  maxReplicaLagSeconds: number;
  maxActiveSessions: number;
  minFreeConnections: number;
};

const UNLIMITED = Number.POSITIVE_INFINITY;
const PACES: Record<Profile, Pace> = {
  gentle: { parallel: 1, workShare: 0.01, maxReplicaLagSeconds: 10, maxActiveSessions: 16, minFreeConnections: 10 },
  balanced: {
    parallel: 2,
    workShare: 1,
    maxReplicaLagSeconds: 60,
    maxActiveSessions: UNLIMITED,
    minFreeConnections: 3,
  },
  fast: {
    parallel: 4,
    workShare: 1,
    maxReplicaLagSeconds: UNLIMITED,
    maxActiveSessions: UNLIMITED,
    minFreeConnections: 0,
  },
};

/** The options with the profile's values where they say nothing. */
export type ReplicationOptions = GivenOptions & Pace;

/** Fills in what the profile means. Options that were filled in before stay as they are. */
export function paceOf<Options extends GivenOptions>(given: Options): Options & Pace {
  const { profile } = given;
  return { ...PACES[profile], ...given };
}

/** The connector's own options and replication's, as one schema. */
export function withReplicationOptions(own: TObject): TObject {
  return Type.Object({ ...own.properties, ...ReplicationOptions.properties });
}
