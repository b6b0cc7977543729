import { initSync } from 'parquet-wasm/esm';
import { compileWasm } from './wasm-module.ts';

let memory: { buffer: { byteLength: number } } | undefined;

/** Starts parquet-wasm in this thread, once, from the module given or compiled here. */
export function startWasm(module: WebAssembly.Module = compileWasm()): void {
  memory ??= initSync({ module }).memory;
}

/** Bytes of the WebAssembly heap of this thread; it only ever grows. */
export function wasmMemoryBytes(): number {
  return memory?.buffer.byteLength ?? 0;
}
