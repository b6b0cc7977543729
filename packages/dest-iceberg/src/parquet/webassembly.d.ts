// What we use of WebAssembly: neither TypeScript's es libraries nor Node's types declare it, and the dom library would bring a browser along.
declare namespace WebAssembly {
  /** Compiled code, which may be sent to other threads. */
  class Module {
    private readonly compiled;
    constructor(bytes: Uint8Array);
  }
  /** A trap: the code panicked, and its heap can no longer be trusted. */
  class RuntimeError extends Error {}
}
