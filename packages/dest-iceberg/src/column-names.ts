import type { Column } from '@fjord/core';
import type { Schema } from '@fjord/iceberg';

/** The source's ids of a stream's columns with the names that the table's have, `{ "16384.2": "created_at" }`. */
type ColumnNames = Readonly<Record<string, string>>;

/** The table property that holds which column of the source each column is, so that one that is renamed there is known again. */
export function columnsPropertyName(pipeline: string, stream: string): string {
  return `fjord.columns.${pipeline}.${stream}`;
}

/** Reads that property; nothing is known of a table without. */
export function parseColumnNames(text: string | undefined): ColumnNames {
  return text === undefined ? {} : JSON.parse(text);
}

/**
 * Which of the table's columns were renamed at the source since their names were noted. Left as they are: those whose new name another column
 * of the table has and keeps. Two that have changed names are both renamed.
 */
export function findRenames(schema: Schema, columns: readonly Column[], known: ColumnNames): Map<string, string> {
  const fields = new Set(schema.fields.map(({ name }) => name));
  const renames = new Map<string, string>();
  for (const { id, name } of columns) {
    const before = id === undefined ? undefined : known[id];
    if (before !== undefined && before !== name && fields.has(before)) renames.set(before, name);
  }
  // Giving up one rename keeps a name that others may want.
  for (;;) {
    const taken = [...renames].filter(([, name]) => fields.has(name) && !renames.has(name));
    if (taken.length === 0) return renames;
    for (const [before] of taken) renames.delete(before);
  }
}

/**
 * The names that the stream's columns have in the table, old names to new ones, where these differ: a column that is known there, and whose new
 * name another one has, keeps the name that it has. So it is when rows of a time before a rename come again after it, and the old name was given
 * to another column meanwhile: by its name alone the one would get the values of the other.
 */
export function findPlaces(schema: Schema, columns: readonly Column[], known: ColumnNames): Map<string, string> {
  const fields = new Set(schema.fields.map(({ name }) => name));
  const renames = findRenames(schema, columns, known);
  const places = new Map<string, string>();
  for (const { id, name } of columns) {
    const before = id === undefined ? undefined : known[id];
    if (before !== undefined && before !== name && fields.has(before) && !renames.has(before)) places.set(name, before);
  }
  // A name that a column of the source has and keeps is not free.
  for (;;) {
    const kept = new Set(columns.map(({ name }) => name).filter((name) => !places.has(name)));
    const taken = [...places].filter(([, place]) => kept.has(place));
    if (taken.length === 0) return places;
    for (const [name] of taken) places.delete(name);
  }
}

/** The property as it is to be once the table has these columns; undefined if it is so, or there is nothing to note. */
export function noteColumns(schema: Schema, columns: readonly Column[], known: ColumnNames): string | undefined {
  const fields = new Set(schema.fields.map(({ name }) => name));
  const now = Object.fromEntries(columns.flatMap(({ id, name }) => (id === undefined ? [] : [[id, name] as const])));
  const names = new Set(Object.values(now));
  const others = Object.entries(known).filter(([id, name]) => !(id in now) && fields.has(name) && !names.has(name));
  const all = Object.entries({ ...Object.fromEntries(others), ...now }).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const text = JSON.stringify(Object.fromEntries(all));
  const before = JSON.stringify(Object.fromEntries(Object.entries(known).toSorted(([a], [b]) => (a < b ? -1 : 1))));
  return text === before ? undefined : text;
}
