import { crc32 } from 'node:zlib';
import type { DataFile } from '../data-file.ts';
import { IcebergError } from '../errors.ts';
import type { FileIO } from '../file-io.ts';
import type { PositionSet } from './position-set.ts';
import { decodeRoaring, encodeRoaring } from './roaring.ts';

/** Around the footer, and at the start, of a Puffin file (Puffin specification, File structure). */
const PUFFIN_MAGIC = Buffer.from('PFA1');
/** At the start of a deletion vector (Puffin specification, deletion-vector-v1). */
const VECTOR_MAGIC = Buffer.from([0xd1, 0xd3, 0x39, 0x64]);
/** Length before the magic, checksum behind the bitmap. */
const FRAME_BYTES = 8;

/** Writes the deletion vector of one data file as a Puffin file of its own: some readers mix up vectors that share a file. */
export async function writeDeletionVector(
  io: FileIO,
  location: string,
  { data, positions }: { data: DataFile; positions: PositionSet },
): Promise<DataFile> {
  const blob = encodeVector(positions);
  const offset = PUFFIN_MAGIC.length;
  const properties = { 'referenced-data-file': data.filePath, cardinality: String(positions.size) };
  // The snapshot is not known yet: the specification has these two at -1 then.
  const where = { 'snapshot-id': -1, 'sequence-number': -1, offset, length: blob.length };
  const blobs = [{ type: 'deletion-vector-v1', fields: [], ...where, properties }];
  const payload = Buffer.from(JSON.stringify({ blobs, properties: { 'created-by': 'Fjord' } }));
  const end = Buffer.alloc(8);
  end.writeInt32LE(payload.length);
  const bytes = Buffer.concat([PUFFIN_MAGIC, blob, PUFFIN_MAGIC, payload, end, PUFFIN_MAGIC]);
  await io.write(location, bytes);
  return {
    content: 'position-deletes',
    filePath: location,
    fileFormat: 'PUFFIN',
    ...(data.specId !== undefined && { specId: data.specId }),
    ...(data.partition !== undefined && { partition: data.partition }),
    recordCount: BigInt(positions.size),
    fileSizeInBytes: BigInt(bytes.length),
    referencedDataFile: data.filePath,
    contentOffset: BigInt(offset),
    contentSizeInBytes: BigInt(blob.length),
  };
}

/** Reads a deletion vector where its manifest entry says that it lies; `invalid_delete_file` if it is damaged. */
export async function readDeletionVector(io: FileIO, file: DataFile): Promise<PositionSet> {
  const { filePath, contentOffset, contentSizeInBytes } = file;
  if (contentOffset === undefined || contentSizeInBytes === undefined) throw damaged(filePath);
  const bytes = await io.readRange(filePath, Number(contentOffset), Number(contentSizeInBytes));
  return decodeVector(bytes, filePath);
}

function encodeVector(positions: PositionSet): Buffer {
  const vector = Buffer.concat([VECTOR_MAGIC, encodeRoaring(positions)]);
  const [length, checksum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(vector.length);
  checksum.writeUInt32BE(crc32(vector));
  return Buffer.concat([length, vector, checksum]);
}

function decodeVector(bytes: Uint8Array, location: string): PositionSet {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (buffer.length < FRAME_BYTES + VECTOR_MAGIC.length) throw damaged(location);
  const vector = buffer.subarray(4, -4);
  const isWhole =
    buffer.readUInt32BE(0) === vector.length &&
    vector.subarray(0, VECTOR_MAGIC.length).equals(VECTOR_MAGIC) &&
    buffer.readUInt32BE(buffer.length - 4) === crc32(vector);
  if (!isWhole) throw damaged(location);
  return decodeRoaring(vector.subarray(VECTOR_MAGIC.length), location);
}

function damaged(location: string): IcebergError {
  return new IcebergError('invalid_delete_file', `The deletion vector in ${location} is damaged.`);
}
