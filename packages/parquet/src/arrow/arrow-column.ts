import type { ArrowField } from './arrow-type.ts';

/** A column of an Arrow batch: views of its buffers (Arrow columnar format, Physical Memory Layout). */
export type ArrowColumn = {
  readonly field: ArrowField;
  readonly length: number;
  /** A bit a row, set for values that are there; undefined if all are. */
  readonly validity: Uint8Array | undefined;
  /** Of lists and variable-size values: `length + 1` offsets, checked to ascend within the child or values. */
  readonly offsets: Int32Array;
  readonly values: Uint8Array;
  readonly children: readonly ArrowColumn[];
};

/** Bytes in one buffer of which a typed array can be made: a copy if they are not aligned. */
export function aligned(bytes: Uint8Array, alignment: number): Uint8Array {
  return bytes.byteOffset % alignment === 0 ? bytes : new Uint8Array(bytes);
}

/** Bytes as 32-bit words, in place where they are aligned; what is left over at the end is not seen. */
export function wordsOf(bytes: Uint8Array): Int32Array {
  const { buffer, byteOffset, byteLength } = aligned(bytes, 4);
  return new Int32Array(buffer, byteOffset, byteLength >> 2);
}
