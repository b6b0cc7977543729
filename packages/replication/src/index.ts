export type {
  ChangeLog,
  FollowRequest,
  LogEvent,
  LogLag,
  LogPosition,
  OrderKey,
  RemovedLog,
  PlacedSnapshot,
} from './change-log.ts';
export type {
  Boundary,
  ChunkPlan,
  CutBy,
  Database,
  EncodedBatch,
  HeldSnapshot,
  PlanRequest,
  ReadChunkRequest,
  ServerLoad,
  SummedRows,
  SumRowsRequest,
  UnitMark,
} from './database.ts';
export { type DatabaseSource, type DatabaseSourceDeclaration, defineDatabaseSource } from './define-database-source.ts';
export { compileCondition, type ConditionContext } from './shape/condition.ts';
export { ReplicationOptions } from './options.ts';
export { Rejections, type UnrepresentablePolicy, type Verdict } from './rejections.ts';
export { RowRuns, rowsOfRun } from './row-runs.ts';
