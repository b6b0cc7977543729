import { expect, test } from 'vitest';
import { splitLines } from '../src/split-lines.ts';

const split = (pieces: string[]) =>
  Array.fromAsync(splitLines(ReadableStream.from(pieces.map((piece) => Buffer.from(piece, 'latin1')))));
const latin1 = (text: string) => Buffer.from(text).toString('latin1');

test.each([
  ['lines over pieces', ['a', 'b\nc', '\nd'], ['ab', 'c', 'd']],
  ['empty lines', ['\n\na\n\n'], ['a']],
  ['a character cut in two', [latin1('é').slice(0, 1), `${latin1('é').slice(1)}\n`], ['é']],
  ['a line separator that is no end of a line', [latin1('a\u2028b\n')], ['a\u2028b']],
  ['nothing', [], []],
])('%s', async (_, pieces, lines) => {
  expect(await split(pieces)).toEqual(lines);
});
