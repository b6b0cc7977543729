import type { FileIOProperties, MappedField, NestedField } from '@fjord/iceberg';

/** A row group: its place in the file by rows, its size in the file and that of its encoded values before compression. */
export type SourceRowGroup = { startRow: number; rows: number; compressedBytes: number; encodedBytes: number };

/** A file to open: its size and rows are the table's word, the name mapping is for files without field ids. */
export type SourceFile = {
  location: string;
  size: number;
  recordCount: bigint;
  nameMapping: readonly MappedField[] | undefined;
};

/** One call of the main thread. `next` begins a read, or goes on with it. */
export type SourceCall = { call: number } & (
  | ({ type: 'open'; source: number; io: FileIOProperties } & SourceFile)
  | { type: 'next'; source: number; read: number; fields: readonly NestedField[]; rowGroup: number | undefined }
  | { type: 'end'; read: number }
  | { type: 'close'; source: number }
);

/** What a call gives. */
export type SourceValue =
  | { type: 'opened'; rowGroups: readonly SourceRowGroup[]; fieldIds: number[] }
  | { type: 'rows'; startRow: number; rows: number; stream: Uint8Array<ArrayBuffer> }
  | { type: 'done' };

/** What the thread answers: the value of a call, or its error, which loses its class on the way. */
export type SourceAnswer =
  | { call: number; value: SourceValue }
  | { call: number; error: Error; code: string | undefined; causes: readonly string[] };
