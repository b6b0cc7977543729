/** A first buffer takes several reads of the socket; it doubles for packets that are larger. */
const BUFFER_BYTES = 512 * 1024;
const HEADER_BYTES = 4;
/** A payload of so many bytes goes on in the next packet (MySQL, Client/Server Protocol, Sending More Than 16Mb). */
const FULL_PACKET = 0xff_ff_ff;

/** Gathers a server's bytes and gives the payloads of its packets, by where they lie in `bytes`: valid until more are appended. */
export class PacketBuffer {
  bytes = Buffer.allocUnsafeSlow(BUFFER_BYTES);
  view = viewOf(this.bytes);
  #start = 0;
  #end = 0;

  append(chunk: Uint8Array): void {
    if (this.#end + chunk.length > this.bytes.length) this.#makeRoom(chunk.length);
    this.bytes.set(chunk, this.#end);
    this.#end += chunk.length;
  }

  /** The next payload, if all of it is there. */
  next(): { from: number; to: number } | undefined {
    const from = this.#start + HEADER_BYTES;
    if (from > this.#end) return undefined;
    const length = this.#lengthAt(this.#start);
    if (length === FULL_PACKET) return this.#nextOfSeveral();
    const to = from + length;
    if (to > this.#end) return undefined;
    this.#start = to;
    return { from, to };
  }

  /** A payload in several packets: they are moved together once all are there. */
  #nextOfSeveral(): { from: number; to: number } | undefined {
    const parts: [from: number, to: number][] = [];
    for (let at = this.#start, length = FULL_PACKET; length === FULL_PACKET;) {
      if (at + HEADER_BYTES > this.#end) return undefined;
      length = this.#lengthAt(at);
      parts.push([at + HEADER_BYTES, at + HEADER_BYTES + length]);
      at += HEADER_BYTES + length;
      if (at > this.#end) return undefined;
      if (length < FULL_PACKET) this.#start = at;
    }
    const from = parts[0]?.[0] ?? 0;
    let to = from;
    for (const [partFrom, partTo] of parts) {
      this.bytes.copyWithin(to, partFrom, partTo);
      to += partTo - partFrom;
    }
    return { from, to };
  }

  #lengthAt(at: number): number {
    const { bytes } = this;
    return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16);
  }

  /** Moves what was not given yet to the front, into a larger buffer if it needs one. */
  #makeRoom(bytes: number): void {
    const kept = this.#end - this.#start;
    const old = this.bytes;
    if (kept + bytes > old.length) {
      this.bytes = Buffer.allocUnsafeSlow(Math.max(old.length * 2, kept + bytes));
      this.view = viewOf(this.bytes);
    }
    old.copy(this.bytes, 0, this.#start, this.#end);
    this.#start = 0;
    this.#end = kept;
  }
}

const viewOf = (bytes: Buffer) => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
