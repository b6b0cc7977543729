import { type PrimitiveType, type StructType, isPrimitive } from './data-type.ts';
import { IcebergError } from './errors.ts';
import { fieldByName } from './schema.ts';
import { parseTransform, transformResult } from './transform.ts';

/** A column, or a transform of one, as people write it: `created_at`, `day(created_at)`, `bucket(16, id)`, `truncate(8, "odd name")`. */
export interface PartitionTerm {
  /** Name of the source column; fields of structs by their path, `address.city`. */
  readonly column: string;
  /** The transform as the spec writes it: `identity`, `bucket[16]`. */
  readonly transform: string;
}

const NAME = String.raw`"((?:[^"]|"")+)"|([^\s"(),]+)`;
const WHOLE = new RegExp(`^\\s*(?:(?:${NAME})|(\\w+)\\s*\\(\\s*(?:(\\d+)\\s*,\\s*)?(?:${NAME})\\s*\\))\\s*$`);

/** Reads a partition term. Throws `invalid_argument` with an example if it cannot. */
export function parsePartitionTerm(text: string): PartitionTerm {
  const [isTerm, quoted, plain, name, size, quotedSource, source] = WHOLE.exec(text) ?? [];
  const column = (quoted ?? quotedSource)?.replaceAll('""', '"') ?? plain ?? source;
  if (isTerm === undefined || column === undefined) throw notATerm(text);
  if (name === undefined) return { column, transform: 'identity' };
  // Spark and others say days(c); the spec's word is day.
  const word = name.toLowerCase().replace(/^(year|month|day|hour)s$/, '$1');
  const transform = size === undefined ? word : `${word}[${size}]`;
  if (parseTransform(transform).kind === 'unknown') throw notATerm(text);
  return { column, transform };
}

/** The source of a term in a schema. Throws `invalid_argument` if there is no such column or the transform does not suit its type. */
export function resolveTerm(schema: StructType, term: PartitionTerm): { id: number; type: PrimitiveType } {
  const field = fieldByName(schema, term.column);
  if (!field)
    throw new IcebergError('invalid_argument', `There is no column "${term.column}" to partition or sort by.`);
  if (isPrimitive(field.type) && transformResult(parseTransform(term.transform), field.type) !== undefined) {
    return { id: field.id, type: field.type };
  }
  const type = isPrimitive(field.type) ? field.type : field.type.type;
  throw new IcebergError(
    'invalid_argument',
    `Transform ${term.transform} cannot be applied to column "${term.column}" of type ${type}.`,
  );
}

function notATerm(text: string): IcebergError {
  return new IcebergError(
    'invalid_argument',
    `"${text}" is not a column or a transform of one, such as day(created_at), bucket(16, id) or truncate(8, name).`,
  );
}
