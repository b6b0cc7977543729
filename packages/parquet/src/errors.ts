/** What went wrong: the Arrow input, a type or value that Parquet or this writer cannot hold, options that do not fit, or a file's bytes. */
export type ParquetErrorCode = 'invalid_arrow' | 'unsupported' | 'invalid_option' | 'invalid_file';

/** The errors of this package; the message names the column or option. */
export class ParquetError extends Error {
  override readonly name = 'ParquetError';
  readonly code: ParquetErrorCode;

  constructor(code: ParquetErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
