import { type PrimitiveType, parsePrimitive } from './data-type.ts';

/** Iceberg's default metrics mode is `truncate(16)`: code points of strings, bytes of binary. */
const BOUND_LENGTH = 16;

const MAX_CODE_POINT = 0x10ffff;

/** A lower bound cut to at most `length` code points or bytes; other types are kept. Undefined if no valid bound can be made. */
export function truncateLowerBound(
  type: PrimitiveType,
  bound: Uint8Array,
  length = BOUND_LENGTH,
): Uint8Array | undefined {
  const { kind } = parsePrimitive(type);
  if (kind === 'string') {
    const text = decodeText(bound);
    return text === undefined ? undefined : new TextEncoder().encode(Array.from(text).slice(0, length).join(''));
  }
  if (kind === 'binary') return bound.slice(0, length);
  return bound;
}

/** An upper bound cut likewise, and then rounded up so that it is not below the value. Undefined if it cannot be rounded up. */
export function truncateUpperBound(
  type: PrimitiveType,
  bound: Uint8Array,
  length = BOUND_LENGTH,
): Uint8Array | undefined {
  const { kind } = parsePrimitive(type);
  if (kind === 'string') {
    const text = decodeText(bound);
    return text === undefined ? undefined : truncateTextUp(Array.from(text), length);
  }
  if (kind === 'binary') return bound.length <= length ? bound : incrementBytes(bound.slice(0, length));
  return bound;
}

function truncateTextUp(characters: string[], length: number): Uint8Array | undefined {
  if (characters.length <= length) return new TextEncoder().encode(characters.join(''));
  for (let index = length - 1; index >= 0; index--) {
    const next = nextCodePoint(characters[index]?.codePointAt(0) ?? MAX_CODE_POINT);
    if (next === undefined) continue;
    return new TextEncoder().encode(characters.slice(0, index).join('') + String.fromCodePoint(next));
  }
  return undefined;
}

function nextCodePoint(codePoint: number): number | undefined {
  if (codePoint >= MAX_CODE_POINT) return undefined;
  // Surrogates are not characters: the code point after U+D7FF is U+E000.
  return codePoint === 0xd7ff ? 0xe000 : codePoint + 1;
}

function incrementBytes(bytes: Uint8Array): Uint8Array | undefined {
  for (let index = bytes.length - 1; index >= 0; index--) {
    const byte = bytes[index] ?? 0xff;
    if (byte === 0xff) continue;
    const rounded = bytes.slice(0, index + 1);
    rounded[index] = byte + 1;
    return rounded;
  }
  return undefined;
}

/** Undefined for bytes that are not UTF-8: a writer may have cut its statistics inside a character. */
function decodeText(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
