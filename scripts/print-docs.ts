import { readFileSync, writeFileSync } from 'node:fs';
import { ERROR_CODES } from '@fjord/core';

const ERRORS = new URL('../docs/errors.md', import.meta.url);

/** docs/errors.md, from the table of codes. */
export function errorsPage(): string {
  const rows = Object.entries(ERROR_CODES).map(
    ([code, { exit, retryable, help }]) => `| \`${code}\` | ${exit} | ${retryable ? 'yes' : 'no'} | ${help} |`,
  );
  return `# Errors

Printed from \`packages/core/src/error-codes.ts\` by \`pnpm docs\`. An ERROR line on stderr carries the code, one sentence that names the
object, and this help.

| code | exit code | may a retry cure it? | what to do |
| --- | --- | --- | --- |
${rows.join('\n')}
`;
}

if (import.meta.main) {
  if (process.argv.includes('--check')) {
    if (readFileSync(ERRORS, 'utf8') !== errorsPage()) {
      process.stderr.write('docs/errors.md is not what the code says; run `pnpm docs`.\n');
      process.exit(1);
    }
  } else writeFileSync(ERRORS, errorsPage());
}
