import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { MESSAGES } from '../../src/index.ts';

const GOLDEN = new URL('../../protocol.v1.json', import.meta.url);

test('the wire of protocol version 1 is the golden schema, so that it never changes by accident', () => {
  const schema: unknown = JSON.parse(JSON.stringify({ protocol: 1, messages: MESSAGES }));
  // After a change that is meant: FJORD_UPDATE_GOLDEN=1 pnpm vitest run golden, and say in docs/protocol.md what changed.
  if (process.env['FJORD_UPDATE_GOLDEN'] === '1') writeFileSync(GOLDEN, `${JSON.stringify(schema, null, 2)}\n`);
  expect(schema).toEqual(JSON.parse(readFileSync(GOLDEN, 'utf8')));
});
