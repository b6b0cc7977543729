/** What a span says about its work: names of things and counts, never a row value or a secret. */
export type SpanAttributes = Record<string, string | number | boolean>;

/** A piece of work in a trace; it ends with its scope. */
export type Span = Disposable & {
  set(attributes: SpanAttributes): void;
  /** The work failed with this error. */
  fail(error: unknown): void;
};

/** Begins a span below that of the process. */
export type Trace = (name: string, attributes?: SpanAttributes) => Span;
