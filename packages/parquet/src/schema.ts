import type { ArrowField } from './arrow/arrow-type.ts';
import { ParquetError } from './errors.ts';
import { REPETITION } from './format.ts';
import { leafType, type LeafType } from './leaf-type.ts';
import type { LevelStep } from './levels/nested-levels.ts';
import { convertedType, type LogicalType, writeLogicalType } from './logical-type.ts';
import type { CompactWriter } from './thrift/compact-writer.ts';

/** A node of the schema tree below its root (parquet.thrift: SchemaElement). */
export type SchemaNode = {
  readonly name: string;
  readonly repetition: number;
  readonly fieldId: number | undefined;
  readonly logical: LogicalType | undefined;
  /** Of leaves only. */
  readonly leaf: LeafType | undefined;
  readonly children: readonly SchemaNode[];
};

/** A leaf: a column of the file. */
export type Leaf = {
  /** Names from the top; `path[0]` is the top-level column. */
  readonly path: readonly string[];
  readonly fieldId: number | undefined;
  readonly type: LeafType;
  /** Whether it lies in a list or map. */
  readonly isRepeated: boolean;
  readonly maxDefinition: number;
  readonly maxRepetition: number;
  /** The way down through the Arrow columns: the top-level column's index, then the child to take at each. */
  readonly route: readonly number[];
  readonly steps: readonly LevelStep[];
};

/** The Parquet schema of Arrow fields. */
export type ParquetSchema = { readonly nodes: readonly SchemaNode[]; readonly leaves: readonly Leaf[] };

/** Options that concern the schema. */
export type SchemaOptions = {
  /** Whether 16-byte columns marked `arrow.uuid` get the logical type UUID; plain Spark refuses to read it, Iceberg asks for it. */
  uuidLogicalType: boolean;
};

/** Levels are bytes here. */
const MAX_LEVEL = 255;
const FIELD_ID = 'PARQUET:field_id';
const ELEMENT = {
  TYPE: 1,
  TYPE_LENGTH: 2,
  REPETITION: 3,
  NAME: 4,
  CHILD_COUNT: 5,
  CONVERTED: 6,
  SCALE: 7,
  PRECISION: 8,
  FIELD_ID: 9,
  LOGICAL: 10,
};

/** Makes the schema: lists and maps in three levels (LogicalTypes.md, Nested Types), field ids from the fields' metadata `PARQUET:field_id`. */
export function parquetSchema(fields: readonly ArrowField[], options: SchemaOptions): ParquetSchema {
  const leaves: Leaf[] = [];
  const builder = new SchemaBuilder(leaves, options);
  const nodes = fields.map((field, index) =>
    builder.add(field, { path: [], route: [index], steps: [], definition: 0, repetition: 0 }),
  );
  return { nodes, leaves };
}

/** Writes the list of schema elements, depth first, as field `id` of the footer. */
export function writeSchema(writer: CompactWriter, id: number, { nodes }: ParquetSchema): void {
  writer.list(id, 'struct', [undefined, ...flatten(nodes)], (node) =>
    writer.element(() => {
      if (node) writeNode(writer, node);
      else {
        writer.binary(ELEMENT.NAME, 'schema');
        writer.i32(ELEMENT.CHILD_COUNT, nodes.length);
      }
    }),
  );
}

function flatten(nodes: readonly SchemaNode[]): SchemaNode[] {
  return nodes.flatMap((node) => [node, ...flatten(node.children)]);
}

function writeNode(writer: CompactWriter, { leaf, name, repetition, children, logical, fieldId }: SchemaNode): void {
  writer.i32(ELEMENT.TYPE, leaf?.physical);
  writer.i32(ELEMENT.TYPE_LENGTH, leaf?.length);
  writer.i32(ELEMENT.REPETITION, repetition);
  writer.binary(ELEMENT.NAME, name);
  if (!leaf) writer.i32(ELEMENT.CHILD_COUNT, children.length);
  if (logical) writer.i32(ELEMENT.CONVERTED, convertedType(logical));
  if (logical?.kind === 'decimal') {
    writer.i32(ELEMENT.SCALE, logical.scale);
    writer.i32(ELEMENT.PRECISION, logical.precision);
  }
  writer.i32(ELEMENT.FIELD_ID, fieldId);
  if (logical) writeLogicalType(writer, ELEMENT.LOGICAL, logical);
}

/** Where a field lies: what has been passed on the way down to it. */
type Place = {
  path: readonly string[];
  route: readonly number[];
  steps: readonly LevelStep[];
  definition: number;
  repetition: number;
};

