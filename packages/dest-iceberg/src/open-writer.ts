import { availableParallelism } from 'node:os';
import type { Message, RunContext, WriteRequest } from '@fjord/core';
import type { Config } from './config.ts';
import { toConnectorError } from './iceberg-errors.ts';
import { Marker } from './marker.ts';
import { openWarehouse } from './open-warehouse.ts';
import { openParquetPool } from './parquet/sink.ts';
import { stateMessage } from './pipeline-state.ts';
import { tableProperties } from './table-layout.ts';
import { StreamTable } from './stream-table.ts';
import { StreamWriter } from './stream-writer.ts';
import { IcebergWriter } from './writer.ts';

const MEGABYTE = 1024 * 1024;

/** Rows of partitioned tables are held in this share of the memory before they are divided. */
const PARTITION_SHARE = 1 / 4;
/** Each open file holds a row group of up to 16 MB in its encoder. */
const MAX_OPEN_FILES = 8;

type WriterContext = RunContext & { durable(state: Message<'STATE'>): void; fail(error: unknown): void };

/** Opens catalog and encoder pool, and reads from the tables what this pipeline has already made durable. Every fault is a ConnectorError. */
export async function openWriter(request: WriteRequest<Config>, context: WriterContext): Promise<IcebergWriter> {
  try {
    return await open(request, context);
  } catch (thrown) {
    throw toConnectorError(thrown);
  }
}

async function open(request: WriteRequest<Config>, context: WriterContext): Promise<IcebergWriter> {
  const { config, pipeline, memoryBytes } = request;
  const { catalog, io } = await openWarehouse(config);
  const marker = new Marker(catalog, pipeline);
  const pool = openParquetPool({
    workers: config.workers ?? availableParallelism(),
    memoryBytes,
    encoder: config.parquetEncoder,
    targetFileBytes: config.targetFileMB * MEGABYTE,
    compression: config.compression,
    compressionLevel: config.compressionLevel,
    io,
  });
  const memory = { maxBytes: memoryBytes * PARTITION_SHARE, maxOpenFiles: MAX_OPEN_FILES, writers: 0 };
  const properties = tableProperties(config);
  const streams = new Map<string, StreamWriter>();
  const initialStates: Message<'STATE'>[] = [];
  for (const selected of request.streams) {
    const { stream } = selected;
    const table = new StreamTable({ catalog, marker, pipeline, selected, properties });
    const found = await table.read();
    if (found) initialStates.push(stateMessage(stream, found.state));
    const isOverwrite = selected.writeMode === 'overwrite';
    streams.set(stream, new StreamWriter({ stream, pipeline, isOverwrite, table, pool, memory }, found));
  }
  const shared = await marker.read();
  if (shared) initialStates.push(stateMessage(undefined, shared.state));
  const close = async () => {
    await pool[Symbol.asyncDispose]();
    await catalog[Symbol.asyncDispose]();
  };
  const commitIntervalMs = config.commitIntervalSeconds * 1000;
  return new IcebergWriter({ streams, marker, initialStates, commitIntervalMs, close }, context);
}
