/** The values of an Arrow column that are there among some rows: `count` in a row from `start`, or those at the first `count` indices, ascending. */
export type Selection = { start: number; count: number; indices: Int32Array | undefined };
