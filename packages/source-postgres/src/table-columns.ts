import type { Connection } from './connection.ts';
import {
  type ColumnMapping,
  mapColumnType,
  type PgType,
  type PgTypes,
  resolveDomain,
  type TypeReference,
} from './column-types.ts';

/** A column of a table with how it travels, and its attribute number, by which keys refer to it. */
export type TableColumn = {
  table: number;
  number: number;
  name: string;
  typeName: string;
  /** Its type (oid and typmod) below any domain, as the server describes it in a result. */
  baseType: TypeReference;
  isRequired: boolean;
  doc: string | null;
  /** Bytes of a value on disk if its type says so, else -1. */
  width: number;
  mapping: ColumnMapping;
};

type ColumnRow = Omit<TableColumn, 'baseType' | 'mapping'> & { typeOid: number; typeModifier: number };

// From PostgreSQL 18 on a not-null constraint may be NOT VALID: rows from before it may hold nulls though attnotnull is set.
const COLUMNS = `
  SELECT a.attrelid AS table, a.attnum AS number, a.attname::text AS name, a.atttypid AS "typeOid", a.atttypmod AS "typeModifier",
         pg_catalog.format_type(a.atttypid, a.atttypmod) AS "typeName", a.attlen AS width, d.description AS doc,
         a.attnotnull AND NOT EXISTS (
           SELECT FROM pg_catalog.pg_constraint AS n
           WHERE n.conrelid = a.attrelid AND n.contype = 'n' AND NOT n.convalidated AND a.attnum = ANY (n.conkey)
         ) AS "isRequired"
  FROM pg_catalog.pg_attribute AS a
  LEFT JOIN pg_catalog.pg_description AS d
    ON d.objoid = a.attrelid AND d.objsubid = a.attnum AND d.classoid = 'pg_catalog.pg_class'::pg_catalog.regclass
  WHERE a.attrelid = ANY ($1::pg_catalog.oid[]) AND a.attnum > 0 AND NOT a.attisdropped
  ORDER BY a.attrelid, a.attnum`;

const TYPES = `
  WITH RECURSIVE needed AS (
    SELECT t.* FROM pg_catalog.pg_type AS t WHERE t.oid = ANY ($1::pg_catalog.oid[])
    UNION
    SELECT t.* FROM needed AS n JOIN pg_catalog.pg_type AS t ON t.oid IN (n.typbasetype, n.typelem)
  )
  SELECT t.oid, s.nspname::text AS namespace, t.typname::text AS name, t.typtype::text AS kind, t.typelem AS element,
         t.typbasetype AS "baseType", t.typtypmod AS "baseModifier",
         t.typlen = -1 AND t.typcategory = 'A' AND t.typelem <> 0 AS "isArray"
  FROM needed AS t JOIN pg_catalog.pg_namespace AS s ON s.oid = t.typnamespace`;

/** The columns of many tables in order, without dropped ones, by the table's oid. Two queries, however many tables. */
export async function loadColumns(connection: Connection, tables: number[]): Promise<Map<number, TableColumn[]>> {
  const columns = await connection.query<ColumnRow>(COLUMNS, [tables]);
  const typeOids = [...new Set(columns.map(({ typeOid }) => typeOid))];
  const types = await loadTypes(connection, typeOids);
  const mapped = columns.map(({ typeOid, typeModifier, ...column }) => ({
    ...column,
    baseType: resolveDomain(typeOid, typeModifier, types),
    mapping: mapColumnType(typeOid, typeModifier, types),
  }));
  return Map.groupBy(mapped, ({ table }) => table);
}

async function loadTypes(connection: Connection, oids: number[]): Promise<PgTypes> {
  const types = await connection.query<PgType>(TYPES, [oids]);
  return new Map(types.map((type) => [type.oid, type]));
}
