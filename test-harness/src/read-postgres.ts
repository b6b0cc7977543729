import type { PostgresServer } from './postgres.ts';
import { canonicalPostgresValue } from './postgres-text.ts';
import type { TableContents } from './read-table.ts';

const SESSION = [
  "SET DateStyle = 'ISO'",
  "SET TimeZone = 'UTC'",
  "SET IntervalStyle = 'iso_8601'",
  "SET bytea_output = 'hex'",
  'SET extra_float_digits = 1',
].join('; ');

const DESCRIBE_TYPES = `
  SELECT format_type(sent.oid, sent.modifier) AS full_name, type.typname AS name, element.typname AS element
  FROM unnest($1::oid[], $2::int[]) WITH ORDINALITY AS sent (oid, modifier, place)
  JOIN pg_type AS type ON type.oid = sent.oid
  LEFT JOIN pg_type AS element ON element.oid = type.typelem AND type.typcategory = 'A'
  ORDER BY sent.place`;

/** Runs a query and gives its rows in the same canonical text as the foreign readers; column types are as \\d shows them. */
export async function readWithPostgres(server: PostgresServer, sql: string, database?: string): Promise<TableContents> {
  const client = await server.client(database);
  try {
    await client.query(SESSION);
    const { fields, rows } = await client.query<(string | null)[]>({
      text: sql,
      rowMode: 'array',
      types: { getTypeParser: () => String },
    });
    const ids = [fields.map((field) => field.dataTypeID), fields.map((field) => field.dataTypeModifier)];
    const types = (await client.query<{ full_name: string; name: string; element: string | null }>(DESCRIBE_TYPES, ids))
      .rows;
    return {
      columns: fields.map((field, index) => ({ name: field.name, type: types[index]?.full_name ?? '' })),
      rows: rows.map((row) =>
        row.map((value, index) => {
          const { name = '', element = null } = types[index] ?? {};
          return canonicalPostgresValue(value, element === null ? { name } : { name, elementType: element });
        }),
      ),
    };
  } finally {
    await client.end();
  }
}
