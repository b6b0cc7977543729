import type { SelectedStream } from '@fjord/core';
import type { Key, KeyColumn, KeyRange, KeyValue } from './chunk-layout.ts';
import { mapColumnType } from './column-types.ts';
import type { Connection, Row } from './connection.ts';
import { quoteIdentifier, quoteText } from './quoting.ts';
import { tableCondition } from './table-columns.ts';
import { TYPE_TABLE } from './type-table.ts';

/** Unique indexes; whether the optimizer may use one is said in a column whose name, if it is there, depends on the server. */
const KEYS = `
  SELECT s.INDEX_NAME AS indexName, s.COLUMN_NAME AS part, c.DATA_TYPE AS dataType, c.COLUMN_TYPE AS fullType, s.SUB_PART AS prefix,
         s.NULLABLE AS nullable, s.INDEX_TYPE AS kind, s.*
  FROM information_schema.STATISTICS AS s LEFT JOIN information_schema.COLUMNS AS c
    ON c.TABLE_SCHEMA = s.TABLE_SCHEMA AND c.TABLE_NAME = s.TABLE_NAME AND c.COLUMN_NAME = s.COLUMN_NAME`;

type Part = Row & {
  indexName: string;
  part: string | null;
  dataType: string | null;
  fullType: string | null;
  prefix: number | null;
  nullable: string;
  kind: string;
  IS_VISIBLE?: string;
  IGNORED?: string;
};

const ORDERED = new Set(TYPE_TABLE.filter(({ isOrdered }) => isOrdered).flatMap(({ names }) => names));
const INTEGERS = new Set(['tinyint', 'smallint', 'mediumint', 'int', 'bigint', 'year']);

/** The key that a table is cut by: the primary key, or else the unique index over the fewest columns that are never null. */
export async function findKey(connection: Connection, stream: SelectedStream): Promise<Key | undefined> {
  const condition = tableCondition(stream).replaceAll('TABLE_', 's.TABLE_');
  const parts = await connection.query<Part>(
    `${KEYS} WHERE ${condition} AND s.NON_UNIQUE = 0 ORDER BY s.INDEX_NAME, s.SEQ_IN_INDEX`,
    stream.stream,
  );
  const indexes = [...Map.groupBy(parts, ({ indexName }) => indexName)].filter(([, all]) => all.every(isWhole));
  const [best] = indexes.toSorted(([a, ofA], [b, ofB]) => rank(a, ofA) - rank(b, ofB) || (a < b ? -1 : 1));
  if (!best) return undefined;
  const [index, all] = best;
  // Ranges of the leading columns cut all rows, whether they tell rows apart or not.
  const columns: KeyColumn[] = [];
  for (const { part, dataType, fullType } of all) {
    const column = toKeyColumn({ name: part ?? '', type: dataType ?? '', fullType: fullType ?? '' });
    if (!column) break;
    columns.push(column);
  }
  return columns.length === 0 ? undefined : { index, columns };
}

/** Of whole columns, none of which may be null, kept in order, and not hidden from the optimizer (MySQL: invisible, MariaDB: ignored). */
function isWhole({ part, prefix, nullable, kind, IS_VISIBLE: visible, IGNORED: ignored }: Part): boolean {
  const isUsable = visible !== 'NO' && ignored !== 'YES';
  return part !== null && prefix === null && nullable !== 'YES' && kind === 'BTREE' && isUsable;
}

const isComparable = (dataType: string) => dataType === 'decimal' || ORDERED.has(dataType);
const rank = (index: string, parts: Part[]) => (index === 'PRIMARY' ? 0 : parts.length);

/** How a column's values stand in statements; undefined where their order is not that of their constants. */
export function toKeyColumn({
  name,
  type,
  fullType,
}: {
  name: string;
  type: string;
  fullType: string;
}): KeyColumn | undefined {
  if (!isComparable(type)) return undefined;
  if (INTEGERS.has(type)) return { name, form: 'integer' };
  if (type === 'decimal') return { name, form: 'decimal' };
  const options = { wideDecimal: 'string', tinyint1: 'int', timeAs: 'time' } as const;
  const mapping = mapColumnType({ name: type, fullType, precision: null, scale: null }, options);
  if (mapping?.wire === 'bytes') return { name, form: 'bytes' };
  return { name, form: mapping?.wire === 'text' ? 'text' : 'plain' };
}

/** The columns of a key as expressions that give their values as text. */
export function keyTexts({ columns }: Key): string[] {
  return columns.map(({ name, form }, index) => `${keyText(quoteIdentifier(name), form)} AS k${index}`);
}

/** An expression that gives a value as text, from which `constant` makes the value again. */
export function keyText(expression: string, form: KeyColumn['form']): string {
  if (form === 'bytes') return `HEX(${expression})`;
  return form === 'text' ? `HEX(CONVERT(${expression} USING utf8mb4))` : `CAST(${expression} AS CHAR)`;
}

/** A value as a constant; what is not of its form is no value that we wrote. */
export function constant(value: string, form: KeyColumn['form']): string {
  switch (form) {
    case 'integer':
    case 'decimal':
      if (/^-?\d+(\.\d+)?$/.test(value)) return value;
      break;
    case 'text':
      // Text takes the column's collation, since its own is the weaker one.
      if (/^([0-9A-F]{2})*$/.test(value)) return value === '' ? "_utf8mb4 ''" : `_utf8mb4 X'${value}'`;
      break;
    case 'bytes':
      if (/^([0-9A-F]{2})*$/.test(value)) return `X'${value}'`;
      break;
    case 'plain':
      return quoteText(value);
    default:
      return form satisfies never;
  }
  throw new Error(`a bound of a key is no ${form}`);
}

/**
 * The conditions of a range of keys. The comparison of rows is written out, since the server uses no index for one; the first column stands alone
 * beside it, for the index's range.
 */
export function keyConditions({ after, upTo }: KeyRange, key: Key): string[] {
  return [
    ...(after === undefined ? [] : compare(after, key, '>')),
    ...(upTo === undefined ? [] : compare(upTo, key, '<=')),
  ];
}

function compare(value: KeyValue, { columns }: Key, operator: '>' | '<='): string[] {
  const strict = operator === '>' ? '>' : '<';
  // A bound may be of the leading columns alone.
  const terms = columns.slice(0, value.length).map((column) => ({ name: quoteIdentifier(column.name), column }));
  const alternatives = terms.map(({ name, column }, index) => {
    const equal = terms
      .slice(0, index)
      .map((term, place) => `${term.name} = ${constant(value[place] ?? '', term.column.form)}`);
    const last = index === terms.length - 1 ? operator : strict;
    return [...equal, `${name} ${last} ${constant(value[index] ?? '', column.form)}`].join(' AND ');
  });
  const [first] = terms;
  if (alternatives.length === 1 || !first) return alternatives;
  const leading = `${first.name} ${strict}= ${constant(value[0] ?? '', first.column.form)}`;
  return [leading, alternatives.map((alternative) => `(${alternative})`).join(' OR ')];
}
