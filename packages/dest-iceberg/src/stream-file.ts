import type { Column } from '@fjord/core';
import { currentSchema, defaultSpec, type NestedField, type Partition, type Table } from '@fjord/iceberg';
import type { OpenedFile } from './changes/run-writer.ts';
import { filePrefix } from './file-layout.ts';
import type { ParquetPool } from './parquet/sink.ts';
import { PartitionKeys } from './partition/partition-keys.ts';
import { partitionPath } from './partition/partition-path.ts';
import { type PartitionMemory, PartitionedWriter } from './partition/partitioned-writer.ts';
import { sortPlan } from './sort/sort-plan.ts';

/** What a writer's files hold: rows of a chunk, or changes if none is named; in these columns, which are these fields of the table. */
export type FileContent = {
  chunk: string | undefined;
  columns: readonly Column[];
  fields: readonly NestedField[];
  /** Whether they are not divided by partition. */
  isWhole?: boolean;
};

/** Whose files they are, and who writes them. */
export type FileOwner = {
  stream: string;
  pipeline: string;
  generation: number;
  pool: ParquetPool;
  memory: PartitionMemory;
};

/** Opens a writer of a stream's table; rows of a partitioned one are divided. */
export function openStreamFile(
  { metadata, ioProperties: io }: Table,
  { chunk, columns, fields, isWhole = false }: FileContent,
  { stream, pipeline, generation, pool, memory }: FileOwner,
): OpenedFile {
  const [schema, spec] = [currentSchema(metadata), defaultSpec(metadata)];
  const sort = isWhole ? undefined : sortPlan(metadata, fields);
  const open = (partition?: string) => {
    const prefix = filePrefix(metadata, { pipeline, generation, chunk, partition });
    // What replaces rows is written in order: where its rows come to lie is known beforehand.
    return pool.openFile({
      prefix,
      fields: [...fields],
      io,
      sort: sort && { ...sort, isInOrder: chunk === undefined },
    });
  };
  if (isWhole || spec.fields.length === 0) return { writer: open(), keys: undefined, sort };
  const keys = new PartitionKeys(stream, { spec, schema, fields: [...fields] });
  const openFile = (partition: Partition) => open(partitionPath(partition, spec, schema));
  const parts = { keys, columns: [...columns], memory, specId: spec['spec-id'], openFile };
  return { writer: new PartitionedWriter(parts), keys, sort };
}
