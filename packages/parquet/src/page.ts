import { crc32 } from 'node:zlib';
import { ENCODING, PAGE } from './format.ts';
import type { Bounds } from './statistics/bounds.ts';
import { CompactWriter } from './thrift/compact-writer.ts';

/** An encoded page with what the footer and the indexes say of it. */
export type Page = {
  /** Header and body. */
  bytes: Uint8Array;
  headerBytes: number;
  /** Of the body. */
  uncompressedBytes: number;
  encoding: number;
  rows: number;
  valueCount: number;
  nullCount: number;
  bounds: Bounds | undefined;
  /** Of byte arrays: their bytes without lengths. */
  dataBytes: number | undefined;
};

/** What the header of a page says (parquet.thrift: PageHeader). */
export type PageHeader = { uncompressedBytes: number; encoding: number; valueCount: number };

const HEADER = { TYPE: 1, UNCOMPRESSED: 2, COMPRESSED: 3, CRC: 4, DATA_PAGE: 5, DICTIONARY_PAGE: 7 };
const DATA_PAGE = { VALUE_COUNT: 1, ENCODING: 2, DEFINITION_ENCODING: 3, REPETITION_ENCODING: 4 };
const DICTIONARY_PAGE = { VALUE_COUNT: 1, ENCODING: 2 };

/** The header of a data page of version 1. */
export function dataPageHeader(header: PageHeader, body: Uint8Array, hasChecksum: boolean): Uint8Array {
  return CompactWriter.write((writer) => {
    writeCommon(writer, PAGE.DATA, { header, body, hasChecksum });
    writer.struct(HEADER.DATA_PAGE, () => {
      writer.i32(DATA_PAGE.VALUE_COUNT, header.valueCount);
      writer.i32(DATA_PAGE.ENCODING, header.encoding);
      writer.i32(DATA_PAGE.DEFINITION_ENCODING, ENCODING.RLE);
      writer.i32(DATA_PAGE.REPETITION_ENCODING, ENCODING.RLE);
    });
  });
}

/** The header of a dictionary page. */
export function dictionaryPageHeader(header: PageHeader, body: Uint8Array, hasChecksum: boolean): Uint8Array {
  return CompactWriter.write((writer) => {
    writeCommon(writer, PAGE.DICTIONARY, { header, body, hasChecksum });
    writer.struct(HEADER.DICTIONARY_PAGE, () => {
      writer.i32(DICTIONARY_PAGE.VALUE_COUNT, header.valueCount);
      writer.i32(DICTIONARY_PAGE.ENCODING, header.encoding);
    });
  });
}

function writeCommon(
  writer: CompactWriter,
  type: number,
  { header, body, hasChecksum }: { header: PageHeader; body: Uint8Array; hasChecksum: boolean },
): void {
  writer.i32(HEADER.TYPE, type);
  writer.i32(HEADER.UNCOMPRESSED, header.uncompressedBytes);
  writer.i32(HEADER.COMPRESSED, body.length);
  if (hasChecksum) writer.i32(HEADER.CRC, crc32(body) | 0);
}
