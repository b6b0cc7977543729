import { ConnectorError } from '@fjord/core';
import {
  currentSchema,
  type DataFile,
  fieldsById,
  isPrimitive,
  type NestedField,
  type ScanFile,
  type Table,
  type Type,
} from '@fjord/iceberg';
import { duckdbType, quoteName, quoteText } from './type-text.ts';

/** Where a file can be read by its path on this machine. */
export type PathOf = (file: DataFile) => string;

/** How DuckDB calls the columns that say where a row is from, and those that only equality deletes look at. */
const FILE = 'filename';
const ROW = 'file_row_number';
const hiddenName = (id: number) => `_fjord_deleted_by_${id}`;

/**
 * The rows of a table as a SELECT for DuckDB: its files by field id, as the current schema names and types them, without the rows that equality
 * deletes hit and those that the table `positions` (`file`, `pos`) names. Throws `unsupported` for what DuckDB would misread.
 */
export function tableSelect(
  table: Table,
  { files, positions, pathOf }: { files: readonly ScanFile[]; positions: string; pathOf: PathOf },
): string {
  const columns = currentSchema(table.metadata).fields;
  for (const column of columns) refuseRenamedWithin(table, column);
  if (files.length === 0) {
    const empty = columns.map(({ name, type }) => `NULL::${duckdbType(type, name)} AS ${quoteName(name)}`);
    return `SELECT ${empty.join(', ')} WHERE false`;
  }
  const groups = Map.groupBy(files, ({ deletes }) =>
    JSON.stringify([
      deletes.some(({ content }) => content === 'position-deletes'),
      ...deletes.filter(isEquality).map(({ filePath }) => filePath),
    ]),
  );
  const selects = Array.from(groups.values(), (group) => groupSelect({ table, columns, group, positions, pathOf }));
  return selects.join('\nUNION ALL ');
}

type Group = {
  table: Table;
  columns: readonly NestedField[];
  group: readonly ScanFile[];
  positions: string;
  pathOf: PathOf;
};

/** The rows of files that have the same equality deletes. */
function groupSelect({ table, columns, group, positions, pathOf }: Group): string {
  const deletes = group[0]?.deletes ?? [];
  const hidden = hiddenColumns(table, columns, deletes);
  const data = readParquet(
    group.map(({ file }) => file),
    { fields: [...columns, ...hidden], pathOf, withPlaces: true },
  );
  const conditions = Array.from(
    Map.groupBy(deletes.filter(isEquality), ({ equalityIds = [] }) => equalityIds.join(',')).values(),
    (files) => equalityCondition(files, [...columns, ...hidden], { table, pathOf }),
  );
  if (deletes.some(({ content }) => content === 'position-deletes')) {
    const at = `d.file = t.${FILE} AND d.pos = t.${ROW}`;
    conditions.push(`NOT EXISTS (SELECT 1 FROM ${positions} d WHERE ${at})`);
  }
  const where = conditions.length === 0 ? '' : ` WHERE ${conditions.join(' AND ')}`;
  return `SELECT ${columns.map(({ name }) => `t.${quoteName(name)}`).join(', ')} FROM ${data} t${where}`;
}

/** True of rows that no key in the files equals; null equals null (spec: Equality Delete Files). */
function equalityCondition(
  files: readonly DataFile[],
  known: readonly NestedField[],
  { table, pathOf }: { table: Table; pathOf: PathOf },
): string {
  const ids = files[0]?.equalityIds ?? [];
  const fields = ids.map((id) => known.find((field) => field.id === id) ?? fieldEver(table, id));
  const keys = readParquet(files, { fields, pathOf, withPlaces: false });
  const equal = fields.map(({ name }) => `d.${quoteName(name)} IS NOT DISTINCT FROM t.${quoteName(name)}`);
  return `NOT EXISTS (SELECT 1 FROM ${keys} d WHERE ${equal.join(' AND ')})`;
}

/** Columns that equality deletes compare and that the table no longer has. */
function hiddenColumns(table: Table, columns: readonly NestedField[], deletes: readonly DataFile[]): NestedField[] {
  const ids = new Set(deletes.flatMap(({ equalityIds = [] }) => equalityIds));
  for (const { id } of columns) ids.delete(id);
  return Array.from(ids, (id) => ({ ...fieldEver(table, id), name: hiddenName(id) }));
}

/** A column of any of the table's schemas, as the newest that has it types it. */
function fieldEver({ metadata, location }: Table, id: number): NestedField {
  const schemas = [currentSchema(metadata), ...metadata.schemas.toReversed()];
  for (const schema of schemas) {
    const field = schema.fields.find((candidate) => candidate.id === id);
    if (field) return field;
  }
  throw new ConnectorError(
    'unsupported',
    `Equality deletes of the table at ${location} compare a nested column (${id}).`,
  );
}

type Reading = { fields: readonly NestedField[]; pathOf: PathOf; withPlaces: boolean };

/** DuckDB's read of Parquet files by field id: columns that a file has not are null. */
export function readParquet(files: readonly DataFile[], { fields, pathOf, withPlaces }: Reading): string {
  const paths = files.map((file) => quoteText(escapeGlob(pathOf(requireParquet(file)))));
  const schema = fields.map(
    ({ id, name, type }) =>
      `${id}: {name: ${quoteText(name)}, type: ${quoteText(duckdbType(type, name))}, default_value: NULL}`,
  );
  // Folders such as `day=2025-01-01` would else become columns.
  const places = withPlaces ? ', filename = true, file_row_number = true' : '';
  return `read_parquet([${paths.join(', ')}], schema = MAP {${schema.join(', ')}}, hive_partitioning = false${places})`;
}

function requireParquet(file: DataFile): DataFile {
  if (file.fileFormat === 'PARQUET') return file;
  throw new ConnectorError('unsupported', `File ${file.filePath} is ${file.fileFormat}; only Parquet can be queried.`);
}

/** DuckDB takes every path as a pattern. */
function escapeGlob(path: string): string {
  return path.replaceAll(/[*?[]/g, (character) => `[${character}]`);
}

/** DuckDB finds columns by their id but what is nested in them by name: an old name would read as null. */
function refuseRenamedWithin({ metadata }: Table, column: NestedField): void {
  if (isPrimitive(column.type)) return;
  const names = namesWithin(column.type);
  for (const schema of metadata.schemas) {
    const earlier = schema.fields.find(({ id }) => id === column.id);
    if (!earlier || isPrimitive(earlier.type)) continue;
    for (const [id, name] of namesWithin(earlier.type)) {
      if (!names.has(id) || names.get(id) === name) continue;
      throw new ConnectorError(
        'unsupported',
        `Column ${column.name} has a field that was renamed from ${name} to ${names.get(id)}: fjord query cannot read older files of it.`,
        { help: 'Read this table with an engine of its own, such as Spark or Trino: docs/catalogs.md.' },
      );
    }
  }
}

function namesWithin(type: Exclude<Type, string>): Map<number, string> {
  const fields = fieldsById({ type: 'struct', fields: [{ id: 0, name: '', required: false, type }] });
  return new Map(Array.from(fields, ([id, { name }]) => [id, name]));
}

function isEquality({ content }: DataFile): boolean {
  return content === 'equality-deletes';
}
