import { constants, gzipSync, zstdCompressSync } from 'node:zlib';
import { ParquetError } from './errors.ts';
import { CODEC } from './format.ts';

/** How pages are compressed. `snappy` needs the package `snappy` to be installed beside this one. */
export type Compression = keyof typeof CODEC;

/** What a page mostly holds: numbers of a fixed width, or text and bytes. */
export type PageContent = 'numbers' | 'bytes';

/** Compresses one page's bytes; the result is memory of its own. */
export type Compress = (bytes: Uint8Array, content: PageContent) => Uint8Array;

/** Beyond the input, what an incompressible page may take (zstd.h, ZSTD_COMPRESSBOUND; zlib's compressBound is less). */
const BOUND_SLACK = 1024;

/** The function that compresses; loads the library that it needs. Throws `invalid_option` for a level that the codec does not have. */
export async function openCompression(compression: Compression, level: number | undefined): Promise<Compress> {
  switch (compression) {
    case 'none':
      return (bytes) => new Uint8Array(bytes);
    case 'zstd':
      return checked(zstd(level ?? 1), 'zstd', level);
    case 'gzip':
      return checked((bytes) => gzipSync(bytes, { level: level ?? 6, chunkSize: outputBytes(bytes) }), 'gzip', level);
    case 'snappy':
      return openSnappy();
    default:
      return compression satisfies never;
  }
}

/** Gives memory back at once instead of at the next garbage collection. Memory that is shared with others is left alone. */
export function releaseMemory({ buffer, byteLength }: ArrayBufferView): void {
  if (
    buffer instanceof ArrayBuffer &&
    !buffer.detached &&
    buffer.byteLength >= byteLength &&
    buffer.byteLength > Buffer.poolSize
  ) {
    buffer.transfer(0);
  }
}

/** One call's output in one piece: with the default chunk size it would be gathered from many. */
function outputBytes(bytes: Uint8Array): number {
  return bytes.length + (bytes.length >> 7) + BOUND_SLACK;
}

/**
 * Level 1 looks for matches of seven bytes in pages above 256 KB, and so finds nothing among numbers of eight of which most bytes are equal: with
 * five, times take a third less at the same speed.
 */
const NUMBERS_MIN_MATCH = 5;

function zstd(level: number): Compress {
  const bytesParams = { [constants.ZSTD_c_compressionLevel]: level };
  const numbersParams = level === 1 ? { ...bytesParams, [constants.ZSTD_c_minMatch]: NUMBERS_MIN_MATCH } : bytesParams;
  return (bytes, content) => {
    const params = content === 'numbers' ? numbersParams : bytesParams;
    return zstdCompressSync(bytes, { params, chunkSize: outputBytes(bytes), pledgedSrcSize: bytes.length });
  };
}

function checked(compress: Compress, name: string, level: number | undefined): Compress {
  try {
    compress(new Uint8Array(1), 'bytes');
  } catch (cause) {
    throw new ParquetError('invalid_option', `Option compressionLevel: ${name} has no level ${level}.`, { cause });
  }
  return compress;
}

async function openSnappy(): Promise<Compress> {
  try {
    const { compressSync } = await import('snappy');
    return (bytes) => compressSync(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
  } catch (cause) {
    throw new ParquetError('invalid_option', 'Option compression: snappy needs the package "snappy"; install it.', {
      cause,
    });
  }
}
