import { availableParallelism } from 'node:os';
import type { Message, RunContext, SelectedStream, WriteRequest } from '@fjord/core';
import type { StreamChangesParts } from './changes/stream-changes.ts';
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
/** Batches of changes wait for their commit in this share of the memory, and beyond it on disk. */
const CHANGES_SHARE = 1 / 4;

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
  const byKey = request.streams.some(isByKey) ? await loadByKey(request) : undefined;
  const streams = new Map<string, StreamWriter>();
  const initialStates: Message<'STATE'>[] = [];
  for (const selected of request.streams) {
    const { stream } = selected;
    const table = new StreamTable({ catalog, marker, pipeline, selected, properties, context });
    const found = await table.read();
    if (found) initialStates.push(stateMessage(stream, found.state));
    const isOverwrite = selected.writeMode === 'overwrite';
    const openChanges = byKey && isByKey(selected) ? byKey.opener(selected) : undefined;
    streams.set(stream, new StreamWriter({ selected, pipeline, isOverwrite, table, pool, memory, openChanges }, found));
  }
  const shared = await marker.read();
  if (shared) initialStates.push(stateMessage(undefined, shared.state));
  const close = async () => {
    await pool[Symbol.asyncDispose]();
    await byKey?.indexes[Symbol.asyncDispose]();
    await catalog[Symbol.asyncDispose]();
  };
  const commitIntervalMs = config.commitIntervalSeconds * 1000;
  return new IcebergWriter({ streams, marker, initialStates, commitIntervalMs, close }, context);
}

/** Whether a stream's rows are found again by their key, or its changes are kept. */
function isByKey({ writeMode, changes }: SelectedStream): boolean {
  return writeMode === 'upsert' || changes !== undefined;
}

/** What reads Arrow and finds rows by key is loaded only where it is needed. */
async function loadByKey({ config, memoryBytes }: WriteRequest<Config>) {
  const [{ StreamChanges }, { KeyIndexes }] = await Promise.all([
    import('./changes/stream-changes.ts'),
    import('./changes/key-indexes.ts'),
  ]);
  const indexes = new KeyIndexes({
    memoryBytes: config.keyIndexMemoryMB * MEGABYTE,
    diskBytes: config.keyIndexDiskMB * MEGABYTE,
  });
  const memory = { bytes: 0, maxBytes: memoryBytes * CHANGES_SHARE };
  const opener =
    (selected: SelectedStream) => (parts: Pick<StreamChangesParts, 'openFile' | 'mayHoldChanges' | 'pool'>) =>
      new StreamChanges({ selected, indexes, memory, ...parts });
  return { indexes, opener };
}
