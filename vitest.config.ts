import { defineConfig } from 'vitest/config';

const FOLDERS = '{packages/*,test-harness,benchmarks,scripts}/test/**';
const DB = `${FOLDERS}/*.db.test.ts`;
const HEAVY = `${FOLDERS}/*.heavy.test.ts`;

const DB_TIMEOUT_MS = 120_000;
const HEAVY_TIMEOUT_MS = 1_800_000;

// V8 of Node 24 may abort (`Check failed: jit_page.has_value()`) when many threads with WebAssembly come and go on processors with memory
// protection keys, as in the tests of the Parquet threads; a sync starts a few and keeps them. Code that is compiled once and never
// given back leaves it least to do.
const EXEC_ARGV = ['--no-memory-protection-keys', '--liftoff-only', '--no-wasm-code-gc'];

export default defineConfig({
  test: {
    // Each db test file starts servers and processes of its own: more files at once than cores only makes all of them slower.
    maxWorkers: 2,
    passWithNoTests: true,
    projects: [
      {
        test: {
          name: 'unit',
          execArgv: EXEC_ARGV,
          testTimeout: 60_000,
          include: [`${FOLDERS}/*.test.ts`],
          exclude: [DB, HEAVY, '**/node_modules/**'],
        },
      },
      {
        test: {
          name: 'db',
          execArgv: EXEC_ARGV,
          include: [DB],
          testTimeout: DB_TIMEOUT_MS,
          hookTimeout: DB_TIMEOUT_MS,
        },
      },
      {
        test: {
          name: 'heavy',
          include: [HEAVY],
          testTimeout: HEAVY_TIMEOUT_MS,
          hookTimeout: HEAVY_TIMEOUT_MS,
          fileParallelism: false,
        },
      },
    ],
  },
});
