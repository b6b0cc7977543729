import { RecordBatchStreamWriter, type Schema } from 'apache-arrow';

/** In front of each message: a continuation marker and the length of its flatbuffer (Arrow columnar format, Encapsulated message format). */
const PREFIX_BYTES = 8;
const CONTINUATION = 0xff_ff_ff_ff;

/** The bytes of a schema's IPC message. */
export function schemaMessage(schema: Schema): Uint8Array {
  const writer = new RecordBatchStreamWriter();
  writer.reset(undefined, schema);
  writer.finish();
  const stream = writer.toUint8Array(true);
  return stream.slice(0, messageLength(stream));
}

/** An IPC stream with another schema message and the same batches: pieces, nothing is copied or decoded. */
export function replaceSchemaMessage(stream: Uint8Array, message: Uint8Array): Uint8Array[] {
  return [message, stream.subarray(messageLength(stream))];
}

/** Length of the first message of a stream, which is its schema and so has no body. */
function messageLength(stream: Uint8Array): number {
  const view = new DataView(stream.buffer, stream.byteOffset, PREFIX_BYTES);
  if (view.getUint32(0, true) !== CONTINUATION)
    throw new Error('an Arrow IPC stream begins with a continuation marker');
  return PREFIX_BYTES + view.getInt32(4, true);
}
