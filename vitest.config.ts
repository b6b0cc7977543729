import { defineConfig } from 'vitest/config';

const FOLDERS = '{packages/*,test-harness,benchmarks,scripts}/test/**';
const DB = `${FOLDERS}/*.db.test.ts`;
const HEAVY = `${FOLDERS}/*.heavy.test.ts`;

const DB_TIMEOUT_MS = 120_000;
const HEAVY_TIMEOUT_MS = 1_800_000;

export default defineConfig({
  test: {
    // Each db test file starts servers and processes of its own: more files at once than cores only makes all of them slower.
    maxWorkers: 2,
    passWithNoTests: true,
    projects: [
      {
        test: {
          name: 'unit',
          testTimeout: 60_000,
          include: [`${FOLDERS}/*.test.ts`],
          exclude: [DB, HEAVY, '**/node_modules/**'],
        },
      },
      { test: { name: 'db', include: [DB], testTimeout: DB_TIMEOUT_MS, hookTimeout: DB_TIMEOUT_MS } },
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
