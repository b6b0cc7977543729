import type { Socket } from 'node:net';
import type { Client } from 'pg';

/** The driver's socket, plain or TLS; not part of its public types. */
export function socketOf(client: Client): Socket {
  return (client as unknown as { connection: { stream: Socket } }).connection.stream;
}

/** A simple Query message: `Q`, length, text, zero. */
export function queryMessage(sql: string): Buffer {
  const text = Buffer.from(sql);
  const message = Buffer.alloc(text.length + 6);
  message.write('Q');
  message.writeInt32BE(text.length + 5, 1);
  text.copy(message, 5);
  return message;
}

/** An ErrorResponse as an error with the names that the driver gives its fields (manual, Error and Notice Message Fields). */
export function serverError(payload: Buffer): Error {
  const fields = new Map<string, string>();
  for (const field of payload.toString().split('\0')) if (field !== '') fields.set(field.slice(0, 1), field.slice(1));
  const error = new Error(fields.get('M') ?? 'the server reported an error');
  // Other details may quote a row; those of a serialization failure say what a standby's replay was in need of.
  const detail = fields.get('C') === '40001' ? fields.get('D') : undefined;
  return Object.assign(error, { code: fields.get('C'), severity: fields.get('S'), detail });
}
