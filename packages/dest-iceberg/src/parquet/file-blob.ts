import { type FileIO, IcebergError } from '@fjord/iceberg';

/** Read at once from the end: the footer of most files, and all of a small one. */
const TAIL_BYTES = 256 * 1024;

type FileBlobParts = { io: FileIO; location: string; start: number; end: number; shared: Shared };
type Shared = { tail: { start: number; bytes: Uint8Array }; failure: PromiseWithResolvers<never> };

/**
 * A file of a FileIO in the shape of a web Blob, as far as parquet-wasm uses one: every range it asks for is one ranged read. A read
 * that fails is never answered, since a refused promise would end the WebAssembly instance; `failure` is broken by its error instead.
 */
export class FileBlob {
  readonly #parts: FileBlobParts;

  private constructor(parts: FileBlobParts) {
    this.#parts = parts;
  }

  /** Opens a file and reads its end ahead, which most of what is asked for first lies in. */
  static async open(io: FileIO, location: string, size: number): Promise<FileBlob> {
    const failure = Promise.withResolvers<never>();
    failure.promise.catch(() => undefined);
    const length = Math.min(size, TAIL_BYTES);
    const start = size - length;
    const tail = { start, bytes: exactly(await io.readRange(location, start, length), length, location) };
    return new FileBlob({ io, location, start: 0, end: size, shared: { tail, failure } });
  }

  get size(): number {
    return this.#parts.end - this.#parts.start;
  }

  /** Broken by the error of the first read that fails, of whatever part of the file; never kept. */
  get failure(): Promise<never> {
    return this.#parts.shared.failure.promise;
  }

  slice(from: number, to: number = this.size): FileBlob {
    const { start } = this.#parts;
    return new FileBlob({ ...this.#parts, start: start + from, end: start + Math.min(to, this.size) });
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    try {
      const bytes = await this.#read();
      const { buffer } = bytes;
      return buffer instanceof ArrayBuffer && buffer.byteLength === bytes.length
        ? buffer
        : new Uint8Array(bytes).buffer;
    } catch (error) {
      this.#parts.shared.failure.reject(error);
      return Promise.withResolvers<never>().promise;
    }
  }

  async #read(): Promise<Uint8Array> {
    const { io, location, start, shared } = this.#parts;
    const { tail } = shared;
    // A copy: what is given out may be kept or changed.
    if (start >= tail.start) return tail.bytes.slice(start - tail.start, start - tail.start + this.size);
    return exactly(await io.readRange(location, start, this.size), this.size, location);
  }
}

function exactly(bytes: Uint8Array, length: number, location: string): Uint8Array {
  if (bytes.length === length) return bytes;
  throw new IcebergError('storage_failed', `File ${location} is shorter than its table says.`);
}
