import { expect, test } from 'vitest';
import { ConnectorProcess } from '../src/connector-process.ts';

/** Lines that come after the program's end, for longer than the silence that counts as the end of them. */
const LATE = 'for n in 1 2 3 4; do sleep 0.4; echo "late $n" >&2; done';

test('what comes through the pipe after the end of a connector is read as long as it comes', async () => {
  const lines: string[] = [];
  await using child = new ConnectorProcess({
    connector: { name: 'chatty', role: 'source', command: ['sh', '-c', `(${LATE}) & exit 0`], isDirect: true },
    args: [],
    folder: process.cwd(),
    onLine: (line) => lines.push(line.type === 'LOG' ? line.message : line.type),
  });
  await child.ended;
  expect(lines).toEqual(['late 1', 'late 2', 'late 3', 'late 4']);
  expect(child.failures).toEqual([]);
});
