import { type Column, type ColumnType, type Stream, streamId } from '@fjord/core';
import { becomesNullable } from './column-types.ts';
import type { Config } from './config.ts';
import type { Connection, Row } from './connection.ts';
import { quoteAccount, quoteQualified } from './quoting.ts';
import { loadColumns, schemaCondition, type TableColumn } from './table-columns.ts';

type Table = Row & {
  namespace: string;
  name: string;
  kind: string;
  options: string | null;
  doc: string | null;
  estimatedRows: number | string | null;
  bytes: number | string | null;
};

const TABLES = `
  SELECT TABLE_SCHEMA AS namespace, TABLE_NAME AS name, TABLE_TYPE AS kind, CREATE_OPTIONS AS options, TABLE_COMMENT AS doc,
         TABLE_ROWS AS estimatedRows, DATA_LENGTH AS bytes
  FROM information_schema.TABLES
  WHERE TABLE_TYPE IN ('BASE TABLE', 'VIEW', 'SYSTEM VERSIONED')`;

type KeyPart = Row & { namespace: string; name: string; part: string };

const PRIMARY_KEYS = `
  SELECT TABLE_SCHEMA AS namespace, TABLE_NAME AS name, COLUMN_NAME AS part FROM information_schema.STATISTICS
  WHERE INDEX_NAME = 'PRIMARY'`;

/** What the server writes into a view's comment when it cannot be read (MySQL and MariaDB, sql_show.cc). */
const BROKEN_VIEW = /references invalid table|lack rights to use them/i;

/** Types that grow with time or by a sequence; dates and times first, since they also grow with changes. */
const CURSOR_TYPES: readonly ColumnType[] = ['timestamptz', 'timestamp', 'date', 'long', 'int'];

/**
 * Finds the tables and views by schema and name, those that the user may not read marked as such; partitions belong to their table. Three
 * queries, however many tables.
 */
export async function discover(connection: Connection, config: Config): Promise<Stream[]> {
  const condition = schemaCondition(config.schemas);
  const tables = await connection.query<Table>(`${TABLES} AND ${condition} ORDER BY TABLE_SCHEMA, TABLE_NAME`);
  const columns = await loadColumns(connection, condition, config);
  const keyParts = await connection.query<KeyPart>(
    `${PRIMARY_KEYS} AND ${condition} ORDER BY TABLE_SCHEMA, TABLE_NAME, SEQ_IN_INDEX`,
  );
  const keys = Map.groupBy(keyParts, ({ namespace, name }) => streamId(namespace, name));
  return tables.map((table) => {
    const id = streamId(table.namespace, table.name);
    const found = columns.get(id) ?? [];
    const primaryKey = (keys.get(id) ?? []).map(({ part }) => part);
    return { ...toStream(table, found, { primaryKey, config }), ...unreadable(table, found, connection) };
  });
}

function toStream(table: Table, columns: TableColumn[], of: { primaryKey: string[]; config: Config }): Stream {
  const { namespace, name, doc } = table;
  const kind = kindOf(table);
  return {
    stream: streamId(namespace, name),
    namespace,
    name,
    kind,
    columns: columns.map((column) => toColumn(column, { ...of, isView: kind === 'view' })),
    primaryKey: of.primaryKey,
    cursorCandidates: CURSOR_TYPES.flatMap((type) => columns.filter(({ mapping }) => mapping?.type === type)).map(
      ({ column }) => column,
    ),
    syncModes: ['full', 'incremental'],
    ...(kind !== 'view' && {
      estimatedRows: Number(table.estimatedRows ?? 0),
      estimatedBytes: Number(table.bytes ?? 0),
    }),
    ...(doc && kind !== 'view' && { doc }),
  };
}

function kindOf({ kind, options }: Table): 'table' | 'partitioned table' | 'view' {
  if (kind === 'VIEW') return 'view';
  return /\bpartitioned\b/i.test(options ?? '') ? 'partitioned table' : 'table';
}

type ColumnOf = { primaryKey: string[]; config: Config; isView: boolean };

function toColumn(found: TableColumn, { primaryKey, config, isView }: ColumnOf): Column {
  const { column: name, mapping, isRequired, fullType, doc } = found;
  // What a view says of its columns is a guess: an outer join may add nulls.
  const mayBeRequired = isRequired && !isView && mapping !== undefined;
  const staysRequired =
    mayBeRequired && (primaryKey.includes(name) || !becomesNullable(mapping, config.unrepresentable));
  return {
    name,
    type: mapping?.type ?? 'string',
    nullable: !staysRequired,
    sourceType: fullType,
    ...(doc !== '' && { doc }),
  };
}

function unreadable(table: Table, columns: TableColumn[], { target, facts }: Connection): Pick<Stream, 'unreadable'> {
  const { namespace, name, doc } = table;
  const stream = streamId(namespace, name);
  if (kindOf(table) === 'view' && BROKEN_VIEW.test(doc ?? '')) {
    const message = `View ${stream} cannot be read: what it selects from is gone, or its definer may not read it.`;
    return { unreadable: { message, fix: `SHOW CREATE VIEW ${quoteQualified(namespace, name)};` } };
  }
  if (columns.length > 0 && columns.every(({ mayRead }) => mayRead)) return {};
  return {
    unreadable: {
      message: `User "${target.user}" may not read table ${stream}.`,
      fix: `GRANT SELECT ON ${quoteQualified(namespace, name)} TO ${quoteAccount(facts.account)};`,
    },
  };
}
