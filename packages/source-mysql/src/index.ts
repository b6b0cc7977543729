import { readFileSync } from 'node:fs';
import { defineDatabaseSource } from '@fjord/replication';
import { ConfigSchema } from './config.ts';

const { version }: { version: string } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));

/** The MySQL and MariaDB source. The driver and all that needs it are loaded when a database is opened. */
export default defineDatabaseSource({
  name: 'mysql',
  version,
  module: import.meta.url,
  config: ConfigSchema,
  syncModes: ['full', 'incremental'],
  open: async (config) => new (await import('./database.ts')).MysqlDatabase(config),
});
