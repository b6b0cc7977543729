import { type ColumnType, parsePrimitive } from '@fjord/core';
import type { ArrowColumn } from '@fjord/core/arrow';
import { arrayDecoder } from './arrays.ts';
import type { FieldRun } from './fields.ts';
import type { Rejections } from '@fjord/replication';
import { scalarDecoder } from './scalar-decoders.ts';
import { structDecoder } from './structs.ts';
import type { Wire } from './wire.ts';

/** Decodes one field of a run of rows into a column. Rows from `base` on have room; validity bits there are 0. */
export type Decoder = (run: FieldRun, column: ArrowColumn) => void;

/** What a decoder is made for: the bytes, the type they become, and who judges what does not fit. */
export type DecoderParts = { wire: Wire; type: ColumnType; rejections: Rejections };

/** Makes the decoder of a column with those of the values within; gives all of their rejections. */
export function makeDecoder({ wire, type, rejections }: DecoderParts): { decode: Decoder; rejections: Rejections[] } {
  if (typeof wire === 'string') {
    return { decode: scalarDecoder(wire, { scale: scaleOf(type), rejections }), rejections: [rejections] };
  }
  if (wire.kind === 'array') {
    const element = innermost(type, wire.dimensions);
    const path = Array.from({ length: wire.dimensions }, () => 'element').join('.');
    const inner = makeDecoder({ wire: wire.element, type: element, rejections: rejections.within(path) });
    return { decode: arrayDecoder(wire, inner.decode, rejections), rejections: [rejections, ...inner.rejections] };
  }
  const fields = typeof type !== 'string' && type.type === 'struct' ? type.fields : [];
  const inner = wire.fields.map((field, index) => {
    const { name, type: fieldType } = fields[index]!;
    return makeDecoder({ wire: field.wire, type: fieldType, rejections: rejections.within(name) });
  });
  const parts = wire.fields.map(({ oid }, index) => ({ oid, decode: inner[index]!.decode }));
  return { decode: structDecoder(parts, rejections), rejections: inner.flatMap((part) => part.rejections) };
}

function innermost(type: ColumnType, dimensions: number): ColumnType {
  if (dimensions === 0) return type;
  if (typeof type === 'string' || type.type !== 'list') throw new Error('an array that becomes no list');
  return innermost(type.element, dimensions - 1);
}

function scaleOf(type: ColumnType): number {
  const primitive = typeof type === 'string' ? parsePrimitive(type) : undefined;
  return primitive?.kind === 'decimal' ? primitive.scale : 0;
}
