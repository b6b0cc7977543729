import { streamId } from '@fjord/core';
import type { TypeOptions } from './config.ts';
import type { Connection, Row } from './connection.ts';
import { type ColumnMapping, mapColumnType, type MysqlType } from './column-types.ts';
import { quoteText } from './quoting.ts';

/** A column of a table or view. `mapping` is undefined for a type that is not known. */
export type TableColumn = MysqlType & {
  table: string;
  column: string;
  isRequired: boolean;
  charset: string | null;
  doc: string;
  mayRead: boolean;
  mapping: ColumnMapping | undefined;
};

/** The schemas of the server itself. */
export const SYSTEM_SCHEMAS = "('information_schema', 'mysql', 'performance_schema', 'sys')";

const COLUMNS = `
  SELECT TABLE_SCHEMA AS namespace, TABLE_NAME AS tableName, COLUMN_NAME AS columnName, IS_NULLABLE AS nullable, DATA_TYPE AS dataType,
         COLUMN_TYPE AS fullType, NUMERIC_PRECISION AS numericPrecision, NUMERIC_SCALE AS scale, CHARACTER_SET_NAME AS charset,
         COLUMN_COMMENT AS doc, PRIVILEGES AS privileges
  FROM information_schema.COLUMNS`;

type ColumnRow = Row &
  Record<
    'namespace' | 'tableName' | 'columnName' | 'nullable' | 'dataType' | 'fullType' | 'doc' | 'privileges',
    string
  > & {
    numericPrecision: number | string | null;
    scale: number | string | null;
    charset: string | null;
  };

/** A condition on TABLE_SCHEMA: the schemas that were named, or all but the server's own. */
export function schemaCondition(schemas: string[] | undefined): string {
  if (schemas === undefined) return `TABLE_SCHEMA NOT IN ${SYSTEM_SCHEMAS}`;
  return `TABLE_SCHEMA IN (${schemas.map(quoteText).join(', ')})`;
}

/** A condition on TABLE_SCHEMA and TABLE_NAME: one table. MariaDB compares them without case, though tables may differ by it alone. */
export function tableCondition({ namespace = '', name }: { namespace?: string | undefined; name: string }): string {
  const [schema, table] = [quoteText(namespace), quoteText(name)];
  const isExact = `CAST(TABLE_SCHEMA AS BINARY) = CAST(${schema} AS BINARY) AND CAST(TABLE_NAME AS BINARY) = CAST(${table} AS BINARY)`;
  return `TABLE_SCHEMA = ${schema} AND TABLE_NAME = ${table} AND ${isExact}`;
}

/** The columns of all tables that meet a condition, invisible ones too, in their order, by the table's stream. */
export async function loadColumns(
  connection: Connection,
  condition: string,
  options: TypeOptions,
): Promise<Map<string, TableColumn[]>> {
  const rows = await connection.query<ColumnRow>(
    `${COLUMNS} WHERE ${condition} ORDER BY TABLE_SCHEMA, TABLE_NAME, ORDINAL_POSITION`,
  );
  return Map.groupBy(
    rows.map((row) => toColumn(row, options)),
    ({ table }) => table,
  );
}

function toColumn(row: ColumnRow, options: TypeOptions): TableColumn {
  const type: MysqlType = {
    name: row.dataType.toLowerCase(),
    fullType: row.fullType,
    precision: row.numericPrecision === null ? null : Number(row.numericPrecision),
    scale: row.scale === null ? null : Number(row.scale),
  };
  return {
    ...type,
    table: streamId(row.namespace, row.tableName),
    column: row.columnName,
    isRequired: row.nullable === 'NO',
    charset: row.charset,
    doc: row.doc,
    mayRead: row.privileges.split(',').includes('select'),
    mapping: mapColumnType(type, options),
  };
}
