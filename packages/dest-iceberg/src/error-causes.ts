/** The causes of an error of another thread, of whose errors only the text arrives. */
export class ThreadCause extends Error {
  readonly causes: readonly string[];

  constructor(error: Error, causes: readonly string[]) {
    super(error.message, { cause: error });
    this.causes = causes;
  }
}

/**
 * Codes and names along the chain of an error's causes, the outermost first: Node names faults by `code`, the AWS SDK by `name`, SQLite
 * by number (`SQLITE_13`).
 */
export function causesOf(error: unknown): readonly string[] {
  if (error instanceof ThreadCause) return error.causes;
  if (!(error instanceof Error)) return [];
  const code = 'code' in error && typeof error.code === 'string' ? [error.code] : [];
  // The low byte is the primary code, the rest says more of it.
  const sqlite = 'errcode' in error ? [`SQLITE_${Number(error.errcode) % 256}`] : [];
  return [error.name, ...code, ...sqlite, ...causesOf(error.cause)];
}
