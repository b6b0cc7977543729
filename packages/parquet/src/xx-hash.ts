const PRIME_1 = 0x9e3779b185ebca87n;
const PRIME_2 = 0xc2b2ae3d27d4eb4fn;
const PRIME_3 = 0x165667b19e3779f9n;
const PRIME_4 = 0x85ebca77c2b2ae63n;
const PRIME_5 = 0x27d4eb2f165667c5n;
const STRIPE_BYTES = 32;

const wrap = (value: bigint) => BigInt.asUintN(64, value);
const rotate = (value: bigint, bits: bigint) => wrap((value << bits) | (value >> (64n - bits)));
const round = (lane: bigint, input: bigint) => wrap(rotate(wrap(lane + input * PRIME_2), 31n) * PRIME_1);

/** xxHash of 64 bits with seed 0 (xxHash specification, XXH64). Not fast: it serves bloom filters, which are made when asked for. */
export class XxHash64 {
  /** The two halves of the last digest. */
  low = 0;
  high = 0;

  digest(bytes: Uint8Array, start: number, length: number): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset + start, length);
    const striped = length - (length % STRIPE_BYTES);
    let hash = wrap((length < STRIPE_BYTES ? PRIME_5 : mixStripes(view, striped)) + BigInt(length));
    let at = length < STRIPE_BYTES ? 0 : striped;
    for (; at + 8 <= length; at += 8) {
      hash = wrap(rotate(hash ^ round(0n, view.getBigUint64(at, true)), 27n) * PRIME_1 + PRIME_4);
    }
    if (at + 4 <= length) {
      hash = wrap(rotate(hash ^ wrap(BigInt(view.getUint32(at, true)) * PRIME_1), 23n) * PRIME_2 + PRIME_3);
      at += 4;
    }
    for (; at < length; at++) hash = wrap(rotate(hash ^ wrap(BigInt(view.getUint8(at)) * PRIME_5), 11n) * PRIME_1);
    hash = wrap((hash ^ (hash >> 33n)) * PRIME_2);
    hash = wrap((hash ^ (hash >> 29n)) * PRIME_3);
    hash ^= hash >> 32n;
    this.low = Number(hash & 0xffff_ffffn);
    this.high = Number(hash >> 32n);
  }
}

function mixStripes(view: DataView, length: number): bigint {
  let lanes = [wrap(PRIME_1 + PRIME_2), PRIME_2, 0n, wrap(-PRIME_1)];
  for (let at = 0; at < length; at += STRIPE_BYTES) {
    lanes = lanes.map((lane, index) => round(lane, view.getBigUint64(at + 8 * index, true)));
  }
  const [first = 0n, second = 0n, third = 0n, fourth = 0n] = lanes;
  let hash = wrap(rotate(first, 1n) + rotate(second, 7n) + rotate(third, 12n) + rotate(fourth, 18n));
  for (const lane of lanes) hash = wrap((hash ^ round(0n, lane)) * PRIME_1 + PRIME_4);
  return hash;
}
