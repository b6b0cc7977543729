import { readFileSync, writeFileSync } from 'node:fs';
import { ERROR_CODES, type ErrorCode, formatColumnType } from '@fjord/core';
import {
  COMPOSED_TYPES as MYSQL_COMPOSED,
  TYPE_TABLE as MYSQL_TYPES,
} from '../packages/source-mysql/src/type-table.ts';
import { COMPOSED_TYPES, type Misfit, TYPE_TABLE } from '../packages/source-postgres/src/type-table.ts';
import { ERROR_GUIDE } from './error-guide.ts';

/** The pages that are printed from the code: their file below the root, and what it must hold. */
export const PAGES: readonly { file: string; print: () => string }[] = [
  { file: 'docs/errors.md', print: errorsPage },
  { file: 'docs/types.md', print: typesPage },
];

/** Where a page lies. */
export function pageUrl(file: string): URL {
  return new URL(`../${file}`, import.meta.url);
}

/** docs/errors.md, from the table of codes and the guide to them. */
function errorsPage(): string {
  const codes = Object.keys(ERROR_CODES) as ErrorCode[];
  const rows = codes.map((code) => [
    `[\`${code}\`](#${code})`,
    String(ERROR_CODES[code].exit),
    ERROR_CODES[code].retryable ? 'yes' : 'no',
    ERROR_GUIDE[code].meaning,
  ]);
  return `# Errors

Printed from \`packages/core/src/error-codes.ts\` and \`scripts/error-guide.ts\` by \`pnpm docs\`. An ERROR line on stderr carries the code,
one sentence that names the object, and what to do; on a terminal the same is said in words. \`fjord logs --level error\` prints those of
earlier runs.

${table(['code', 'exit code', 'may a retry cure it?', 'meaning'], rows)}
${codes.map(errorSection).join('')}`;
}

function errorSection(code: ErrorCode): string {
  const { exit, retryable, help } = ERROR_CODES[code];
  const { meaning, cause, safe } = ERROR_GUIDE[code];
  return `
## ${code}

${meaning}

- **Cause**: ${cause}
- **Fix**: ${help}
- **What is safe**: ${safe}
- Exit code ${exit}; ${retryable ? 'a later try may succeed by itself, and `--follow` makes it.' : 'it stays until something is changed.'}
`;
}

const MISFITS: Record<Misfit, string> = {
  none: 'always',
  clampable: 'mostly; else the nearest value',
  lost: 'mostly; else no value is near',
};

/** docs/types.md, from the sources' type tables. */
function typesPage(): string {
  const rows = TYPE_TABLE.map(({ title, extension, type, misfit, note }) => [
    extension === undefined ? title : `${title} (extension ${extension})`,
    `\`${formatColumnType(type)}\``,
    MISFITS[misfit],
    note ?? '',
  ]);
  const composed = COMPOSED_TYPES.map(({ title, becomes, note }) => [title, becomes, note]);
  const mysql = MYSQL_TYPES.map(({ title, type, misfit, note }) => [
    title,
    `\`${formatColumnType(type)}\``,
    MISFITS[misfit],
    note ?? '',
  ]);
  const mysqlComposed = MYSQL_COMPOSED.map(({ title, becomes, note }) => [title, becomes, note]);
  return `# Types

Printed from the type tables of the sources by \`pnpm docs\`. A value that its column cannot hold follows the source's option
\`unrepresentable\`: \`null\` (the default), \`clamp\` (the nearest value, null where there is none) or \`fail\`. What became null is counted
by column in the sync's summary, values within lists and structs by their place: \`tags.element\`, \`address.valid_until\`.

## PostgreSQL

Code: \`packages/source-postgres/src/type-table.ts\`.

${table(['PostgreSQL', 'becomes', 'fits', 'note'], rows)}

Text is what the server prints under the settings that the connection pins (ISO dates, UTC, ISO 8601 intervals, an empty search path).

${table(['PostgreSQL', 'becomes', 'note'], composed)}

## MySQL and MariaDB

Code: \`packages/source-mysql/src/type-table.ts\`.

${table(['MySQL', 'becomes', 'fits', 'note'], mysql)}

Text comes in UTF-8 whatever the character set of its column. A type that is not in these tables is refused by name.

${table(['MySQL', 'becomes', 'note'], mysqlComposed)}
`;
}

/** A table as the formatter leaves it: cells padded to the width of their column. */
function table(header: string[], rows: string[][]): string {
  const widths = header.map((_, column) => Math.max(...[header, ...rows].map((row) => (row[column] ?? '').length)));
  const line = (cells: string[], fill = ' ') =>
    `| ${widths.map((width, column) => (cells[column] ?? '').padEnd(width, fill)).join(' | ')} |`;
  return [line(header), line([], '-'), ...rows.map((row) => line(row))].join('\n');
}

if (import.meta.main) {
  for (const { file, print } of PAGES) {
    if (!process.argv.includes('--check')) writeFileSync(pageUrl(file), print());
    else if (readFileSync(pageUrl(file), 'utf8') !== print()) {
      process.stderr.write(`${file} is not what the code says; run \`pnpm docs\`.\n`);
      process.exitCode = 1;
    }
  }
}
