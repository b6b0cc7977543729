import { ERROR_CODES, type ErrorCode } from './error-codes.ts';

/** A fault that a person can act on. `message` is one sentence that names the object; the code gives exit code, help and whether a retry may cure it. */
export class ConnectorError extends Error {
  override readonly name = 'ConnectorError';
  readonly code: ErrorCode;
  readonly stream: string | undefined;
  readonly help: string;

  constructor(code: ErrorCode, message: string, options: { cause?: unknown; stream?: string; help?: string } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.stream = options.stream;
    this.help = options.help ?? ERROR_CODES[code].help;
  }

  get retryable(): boolean {
    return ERROR_CODES[this.code].retryable;
  }
}

/** The error itself if it is a ConnectorError, else a bug report around it: what cannot be explained is `internal_error`. */
export function asConnectorError(error: unknown): ConnectorError {
  if (error instanceof ConnectorError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new ConnectorError('internal_error', message, { cause: error });
}
