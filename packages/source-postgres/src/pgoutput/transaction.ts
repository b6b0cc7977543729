import { type Lsn, formatOrderKey } from '../position.ts';

/** PostgreSQL counts from 2000-01-01, Arrow from 1970-01-01: microseconds between. */
const EPOCH_MICROS = 946_684_800_000_000n;

/** Where a transaction was committed, and when in microseconds since 2000-01-01 UTC. */
export type CommitPlace = { xid: number; lsn: Lsn; timeline: number; micros: bigint };

/** A transaction whose changes are being read: counts them, and has what each row repeats in the form in which it is written. */
export class Transaction {
  readonly xid: number;
  /** The first ten bytes of every order key, and two zeros, as little-endian words. */
  readonly keyWords: readonly [number, number, number];
  /** Microseconds since 1970-01-01 UTC, low and high word. */
  readonly committedAt: readonly [number, number];
  /** The same in milliseconds. */
  readonly committedMs: number;
  readonly #place: CommitPlace;
  #ordinal = 0;

  constructor(place: CommitPlace) {
    this.#place = place;
    this.xid = place.xid;
    const key = Buffer.from(formatOrderKey({ ...place, ordinal: 0 }), 'hex');
    this.keyWords = [key.readInt32LE(0), key.readInt32LE(4), key.readInt32LE(8)];
    const micros = place.micros + EPOCH_MICROS;
    this.committedAt = [Number(BigInt.asIntN(32, micros)), Number(micros >> 32n)];
    this.committedMs = Number(micros) / 1000;
  }

  /** The ordinal of the next change. */
  next(): number {
    this.#ordinal += 1;
    return this.#ordinal;
  }

  /** The order key of the next change, as text. */
  nextKey(): string {
    return formatOrderKey({ ...this.#place, ordinal: this.next() });
  }
}
