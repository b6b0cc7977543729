import type { Problem, SelectedStream } from '@fjord/core';
import type { Connection } from './connection.ts';
import { quoteQualified } from './quoting.ts';

/** A table of a stream, or a leaf partition of it, as far as its changes depend on it. */
export type LoggedTable = {
  stream: string;
  namespace: string;
  name: string;
  kind: string;
  persistence: string;
  identity: 'd' | 'n' | 'f' | 'i';
  /** The columns by which its default or its index tells rows apart. */
  identityColumns: string[];
  /** Generated columns: `s` stored, `v` computed when read. */
  generated: { name: string; kind: string }[];
  mayPublish: boolean;
};

const LOGGED_TABLES = `
  WITH RECURSIVE wanted AS (
    SELECT w.stream, c.oid, c.relkind
    FROM ROWS FROM (pg_catalog.unnest($1::pg_catalog.text[]), pg_catalog.unnest($2::pg_catalog.text[]), pg_catalog.unnest($3::pg_catalog.text[]))
      AS w (stream, namespace, name)
    JOIN pg_catalog.pg_namespace AS n ON n.nspname = w.namespace
    JOIN pg_catalog.pg_class AS c ON c.relnamespace = n.oid AND c.relname = w.name
    UNION ALL
    SELECT w.stream, c.oid, c.relkind
    FROM wanted AS w JOIN pg_catalog.pg_inherits AS i ON w.relkind = 'p' AND i.inhparent = w.oid
    JOIN pg_catalog.pg_class AS c ON c.oid = i.inhrelid
  )
  SELECT w.stream, n.nspname::text AS namespace, c.relname::text AS name, c.relkind::text AS kind, c.relpersistence::text AS persistence,
    c.relreplident::text AS identity, pg_catalog.pg_has_role(c.relowner, 'USAGE') AS "mayPublish",
    coalesce((SELECT pg_catalog.json_agg(a.attname) FROM pg_catalog.pg_index AS x
       JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = ANY ((x.indkey::int2[])[0:x.indnkeyatts - 1])
       WHERE x.indrelid = c.oid AND CASE c.relreplident WHEN 'd' THEN x.indisprimary WHEN 'i' THEN x.indisreplident ELSE false END), '[]') AS "identityColumns",
    coalesce((SELECT pg_catalog.json_agg(pg_catalog.json_build_object('name', a.attname, 'kind', a.attgenerated)) FROM pg_catalog.pg_attribute AS a
       WHERE a.attrelid = c.oid AND a.attgenerated <> '' AND NOT a.attisdropped), '[]') AS generated
  FROM wanted AS w JOIN pg_catalog.pg_class AS c ON c.oid = w.oid JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C"`;

/** Stored generated columns are in the log from this version on, those that are computed when read in none. */
const GENERATED_VERSION = 180_000;

export async function loadLoggedTables(
  connection: Connection,
  streams: readonly SelectedStream[],
): Promise<LoggedTable[]> {
  return connection.query<LoggedTable>(LOGGED_TABLES, [
    streams.map(({ stream }) => stream),
    streams.map(({ namespace = 'public' }) => namespace),
    streams.map(({ name }) => name),
  ]);
}

/** Finds what keeps tables from being followed, each with the fix. One that is published all the same could no longer be updated by anybody. */
export function findLogStreamProblems(
  streams: readonly SelectedStream[],
  tables: readonly LoggedTable[],
  version: number,
): Problem[] {
  const byStream = new Map(streams.map((stream) => [stream.stream, stream]));
  return tables.flatMap((table) => {
    const stream = byStream.get(table.stream);
    return stream ? tableProblems(table, stream, version) : [];
  });
}

function tableProblems(table: LoggedTable, stream: SelectedStream, version: number): Problem[] {
  const problem = (code: string, message: string, fix: string): Problem => ({
    code,
    message,
    fix,
    stream: stream.stream,
  });
  const { kind, persistence } = table;
  if (kind !== 'r' && kind !== 'p') {
    return [
      problem(
        'unsupported',
        `${stream.stream} is no table, so no change log tells of its rows.`,
        'Copy it in full on each run (`syncMode: full`).',
      ),
    ];
  }
  if (persistence === 'u') {
    const fix = `ALTER TABLE ${nameOf(table)} SET LOGGED; or copy it in full on each run (\`syncMode: full\`).`;
    return [problem('unsupported', `Table ${stream.stream} is unlogged: no change log tells of its rows.`, fix)];
  }
  const identity = identityFault(table, stream.primaryKey);
  const selected = new Set(stream.columns.map(({ name }) => name));
  const hidden = table.generated.filter(
    ({ name, kind: how }) => selected.has(name) && (how === 'v' || version < GENERATED_VERSION),
  );
  return [
    ...(identity && kind === 'r' ? [problem('unsupported', identity.message, identity.fix)] : []),
    ...(hidden.length > 0
      ? [
          problem(
            'unsupported',
            `The change log does not have the generated column(s) ${hidden.map(({ name }) => `"${name}"`).join(', ')} of ${stream.stream}.`,
            'Leave them out of the stream (`columns`), or copy it in full on each run (`syncMode: full`).',
          ),
        ]
      : []),
  ];
}

/** Why changes of a table's rows could not be brought to theirs. */
function identityFault(
  table: LoggedTable,
  primaryKey: readonly string[],
): { message: string; fix: string } | undefined {
  const { identity, identityColumns } = table;
  const name = `${table.namespace}.${table.name}`;
  if (identity === 'f') return undefined;
  const columns = new Set(identityColumns);
  if (primaryKey.length === 0) {
    return {
      message: `Table ${name} has no primary key, so the change log must have all of each changed row (REPLICA IDENTITY FULL).`,
      fix: `ALTER TABLE ${nameOf(table)} REPLICA IDENTITY FULL; or give it a primary key.`,
    };
  }
  if (columns.size > 0 && primaryKey.every((column) => columns.has(column))) return undefined;
  const what = {
    d: 'has no primary key of its own',
    n: 'has REPLICA IDENTITY NOTHING',
    i: 'is identified by an index without all columns of the primary key',
  };
  return {
    message: `The change log does not tell which row of ${name} was changed: it ${what[identity]}.`,
    fix: `ALTER TABLE ${nameOf(table)} REPLICA IDENTITY ${identity === 'd' ? 'FULL' : 'DEFAULT'};`,
  };
}

const nameOf = ({ namespace, name }: LoggedTable) => quoteQualified(namespace, name);
