import type { ArrowColumn, BooleanColumn, BytesColumn, FixedColumn, ListColumn } from '@fjord/core/arrow';
import type { Rejections } from '@fjord/replication';
import { decodeDecimals, decodeWideDecimals } from './decimals.ts';
import type { FieldRun } from './fields.ts';
import {
  decodeBits,
  decodeBooleans,
  decodeInt1,
  decodeInt2,
  decodeInt4,
  decodeInt8,
  decodeUnsignedInt4,
  decodeUnsignedInt8,
} from './integers.ts';
import { decodeBytes, decodeUuids, decodeVectors } from './texts.ts';
import { decodeDates, decodeTimes, decodeTimestamps } from './times.ts';
import type { Wire } from './wire.ts';

/** Decodes one field of a run of rows into a column. Rows from `base` on have room; validity bits there are 0. */
export type Decoder = (run: FieldRun, column: ArrowColumn) => void;

/** Before the well-known binary of a geometry stands its SRID (MySQL manual, Internal Geometry Storage Format). */
const SRID_BYTES = 4;

/** Makes the decoder of a column; `scale` is that of a decimal column. */
export function makeDecoder(wire: Wire, { scale, rejections }: { scale: number; rejections: Rejections }): Decoder {
  switch (wire) {
    case 'int1':
      return (run, column) => decodeInt1(run, column as FixedColumn, 'signed');
    case 'uint1':
      return (run, column) => decodeInt1(run, column as FixedColumn, 'unsigned');
    case 'int2':
      return (run, column) => decodeInt2(run, column as FixedColumn, 'signed');
    case 'uint2':
      return (run, column) => decodeInt2(run, column as FixedColumn, 'unsigned');
    case 'int4':
    case 'float4':
      return (run, column) => decodeInt4(run, column as FixedColumn);
    case 'uint4':
      return (run, column) => decodeUnsignedInt4(run, column as FixedColumn);
    case 'int8':
    case 'float8':
      return (run, column) => decodeInt8(run, column as FixedColumn);
    case 'uint8':
      return (run, column) => decodeUnsignedInt8(run, column as FixedColumn);
    case 'boolean':
    case 'bit':
      return (run, column) => decodeBooleans(run, column as BooleanColumn);
    case 'bits':
    case 'wide bits':
      return (run, column) => decodeBits(run, column as FixedColumn);
    case 'decimal':
      return (run, column) => decodeDecimals(run, column as FixedColumn);
    case 'wide decimal':
      return (run, column) => decodeWideDecimals(run, column as FixedColumn, { scale, rejections });
    case 'date':
      return (run, column) => decodeDates(run, column as FixedColumn, rejections);
    case 'datetime':
    case 'timestamp':
      return (run, column) => decodeTimestamps(run, column as FixedColumn, rejections);
    case 'time':
      return (run, column) => decodeTimes(run, column as FixedColumn, rejections);
    case 'text':
    case 'bytes':
      return (run, column) => decodeBytes(run, column as BytesColumn, 0);
    case 'geometry':
      return (run, column) => decodeBytes(run, column as BytesColumn, SRID_BYTES);
    case 'uuid':
      return (run, column) => decodeUuids(run, column as FixedColumn);
    case 'vector':
      return (run, column) => decodeVectors(run, column as ListColumn);
    default:
      return wire satisfies never;
  }
}
