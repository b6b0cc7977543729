import { type DataFile, PositionSet, type ScanFile, type Table, writeRowDeletes } from '@fjord/iceberg';
import type { DeletedRows } from '../changes/deleted-rows.ts';
import type { FileRewrite } from './rewrite-files.ts';

type Carry = { rewrite: FileRewrite; now: readonly ScanFile[]; deleted: DeletedRows };

/**
 * Writes deletes of a rewrite's new files for the rows that were deleted from its sources after they were read: their live rows follow each other in the
 * new files, in the order of the sources. Undefined where they are sorted there.
 */
export async function carryDeletes(table: Table, { rewrite, now, deleted }: Carry): Promise<DataFile[] | undefined> {
  const { sources, files, gone } = rewrite;
  if (!gone) return undefined;
  const moved: number[] = [];
  let start = 0;
  for (const [index, source] of sources.entries()) {
    const before = gone[index] ?? new PositionSet();
    const current = now.find(({ file }) => file.filePath === source.file.filePath);
    if (current) moved.push(...placesOf(await deleted.of(table, current), before, start));
    start += Number(source.file.recordCount) - before.size;
  }
  const deletes = [...filesWith(files, moved)].map(({ file, positions }) => {
    const specId = file.specId ?? table.metadata['default-spec-id'];
    return { scanFile: { file, specId, deletes: [], sequenceNumber: 0n }, positions };
  });
  return (await writeRowDeletes(table, deletes)).append;
}

/** Where the rows that went since are among the rows that were live then, counted on from `start`. */
function* placesOf(now: PositionSet, before: PositionSet, start: number): Generator<number> {
  const earlier = before[Symbol.iterator]();
  let next = earlier.next();
  let passed = 0;
  for (const position of now) {
    for (; !next.done && next.value < position; next = earlier.next()) passed += 1;
    if (next.done || next.value !== position) yield start + position - passed;
  }
}

function* filesWith(files: readonly DataFile[], rows: readonly number[]) {
  let [start, at] = [0, 0];
  for (const file of files) {
    const end = start + Number(file.recordCount);
    const positions = new PositionSet();
    for (; at < rows.length && rows[at]! < end; at++) positions.add(rows[at]! - start);
    if (positions.size > 0) yield { file, positions };
    start = end;
  }
}
