import { Socket } from 'node:net';

/** One buffer for all reads: several times what a socket holds at once, so that a read takes all there is. */
const READ_BYTES = 256 * 1024;

/**
 * A socket for a driver that reads into one buffer of its own instead of a new one per read: while rows are read the garbage
 * of 64 KB buffers would cost as much as decoding. At other times it gives the driver copies, as `data` events.
 */
export class ReadingSocket extends Socket {
  /** Takes the bytes while it is set, valid during the call; false pauses the socket until `resume`. */
  taker: ((bytes: Uint8Array) => boolean) | undefined;

  constructor() {
    super({
      onread: {
        buffer: Buffer.allocUnsafeSlow(READ_BYTES),
        callback: (count: number, buffer: Uint8Array): boolean => this.#take(buffer.subarray(0, count)),
      },
    } as ConstructorParameters<typeof Socket>[0]);
  }

  #take(bytes: Uint8Array): boolean {
    if (this.taker) return this.taker(bytes);
    this.emit('data', Buffer.from(bytes));
    return true;
  }
}
