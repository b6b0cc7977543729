import { type Static, type TSchema, Type } from '../schema.ts';
import { ColumnSchema } from '../column-type.ts';
import { StreamSchema, WriteModeSchema } from './catalog.ts';
import { TableContentsSchema } from './table.ts';
import { ListedRowSchema, RangeSumSchema } from './verification.ts';

/** The protocol versions this package speaks. */
export const PROTOCOL = { min: 1, max: 1 } as const;

const Count = Type.Integer({ minimum: 0 });
const Format = Type.Union([Type.Literal('arrow'), Type.Literal('jsonl')]);
const Json = Type.Unsafe<unknown>({});

/** A fault that `check` found, with what to do about it. `fix` may be a statement to paste. */
export const ProblemSchema = Type.Object({
  code: Type.String(),
  message: Type.String(),
  fix: Type.String(),
  stream: Type.Optional(Type.String()),
});
export type Problem = Static<typeof ProblemSchema>;

const message = <Name extends string, Fields extends Record<string, TSchema>>(type: Name, fields: Fields) =>
  Type.Object({ type: Type.Literal(type), ...fields });

const Stream = Type.String();
const Chunk = Type.String();
const Attempt = Type.Integer({ minimum: 1 });
// 16 bytes as hex, in the order of the change log: epoch, commit, ordinal (rule 8).
const OrderKey = Type.String({ pattern: '^[0-9a-f]{32}$' });
const Op = Type.Union([Type.Literal('c'), Type.Literal('u'), Type.Literal('d')]);

