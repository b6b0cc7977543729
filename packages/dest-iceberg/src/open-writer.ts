import { availableParallelism } from 'node:os';
import type { Message, RunContext, SelectedStream, WriteRequest } from '@fjord/core';
import type { StreamChangesParts } from './changes/stream-changes.ts';
import type { Config } from './config.ts';
import { toConnectorError } from './iceberg-errors.ts';
import { Marker } from './marker.ts';
import { openWarehouse, type Warehouse } from './open-warehouse.ts';
import { asPlainFiles, ParquetFolder } from './parquet-folder.ts';
import { openParquetPool, type ParquetPoolOptions } from './parquet/sink.ts';
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
/** Upkeep applies equality deletes within this share of the memory for key indexes. */
const UPKEEP_SHARE = 1 / 4;

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
  const pool = openParquetPool(poolOptions(request, io));
  const memory = { maxBytes: memoryBytes * PARTITION_SHARE, maxOpenFiles: MAX_OPEN_FILES, writers: 0 };
  const properties = tableProperties(config);
  const folder = config.format === 'parquet' && !request.printState ? new ParquetFolder() : undefined;
  const byKey = request.streams.some(isByKey) ? await loadByKey(request) : undefined;
  const streams = new Map<string, StreamWriter>();
  const initialStates: Message<'STATE'>[] = [];
  for (const given of request.streams) {
    const selected = config.format === 'parquet' ? asPlainFiles(given) : given;
    const { stream } = selected;
    const table = new StreamTable({ catalog, marker, pipeline, selected, folder, properties, context });
    const found = await table.read();
    if (found) initialStates.push(stateMessage(stream, found.state));
    const isOverwrite = selected.writeMode === 'overwrite';
    const openChanges = byKey && isByKey(selected) ? byKey.opener(selected) : undefined;
    streams.set(stream, new StreamWriter({ selected, pipeline, isOverwrite, table, pool, memory, openChanges }, found));
  }
  const shared = await marker.read();
  if (shared) initialStates.push(stateMessage(undefined, shared.state));
  const isKept = byKey && config.format === 'iceberg' && request.follow && config.maintenance.whileFollowing;
  const kept = isKept ? await openUpkeep(request, { catalog, io, log: context.log }) : undefined;
  const close = async () => {
    await pool[Symbol.asyncDispose]();
    await kept?.close();
    await byKey?.indexes[Symbol.asyncDispose]();
    await catalog[Symbol.asyncDispose]();
  };
  const together =
    catalog.commitTogether && request.streams.filter(({ changes }) => changes).length > 1 ? catalog : undefined;
  const commitIntervalMs = config.commitIntervalSeconds * 1000;
  return new IcebergWriter(
    { streams, marker, initialStates, commitIntervalMs, together, upkeep: kept?.upkeep, close },
    context,
  );
}

function poolOptions({ config, memoryBytes }: WriteRequest<Config>, io: Warehouse['io']): ParquetPoolOptions {
  return {
    workers: config.workers ?? availableParallelism(),
    memoryBytes,
    encoder: config.parquetEncoder,
    targetFileBytes: config.targetFileMB * MEGABYTE,
    compression: config.compression,
    compressionLevel: config.compressionLevel,
    uuidLogicalType: config.format !== 'parquet',
    io,
  };
}

/** Upkeep has one thread of its own, and a key index of its own: neither takes from what commits need. */
async function openUpkeep(
  request: WriteRequest<Config>,
  { catalog, io, log }: Pick<Warehouse, 'catalog' | 'io'> & Pick<RunContext, 'log'>,
) {
  const [{ Upkeep }, { KeyIndexes }] = await Promise.all([
    import('./maintenance/upkeep.ts'),
    import('./changes/key-indexes.ts'),
  ]);
  const { maintenance: options, targetFileMB, keyIndexMemoryMB } = request.config;
  const pool = openParquetPool({ ...poolOptions(request, io), workers: 1 });
  const indexes = new KeyIndexes({ memoryBytes: keyIndexMemoryMB * MEGABYTE * UPKEEP_SHARE, diskBytes: 0 });
  const targetFileBytes = targetFileMB * MEGABYTE;
  const close = async () => {
    await pool[Symbol.asyncDispose]();
    await indexes[Symbol.asyncDispose]();
  };
  return { upkeep: new Upkeep({ catalog, pool, indexes, options, targetFileBytes, log }), close };
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
