import { availableParallelism } from 'node:os';
import { ConnectorError, type MaintainRequest, type Message, type RunContext } from '@fjord/core';
import { KeyIndexes } from '../changes/key-indexes.ts';
import type { Config } from '../config.ts';
import { toConnectorError } from '../iceberg-errors.ts';
import { openWarehouse } from '../open-warehouse.ts';
import { openParquetPool } from '../parquet/sink.ts';
import { maintainTable, type MaintenanceReport } from './maintain-table.ts';

const MEGABYTE = 1024 * 1024;

/** The verb `maintain`: puts the table of each stream in order, one after the other; one that fails is reported, and the next follows. */
export async function* maintain(
  { config, streams, memoryBytes, isDryRun }: MaintainRequest<Config>,
  context: RunContext,
): AsyncGenerator<Message<'MAINTENANCE'>> {
  // Plain files are as they were written.
  if (config.format === 'parquet') return;
  const { catalog, io } = await openWarehouse(config).catch((thrown: unknown) => {
    throw toConnectorError(thrown);
  });
  await using _catalog = catalog;
  const targetFileBytes = config.targetFileMB * MEGABYTE;
  const { compression, compressionLevel, parquetEncoder: encoder } = config;
  const workers = config.workers ?? availableParallelism();
  await using pool = openParquetPool({
    workers,
    memoryBytes,
    encoder,
    targetFileBytes,
    compression,
    compressionLevel,
    io,
  });
  await using indexes = new KeyIndexes({
    memoryBytes: config.keyIndexMemoryMB * MEGABYTE,
    diskBytes: config.keyIndexDiskMB * MEGABYTE,
  });
  const tools = {
    catalog,
    pool,
    indexes,
    options: config.maintenance,
    targetFileBytes,
    isDryRun,
    signal: context.signal,
  };
  for (const { stream, target } of streams) {
    context.signal.throwIfAborted();
    try {
      const report = await maintainTable({ ...tools, identifier: target });
      if (report) yield toMessage(stream, report, isDryRun);
    } catch (thrown) {
      context.signal.throwIfAborted();
      const { code, message, help } = toConnectorError(thrown);
      context.report(new ConnectorError(code, message, { cause: thrown, stream, help }));
    }
  }
}

function toMessage(stream: string, report: MaintenanceReport, dryRun: boolean): Message<'MAINTENANCE'> {
  const { compaction, gathering, orphans, orphanBytes, skipped } = report;
  return {
    type: 'MAINTENANCE',
    stream,
    dryRun,
    rewrittenFiles: compaction.files,
    rewrittenBytes: compaction.bytes,
    newFiles: compaction.into,
    newBytes: compaction.intoBytes,
    abandonedFiles: compaction.abandonedFiles,
    gatheredDeleteFiles: gathering.deleteFiles,
    newDeleteFiles: gathering.into,
    mergedManifests: report.manifestsMerged,
    expiredSnapshots: report.expiredSnapshots,
    expiredFiles: report.expiredFiles,
    orphanFiles: orphans.length,
    orphanBytes,
    ...(dryRun && { orphans }),
    ...(skipped !== undefined && { skipped }),
  };
}
