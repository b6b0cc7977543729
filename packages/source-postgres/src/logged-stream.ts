import { type Column, ConnectorError, formatColumnType, type SelectedStream } from '@fjord/core';
import { becomesNullable, type ColumnMapping, mapColumnType, resolveDomain } from './column-types.ts';
import type { Config } from './config.ts';
import type { Connection } from './connection.ts';
import type { Wire } from './copy/wire.ts';
import { isServerPrinted, type LogFormat } from './log-format.ts';
import { columnId, identifyColumns } from './logged-columns.ts';
import type { LookedUp } from './pgoutput/log-decoder.ts';
import type { LoggedColumn, LoggedRelation } from './pgoutput/relation-message.ts';
import { type ChangeColumn, StreamChanges } from './pgoutput/stream-changes.ts';
import { loadColumns, loadTypes, type TableColumn } from './table-columns.ts';

/** A stream that is followed, with its columns as they were last said. */
export type FollowedStream = {
  selected: SelectedStream;
  said: { columns: Column[]; primaryKey: string[] } | undefined;
  /** The columns that its relation had in the log last, in their order there. */
  logged?: readonly { name: string; id: string | undefined }[];
};

type LoggedStreamContext = { config: Config; format: LogFormat };

/**
 * Finds what a relation of the log becomes. The log names types by their oids; the catalog says what these are, as of now: what has been
 * dropped since then is taken as text.
 */
export async function lookUpRelation(
  connection: Connection,
  relation: LoggedRelation,
  stream: FollowedStream,
  { config, format }: LoggedStreamContext,
): Promise<LookedUp> {
  const { selected } = stream;
  const mapped = await mapLogged(connection, relation, { config, before: stream.logged ?? selected.columns });
  stream.logged = mapped.map(({ logged, id }) => ({ name: logged.name, id }));
  if (format === 'binary' && chooseColumns(mapped, selected).some(({ mapping }) => isServerPrinted(mapping))) {
    throw needsText(selected.stream);
  }
  const primaryKey = keyOf(relation, mapped, selected);
  const chosen = chooseColumns(mapped, selected).map((column) => toColumn(column, selected, { primaryKey, config }));
  const columns = chosen.map(({ column }) => column);
  const isSaid = stream.said !== undefined && isSameSchema(stream.said, { columns, primaryKey });
  stream.said = { columns, primaryKey };
  const changes = new StreamChanges({
    stream: selected.stream,
    columns: chosen.map(({ column, field, mapping }): ChangeColumn => {
      const { name, type, nullable } = column;
      return { name, type, nullable, wire: loggedWire(mapping, format), isKey: primaryKey.includes(name), field };
    }),
    isKeyField: relation.columns.map(({ isKey }) => isKey),
    unrepresentable: config.unrepresentable,
  });
  const schema = { event: 'schema', stream: selected.stream, columns, primaryKey } as const;
  return { changes, schema: isSaid ? undefined : schema };
}

/** The error of a table that was altered so that the log has to be read anew, as text. */
function needsText(stream: string): ConnectorError {
  const message = `Table ${stream} has got a column that only the server can print: its changes are to be read as text.`;
  return new ConnectorError('plan_outdated', message, { stream, help: 'Run the sync again.' });
}

type Mapped = {
  logged: LoggedColumn;
  field: number;
  id: string | undefined;
  mapping: ColumnMapping;
  found: TableColumn | undefined;
};

async function mapLogged(
  connection: Connection,
  relation: LoggedRelation,
  { config, before }: { config: Config; before: Parameters<typeof identifyColumns>[2] },
): Promise<Mapped[]> {
  const found = (await loadColumns(connection, [relation.oid], config)).get(relation.oid) ?? [];
  const identified = identifyColumns(relation.columns, found, before);
  const types = await loadTypes(
    connection,
    relation.columns.map(({ typeOid }) => typeOid),
    config,
  );
  return relation.columns.map((logged, field) => {
    const now = identified[field];
    const id = now && columnId(now);
    if (now && now.typeOid === logged.typeOid && now.typeModifier === logged.modifier) {
      return { logged, field, id, mapping: now.mapping, found: now };
    }
    const reference = { oid: logged.typeOid, modifier: logged.modifier, dimensions: 0 };
    return { logged, field, id, mapping: mapColumnType(resolveDomain(reference, types), types), found: undefined };
  });
}

