/** A server message: type, length, payload (PostgreSQL manual, Message Formats). */
export function message(type: string, payload: Uint8Array = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(5);
  head.write(type);
  head.writeInt32BE(payload.length + 4, 1);
  return Buffer.concat([head, payload]);
}

/** One row in COPY's binary format; `null` is a null. */
export function tuple(fields: readonly (Uint8Array | null)[]): Buffer {
  const count = Buffer.alloc(2);
  count.writeInt16BE(fields.length);
  return Buffer.concat([count, ...fields.map(field)]);
}

/** A field of a row, or an element of an array: its length, then its bytes. */
export function field(bytes: Uint8Array | null): Buffer {
  const length = Buffer.alloc(4);
  length.writeInt32BE(bytes?.length ?? -1);
  return bytes ? Buffer.concat([length, bytes]) : length;
}

/** An array in array_send's form; `dimensions` are lengths, each with the lower bound 1. */
export function array(dimensions: readonly number[], elements: readonly (Uint8Array | null)[]): Buffer {
  const head = Buffer.alloc(12 + 8 * dimensions.length);
  head.writeInt32BE(dimensions.length);
  head.writeInt32BE(elements.includes(null) ? 1 : 0, 4);
  for (const [index, length] of dimensions.entries()) {
    head.writeInt32BE(length, 12 + 8 * index);
    head.writeInt32BE(1, 16 + 8 * index);
  }
  return Buffer.concat([head, ...elements.map(field)]);
}

const HEADER = Buffer.concat([Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1'), Buffer.alloc(8)]);

/** A whole COPY as the server sends it: the header before the first row, the trailer in a message of its own. */
export function copyBytes(rows: readonly (readonly (Uint8Array | null)[])[]): Buffer {
  const tuples = rows.map(tuple);
  const [first = Buffer.alloc(0), ...rest] = tuples;
  return Buffer.concat([
    message('H', Buffer.from([1, 0, 0])),
    message('d', Buffer.concat([HEADER, first])),
    ...rest.map((row) => message('d', row)),
    message('d', Buffer.from([0xff, 0xff])),
    message('c'),
    message('C', Buffer.from(`COPY ${rows.length}\0`)),
    message('Z', Buffer.from('I')),
  ]);
}

/** A composite in record_send's form: each field with the oid of its type. */
export function record(fields: readonly [oid: number, bytes: Uint8Array | null][]): Buffer {
  const count = Buffer.alloc(4);
  count.writeInt32BE(fields.length);
  const parts = fields.map(([oid, bytes]) => {
    const head = Buffer.alloc(4);
    head.writeUInt32BE(oid);
    return Buffer.concat([head, field(bytes)]);
  });
  return Buffer.concat([count, ...parts]);
}
