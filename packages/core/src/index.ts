export type { Static } from './schema.ts';
export {
  type Column,
  type ColumnType,
  ColumnTypeSchema,
  formatColumnType,
  type ListType,
  type MapType,
  parsePrimitive,
  type PrimitiveType,
  type StructField,
  type StructType,
} from './column-type.ts';
export { resolveReferences, type ResolvedConfig } from './config/references.ts';
export {
  defineDestination,
  type DestinationDefinition,
  type DestinationWriter,
  type LookRequest,
  type MaintainRequest,
  type WriteRequest,
} from './destination.ts';
export { ERROR_CODES, type ErrorCode } from './error-codes.ts';
export { asConnectorError, ConnectorError } from './errors.ts';
export {
  type Changes,
  type Incremental,
  type SelectedStream,
  type Selection,
  SelectionSchema,
  type Stream,
  streamId,
  type WriteMode,
} from './protocol/catalog.ts';
export { giveBackMemory, ownsMemory } from './protocol/body-memory.ts';
export {
  type BatchMessage,
  type DestinationMessage,
  type Message,
  MESSAGES,
  type Problem,
  PROTOCOL,
  type SourceMessage,
} from './protocol/messages.ts';
export type { TableContents } from './protocol/table.ts';
export { toLiteral } from './literal.ts';
export {
  COMPARISONS,
  type Comparison,
  type Condition,
  type Expression,
  type Literal,
  type Shape,
  type WhenChanged,
} from './protocol/shape.ts';
export type { Log, RunContext } from './run-context.ts';
export {
  defineSource,
  type ReadRequest,
  type RemoveRequest,
  type SourceDefinition,
  type VerifyMessage,
  type VerifyRequest,
} from './source.ts';
export {
  type ListedRow,
  MAX_RANGES,
  type RangeSum,
  type Repair,
  type SumRequest,
  type Verification,
} from './protocol/verification.ts';
export { parseLine, readWire, type WireMessage } from './protocol/wire-reader.ts';
export { WireWriter } from './protocol/wire-writer.ts';
