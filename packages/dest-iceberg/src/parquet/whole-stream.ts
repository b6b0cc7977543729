import { ownsMemory } from '@fjord/core';

/** The stream in an ArrayBuffer of its own, which can be transferred; copied only if it shares one or comes in pieces. */
export function wholeStream(body: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const [first] = body;
  if (body.length === 1 && first?.buffer instanceof ArrayBuffer && ownsMemory(first)) {
    return new Uint8Array(first.buffer, 0, first.length);
  }
  return joined(body);
}

/** The pieces of a stream in one new array. */
export function joined(body: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const stream = new Uint8Array(body.reduce((total, piece) => total + piece.length, 0));
  let end = 0;
  for (const piece of body) {
    stream.set(piece, end);
    end += piece.length;
  }
  return stream;
}
