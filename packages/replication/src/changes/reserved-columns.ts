import type { Problem, SelectedStream } from '@fjord/core';
import { sourceView } from '../shape/source-view.ts';

/** Names that batches of changes, and tables of changes, have for columns of their own (docs/protocol.md, Changes). */
const RESERVED = /^(?:_op|_position|_unset|_committed_at|_fjord_.*)$/;

/** Streams that have a column by a name that changes need for themselves: they cannot be followed as they are. */
export function findReservedColumns(streams: readonly SelectedStream[]): Problem[] {
  return streams.flatMap((selected) => {
    const { stream, columns } = sourceView(selected);
    const names = columns.map(({ name }) => name).filter((name) => RESERVED.test(name));
    if (names.length === 0) return [];
    const message = `${stream} has ${names.map((name) => `"${name}"`).join(', ')}, which changes need for themselves.`;
    const fix =
      'Leave the column out (`columns: { exclude: … }`), or copy the stream with `syncMode: full` or `incremental`.';
    return [{ code: 'unsupported', message, fix, stream }];
  });
}
