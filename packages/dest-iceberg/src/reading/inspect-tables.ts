import type { LookRequest, Message } from '@fjord/core';
import type { Config } from '../config.ts';
import { toConnectorError } from '../iceberg-errors.ts';
import { openWarehouse } from '../open-warehouse.ts';
import { describeTable } from './table-contents.ts';

/** Describes the table of each stream, one at a time: what it holds is in memory only until it is told. */
export async function* inspectTables({ config, streams }: LookRequest<Config>): AsyncGenerator<Message<'TABLE'>> {
  try {
    await using catalog = (await openWarehouse(config)).catalog;
    for (const { stream, target } of streams) {
      const table = await catalog.loadTable(target);
      const name = [...target.namespace, target.name].join('.');
      yield { type: 'TABLE', stream, table: name, ...(table && { contents: await describeTable(table) }) };
    }
  } catch (thrown) {
    throw toConnectorError(thrown);
  }
}
