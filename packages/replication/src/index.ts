export type { ChunkPlan, Database, EncodedBatch, HeldSnapshot, ReadChunkRequest } from './database.ts';
export { type DatabaseSource, type DatabaseSourceDeclaration, defineDatabaseSource } from './define-database-source.ts';
export { ReplicationOptions } from './options.ts';
