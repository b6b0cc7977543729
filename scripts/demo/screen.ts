import { styleText } from 'node:util';

/** Prints a line. */
export function say(text = ''): void {
  process.stdout.write(`${text}\n`);
}

/** A step's heading: bold on a terminal. */
export function heading(text: string): string {
  return styleText('bold', text);
}

/** Something of less weight: dim on a terminal. */
export function aside(text: string): string {
  return styleText('dim', text);
}

/** Rows as a table, three columns in from the left. A title that ends in # is one of numbers, which stand to the right with their thousands apart. */
export function table(head: string[], rows: string[][]): string {
  const isNumber = head.map((title) => title.endsWith(' #'));
  const titles = head.map((title) => title.replace(/ #$/, ''));
  const cells = rows.map((row) => row.map((cell, index) => (isNumber[index] ? withThousands(cell) : cell)));
  const widths = titles.map((title, index) => Math.max(...[title, ...cells.map((row) => row[index] ?? '')].map(width)));
  const line = (row: string[]) => row.map((cell, index) => pad(cell, widths[index] ?? 0, isNumber[index])).join('  ');
  return [aside(line(titles).trimEnd()), ...cells.map((row) => line(row).trimEnd())]
    .map((row) => `   ${row}`)
    .join('\n');
}

/** `1234567.50` as `1,234,567.50`. */
export function withThousands(number: string): string {
  return number.replace(/^-?\d+/, (digits) => digits.replace(/\B(?=(\d{3})+$)/g, ','));
}

const width = (text: string) => text.length;

function pad(text: string, columns: number, toTheRight = false): string {
  const space = ' '.repeat(columns - width(text));
  return toTheRight ? space + text : text + space;
}
