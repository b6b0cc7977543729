import { isUtf8 } from 'node:buffer';
import type { Bounds } from './bounds.ts';

/** Bytes of a bound in footer and page index: 16 characters of UTF-8, which is what Iceberg keeps, have at most so many. */
const LONGEST_BOUND = 64;

/** Shortens the bounds of byte arrays, text at the border of a character; what is cut off `max` is made up for by raising what stays. */
export function shortenBounds({ min, max, ...marks }: Bounds, isText: boolean): Bounds {
  const isMinLong = min.length > LONGEST_BOUND;
  const isMaxLong = max !== undefined && max.length > LONGEST_BOUND;
  return {
    ...marks,
    min: isMinLong ? min.slice(0, cutLength(min, isText)) : min,
    max: isMaxLong ? raise(max.slice(0, cutLength(max, isText)), isText) : max,
    ...(isMinLong && { isMinShortened: true }),
    ...(isMaxLong && { isMaxShortened: true }),
  };
}

function cutLength(bytes: Uint8Array, isText: boolean): number {
  let length = LONGEST_BOUND;
  while (isText && length > 0 && ((bytes[length] ?? 0) & 0xc0) === 0x80) length -= 1;
  return length;
}

/** The least thing of at most this length that is greater than all that begin with `bytes`. */
function raise(bytes: Uint8Array, isText: boolean): Uint8Array | undefined {
  // Text that is no UTF-8 can only be raised as bytes: decoded, it would have other ones, maybe smaller.
  return isText && isUtf8(bytes) ? raiseText(bytes) : raiseBytes(bytes);
}

function raiseBytes(bytes: Uint8Array): Uint8Array | undefined {
  let last = bytes.length - 1;
  while (last >= 0 && bytes[last] === 0xff) last -= 1;
  if (last < 0) return undefined;
  const raised = bytes.slice(0, last + 1);
  raised[last]! += 1;
  return raised;
}

function raiseText(bytes: Uint8Array): Uint8Array | undefined {
  const characters = Array.from(new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes));
  for (let last = characters.length - 1; last >= 0; last--) {
    const code = characters[last]?.codePointAt(0) ?? 0;
    if (code >= 0x10_ffff) continue;
    // Surrogates are no characters: after U+D7FF comes U+E000.
    const next = String.fromCodePoint(code === 0xd7ff ? 0xe000 : code + 1);
    return new TextEncoder().encode(characters.slice(0, last).join('') + next);
  }
  return undefined;
}
