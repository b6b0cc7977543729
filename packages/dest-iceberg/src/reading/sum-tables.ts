import { ConnectorError, type RunContext, type VerifyMessage, type VerifyRequest } from '@fjord/core';
import { KeyIndexes } from '../changes/key-indexes.ts';
import type { Config } from '../config.ts';
import { toConnectorError } from '../iceberg-errors.ts';
import { openWarehouse } from '../open-warehouse.ts';
import { refusePlainFiles } from '../parquet-folder.ts';
import { sumTable } from './sum-table.ts';

const MEGABYTE = 1024 * 1024;
/** Rows, or sums of ranges, of one message. */
const PAGE = 5000;

/** The verb `verify`: sums the rows of each stream's table, one after the other; one that fails is reported, and the next follows. */
export async function* sumTables(
  { config, streams, sums }: VerifyRequest<Config>,
  context: RunContext,
): AsyncGenerator<VerifyMessage> {
  refusePlainFiles(config, 'verify');
  await using catalog = await openWarehouse(config).then(
    (opened) => opened.catalog,
    (thrown: unknown) => {
      throw toConnectorError(thrown);
    },
  );
  // Equality deletes are applied by indexes of keys.
  await using indexes = new KeyIndexes({
    memoryBytes: config.keyIndexMemoryMB * MEGABYTE,
    diskBytes: config.keyIndexDiskMB * MEGABYTE,
  });
  for (const selected of streams) {
    const { stream, target } = selected;
    context.signal.throwIfAborted();
    try {
      const table = await catalog.loadTable(target);
      if (!table) throw missing([...target.namespace, target.name].join('.'));
      const request = sums[stream] ?? { ranges: 1 };
      const { ranges, listed } = await sumTable(table, { selected, request, indexes, signal: context.signal });
      yield { type: 'SUMS', stream, sums: ranges.slice(0, PAGE) };
      for (let at = PAGE; at < ranges.length; at += PAGE)
        yield { type: 'SUMS', stream, sums: ranges.slice(at, at + PAGE) };
      for (let at = 0; at < listed.length; at += PAGE)
        yield { type: 'LISTED', stream, rows: listed.slice(at, at + PAGE) };
    } catch (thrown) {
      context.signal.throwIfAborted();
      const { code, message, help } = toConnectorError(thrown);
      context.report(new ConnectorError(code, message, { cause: thrown, stream, help }));
    }
  }
}

function missing(name: string): ConnectorError {
  return new ConnectorError('config_invalid', `There is no table ${name} to compare with.`, {
    help: 'Run `fjord sync` first.',
  });
}