class SchemaBuilder {
  readonly #leaves: Leaf[];
  readonly #options: SchemaOptions;

  constructor(leaves: Leaf[], options: SchemaOptions) {
    this.#leaves = leaves;
    this.#options = options;
  }

  /** Adds a field, its name unless told otherwise, and what is below it. */
  add(field: ArrowField, outer: Place, name = field.name): SchemaNode {
    const column = outer.route.length - 1;
    // Some libraries mark columns of nothing but nulls as having none.
    const isNullable = field.isNullable || field.type.kind === 'null';
    const place: Place = {
      ...outer,
      path: [...outer.path, name],
      steps: [...outer.steps, { kind: isNullable ? 'optional' : 'required', column }],
      definition: outer.definition + (isNullable ? 1 : 0),
    };
    const node = {
      name,
      repetition: isNullable ? REPETITION.OPTIONAL : REPETITION.REQUIRED,
      fieldId: fieldIdOf(field),
    };
    switch (field.type.kind) {
      case 'struct':
        return { ...node, logical: undefined, leaf: undefined, children: this.#addChildren(field, place) };
      case 'list':
      case 'fixed-list':
        return { ...node, logical: { kind: 'list' }, leaf: undefined, children: [this.#addElements(field, place)] };
      case 'map':
        return { ...node, logical: { kind: 'map' }, leaf: undefined, children: [this.#addEntries(field, place)] };
      case 'null':
      case 'boolean':
      case 'int':
      case 'float':
      case 'decimal':
      case 'date':
      case 'time':
      case 'timestamp':
      case 'duration':
      case 'utf8':
      case 'binary':
      case 'fixed':
        return { ...node, ...this.#addLeaf(field, place), children: [] };
      default:
        return field.type satisfies never;
    }
  }

  #addChildren(field: ArrowField, place: Place): SchemaNode[] {
    if (field.children.length === 0) {
      throw new ParquetError(
        'unsupported',
        `Column "${field.name}" is a struct without fields, which Parquet cannot hold.`,
      );
    }
    return field.children.map((child, index) => this.add(child, { ...place, route: [...place.route, index] }));
  }

  #addElements(field: ArrowField, place: Place): SchemaNode {
    const [element] = field.children;
    if (!element) throw new ParquetError('invalid_arrow', `List column "${field.name}" has no element.`);
    const inner = this.#insideList(place, 'list');
    return { ...REPEATED, name: 'list', children: [this.add(element, inner, 'element')] };
  }

  /** The entries are a struct that is never null: they are the repeated group itself. */
  #addEntries(field: ArrowField, place: Place): SchemaNode {
    const [key, value] = field.children[0]?.children ?? [];
    if (!key || !value) throw new ParquetError('invalid_arrow', `Map column "${field.name}" lacks its key or value.`);
    const inner = this.#insideList(place, 'key_value');
    const children = [
      this.add({ ...key, isNullable: false }, { ...inner, route: [...inner.route, 0] }, 'key'),
      this.add(value, { ...inner, route: [...inner.route, 1] }, 'value'),
    ];
    return { ...REPEATED, name: 'key_value', children };
  }

  #insideList(place: Place, name: string): Place {
    return {
      path: [...place.path, name],
      route: [...place.route, 0],
      steps: [...place.steps, { kind: 'list', column: place.route.length - 1 }],
      definition: place.definition + 1,
      repetition: place.repetition + 1,
    };
  }

  #addLeaf(field: ArrowField, place: Place): { logical: LogicalType | undefined; leaf: LeafType } {
    const { logical, ...type } = leafType(field, this.#options);
    if (place.definition > MAX_LEVEL)
      throw new ParquetError('unsupported', `Column "${place.path[0]}" is nested too deep.`);
    this.#leaves.push({
      path: place.path,
      fieldId: fieldIdOf(field),
      type,
      isRepeated: place.repetition > 0,
      maxDefinition: place.definition,
      maxRepetition: place.repetition,
      route: place.route,
      steps: place.steps,
    });
    return { logical, leaf: type };
  }
}

const REPEATED = { repetition: REPETITION.REPEATED, fieldId: undefined, logical: undefined, leaf: undefined };

function fieldIdOf({ metadata, name }: ArrowField): number | undefined {
  const text = metadata.get(FIELD_ID);
  if (text === undefined) return undefined;
  const id = Number(text);
  if (Number.isInteger(id) && Math.abs(id) < 2 ** 31) return id;
  throw new ParquetError('invalid_arrow', `Column "${name}" has a field id that is no 32-bit integer: "${text}".`);
}