/** Every message of protocol version 1, by type. docs/protocol.md explains each; protocol.v1.json guards the wire. */
export const MESSAGES = {
  SPEC: message('SPEC', {
    name: Type.String(),
    kind: Type.Union([Type.Literal('source'), Type.Literal('destination')]),
    version: Type.String(),
    protocol: Type.Object({ min: Type.Integer(), max: Type.Integer() }),
    config: Type.Unsafe<Record<string, unknown>>(Type.Object({})),
    capabilities: Type.Object({
      formats: Type.Array(Format),
      syncModes: Type.Optional(Type.Array(Type.String())),
      writeModes: Type.Optional(Type.Array(WriteModeSchema)),
      /** The source does what a selected stream's `shape` says: filter, transforms, renames. */
      shapes: Type.Optional(Type.Boolean()),
      /** It has the verb `remove`. */
      removal: Type.Optional(Type.Boolean()),
      /** The destination has the verb `maintain`. */
      maintenance: Type.Optional(Type.Boolean()),
      /** It has the verb `verify`. */
      verification: Type.Optional(Type.Boolean()),
      /** The source's `read` takes `--until` and `--repair`. */
      repair: Type.Optional(Type.Boolean()),
    }),
  }),
  CONNECTION_STATUS: message('CONNECTION_STATUS', { ok: Type.Boolean(), problems: Type.Array(ProblemSchema) }),
  CATALOG: message('CATALOG', { streams: Type.Array(StreamSchema) }),
  SCHEMA: message('SCHEMA', {
    stream: Stream,
    version: Type.Integer({ minimum: 1 }),
    columns: Type.Array(ColumnSchema),
    primaryKey: Type.Array(Type.String()),
  }),
  BACKFILL: message('BACKFILL', {
    stream: Stream,
    generation: Type.Integer({ minimum: 1 }),
    replace: Type.Boolean(),
  }),
  RECORD: message('RECORD', {
    stream: Stream,
    data: Type.Record(Type.String(), Json),
    chunk: Type.Optional(Chunk),
    attempt: Type.Optional(Attempt),
    /** Present in a change: created, updated or deleted. */
    op: Type.Optional(Op),
    position: Type.Optional(OrderKey),
    /** The columns that the log did not carry; they are not null. */
    unset: Type.Optional(Type.Array(Type.String())),
    /** When the transaction was committed, as a timestamptz. */
    committedAt: Type.Optional(Type.String()),
  }),
  BATCH: message('BATCH', {
    stream: Stream,
    kind: Type.Union([Type.Literal('backfill'), Type.Literal('changes')]),
    chunk: Type.Optional(Chunk),
    attempt: Type.Optional(Attempt),
    schema: Type.Integer({ minimum: 1 }),
    rows: Count,
    bytes: Count,
  }),
  CHUNK: message('CHUNK', {
    stream: Stream,
    chunk: Chunk,
    attempt: Attempt,
    event: Type.Union([Type.Literal('begin'), Type.Literal('done'), Type.Literal('discard')]),
    rows: Type.Optional(Count),
    rejected: Type.Optional(Type.Record(Type.String(), Count)),
  }),
  HANDOVER: message('HANDOVER', { stream: Stream, position: OrderKey }),
  TRUNCATE: message('TRUNCATE', { stream: Stream, position: OrderKey }),
  DROPPED: message('DROPPED', { stream: Stream, position: OrderKey }),
  STATUS: message('STATUS', {
    stream: Type.Optional(Stream),
    status: Type.Union([
      Type.Literal('STARTED'),
      Type.Literal('RUNNING'),
      Type.Literal('COMPLETE'),
      Type.Literal('INCOMPLETE'),
    ]),
    reason: Type.Optional(Type.String()),
  }),
  STATE: message('STATE', {
    stream: Type.Optional(Stream),
    state: Json,
    resumed: Type.Optional(Type.Boolean()),
    rows: Type.Optional(Count),
    position: Type.Optional(Type.String()),
  }),
  MAINTENANCE: message('MAINTENANCE', {
    stream: Stream,
    dryRun: Type.Boolean(),
    /** Small or mostly deleted files, and what they were made into; `abandonedFiles` were changed by others meanwhile. */
    rewrittenFiles: Count,
    rewrittenBytes: Count,
    newFiles: Count,
    newBytes: Count,
    abandonedFiles: Count,
    /** Delete files that were put together, and what they were made into. */
    gatheredDeleteFiles: Count,
    newDeleteFiles: Count,
    mergedManifests: Count,
    expiredSnapshots: Count,
    expiredFiles: Count,
    orphanFiles: Count,
    orphanBytes: Count,
    /** Their locations, in a dry run. */
    orphans: Type.Optional(Type.Array(Type.String())),
    /** Why files and snapshots were left alone. */
    skipped: Type.Optional(Type.String()),
  }),
  /** Something of a pipeline that is gone now, in words: a replication slot, a marker, a state. */
  REMOVED: message('REMOVED', { what: Type.String() }),
  ACK: message('ACK', { stream: Type.Optional(Stream), state: Json }),
  LOG: message('LOG', {
    level: Type.Union([Type.Literal('debug'), Type.Literal('info'), Type.Literal('warn'), Type.Literal('error')]),
    message: Type.String(),
    at: Type.String(),
    fields: Type.Optional(Type.Record(Type.String(), Json)),
  }),
  PROGRESS: message('PROGRESS', {
    stream: Stream,
    rows: Count,
    bytes: Count,
    phase: Type.Optional(Type.String()),
    rejected: Type.Optional(Type.Record(Type.String(), Count)),
    committedRows: Type.Optional(Count),
    /** How far what was read is behind the head of the change log. */
    lagBytes: Type.Optional(Count),
    lagSeconds: Type.Optional(Type.Number({ minimum: 0 })),
    /** How long the slowest of the transactions that came since this was last said took from its commit to the source. */
    arrivalSeconds: Type.Optional(Type.Number({ minimum: 0 })),
    note: Type.Optional(Type.String()),
  }),
  /** A stream's table by its whole name; without contents there is none yet. */
  TABLE: message('TABLE', { stream: Stream, table: Type.String(), contents: Type.Optional(TableContentsSchema) }),
  /** The columns of a query's result, typed in the words of whoever answers. */
  RESULT: message('RESULT', { columns: Type.Array(Type.Object({ name: Type.String(), type: Type.String() })) }),
  /** Rows of a query's result, a value for each of its columns. What a JSON number cannot hold exactly is a string. */
  ROWS: message('ROWS', { rows: Type.Array(Type.Array(Json)) }),
  /** From where in the change log a source's sums are: they hold all changes up to here, and none that come after. */
  POSITION: message('POSITION', { position: Json }),
  /** Sums of a stream's rows by range; ranges without rows are left out. `note` says how they were found, if that matters. */
  SUMS: message('SUMS', { stream: Stream, sums: Type.Array(RangeSumSchema), note: Type.Optional(Type.String()) }),
  /** Rows of the ranges that were to be listed. */
  LISTED: message('LISTED', { stream: Stream, rows: Type.Array(ListedRowSchema) }),
  ERROR: message('ERROR', {
    code: Type.String(),
    message: Type.String(),
    help: Type.String(),
    retryable: Type.Boolean(),
    stream: Type.Optional(Stream),
  }),
} as const;

type MessageType = keyof typeof MESSAGES;
/** One message of the given type(s), as parsed from its JSON line. */
export type Message<Name extends MessageType = MessageType> = { [N in Name]: Static<(typeof MESSAGES)[N]> }[Name];

/** BATCH together with the Arrow IPC stream that follows its line: `body` holds its pieces, `bytes` in all. */
export type BatchMessage = Omit<Message<'BATCH'>, 'bytes'> & { body: Uint8Array[] };

/** What a source's `read` may yield. The runtime adds the first STATE, STATUS and missing SCHEMA messages of each stream. */
export type SourceMessage =
  | Message<'SCHEMA' | 'BACKFILL' | 'RECORD' | 'CHUNK' | 'HANDOVER' | 'TRUNCATE' | 'DROPPED' | 'STATUS' | 'STATE'>
  | BatchMessage;

/** What reaches a destination's `write`. RECORDs have been gathered into batches when it takes `arrow`. */
export type DestinationMessage = SourceMessage;
