import { type ArrowField, mapEntries, NESTED_TYPES, primitiveArrowType, UUID_METADATA } from '@fjord/core/arrow';
import { isPrimitive, type NestedField, parsePrimitive, type PrimitiveType, type Type } from '@fjord/iceberg';

/** The Arrow fields of columns, with each one's id (nested ones too) in the metadata that Parquet writers take it from. */
export function arrowFieldsWithIds(fields: readonly NestedField[]): ArrowField[] {
  return fields.map(arrowField);
}

function arrowField({ id, name, required, type }: Pick<NestedField, 'id' | 'name' | 'required' | 'type'>): ArrowField {
  const metadata = { 'PARQUET:field_id': String(id), ...(type === 'uuid' && UUID_METADATA) };
  return { name, isNullable: !required, metadata, ...formOf(type) };
}

function formOf(type: Type): Pick<ArrowField, 'type' | 'children'> {
  if (isPrimitive(type)) return { type: primitiveType(type), children: [] };
  if (type.type === 'struct') return { type: NESTED_TYPES.struct, children: type.fields.map(arrowField) };
  if (type.type === 'list') {
    const { element, 'element-id': id, 'element-required': required } = type;
    return { type: NESTED_TYPES.list, children: [arrowField({ id, name: 'element', required, type: element })] };
  }
  const key = arrowField({ id: type['key-id'], name: 'key', required: true, type: type.key });
  const value = arrowField({ id: type['value-id'], name: 'value', required: type['value-required'], type: type.value });
  return { type: NESTED_TYPES.map, children: [mapEntries([key, value])] };
}

function primitiveType(type: PrimitiveType): ArrowField['type'] {
  const primitive = parsePrimitive(type);
  if ('precision' in primitive || 'length' in primitive) return primitiveArrowType(primitive);
  const { kind } = primitive;
  if (kind === 'unknown' || kind === 'variant') throw new Error(`columns of type ${type} have no Arrow form`);
  return primitiveArrowType({ kind });
}
