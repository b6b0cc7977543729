import { startPostgres, temporaryFolder } from '@fjord/test-harness';
import { test } from 'vitest';
import { openCatalog } from '../../src/index.ts';
import { appendWithPyIceberg } from './pyiceberg.ts';

test('PyIceberg appends to our table in PostgreSQL, and we see it', async () => {
  await using server = await startPostgres({ databases: ['catalog'] });
  await using folder = await temporaryFolder();
  // In the form that SQLAlchemy wants, which both read.
  const uri = server.connectionString.replace('postgresql:', 'postgresql+psycopg2:');
  await using catalog = await openCatalog({ type: 'sql', uri, warehouse: folder.path });
  await appendWithPyIceberg(catalog, { type: 'sql', uri });
});
