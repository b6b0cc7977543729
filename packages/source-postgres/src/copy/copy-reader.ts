import type { EncodedBatch } from '@fjord/replication';
import { readTakenSocket } from '@fjord/replication/connection';
import type { Client } from 'pg';
import type { UnrepresentablePolicy } from '../config.ts';
import type { CopyColumn } from './copy-column.ts';
import { CopyDecoder } from './copy-decoder.ts';
import { queryMessage, serverError, socketOf } from './server-messages.ts';

/** Message types of the server (PostgreSQL manual, Message Formats). */
const ERROR_RESPONSE = 0x45;
const READY_FOR_QUERY = 0x5a;

export type CopyRequest = {
  /** A COPY … TO STDOUT (FORMAT binary) statement whose query selects `columns` in their order. */
  sql: string;
  columns: readonly CopyColumn[];
  stream: string;
  unrepresentable: UnrepresentablePolicy;
  batchBytes: number;
  /** For how long the server may send nothing while its bytes are waited for; any time if undefined. */
  silenceLimitMs: number | undefined;
  signal: AbortSignal;
};

/**
 * Runs a COPY on an idle connection and yields its rows in batches. A server error is thrown as the driver throws it (`code` is the SQLSTATE)
 * and leaves the connection usable; a consumer that stops early, an abort, or a server that is silent for too long, cuts the connection.
 */
export async function* readCopy(client: Client, request: CopyRequest): AsyncGenerator<EncodedBatch> {
  const { sql, columns, silenceLimitMs, signal } = request;
  const answer = { isFinished: false, serverError: undefined as Error | undefined };
  const copy = new CopyDecoder(columns, {
    ...request,
    onMessage: (type, payload) => {
      if (type === ERROR_RESPONSE) answer.serverError ??= serverError(payload);
      if (type === READY_FOR_QUERY) answer.isFinished = true;
    },
  });
  const decoder = Object.assign(answer, {
    push: (chunk: Uint8Array) => copy.push(chunk),
    end: () => copy.end(),
  });
  yield* readTakenSocket(socketOf(client), { command: queryMessage(sql), decoder, silenceLimitMs, signal });
}
