/**
 * The bytes that hold a run of rows, and where each field's value lies: field `f` of row `r` begins at `offsets[r * stride + f]` (below 0: null) and, where its
 * type has no fixed width, is `lengths[r * stride + f]` bytes long.
 */
export type Fields = { bytes: Buffer; view: DataView; offsets: Int32Array; lengths: Int32Array; stride: number };

/** One field of each row of a run, to be decoded into the rows of a column from `base` on. */
export type FieldRun = { fields: Fields; field: number; rows: number; base: number };
