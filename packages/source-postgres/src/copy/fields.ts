/** The bytes that hold a run of rows, and where each field's value begins: field `f` of row `r` at `offsets[r * stride + f]`, its length in the four bytes before. */
export type Fields = { bytes: Buffer; view: DataView; offsets: Int32Array; stride: number };

/** One field of each row of a run, to be decoded into the rows of a column from `base` on. */
export type FieldRun = { fields: Fields; field: number; rows: number; base: number };

/** Length of a value that is null (PostgreSQL manual, COPY, Binary Format, Tuples). */
export const NULL_LENGTH = -1;
