import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { editorSchema } from '@fjord/engine';
import type { Arguments } from './main.ts';

/** `fjord init`: writes a commented pipeline file from flags, and its schema for editors. Never overwrites without --force. */
export async function init({ file, options }: Arguments): Promise<number> {
  if (existsSync(file) && options['force'] !== true) {
    process.stderr.write(`error: ${file} exists.\nfix: Give another file, or --force to overwrite it.\n`);
    return 2;
  }
  const text = (name: string) => (typeof options[name] === 'string' ? options[name] : undefined);
  const missing = ['host', 'database', 'user', 'warehouse'].filter((name) => text(name) === undefined);
  if (missing.length > 0) {
    process.stderr.write(
      `error: init needs ${missing.map((name) => `--${name}`).join(', ')}.\nfix: See fjord init --help.\n`,
    );
    return 2;
  }
  const folder = path.dirname(path.resolve(file));
  mkdirSync(path.join(folder, '.fjord'), { recursive: true, mode: 0o700 });
  writeFileSync(path.join(folder, '.fjord/pipeline.schema.json'), `${JSON.stringify(editorSchema(), null, 2)}\n`);
  writeFileSync(file, pipelineText(text));
  process.stdout.write(`Wrote ${file}. Next: fjord check, fjord discover, fjord sync.\n`);
  return 0;
}

/** The id names the pipeline in the state of its tables for ever, so it is drawn here and never derived from the file's name. */
function pipelineText(text: (name: string) => string | undefined): string {
  const quoted = (name: string, fallback = '') => JSON.stringify(text(name) ?? fallback);
  const id = `${(text('database') ?? 'pipeline').replace(/[^A-Za-z0-9_-]/g, '-').slice(0, 40)}-${randomBytes(4).toString('hex')}`;
  return `# yaml-language-server: $schema=./.fjord/pipeline.schema.json
# Names this pipeline in the state of its tables. Do not change it.
id: ${id}
source:
  connector: ${quoted('source', 'postgres')}
  config:
    host: ${quoted('host')}
    port: ${Number(text('port') ?? 5432)}
    database: ${quoted('database')}
    user: ${quoted('user')}
    # Best as a reference: \${env:NAME} or \${file:path}.
    password: ${quoted('password', '${env:PGPASSWORD}')}
    tls: { mode: ${quoted('tls', 'verify-full')} }
destination:
  connector: ${quoted('destination', 'iceberg')}
  config:
    warehouse: ${quoted('warehouse')}
streams:
  # Patterns over schema.table; the first entry that matches a table counts.
  - match: ${quoted('match', 'public.*')}
    writeMode: append # or overwrite: replaced as a whole, in one commit
`;
}
