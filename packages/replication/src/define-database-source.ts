import {
  defineSource,
  type Message,
  type Problem,
  type RunContext,
  type Selection,
  type SourceDefinition,
  type Static,
  type Stream,
} from '@fjord/core';
import type { TObject } from '@fjord/core/schema';
import { runBackfill } from './backfill.ts';
import { findReservedColumns } from './changes/reserved-columns.ts';
import type { Database } from './database.ts';
import { paceOf, type ReplicationOptions, withReplicationOptions } from './options.ts';
import { sourceView } from './shape/source-view.ts';
import { StreamStateSchema } from './stream-state.ts';

/** What a database connector declares. `module` is its own `import.meta.url`: worker threads import it and call `open` there. */
export type DatabaseSourceDeclaration<Config extends TObject> = {
  name: string;
  version: string;
  module: string;
  config: Config;
  /** All of them unless it says otherwise. */
  syncModes?: SourceDefinition['syncModes'];
  open(config: Static<Config> & ReplicationOptions, context: RunContext): Promise<Database>;
};

/** A source whose chunks are planned, read in parallel, retried and resumed by this package. Must be the default export of `module`. */
export type DatabaseSource = SourceDefinition & {
  open(config: unknown, context: RunContext): Promise<Database>;
};

/** Makes a source of a database: the connector opens it, everything that databases share is done here. */
export function defineDatabaseSource<Config extends TObject>(
  declaration: DatabaseSourceDeclaration<Config>,
): DatabaseSource {
  type Options = Static<Config> & ReplicationOptions;
  // The runtime has checked the config against the same schema before any of these is called.
  const optionsOf = (config: unknown) => paceOf(config as Options);
  const open = (config: unknown, context: RunContext) => declaration.open(optionsOf(config), context);
  const source = defineSource({
    name: declaration.name,
    version: declaration.version,
    config: withReplicationOptions(declaration.config),
    state: StreamStateSchema,
    syncModes: declaration.syncModes ?? ['full', 'incremental', 'changes'],
    shapes: true,
    check: (config, context, selection) =>
      withDatabase(open(config, context), (database) => findProblems(database, selection)),
    discover: (config, context): Promise<Stream[]> =>
      withDatabase(open(config, context), (database) => database.discover()),
    remove: ({ config, pipeline }, context) => removeLog(open(config, context), pipeline, context),
    verify: async function* (request, context) {
      const { verifyStreams } = await import('./verify/verify-streams.ts');
      yield* verifyStreams(
        { ...request, options: optionsOf(request.config), module: declaration.module, open },
        context,
      );
    },
    repairs: true,
    read: (request, context) =>
      runBackfill({ ...request, options: optionsOf(request.config), module: declaration.module, open }, context),
  });
  return { ...source, open };
}

/** What keeps the database from being read, and the selected streams from following its log. */
async function findProblems(database: Database, selection: Selection | undefined): Promise<Problem[]> {
  const problems = await database.findProblems();
  const followed = selection?.streams.filter(({ changes }) => changes) ?? [];
  if (!selection || followed.length === 0) return problems;
  const changeLog = database.openChangeLog?.(selection.pipeline);
  if (!changeLog) return problems;
  await using _ = changeLog;
  const ofLog = await changeLog.findProblems(followed.map(sourceView));
  return [...problems, ...findReservedColumns(followed), ...ofLog];
}

async function* removeLog(
  opening: Promise<Database>,
  pipeline: string,
  context: RunContext,
): AsyncGenerator<Message<'REMOVED'>> {
  await using database = await opening;
  const changeLog = database.openChangeLog?.(pipeline);
  if (!changeLog) return;
  await using _ = changeLog;
  const { removed, idle } = await changeLog.remove();
  for (const what of removed) yield { type: 'REMOVED', what };
  if (idle.length > 0) {
    context.log('warn', 'other pipelines keep the log, and nobody follows them now', { slots: idle });
  }
}

async function withDatabase<Result>(opening: Promise<Database>, use: (database: Database) => Promise<Result>) {
  await using database = await opening;
  return await use(database);
}
