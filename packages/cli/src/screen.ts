import { styleText } from 'node:util';

/** How wide the terminal is; undefined where the output goes to a file or a program, for which nothing is cut or wrapped. */
export function screenWidth(): number | undefined {
  return process.stdout.isTTY ? process.stdout.columns : undefined;
}

/** Writes a text and the end of its line. */
export const print = (text: string) => process.stdout.write(`${text}\n`);

/** A text in colour on a terminal that has colours; as it is elsewhere, and where NO_COLOR is set. */
export function paint(format: 'red' | 'green' | 'yellow' | 'bold' | 'dim', text: string): string {
  return styleText(format, text, { stream: process.stdout });
}

/** A column of a table: its title, and the side that its cells stand on. Texts are cut where the table is too wide; numbers never are. */
export type ScreenColumn = { title: string; align: 'left' | 'right' };

/** Narrower than this a text tells nothing. */
const LEAST_WIDTH = 8;
const GAP = '  ';

/** A table of at most `width` characters a line: the widest texts are cut first, with an ellipsis. */
export function fitTable(
  columns: readonly ScreenColumn[],
  rows: readonly (readonly string[])[],
  width?: number,
): string {
  const widths = columns.map(({ title }, index) =>
    Math.max(title.length, ...rows.map((row) => row[index]?.length ?? 0)),
  );
  if (width !== undefined) shrink(widths, columns, width);
  const line = (cells: readonly string[]) =>
    columns
      .map(({ align }, index) => {
        const cell = cut(cells[index] ?? '', widths[index] ?? 0);
        return align === 'right' ? cell.padStart(widths[index] ?? 0) : cell.padEnd(widths[index] ?? 0);
      })
      .join(GAP)
      .trimEnd();
  return [line(columns.map(({ title }) => title)), ...rows.map((row) => line(row))].join('\n');
}

function shrink(widths: number[], columns: readonly ScreenColumn[], width: number): void {
  const total = () => widths.reduce((sum, each) => sum + each, GAP.length * (widths.length - 1));
  while (total() > width) {
    const texts = widths.map((each, index) => (columns[index]?.align === 'left' ? each : 0));
    const widest = Math.max(...texts);
    if (widest <= LEAST_WIDTH) return;
    const index = texts.indexOf(widest);
    // Down to the next widest text, or as far as is needed.
    const next = Math.max(LEAST_WIDTH, ...texts.filter((_, other) => other !== index));
    widths[index] = Math.max(Math.min(next, widest - 1), widest - (total() - width), LEAST_WIDTH);
  }
}

/** A text of at most `width` characters, the end made an ellipsis where it is longer. */
export function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`;
}

/** Breaks a text between words into lines of at most `width` characters, each behind `indent`; a word that is longer stays whole. */
export function wrap(text: string, { width, indent = '' }: { width: number | undefined; indent?: string }): string {
  const lines = text
    .split('\n')
    .flatMap((line) => (width === undefined ? [line] : breakLine(line, width - indent.length)));
  return lines.map((line) => `${indent}${line}`).join('\n');
}

function breakLine(line: string, width: number): string[] {
  const lines: string[] = [];
  let current = '';
  for (const word of line.split(' ')) {
    if (current !== '' && current.length + 1 + word.length > width) {
      lines.push(current);
      current = word;
    } else current = current === '' ? word : `${current} ${word}`;
  }
  return [...lines, current];
}
