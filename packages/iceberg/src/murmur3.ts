const C1 = 0xcc9e2d51;
const C2 = 0x1b873593;

/** The 32-bit Murmur3 hash (x86 variant, seed 0) of bytes, as a signed integer: what bucket partitions are made by (spec: Appendix B). */
export function hashBytes(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const tail = bytes.length & ~3;
  let hash = 0;
  for (let index = 0; index < tail; index += 4) hash = mixWord(hash, view.getInt32(index, true));
  if (tail < bytes.length) {
    let word = 0;
    for (let index = bytes.length - 1; index >= tail; index--) word = (word << 8) | (bytes[index] ?? 0);
    hash ^= scramble(word);
  }
  return finish(hash, bytes.length);
}

/** The hash of a 64-bit integer given as its two words: what `hashBytes` gives for its 8 little-endian bytes. */
export function hashLong(low: number, high: number): number {
  return finish(mixWord(mixWord(0, low), high), 8);
}

function mixWord(hash: number, word: number): number {
  const mixed = hash ^ scramble(word);
  return (Math.imul((mixed << 13) | (mixed >>> 19), 5) + 0xe6546b64) | 0;
}

function scramble(word: number): number {
  const product = Math.imul(word, C1);
  return Math.imul((product << 15) | (product >>> 17), C2);
}

function finish(hash: number, length: number): number {
  let mixed = hash ^ length;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}