/** The selected columns in their order; without a choice of the user's also those that were added since. */
function chooseColumns(mapped: readonly Mapped[], { columns, shape }: SelectedStream): Mapped[] {
  const known = columns.flatMap((column) => mapped.find((each) => selectedOf(each, [column])) ?? []);
  if (shape) return known;
  return [...known, ...mapped.filter((column) => !known.includes(column))];
}

/** The selected column that a logged one is: the one with its id, or, where either has none, with its name. */
function selectedOf({ id, logged }: Mapped, columns: readonly Column[]): Column | undefined {
  return columns.find((column) =>
    id === undefined || column.id === undefined ? column.name === logged.name : column.id === id,
  );
}

type Chosen = Mapped & { column: Column };

function toColumn(
  mapped: Mapped,
  selected: SelectedStream,
  { primaryKey, config }: { primaryKey: string[]; config: Config },
): Chosen {
  const { id, mapping, found } = mapped;
  const before = selectedOf(mapped, selected.columns);
  const name = nameOf(mapped, selected);
  const isSameType = before && formatColumnType(before.type) === formatColumnType(mapping.type);
  if (isSameType) return { ...mapped, column: { ...before, name } };
  const isKey = primaryKey.includes(name);
  const nullable = !isKey && (before?.nullable !== false || becomesNullable(mapping, config.unrepresentable));
  const column = {
    name,
    ...(id !== undefined && { id }),
    type: mapping.type,
    nullable,
    ...(found && { sourceType: found.typeName }),
  };
  return { ...mapped, column };
}

/** By default rows are told apart by the primary key, whatever its columns are called by now. */
function keyOf({ identity, columns }: LoggedRelation, mapped: readonly Mapped[], selected: SelectedStream): string[] {
  const key = selected.columns.filter(({ name }) => selected.primaryKey.includes(name));
  const names = new Map(mapped.flatMap((each) => pairOf(selectedOf(each, key)?.name, nameOf(each, selected))));
  const known = selected.primaryKey.flatMap((name) => names.get(name) ?? []);
  if (identity !== 'd' || known.length === selected.primaryKey.length) return known;
  return columns.flatMap(({ name, isKey }) => (isKey ? [name] : []));
}

const pairOf = (before: string | undefined, now: string): [string, string][] =>
  before === undefined ? [] : [[before, now]];

/** What a column is called here: filters and transforms go by the names that they were written for. */
function nameOf(mapped: Mapped, { columns, shape }: SelectedStream): string {
  const before = shape && selectedOf(mapped, columns);
  return before ? before.name : mapped.logged.name;
}

function isSameSchema(
  a: { columns: Column[]; primaryKey: string[] },
  b: { columns: Column[]; primaryKey: string[] },
): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function loggedWire({ wire, printedHere }: ColumnMapping, format: LogFormat): Wire {
  return printedHere !== undefined && format === 'binary' ? printedHere : wireOf(wire, format);
}

/** Nothing is rebuilt for the log, and text has no oids in it. */
function wireOf(wire: Wire, format: LogFormat): Wire {
  if (typeof wire === 'string') return wire;
  if (wire.kind === 'array') return { ...wire, isRebuilt: false, element: wireOf(wire.element, format) };
  const fields = wire.fields.map(({ wire: of, oid }) => ({
    wire: wireOf(of, format),
    oid: format === 'text' ? undefined : oid,
  }));
  return { ...wire, fields };
}
