/** Every way in which this library refuses or fails, by a code that programs can act on. */
export type IcebergErrorCode =
  /** The table changed since it was loaded, or a requirement does not hold. Nothing was committed: reload and try again. */
  | 'commit_conflict'
  /** The catalog gave no answer: the commit may or may not have happened. Read the table back before anything else. */
  | 'commit_state_unknown'
  | 'table_exists'
  | 'no_such_table'
  | 'no_such_namespace'
  | 'invalid_argument'
  /** Table metadata breaks a rule of the Iceberg spec. */
  | 'invalid_metadata'
  /** Rows have a column whose type the table's column can neither hold nor be widened to. */
  | 'schema_incompatible'
  /** A manifest or manifest list is not a readable Avro file of the spec's shape. */
  | 'invalid_manifest'
  /** A delete file is damaged. */
  | 'invalid_delete_file'
  /** The table uses a feature that this library does not write or read. */
  | 'unsupported'
  | 'file_not_found'
  /** The storage failed to read, write or delete a file. */
  | 'storage_failed'
  /** The catalog's database or server failed, or could not be reached. */
  | 'catalog_failed'
  /** The catalog answered that it does not allow or take this, and changed nothing. */
  | 'catalog_refused';

/** The only error class of this library: a code, a one-sentence message, and the cause where there is one. */
export class IcebergError extends Error {
  override readonly name = 'IcebergError';
  readonly code: IcebergErrorCode;
  /** With `commit_state_unknown`: the metadata file whose commit is in doubt, where it is known. */
  readonly metadataLocation: string | undefined;

  constructor(code: IcebergErrorCode, message: string, options: { cause?: unknown; metadataLocation?: string } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.metadataLocation = options.metadataLocation;
  }
}

/** True if `error` is an IcebergError with this code. */
export function isIcebergError(error: unknown, code: IcebergErrorCode): error is IcebergError {
  return error instanceof IcebergError && error.code === code;
}
