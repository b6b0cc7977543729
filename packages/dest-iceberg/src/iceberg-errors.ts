import { asConnectorError, ConnectorError, type ErrorCode } from '@fjord/core';
import { IcebergError, type IcebergErrorCode } from '@fjord/iceberg';

/** What each fault of the table library means for a run. */
const CODES = {
  commit_conflict: 'commit_conflict',
  commit_state_unknown: 'commit_unknown',
  table_exists: 'commit_conflict',
  no_such_table: 'storage_failed',
  no_such_namespace: 'storage_failed',
  invalid_argument: 'internal_error',
  invalid_metadata: 'storage_failed',
  schema_incompatible: 'schema_incompatible',
  invalid_manifest: 'storage_failed',
  unsupported: 'unsupported',
  file_not_found: 'storage_failed',
  storage_failed: 'storage_failed',
  catalog_failed: 'destination_unreachable',
  catalog_refused: 'permission_denied',
} as const satisfies Record<IcebergErrorCode, ErrorCode>;

/** Refusals of the storage that a retry cannot cure: missing rights or a missing bucket. */
const DENIED = new Set([
  'EACCES',
  'EPERM',
  'EROFS',
  'AccessDenied',
  'InvalidAccessKeyId',
  'SignatureDoesNotMatch',
  'NoSuchBucket',
]);

/** Makes a ConnectorError of whatever catalog and storage throw; ConnectorErrors pass as they are. */
export function toConnectorError(thrown: unknown): ConnectorError {
  if (!(thrown instanceof IcebergError)) return asConnectorError(thrown);
  const denied = causes(thrown).some((name) => DENIED.has(name));
  return new ConnectorError(denied ? 'storage_denied' : CODES[thrown.code], thrown.message, { cause: thrown });
}

/** Codes and names along the chain of causes: Node names faults by `code`, the AWS SDK by `name`. */
function causes(error: unknown): string[] {
  if (!(error instanceof Error)) return [];
  const code = 'code' in error && typeof error.code === 'string' ? [error.code] : [];
  return [error.name, ...code, ...causes(error.cause)];
}
