/** Several reads of the socket; it doubles for messages that are larger. */
const BUFFER_BYTES = 512 * 1024;

/** The first bytes hold the length of a value that is null: fields that have no bytes of their own are said to lie here. */
export const NULL_OFFSET = 4;

/** Bytes as they come, kept until whole messages of them have been read. Messages lie between `start` and `end`. */
export class MessageBuffer {
  bytes: Buffer;
  view: DataView;
  start = NULL_OFFSET;
  end = NULL_OFFSET;

  constructor(capacity: number = BUFFER_BYTES) {
    this.bytes = Buffer.allocUnsafeSlow(capacity);
    this.view = this.#renew();
  }

  get length(): number {
    return this.end - this.start;
  }

  /** Copies bytes to the end; whoever noted offsets must be done with them, for messages may move. */
  append(chunk: Uint8Array): void {
    if (this.end + chunk.length > this.bytes.length) this.#makeRoom(chunk.length);
    this.bytes.set(chunk, this.end);
    this.end += chunk.length;
  }

  clear(): void {
    this.start = NULL_OFFSET;
    this.end = NULL_OFFSET;
  }

  #makeRoom(count: number): void {
    const kept = this.length;
    const old = this.bytes;
    const needed = NULL_OFFSET + kept + count;
    if (needed > old.length) {
      this.bytes = Buffer.allocUnsafeSlow(Math.max(old.length * 2, needed));
      this.view = this.#renew();
    }
    old.copy(this.bytes, NULL_OFFSET, this.start, this.end);
    this.start = NULL_OFFSET;
    this.end = NULL_OFFSET + kept;
  }

  #renew(): DataView {
    const { bytes } = this;
    bytes.writeInt32BE(-1, 0);
    return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }
}
