import type { Column } from '@fjord/core';
import { batchToRecords } from '@fjord/core/apache-arrow';
import type { UnrepresentablePolicy } from '../../src/config.ts';
import type { CopyColumn } from '../../src/copy/copy-column.ts';
import { CopyDecoder } from '../../src/copy/copy-decoder.ts';

export type Decoded = {
  rows: Record<string, unknown>[];
  batchRows: number[];
  rejected: Record<string, number>;
  messages: string[];
};

/** Decodes chunks of a COPY to JSON values, and what else there is to see. */
export function decode(
  columns: CopyColumn[],
  chunks: Iterable<Uint8Array>,
  { policy = 'null', batchBytes = 1 << 20 }: { policy?: UnrepresentablePolicy; batchBytes?: number } = {},
): Decoded {
  const decoded: Decoded = { rows: [], batchRows: [], rejected: {}, messages: [] };
  const decoder = new CopyDecoder(columns, {
    stream: 'public.t',
    unrepresentable: policy,
    batchBytes,
    onMessage: (type) => decoded.messages.push(String.fromCharCode(type)),
  });
  const take = ({ rows, body, rejected }: ReturnType<CopyDecoder['end']>[number]) => {
    const fields: Column[] = columns;
    for (const row of batchToRecords(body, fields)) decoded.rows.push(row);
    decoded.batchRows.push(rows);
    for (const [name, count] of Object.entries(rejected)) {
      decoded.rejected[name] = (decoded.rejected[name] ?? 0) + count;
    }
  };
  for (const chunk of chunks) for (const batch of decoder.push(chunk)) take(batch);
  for (const batch of decoder.end()) take(batch);
  return decoded;
}
