import { dataFolder, encodeName, hashBytes, type TableMetadata } from '@fjord/iceberg';
import { randomUUID } from 'node:crypto';

/** Bits of the hash in a path with `write.object-storage.enabled`, in folders of these lengths: as Iceberg's reference implementation lays them out. */
const HASH_FOLDERS = [4, 4, 4, 8];

/** Begins the names of files that hold changes; those of chunks begin otherwise. */
const CHANGES = 'changes-g';

/** What a writer's files are named after. */
export type FileName = {
  readonly pipeline: string;
  readonly generation: number;
  /** The chunk whose rows it has; undefined for changes. */
  readonly chunk: string | undefined;
  /** Folders of the partition, if the table has any. */
  readonly partition?: string | undefined;
};

/**
 * Where a writer's files go, without the ending that the writer gives them: below the table's data folder, in a folder of the pipeline
 * (and of the partition). With the table property `write.object-storage.enabled` a hash goes before it, so that a store which
 * divides load by key prefix can.
 */
export function filePrefix(metadata: TableMetadata, { pipeline, generation, chunk, partition }: FileName): string {
  const { properties } = metadata;
  const name = chunk === undefined ? `${CHANGES}${generation}` : `g${generation}-${encodeName(chunk)}`;
  const isHashed = properties['write.object-storage.enabled'] === 'true';
  const hidesPartition = isHashed && properties['write.object-storage.partitioned-paths'] === 'false';
  const folders = [
    ...(isHashed ? [hashFolders(`${name}-${randomUUID()}`)] : []),
    pipeline,
    ...(partition === undefined || hidesPartition ? [] : [partition]),
  ];
  return `${dataFolder(metadata)}/${folders.join('/')}/${name}`;
}

/** Whether a file was written by the pipeline. */
export function isFileOf(pipeline: string, metadata: TableMetadata, filePath: string): boolean {
  const folders = [`${dataFolder(metadata)}/`, `${metadata.location}/data/`];
  const rest = folders.filter((folder) => filePath.startsWith(folder)).map((folder) => filePath.slice(folder.length));
  return rest.some((path) => path.replace(/^(?:[01]{4}\/){3}[01]{8}\//, '').startsWith(`${pipeline}/`));
}

/**
 * Whether a file may hold changes, and not only copied rows: told by its name, so that it can be told after a crash. What others wrote may,
 * since they may have rewritten files of changes.
 */
export function mayHoldChanges(pipeline: string, metadata: TableMetadata, filePath: string): boolean {
  const name = filePath.slice(filePath.lastIndexOf('/') + 1);
  return name.startsWith(CHANGES) || !isFileOf(pipeline, metadata, filePath);
}

function hashFolders(name: string): string {
  const bits = (hashBytes(Buffer.from(name)) >>> 0).toString(2).padStart(32, '0');
  let end = 0;
  return HASH_FOLDERS.map((length) => bits.slice(end, (end += length))).join('/');
}
