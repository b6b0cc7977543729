import { startPostgres } from '../src/index.ts';

// Started by a test: begins a server, tells its port and dies without a chance to clean up.
const server = await startPostgres();
process.stdout.write(String(server.port), () => process.kill(process.pid, 'SIGKILL'));
