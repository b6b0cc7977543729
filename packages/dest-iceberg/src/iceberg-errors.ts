import { asConnectorError, ConnectorError, type ErrorCode } from '@fjord/core';
import { IcebergError, type IcebergErrorCode } from '@fjord/iceberg';
import { ParquetError, type ParquetErrorCode } from '@fjord/parquet';
import { causesOf } from './error-causes.ts';

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
  invalid_delete_file: 'storage_failed',
  unsupported: 'unsupported',
  file_not_found: 'storage_failed',
  storage_failed: 'storage_failed',
  catalog_failed: 'destination_unreachable',
  catalog_refused: 'permission_denied',
} as const satisfies Record<IcebergErrorCode, ErrorCode>;

/** What each fault of the encoder means for a run; its message names the column or the option. */
const PARQUET_CODES = {
  invalid_arrow: 'protocol_violation',
  unsupported: 'unsupported',
  invalid_option: 'config_invalid',
  invalid_file: 'storage_failed',
} as const satisfies Record<ParquetErrorCode, ErrorCode>;
const PARQUET_HELP: Partial<Record<ParquetErrorCode, string>> = {
  unsupported:
    'Leave the column out of the stream (`drop: true` under `columns`), or try the option `parquetEncoder: parquet-wasm`.',
};

/** What the first cause says beyond the fault around it: `help` stands for the code's own. */
type Explanation = { code: ErrorCode; help?: string };

const DENIED: Explanation = { code: 'storage_denied' };
const KEY_REFUSED: Explanation = {
  code: 'storage_denied',
  help: 'Correct the access key and its secret (options s3.accessKeyId and s3.secretAccessKey, or where AWS looks for them).',
};
const READ_ONLY: Explanation = {
  code: 'storage_denied',
  help: 'The file system is mounted read-only: mount it for writing, or name another folder in option warehouse.',
};
const NO_BUCKET: Explanation = { code: 'config_invalid', help: 'Create the bucket, or correct option warehouse.' };
const NO_FOLDER: Explanation = {
  code: 'config_invalid',
  help: 'A file stands where a folder is needed: move it away, or name another folder in option warehouse.',
};
const NO_SPACE: Explanation = {
  code: 'storage_failed',
  help: 'Make space on the disk, then run the sync again; it resumes from the last commit.',
};
const UNREACHABLE: Explanation = { code: 'destination_unreachable' };

/** By the name that Node, the AWS SDK or SQLite (result codes, `SQLITE_` and the number) give the cause. */
const EXPLANATIONS: Readonly<Record<string, Explanation | undefined>> = {
  EACCES: DENIED,
  EPERM: DENIED,
  AccessDenied: DENIED,
  EROFS: READ_ONLY,
  InvalidAccessKeyId: KEY_REFUSED,
  SignatureDoesNotMatch: KEY_REFUSED,
  NoSuchBucket: NO_BUCKET,
  EEXIST: NO_FOLDER,
  ENOTDIR: NO_FOLDER,
  ENOSPC: NO_SPACE,
  EDQUOT: NO_SPACE,
  ECONNREFUSED: UNREACHABLE,
  ENOTFOUND: UNREACHABLE,
  EAI_AGAIN: UNREACHABLE,
  EHOSTUNREACH: UNREACHABLE,
  ENETUNREACH: UNREACHABLE,
  SQLITE_3: DENIED,
  SQLITE_8: DENIED,
  SQLITE_13: NO_SPACE,
  SQLITE_14: DENIED,
};

/** Makes a ConnectorError of whatever catalog, storage and encoder throw while they work for `stream`; ConnectorErrors pass as they are. */
export function toConnectorError(thrown: unknown, stream?: string): ConnectorError {
  if (thrown instanceof ParquetError) return ofParquet(thrown, stream);
  if (!(thrown instanceof IcebergError)) return asConnectorError(thrown);
  const code = CODES[thrown.code];
  const found = causesOf(thrown).find((name) => EXPLANATIONS[name] !== undefined);
  const { code: better = code, help } = EXPLANATIONS[found ?? ''] ?? {};
  // A commit in doubt stays one, whatever broke it: the next run looks for it first.
  return new ConnectorError(code === 'commit_unknown' ? code : better, thrown.message, {
    cause: thrown,
    ...(help !== undefined && { help }),
  });
}

function ofParquet(error: ParquetError, stream: string | undefined): ConnectorError {
  const help = PARQUET_HELP[error.code];
  const message = stream === undefined ? error.message : `Stream ${stream} cannot be written: ${error.message}`;
  return new ConnectorError(PARQUET_CODES[error.code], message, {
    cause: error,
    ...(stream !== undefined && { stream }),
    ...(help !== undefined && { help }),
  });
}
