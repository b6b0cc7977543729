import type { ArrowField } from './arrow-field.ts';
import { encodeFlatbuffer, type FlatFields } from './flatbuffer-writer.ts';

/** In front of each message: a continuation marker and the length of its flatbuffer (Arrow columnar format, Encapsulated message format). */
const PREFIX_BYTES = 8;
const CONTINUATION = 0xff_ff_ff_ff;
/** MetadataVersion.V5, and the number of Schema in the union MessageHeader (Message.fbs). */
const VERSION = 4;
const SCHEMA = 1;
const LITTLE_ENDIAN = 0;

/** The bytes of a schema's IPC message. */
export function schemaMessage(fields: readonly ArrowField[]): Uint8Array {
  const schema = [{ short: LITTLE_ENDIAN }, { tables: fields.map(fieldTable) }];
  return encapsulate(encodeFlatbuffer([{ short: VERSION }, { byte: SCHEMA }, { table: schema }, { long: 0 }]));
}

/** An IPC stream with another schema message and the same batches: pieces, nothing is copied or decoded. */
export function replaceSchemaMessage(stream: Uint8Array, message: Uint8Array): Uint8Array[] {
  return [message, stream.subarray(messageLength(stream))];
}

/** A message's flatbuffer with the prefix in front. */
function encapsulate(flatbuffer: Uint8Array): Uint8Array {
  const message = new Uint8Array(PREFIX_BYTES + flatbuffer.length);
  const view = new DataView(message.buffer);
  view.setUint32(0, CONTINUATION);
  view.setInt32(4, flatbuffer.length, true);
  message.set(flatbuffer, PREFIX_BYTES);
  return message;
}

function fieldTable({ name, isNullable, type, children, metadata }: ArrowField): FlatFields {
  const pairs = Object.entries(metadata).map(([key, value]) => [{ text: key }, { text: value }]);
  return [
    { text: name },
    { byte: isNullable ? 1 : 0 },
    { byte: type.kind },
    { table: type.fields },
    undefined,
    // Arrow's own reader requires the vector, even if it is empty.
    { tables: children.map(fieldTable) },
    pairs.length > 0 ? { tables: pairs } : undefined,
  ];
}

/** Length of the first message of a stream, which is its schema and so has no body. */
function messageLength(stream: Uint8Array): number {
  const view = new DataView(stream.buffer, stream.byteOffset, PREFIX_BYTES);
  if (view.getUint32(0, true) !== CONTINUATION)
    throw new Error('an Arrow IPC stream begins with a continuation marker');
  return PREFIX_BYTES + view.getInt32(4, true);
}
