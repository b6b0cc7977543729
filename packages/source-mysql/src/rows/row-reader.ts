import type { Socket } from 'node:net';
import type { EncodedBatch, UnrepresentablePolicy } from '@fjord/replication';
import { readTakenSocket } from '@fjord/replication/connection';
import type { Connection as Client } from 'mysql2';
import type { RowColumn } from './row-column.ts';
import { RowDecoder } from './row-decoder.ts';
import { executeMessage } from './server-messages.ts';

export type RowsRequest = {
  /** A SELECT of `columns` in their order. */
  sql: string;
  columns: readonly RowColumn[];
  stream: string;
  unrepresentable: UnrepresentablePolicy;
  batchBytes: number;
  /** For how long the server may send nothing while its bytes are waited for; any time if undefined. */
  silenceLimitMs: number | undefined;
  signal: AbortSignal;
};

/**
 * Runs a SELECT on an idle connection and yields its rows in batches. It is prepared by the driver, so that rows come in the binary protocol: numbers
 * and times as they are, where text would round a FLOAT. Errors of the server are thrown as the driver throws them.
 */
export async function* readRows(client: Client, request: RowsRequest): AsyncGenerator<EncodedBatch> {
  const { sql, columns, silenceLimitMs, signal } = request;
  const command = executeMessage(await prepare(client, sql));
  try {
    const decoder = new RowDecoder(columns, request);
    yield* readTakenSocket(socketOf(client), { command, decoder, silenceLimitMs, signal });
  } finally {
    if (!socketOf(client).destroyed) client.unprepare(sql);
  }
}

/** The driver's socket, plain or TLS; not part of its public types. */
export function socketOf(client: Client): Socket {
  return (client as unknown as { stream: Socket }).stream;
}

function prepare(client: Client, sql: string): Promise<number> {
  return new Promise((resolve, reject) => {
    client.prepare(sql, (error, statement) => {
      if (error) reject(error);
      else resolve((statement as unknown as { id: number }).id);
    });
  });
}
