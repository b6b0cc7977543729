import { createRequire } from 'node:module';
import { defineDestination } from '@fjord/core';
import { ConfigSchema } from './config.ts';

const { version }: { version: string } = createRequire(import.meta.url)('../package.json');

/** The Iceberg destination: Arrow batches in, Parquet data files and commits out, the pipeline's state in the same commits. */
export default defineDestination({
  name: 'iceberg',
  version,
  config: ConfigSchema,
  formats: ['arrow'],
  writeModes: ['append', 'overwrite', 'upsert'],
  // Loaded when needed: `spec` must answer at once.
  check: async (config) => (await import('./prerequisites.ts')).findProblems(config),
  open: async (request, context) => (await import('./open-writer.ts')).openWriter(request, context),
  maintain: async function* (request, context) {
    yield* (await import('./maintenance/maintain.ts')).maintain(request, context);
  },
  async *remove(request) {
    yield* (await import('./remove.ts')).removePipeline(request);
  },
  async *inspect(request) {
    yield* (await import('./reading/inspect-tables.ts')).inspectTables(request);
  },
  async *verify(request, context) {
    yield* (await import('./reading/sum-tables.ts')).sumTables(request, context);
  },
  async *query(request, context) {
    yield* (await import('./reading/query.ts')).runQuery(request, context);
  },
});
