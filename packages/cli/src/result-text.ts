import { formatCount } from './table-text.ts';

type ResultColumn = { name: string; type: string };

/** Turns a result into text, page by page. */
export interface ResultLines {
  head(columns: readonly ResultColumn[]): string;
  rows(rows: readonly (readonly unknown[])[]): string;
  /** What comes after the last row. */
  end(): string;
}

/** Widths are set by the first page; later cells that are longer push the rest of their line to the right. */
const MAX_WIDTH = 60;
const ESCAPES: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };
/** By DuckDB's names of types, and by Iceberg's. */
const NUMBER = /^(?:U?(?:TINY|SMALL|BIG|HUGE)?INT|INTEGER|UINTEGER|FLOAT|DOUBLE|DECIMAL|int|long|float|double|decimal)/;

/** A table for a person: names, types, aligned cells, numbers to the right, and the count of rows. */
export function gridLines(): ResultLines {
  let columns: readonly ResultColumn[] = [];
  let widths: number[] | undefined;
  let count = 0;
  const line = (cells: readonly string[]) =>
    `${cells.map((cell, index) => pad(cell, widths?.[index] ?? 0, NUMBER.test(columns[index]?.type ?? ''))).join('  ')}`.trimEnd();
  const page = (rows: readonly (readonly string[])[]) => {
    const heads = [columns.map(({ name }) => cellText(name)), columns.map(({ type }) => type)];
    const isFirst = widths === undefined;
    widths ??= columns.map((_, index) =>
      Math.min(MAX_WIDTH, Math.max(...[...heads, ...rows].map((cells) => cells[index]?.length ?? 0))),
    );
    const lines = [
      ...(isFirst ? [...heads, columns.map((_, index) => '-'.repeat(widths?.[index] ?? 0))] : []),
      ...rows,
    ];
    return lines.map((cells) => `${line(cells)}\n`).join('');
  };
  return {
    head(found) {
      columns = found;
      return '';
    },
    rows(rows) {
      count += rows.length;
      return page(rows.map((row) => row.map((value) => cellText(plainText(value) ?? 'NULL'))));
    },
    end: () => `${widths ? '' : page([])}${formatCount(count)} ${count === 1 ? 'row' : 'rows'}\n`,
  };
}

/** One JSON object a line. */
export function jsonLines(): ResultLines {
  let names: string[] = [];
  return {
    head(columns) {
      names = columns.map(({ name }) => name);
      return '';
    },
    rows: (rows) =>
      rows
        .map((row) => `${JSON.stringify(Object.fromEntries(names.map((name, index) => [name, row[index] ?? null])))}\n`)
        .join(''),
    end: () => '',
  };
}

/** Comma-separated values as RFC 4180 has them, but for lines that end in LF: null is empty, an empty text is quoted. */
export function csvLines(): ResultLines {
  const line = (cells: readonly (string | undefined)[]) => `${cells.map(csvCell).join(',')}\n`;
  return {
    head: (columns) => line(columns.map(({ name }) => name)),
    rows: (rows) => rows.map((row) => line(row.map(plainText))).join(''),
    end: () => '',
  };
}

function csvCell(text: string | undefined): string {
  if (text === undefined) return '';
  return text === '' || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** A value's text; undefined for null. */
export function plainText(value: unknown): string | undefined {
  if (value === null || value === undefined) return undefined;
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** One line, whatever the value holds. */
export function cellText(text: string): string {
  return text.replaceAll(
    /\p{Cc}/gu,
    (character) => ESCAPES[character] ?? `\\x${character.codePointAt(0)?.toString(16)}`,
  );
}

function pad(text: string, width: number, toTheRight: boolean): string {
  return toTheRight ? text.padStart(width) : text.padEnd(width);
}
