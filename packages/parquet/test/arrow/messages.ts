import { FlatTable } from '../../src/arrow/flatbuffer.ts';

/** Where the parts of one message lie in an Arrow IPC stream; `nodes` and `buffers` are the places of their structs of two 64-bit integers. */
export type MessagePlaces = {
  /** 1 schema, 2 dictionary batch, 3 record batch. */
  kind: number;
  start: number;
  metadata: { start: number; end: number };
  body: { start: number; end: number };
  nodes: number[];
  buffers: number[];
};

const MESSAGE = { KIND: 1, HEADER: 2, BODY_LENGTH: 3 };
const [DICTIONARY_BATCH, RECORD_BATCH] = [2, 3];

/** The messages of a sound Arrow IPC stream. */
export function findMessages(stream: Uint8Array): MessagePlaces[] {
  const view = new DataView(stream.buffer, stream.byteOffset, stream.byteLength);
  const messages: MessagePlaces[] = [];
  for (let start = 0; start < stream.length;) {
    const length = view.getUint32(start + 4, true);
    if (length === 0) break;
    const metadata = { start: start + 8, end: start + 8 + length };
    const message = FlatTable.root(stream.subarray(metadata.start, metadata.end));
    const kind = message.byte(MESSAGE.KIND);
    const body = { start: metadata.end, end: metadata.end + message.long(MESSAGE.BODY_LENGTH) };
    const header = message.table(MESSAGE.HEADER);
    const batch = kind === RECORD_BATCH ? header : kind === DICTIONARY_BATCH ? header?.table(1) : undefined;
    const places = (slot: number) => {
      const vector = batch?.vector(slot);
      return Array.from(
        { length: vector?.length ?? 0 },
        (_, index) => metadata.start + (vector?.start ?? 0) + 16 * index,
      );
    };
    messages.push({ kind, start, metadata, body, nodes: places(1), buffers: places(2) });
    start = body.end;
  }
  return messages;
}

/** A copy of a stream, changed by `change`, which gets the first record batch's places and a view of the copy. */
export function damageBatch(
  stream: Uint8Array,
  change: (view: DataView<ArrayBuffer>, batch: MessagePlaces) => void,
): Uint8Array {
  const copy = new Uint8Array(stream);
  const batch = findMessages(stream).find(({ kind }) => kind === RECORD_BATCH);
  if (!batch) throw new Error('the stream has no record batch');
  change(new DataView(copy.buffer), batch);
  return copy;
}
