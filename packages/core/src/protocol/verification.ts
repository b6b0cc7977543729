import { type Static, Type } from '../schema.ts';

/** How many ranges of the key's hash a table of any size is compared by, at most. */
export const MAX_RANGES = 4096;

/** What is asked of a stream: sums by range, or with `list` the rows of these ranges. `ranges` is a power of two. */
export const SumRequestSchema = Type.Object({
  ranges: Type.Integer({ minimum: 1, maximum: MAX_RANGES }),
  list: Type.Optional(Type.Array(Type.Integer({ minimum: 0 }))),
});
export type SumRequest = Static<typeof SumRequestSchema>;

/** The file given to `verify` as `--sums`: by stream what is asked. */
export const VerificationSchema = Type.Object({ streams: Type.Record(Type.String(), SumRequestSchema) });
export type Verification = Static<typeof VerificationSchema>;

/** A range's rows: how many, and the sum of their 64-bit hashes modulo 2^64 in 16 hexadecimal digits. */
export const RangeSumSchema = Type.Object({
  range: Type.Integer({ minimum: 0 }),
  rows: Type.Integer({ minimum: 0 }),
  sum: Type.String({ pattern: '^[0-9a-f]{16}$' }),
});
export type RangeSum = Static<typeof RangeSumSchema>;

/** A row by the canonical texts of its key (of all columns where there is none), and its hash. */
export const ListedRowSchema = Type.Object({
  // A union would be taken for an invitation to make text of null.
  key: Type.Array(Type.Unsafe<string | null>({})),
  sum: Type.String({ pattern: '^[0-9a-f]{16}$' }),
});
export type ListedRow = Static<typeof ListedRowSchema>;

/** The file given to `read` as `--repair`: by stream the keys, as the source names and sends them, of rows to send again as they are now. */
export const RepairSchema = Type.Object({
  streams: Type.Record(Type.String(), Type.Array(Type.Record(Type.String(), Type.Unsafe<unknown>({})))),
});
export type Repair = Static<typeof RepairSchema>;
