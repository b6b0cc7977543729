import path from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import {
  type PostgresServer,
  type RestCatalogServer,
  type S3Server,
  startRestCatalog,
  startS3,
  type TcpProxy,
  temporaryFolder,
} from '../../src/index.ts';
import { expectEqual, follow, type RunningSync, startFollowed, startSync, sync } from './followed-tables.ts';
import { makeMutated, MUTATED, Mutations } from './mutations.ts';
import { type Pipeline, s3Options } from './pipeline.ts';
import { killPart, type Step, StepGate, STEPS, VICTIMS } from './step-gate.ts';

/** Another one each day, the same all day; FJORD_TEST_SEED repeats one. */
const SEED = Number(process.env['FJORD_TEST_SEED'] ?? Math.floor(Date.now() / 86_400_000));
const PACKAGES = path.resolve(import.meta.dirname, '../../../packages');
const ANNOUNCING = path.join(import.meta.dirname, 'announcing-connector.ts');

let postgres: PostgresServer;
let proxy: TcpProxy;
let s3: S3Server;
let rest: RestCatalogServer;
let gate: StepGate;

beforeAll(async () => {
  [{ postgres, proxy }, s3] = await Promise.all([startFollowed(), startS3()]);
  rest = await startRestCatalog({ s3 });
  gate = await StepGate.open({ s3, rest });
});
afterAll(async () => {
  for (const each of [gate, rest, s3]) await each?.[Symbol.asyncDispose]();
});

/** Only a REST catalog is swapped by a call that can be held; where metadata files are written by the sync itself, a file is swapped. */
async function lakeFor(step: Step, schema: string) {
  const { endpoint, region, accessKeyId, secretAccessKey } = s3;
  const io = {
    's3.endpoint': endpoint,
    's3.region': region,
    's3.access-key-id': accessKeyId,
    's3.secret-access-key': secretAccessKey,
  };
  const base = { commitIntervalSeconds: 0, s3: { ...s3Options(s3), endpoint: gate.addresses.s3 } };
  if (step.endsWith('in the catalog')) {
    return {
      destination: { ...base, warehouse: undefined, catalog: { type: 'rest', uri: gate.addresses.rest } },
      catalog: { type: 'rest', uri: rest.uri, io } as const,
    };
  }
  const folder = await temporaryFolder('fjord-catalog');
  onTestFinished(() => folder[Symbol.asyncDispose]());
  const file = path.join(folder.path, 'catalog.db');
  const warehouse = `s3://${s3.bucket}/${schema}`;
  return {
    destination: { ...base, warehouse, catalog: { type: 'sqlite', file } },
    catalog: { type: 'sql', uri: `sqlite:///${file}`, name: 'fjord', warehouse, io } as const,
  };
}

async function pipelineFor(step: Step, schema: string): Promise<Pipeline> {
  const command = (name: string) => [
    process.execPath,
    ANNOUNCING,
    gate.addresses.announcements,
    path.join(PACKAGES, name, 'src/bin.ts'),
  ];
  return follow(
    schema,
    { postgres, proxy },
    {
      ...(await lakeFor(step, schema)),
      s3,
      commands: { source: command('source-postgres'), destination: command('dest-iceberg') },
      stream: { formatVersion: step.startsWith('manifest') ? 3 : 2 },
    },
  );
}

/** The server never forgets what no commit holds: the slot is not beyond the place that the marker has. */
async function expectNothingForgotten(pipeline: Pipeline, schema: string): Promise<void> {
  const [slot] = await postgres.query<{ lsn: string }>(
    'SELECT confirmed_flush_lsn::text AS lsn FROM pg_replication_slots WHERE slot_name = $1',
    [`fjord_${schema}`],
  );
  await using catalog = await pipeline.openCatalog();
  const marker = await catalog.loadTable({ namespace: ['fjord'], name: `pipeline_${schema}` });
  const property = JSON.parse(marker?.metadata.properties['fjord.pipeline'] ?? '{}') as {
    state?: { position?: { lsn: string } } | null;
  };
  const committed = property.state?.position?.lsn;
  if (!slot || committed === undefined) return;
  const [row] = await postgres.query<{ isBehind: boolean }>('SELECT $1::pg_lsn <= $2::pg_lsn AS "isBehind"', [
    slot.lsn,
    committed,
  ]);
  expect(row?.isBehind, `the slot is at ${slot.lsn}, the marker at ${committed}`).toBe(true);
}

/** Its connectors, if they are left alone, must not live on. */
async function untilGone(pids: number[]): Promise<void> {
  const isAlive = (pid: number) => {
    try {
      return process.kill(pid, 0);
    } catch {
      return false;
    }
  };
  await expect.poll(() => pids.filter(isAlive), { timeout: 15_000 }).toEqual([]);
}

test.each(Object.keys(STEPS) as Step[])(
  `kill -9 of either connector, of the command and of all when "%s" loses and doubles nothing (seed ${SEED})`,
  async (step) => {
    const schema = `step_${Object.keys(STEPS).indexOf(step)}`;
    await makeMutated(postgres, schema);
    const mutations = new Mutations(postgres, schema, { seed: SEED });
    const pipeline = await pipelineFor(step, schema);
    let running: RunningSync | undefined;
    for (const victim of VICTIMS) {
      running ??= startSync(pipeline, '--follow');
      let isHeld = false;
      void gate.hold(step, mutations.below(3)).then(() => (isHeld = true));
      while (!isHeld) {
        expect(running.child.exitCode, running.stderr).toBeNull();
        await mutations.run(1);
      }
      await expectNothingForgotten(pipeline, schema);
      const left = killPart(running.child.pid ?? 0, victim);
      gate.release();
      if (victim === 'command' || victim === 'all') {
        await running.ended;
        running = undefined;
        await untilGone(left);
      }
      await expectNothingForgotten(pipeline, schema);
    }
    await mutations.run(5);
    await sync(pipeline);
    await expectEqual(pipeline, schema, [...MUTATED], ['duckdb', 'pyiceberg']);
  },
);
