/** Bodies below this size are cheap to make and to collect. */
const LEAST_BYTES = 64 * 1024;
/** A body beyond this size, of one huge cell, must not keep its memory for the rest of the run. */
const MOST_BYTES = 4 * 1024 * 1024;
/** What may wait to be used again in a thread. */
const MAX_SPARE_BYTES = 8 * 1024 * 1024;
/** Sizes differ a little from one batch to the next: so much room lets the memory of one hold another. */
const ROOM = 1 / 8;

let spare: ArrayBuffer[] = [];
let spareBytes = 0;
const taken = new WeakSet<ArrayBuffer>();

/**
 * Memory for a batch's body, which may hold anything: from what was given back, or new. A megabyte made anew for each batch would cost
 * as much as decoding, in pages that the kernel clears and in collections. Each thread has its own.
 */
export function takeMemory(bytes: number): Uint8Array<ArrayBuffer> {
  if (bytes < LEAST_BYTES) return new Uint8Array(bytes);
  const buffer = takeSpare(bytes) ?? allocate(bytes);
  taken.add(buffer);
  return new Uint8Array(buffer, 0, bytes);
}

/** Gives the memory of bodies back: nobody may look at it any more. */
export function giveBackMemory(buffers: readonly ArrayBufferLike[]): void {
  for (const buffer of buffers) {
    if (!(buffer instanceof ArrayBuffer) || buffer.byteLength === 0 || spare.includes(buffer)) continue;
    const isUseful = buffer.byteLength >= LEAST_BYTES && buffer.byteLength <= MOST_BYTES;
    if (!isUseful || spareBytes + buffer.byteLength > MAX_SPARE_BYTES) buffer.transfer(0);
    else {
      spare.push(buffer);
      spareBytes += buffer.byteLength;
    }
  }
}

/** Whether a piece is the only one in its ArrayBuffer, so that this can be transferred. */
export function ownsMemory({ buffer, byteOffset, byteLength }: Uint8Array): boolean {
  if (!(buffer instanceof ArrayBuffer) || byteOffset !== 0) return false;
  return buffer.byteLength === byteLength || taken.has(buffer);
}

function takeSpare(bytes: number): ArrayBuffer | undefined {
  const found = spare.findLast((buffer) => buffer.byteLength >= bytes);
  if (!found) return undefined;
  spare = spare.filter((buffer) => buffer !== found);
  spareBytes -= found.byteLength;
  return found;
}

/** Not filled with zeros: a body is written from end to end. */
function allocate(bytes: number): ArrayBuffer {
  const size = bytes > MOST_BYTES ? bytes : Math.ceil(bytes * (1 + ROOM));
  return Buffer.allocUnsafeSlow(size).buffer;
}
