export type { OperatorLine } from './connector-process.ts';
export type { Failure } from './failure.ts';
export { findProblems, type FoundProblem } from './find-problems.ts';
export { loadPipeline, type Pipeline } from './pipeline.ts';
export { editorSchema } from './pipeline-schema.ts';
export type { StreamProgress } from './progress.ts';
export type { Connector } from './resolve-connector.ts';
export { failureOfThrown, Session } from './session.ts';
export { runSync, type SyncOptions, type SyncResult } from './sync.ts';
