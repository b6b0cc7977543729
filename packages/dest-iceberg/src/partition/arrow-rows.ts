import type { Data } from 'apache-arrow';

/** Rows of one record batch as Arrow buffers, column by column. They lie in the stream's memory: nothing is copied. */
export type ArrowRows = { readonly length: number; readonly columns: readonly Data[] };

/** Whether row `row` has a value. */
export function isValid(data: Data, row: number): boolean {
  return data.nullCount === 0 || ((data.nullBitmap?.[row >> 3] ?? 0xff) & (1 << (row & 7))) !== 0;
}

/** The bytes of the values of a fixed width column. */
export function valueBytes(data: Data): Uint8Array {
  const { buffer, byteOffset, byteLength } = data.values as Uint8Array;
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** The values of a fixed width column as 32-bit words. */
export function valueWords(data: Data): Int32Array {
  const { buffer, byteOffset, byteLength } = valueBytes(data);
  if (byteOffset % 4 === 0) return new Int32Array(buffer, byteOffset, byteLength >> 2);
  return new Int32Array(valueBytes(data).slice().buffer, 0, byteLength >> 2);
}
