import type { Config } from './config.ts';
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
  typeOid: number;
  typeModifier: number;
  /** Its type (oid and typmod) below any domain, as the server describes it in a result. */
  baseType: TypeReference;
  isRequired: boolean;
  doc: string | null;
  /** Bytes of a value on disk if its type says so, else -1. */
  width: number;
  mapping: ColumnMapping;
};

type ColumnRow = Omit<TableColumn, 'baseType' | 'mapping'> & { dimensions: number };

// From PostgreSQL 18 on a not-null constraint may be NOT VALID: rows from before it may hold nulls though attnotnull is set.
const COLUMNS = `
  SELECT a.attrelid AS table, a.attnum AS number, a.attname::text AS name, a.atttypid AS "typeOid", a.atttypmod AS "typeModifier",
         a.attndims AS dimensions,
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

// A type leads to its base type, its elements' and its attributes'. An extension's types are known by the extension, wherever it lies.
const TYPES = `
  WITH RECURSIVE needed AS (
    SELECT n.oid FROM pg_catalog.unnest($1::pg_catalog.oid[]) AS n (oid)
    UNION
    SELECT part.oid FROM needed AS n JOIN pg_catalog.pg_type AS t ON t.oid = n.oid
    CROSS JOIN LATERAL (
      SELECT t.typbasetype UNION ALL SELECT t.typelem
      UNION ALL SELECT a.atttypid FROM pg_catalog.pg_attribute AS a
        WHERE t.typtype = 'c' AND a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped
    ) AS part (oid)
    WHERE part.oid <> 0
  )
  SELECT t.oid, s.nspname::text AS namespace, t.typname::text AS name, t.typtype::text AS kind, t.typelem AS element,
         pg_catalog.json_build_object('oid', t.typbasetype::int8, 'modifier', t.typtypmod, 'dimensions', t.typndims) AS base,
         t.typlen = -1 AND t.typcategory = 'A' AND t.typelem <> 0 AS "isArray", t.typdelim::text AS delimiter,
         (SELECT e.extname::text FROM pg_catalog.pg_depend AS d JOIN pg_catalog.pg_extension AS e ON e.oid = d.refobjid
          WHERE d.classid = 'pg_catalog.pg_type'::pg_catalog.regclass AND d.objid = t.oid AND d.deptype = 'e'
            AND d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass) AS extension,
         coalesce((SELECT pg_catalog.json_agg(pg_catalog.json_build_object('name', a.attname, 'oid', a.atttypid::int8,
                     'modifier', a.atttypmod, 'dimensions', a.attndims) ORDER BY a.attnum)
          FROM pg_catalog.pg_attribute AS a
          WHERE t.typtype = 'c' AND a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped), '[]') AS attributes
  FROM needed AS n JOIN pg_catalog.pg_type AS t ON t.oid = n.oid JOIN pg_catalog.pg_namespace AS s ON s.oid = t.typnamespace`;

// The server divides by the power of ten that the session's lc_monetary asks for, and gives that many digits (cash_numeric).
const MONEY_SCALE = `SELECT pg_catalog.scale(0::pg_catalog.money::pg_catalog.numeric) AS scale`;

/** The options that decide how types map. */
export type TypeOptions = Pick<Config, 'unboundedNumeric'>;

/** The columns of many tables in order, without dropped ones, by the table's oid. Three queries, however many tables. */
export async function loadColumns(
  connection: Connection,
  tables: number[],
  options: TypeOptions,
): Promise<Map<number, TableColumn[]>> {
  const columns = await connection.query<ColumnRow>(COLUMNS, [tables]);
  const types = await loadTypes(connection, [...new Set(columns.map(({ typeOid }) => typeOid))], options);
  const mapped = columns.map(({ dimensions, ...column }) => {
    const reference = { oid: column.typeOid, modifier: column.typeModifier, dimensions };
    return { ...column, baseType: resolveDomain(reference, types), mapping: mapColumnType(reference, types) };
  });
  return Map.groupBy(mapped, ({ table }) => table);
}

/** What types lead to, and what decides beside them how columns map. */
export async function loadTypes(connection: Connection, oids: number[], options: TypeOptions): Promise<PgTypes> {
  const types = await connection.query<PgType>(TYPES, [oids]);
  const [money] = await connection.query<{ scale: number }>(MONEY_SCALE);
  return {
    byOid: new Map(types.map((type) => [type.oid, type])),
    moneyScale: money?.scale ?? 2,
    unboundedNumeric: options.unboundedNumeric,
  };
}
