import { prepareVersityGateway, python, spark, startPostgres } from '@fjord/test-harness';

/** Installs and starts once whatever the tests need, so that no test pays for it; a line for each thing says what and how long. */
export async function prepareTests(kind: 'quick' | 'heavy'): Promise<void> {
  await prepare('PostgreSQL', async () => {
    await using _server = await startPostgres();
  });
  await prepare('Python with PyIceberg and DuckDB', python);
  await prepare('S3 server', prepareVersityGateway);
  if (kind === 'heavy') await prepare('Spark', spark);
}

async function prepare(name: string, make: () => Promise<unknown>): Promise<void> {
  const start = performance.now();
  process.stdout.write(`preparing ${name} ... `);
  await make();
  process.stdout.write(`${((performance.now() - start) / 1000).toFixed(1)} s\n`);
}
