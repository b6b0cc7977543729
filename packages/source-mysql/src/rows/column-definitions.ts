/** A column of a result as the server describes it (MySQL, Client/Server Protocol, Column Definition). */
export type ColumnDefinition = { type: number; isUnsigned: boolean; isBinary: boolean; decimals: number };

/** Types by their number (MySQL, include/field_types.h). */
export const FIELD = {
  DECIMAL: 0,
  TINY: 1,
  SHORT: 2,
  LONG: 3,
  FLOAT: 4,
  DOUBLE: 5,
  NULL: 6,
  TIMESTAMP: 7,
  LONGLONG: 8,
  INT24: 9,
  DATE: 10,
  TIME: 11,
  DATETIME: 12,
  YEAR: 13,
  VARCHAR: 15,
  BIT: 16,
  VECTOR: 242,
  JSON: 245,
  NEWDECIMAL: 246,
  ENUM: 247,
  SET: 248,
  TINY_BLOB: 249,
  MEDIUM_BLOB: 250,
  LONG_BLOB: 251,
  BLOB: 252,
  VAR_STRING: 253,
  STRING: 254,
  GEOMETRY: 255,
} as const;

const UNSIGNED_FLAG = 0x20;
/** The number of the character set of what is no text. */
const BINARY_CHARSET = 63;
/** Behind the names (and what MariaDB has to add to them): character set, length, type, flags, decimals, two bytes of filling. */
const FIXED_BYTES = 12;

/** Reads the description of a column out of its packet's payload. */
export function parseColumnDefinition(payload: Buffer): ColumnDefinition {
  const at = payload.length - FIXED_BYTES;
  return {
    isBinary: payload.readUInt16LE(at) === BINARY_CHARSET,
    type: payload.readUInt8(at + 6),
    isUnsigned: (payload.readUInt16LE(at + 7) & UNSIGNED_FLAG) !== 0,
    decimals: payload.readUInt8(at + 9),
  };
}

/** How many bytes a value of a type takes in a row of the binary protocol; 0 where its length stands before it. */
export function widthOf(type: number): number {
  switch (type) {
    case FIELD.TINY:
      return 1;
    case FIELD.SHORT:
    case FIELD.YEAR:
      return 2;
    case FIELD.LONG:
    case FIELD.INT24:
    case FIELD.FLOAT:
      return 4;
    case FIELD.LONGLONG:
    case FIELD.DOUBLE:
      return 8;
    default:
      return 0;
  }
}
