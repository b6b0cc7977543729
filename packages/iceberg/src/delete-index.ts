import type { DataFile, Partition } from './data-file.ts';
import { FILE_PATH_ID } from './row-deletes/position-delete-file.ts';
import type { Value } from './single-value.ts';

/** A live file of a snapshot, with what decides which deletes apply to which data. */
export interface LiveFile {
  readonly file: DataFile;
  readonly specId: number;
  readonly sequenceNumber: bigint;
  readonly isUnpartitioned: boolean;
}

/** The delete files of a snapshot, found by the data files that they apply to (spec: Scan Planning). */
export class DeleteIndex {
  readonly #byPath = new Map<string, LiveFile[]>();
  readonly #byPartition = new Map<string, LiveFile[]>();
  readonly #everywhere: LiveFile[] = [];

  add(deletes: LiveFile): void {
    const path = referencedPath(deletes.file);
    if (path !== undefined) push(this.#byPath, path, deletes);
    else if (deletes.isUnpartitioned && deletes.file.content === 'equality-deletes') this.#everywhere.push(deletes);
    else push(this.#byPartition, partitionKey(deletes.specId, deletes.file.partition), deletes);
  }

  /** The deletes of a data file: a deletion vector takes the place of all its position deletes, the rest in the order of commits. */
  find(data: LiveFile): DataFile[] {
    const found = [
      ...(this.#byPath.get(data.file.filePath) ?? []),
      ...(this.#byPartition.get(partitionKey(data.specId, data.file.partition)) ?? []),
      ...this.#everywhere,
    ].filter((deletes) => isNewer(deletes, data) && mayBeAbout(deletes.file, data.file.filePath));
    const vector = found.find(({ file }) => file.fileFormat === 'PUFFIN');
    const applied = vector
      ? found.filter((deletes) => deletes === vector || deletes.file.content === 'equality-deletes')
      : found;
    return applied.toSorted((a, b) => Number(a.sequenceNumber - b.sequenceNumber)).map(({ file }) => file);
  }
}

/** Equality deletes hit only older files, position deletes also those of their own commit. */
function isNewer(deletes: LiveFile, data: LiveFile): boolean {
  if (deletes.file.content === 'equality-deletes') return data.sequenceNumber < deletes.sequenceNumber;
  return data.sequenceNumber <= deletes.sequenceNumber;
}

/** Whether position deletes may be about a data file, by the bounds of the paths that they name. */
function mayBeAbout({ content, lowerBounds, upperBounds }: DataFile, path: string): boolean {
  const [lower, upper] = [lowerBounds?.get(FILE_PATH_ID), upperBounds?.get(FILE_PATH_ID)];
  if (content !== 'position-deletes' || (!lower && !upper)) return true;
  const bytes = Buffer.from(path);
  return (!lower || Buffer.compare(lower, bytes) <= 0) && (!upper || Buffer.compare(bytes, upper) <= 0);
}

/** The one data file that position deletes are about, said by a field or by bounds that are one path. */
function referencedPath(file: DataFile): string | undefined {
  if (file.content !== 'position-deletes') return undefined;
  if (file.referencedDataFile !== undefined) return file.referencedDataFile;
  const [lower, upper] = [file.lowerBounds?.get(FILE_PATH_ID), file.upperBounds?.get(FILE_PATH_ID)];
  if (!lower || !upper || Buffer.compare(lower, upper) !== 0) return undefined;
  return Buffer.from(lower).toString('utf8');
}

function push(map: Map<string, LiveFile[]>, key: string, item: LiveFile): void {
  const items = map.get(key);
  if (items) items.push(item);
  else map.set(key, [item]);
}

/** Text that is the same for files of one spec and partition, and only for them. */
export function partitionKey(specId: number, partition: Partition | undefined): string {
  const values = Array.from(partition ?? [], ([id, value]) => `${id}=${formatValue(value)}`);
  return [specId, ...values].join('|');
}

function formatValue(value: Value | null): string {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  if (typeof value === 'string') return JSON.stringify(value);
  return value === null ? 'null' : `${typeof value}:${value}`;
}
