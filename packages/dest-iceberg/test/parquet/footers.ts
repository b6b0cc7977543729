import type { ColumnChunk, ParquetFooter, ParquetLeaf } from '@fjord/parquet';

/** A footer of one column (field id 1) with a row group of ten values for each chunk. */
export function footerOf(chunks: Partial<ColumnChunk>[], leaf: Partial<ParquetLeaf> = {}): ParquetFooter {
  return {
    rowCount: BigInt(chunks.length * 10),
    leaves: [{ fieldId: 1, physicalType: 6, isRepeated: false, ...leaf }],
    rowGroups: chunks.map((chunk, index) => ({
      startOffset: BigInt(4 + index * 100),
      columns: [{ valueCount: 10n, nullCount: 0n, compressedBytes: 100n, min: undefined, max: undefined, ...chunk }],
    })),
  };
}

/** Little-endian bytes of a number written in hexadecimal digits. */
export function encodeFixed(digits: string): Uint8Array {
  return Uint8Array.from(Buffer.from(digits, 'hex').toReversed());
}
