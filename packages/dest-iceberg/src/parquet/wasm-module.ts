import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

let compiled: WebAssembly.Module | undefined;

/** parquet-wasm's module, compiled once for all threads, which share the machine code. Takes about 30 ms. */
export function compileWasm(): WebAssembly.Module {
  compiled ??= new WebAssembly.Module(
    readFileSync(fileURLToPath(import.meta.resolve('parquet-wasm/esm/parquet_wasm_bg.wasm'))),
  );
  return compiled;
}
