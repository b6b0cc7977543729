import fc from 'fast-check';
import { findMessages } from './messages.ts';

/** One thing that is done to a stream; `where` and `at` are shares of its parts, so that any damage fits any stream. */
export type Damage = {
  what: 'bit' | 'byte' | 'int32' | 'int64' | 'swap' | 'cut';
  /** Lengths and places in messages, their other metadata, or the values. */
  where: 'counts' | 'metadata' | 'body';
  at: number;
  value: bigint;
};

const INTERESTING = [0n, 1n, -1n, 2n, 7n, 8n, 64n, 127n, 128n, 255n, 2n ** 16n, 2n ** 24n, 2n ** 30n, 2n ** 31n - 1n];
const VALUES = [...INTERESTING, 2n ** 31n, -(2n ** 31n), 2n ** 32n, 2n ** 33n + 8n, 2n ** 40n, 2n ** 53n, 2n ** 62n];

/** One to three things done to a stream. */
export const anyDamage: fc.Arbitrary<Damage[]> = fc.array(
  fc.record({
    what: fc.oneof(
      { arbitrary: fc.constantFrom('bit', 'byte', 'int32', 'int64', 'swap'), weight: 20 },
      { arbitrary: fc.constant('cut'), weight: 1 },
    ),
    where: fc.constantFrom('counts', 'metadata', 'body', 'body', 'body'),
    at: fc.noBias(fc.nat(2 ** 31 - 1)).map((share) => share / 2 ** 31),
    value: fc.constantFrom(...VALUES),
  }),
  { minLength: 1, maxLength: 3 },
);

/** A damaged copy of a sound stream. */
export function damaged(stream: Uint8Array, damages: readonly Damage[]): Uint8Array<ArrayBuffer> {
  const copy = new Uint8Array(stream);
  let length = copy.length;
  for (const damage of damages) {
    const at = placeOf(stream, damage);
    if (damage.what === 'cut') length = Math.min(length, at);
    else apply(new DataView(copy.buffer), at, damage);
  }
  return copy.slice(0, length);
}

function apply(view: DataView<ArrayBuffer>, at: number, { what, at: share, value }: Damage): void {
  const aligned = Math.min(at & ~3, view.byteLength - 8);
  if (what === 'bit') view.setUint8(at, view.getUint8(at) ^ (1 << (Math.floor(share * 1e6) & 7)));
  else if (what === 'byte') view.setUint8(at, Number(BigInt.asUintN(8, value)));
  else if (what === 'int32') view.setInt32(aligned, Number(BigInt.asIntN(32, value)), true);
  else if (what === 'int64') view.setBigInt64(aligned, value, true);
  else {
    const first = view.getInt32(aligned, true);
    view.setInt32(aligned, view.getInt32(aligned + 4, true), true);
    view.setInt32(aligned + 4, first, true);
  }
}

function placeOf(stream: Uint8Array, { where, at }: Damage): number {
  const messages = findMessages(stream);
  const message = messages[Math.floor(at * messages.length)];
  if (!message) return 0;
  const within = (at * messages.length) % 1;
  const counts = [message.start, message.start + 4, ...message.nodes, ...message.buffers].flatMap((place) => [
    place,
    place + 8,
  ]);
  if (where === 'counts') return counts[Math.floor(within * counts.length)] ?? 0;
  const { start, end } = where === 'body' && message.body.end > message.body.start ? message.body : message.metadata;
  return start + Math.floor(within * (end - start));
}
