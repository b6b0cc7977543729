import { ConnectorError, formatColumnType } from '@fjord/core';
import { type Preview, previewStream } from '@fjord/engine';
import type { Arguments } from './main.ts';
import { cellText, gridLines, plainText } from './result-text.ts';
import { cut, fitTable, screenWidth } from './screen.ts';
import { withSession } from './with-session.ts';

const DEFAULT_ROWS = 10;
/** Of rows that stand side by side: wider values are cut. */
const CELL_WIDTH = 32;

/** `fjord preview STREAM`: its first rows, with the types that the columns of the table will have. */
export function preview(args: Arguments): Promise<number> {
  return withSession(args, async (session) => {
    const { subject, options } = args;
    if (subject === undefined) {
      throw new ConnectorError('arguments_invalid', 'fjord preview needs a stream.', {
        help: 'Give one that `fjord discover` lists.',
      });
    }
    const limit = Number(options['rows'] ?? DEFAULT_ROWS);
    if (!Number.isInteger(limit) || limit < 1)
      throw new ConnectorError('arguments_invalid', '--rows is a whole number.');
    const found = await previewStream(session, { name: subject, limit });
    process.stdout.write(args.json ? `${JSON.stringify(found)}\n` : previewText(found, screenWidth()));
    return 0;
  });
}

/** A table where it fits, else a line for each column, with as many rows beside each other as fit. */
export function previewText({ stream, target, columns, rows }: Preview, width: number | undefined): string {
  const types = columns.map(({ name, type }) => ({ name, type: formatColumnType(type) }));
  const lines = gridLines();
  const head = `${stream} -> ${target}\n\n`;
  const values = rows.map((row) => columns.map(({ name }) => row[name]));
  const grid = [lines.head(types), lines.rows(values), lines.end()].join('');
  if (width === undefined || grid.split('\n').every((line) => line.length <= width)) return `${head}${grid}`;
  return `${head}${turned(types, values, width)}\n`;
}

function turned(
  types: readonly { name: string; type: string }[],
  values: readonly (readonly unknown[])[],
  width: number,
): string {
  const text = (value: unknown) => cut(cellText(plainText(value) ?? 'NULL'), CELL_WIDTH);
  const line = (shown: number) =>
    fitTable(
      ['column', 'type', ...Array.from({ length: shown }, (_, index) => `row ${index + 1}`)].map((title) => ({
        title,
        align: 'left',
      })),
      types.map(({ name, type }, column) => [name, type, ...values.slice(0, shown).map((row) => text(row[column]))]),
    );
  for (let shown = values.length; shown > 1; shown--) {
    const tried = line(shown);
    if (tried.split('\n').every((each) => each.length <= width)) return tried;
  }
  return fitTable(
    ['column', 'type', 'row 1'].map((title) => ({ title, align: 'left' })),
    types.map(({ name, type }, column) => [name, type, text(values[0]?.[column])]),
    width,
  );
}
