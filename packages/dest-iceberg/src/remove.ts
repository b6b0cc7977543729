import type { Message, RemoveRequest } from '@fjord/core';
import { type Catalog, commitTable, formatIdentifier, stageBranchRemoval, type TableIdentifier } from '@fjord/iceberg';
import { columnsPropertyName } from './column-names.ts';
import type { Config } from './config.ts';
import { toConnectorError } from './iceberg-errors.ts';
import { openWarehouse } from './open-warehouse.ts';
import { MARKER_NAMESPACE, markerName, stagingBranch, statePropertyName } from './pipeline-state.ts';

/** The verb `remove`: takes the pipeline's states and staged copies out of its tables, and drops its marker. The tables and their rows stay. */
export async function* removePipeline({
  config,
  pipeline,
  streams,
}: RemoveRequest<Config>): AsyncGenerator<Message<'REMOVED'>> {
  try {
    const { catalog } = await openWarehouse(config);
    await using _ = catalog;
    // Last of all the marker: who is interrupted can begin again.
    for (const { stream, target } of streams) {
      if (!(await forget(catalog, target, { pipeline, stream }))) continue;
      yield { type: 'REMOVED', what: `the state of ${stream} in table ${formatIdentifier(target)}` };
    }
    const marker = { namespace: MARKER_NAMESPACE, name: markerName(pipeline) };
    if (!(await catalog.loadTable(marker))) return;
    await catalog.dropTable(marker);
    yield { type: 'REMOVED', what: `the marker ${formatIdentifier(marker)}` };
  } catch (thrown) {
    throw toConnectorError(thrown);
  }
}

/** Whether there was anything of the pipeline's stream in the table. */
async function forget(
  catalog: Catalog,
  identifier: TableIdentifier,
  { pipeline, stream }: { pipeline: string; stream: string },
): Promise<boolean> {
  if (!(await catalog.loadTable(identifier))) return false;
  const own = [statePropertyName(pipeline, stream), columnsPropertyName(pipeline, stream)];
  const prefix = stagingBranch(pipeline, 0).slice(0, -1);
  let isThere = false;
  await commitTable(catalog, identifier, (table) => {
    const { properties, refs } = table.metadata;
    const branches = Object.keys(refs).filter((name) => name.startsWith(prefix));
    const removals = own.filter((property) => property in properties);
    isThere = removals.length > 0 || branches.length > 0;
    if (!isThere) return undefined;
    const dropped = branches.map((branch) => stageBranchRemoval(table, branch));
    return {
      updates: [
        ...dropped.flatMap(({ updates }) => updates),
        ...(removals.length > 0 ? [{ action: 'remove-properties' as const, removals }] : []),
      ],
      requirements: dropped.flatMap(({ requirements }) => requirements),
    };
  });
  return isThere;
}
