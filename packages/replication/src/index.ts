export type { ChunkPlan, Database, EncodedBatch, HeldSnapshot, ReadChunkRequest } from './database.ts';
