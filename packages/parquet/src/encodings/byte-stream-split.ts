import type { PageBuffer } from '../page-buffer.ts';

/** Appends values of `width` bytes as BYTE_STREAM_SPLIT (Encodings.md): the first bytes of all, then the second ones, and so on. */
export function appendByteStreams(page: PageBuffer, values: Uint8Array, width: number): void {
  page.reserve(values.length);
  const { bytes } = page;
  let at = page.length;
  for (let byte = 0; byte < width; byte++) {
    for (let from = byte; from < values.length; from += width) bytes[at++] = values[from]!;
  }
  page.length = at;
}
