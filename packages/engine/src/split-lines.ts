const NEWLINE = 10;

/** Splits a byte stream at LF only: readline would also split at U+2028, which JSON text may hold. Empty lines are left out. */
export async function* splitLines(input: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  let pieces: Uint8Array[] = [];
  for await (const chunk of input) {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      pieces.push(chunk.subarray(start, end));
      start = end + 1;
      const line = joinText(pieces);
      pieces = [];
      if (line !== '') yield line;
    }
    if (start < chunk.length) pieces.push(chunk.subarray(start));
  }
  const rest = joinText(pieces);
  if (rest !== '') yield rest;
}

const joinText = (pieces: Uint8Array[]) => Buffer.concat(pieces).toString().trimEnd();
