import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { type Catalog, type CatalogOptions, openCatalog, planFiles, type Table } from '@fjord/iceberg';
import { type PostgresServer, type S3Access, type TableContents } from '../../src/index.ts';
import {
  readWithDuckDB,
  readWithPostgres,
  readWithPyIceberg,
  readWithSpark,
  runProcess,
  sortRows,
} from '../../src/index.ts';

const CLI = path.resolve(import.meta.dirname, '../../../packages/cli/src/bin.ts');

type Options = {
  /** The id in the pipeline's file: slots and publications of a server are named by it. */
  id?: string;
  writeMode?: 'append' | 'overwrite' | 'upsert';
  match?: string[];
  columns?: { include: string[] } | { exclude: string[] };
  /** Further options of the streams' entry. */
  stream?: Record<string, unknown>;
  source?: Record<string, unknown>;
  destination?: Record<string, unknown>;
  /** Command lines to run instead of the connectors. */
  commands?: { source: string[]; destination: string[] };
  /** How the destination's catalog is opened beside Fjord; by default the file in its own warehouse. */
  catalog?: CatalogOptions;
  /** The S3 server that the tables are in, for foreign readers. */
  s3?: S3Access;
  password?: string;
  env?: Record<string, string>;
};
/** A foreign engine that reads Iceberg tables; Spark only those on local disk. */
export type Reader = 'pyiceberg' | 'duckdb' | 'spark';
export type SyncResult = { exitCode: number | null; stdout: string; stderr: string; lines: Line[] };
export type Line = { type?: string; [field: string]: unknown };

/** A pipeline from a test's PostgreSQL into a warehouse of its own, run by the real command line. */
export class Pipeline {
  readonly folder: string;
  readonly file: string;
  readonly postgres: PostgresServer;
  readonly env: Record<string, string>;
  readonly #options: Options;

  constructor(folder: string, postgres: PostgresServer, options: Options = {}) {
    this.folder = folder;
    this.postgres = postgres;
    this.#options = options;
    this.file = path.join(folder, 'pipeline.yaml');
    this.env = { SHOP_PASSWORD: options.password ?? postgres.password, ...options.env };
    // YAML is a superset of JSON.
    writeFileSync(this.file, JSON.stringify(this.#definition(options)));
  }

  #definition({
    id = 'e2e',
    writeMode = 'append',
    match = ['public.*'],
    columns,
    stream,
    source,
    destination,
    commands,
  }: Options) {
    const { host, port, user, database } = this.postgres;
    const password = '${env:SHOP_PASSWORD}';
    return {
      id,
      source: {
        connector: commands?.source ?? 'postgres',
        config: { host, port, user, database, password, tls: { mode: 'disable' }, ...source },
      },
      destination: {
        connector: commands?.destination ?? 'iceberg',
        config: { warehouse: path.join(this.folder, 'lake'), ...destination },
      },
      streams: [{ match, writeMode, ...(columns && { columns }), ...stream }],
    };
  }

  /** Runs `fjord VERB`; stderr holds JSON lines since it is no terminal. */
  async run(verb: string, ...args: string[]): Promise<SyncResult> {
    const result = await runProcess(process.execPath, [CLI, verb, this.file, '--json', ...args], {
      env: this.env,
      cwd: this.folder,
    });
    return { ...result, lines: parseLines(result.stderr + result.stdout) };
  }

  sync(...args: string[]): Promise<SyncResult> {
    return this.run('sync', ...args);
  }

  /** Starts `fjord sync` in a process group of its own, to be killed in parts or as a whole. */
  start(...args: string[]) {
    const env = { ...process.env, ...this.env };
    return spawn(process.execPath, [CLI, 'sync', this.file, '--json', ...args], {
      env,
      cwd: this.folder,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
  }

  /** The same pipeline with another server to compare with; its file stays as it is. */
  from(postgres: PostgresServer): Pipeline {
    const text = readFileSync(this.file, 'utf8');
    const moved = new Pipeline(this.folder, postgres, this.#options);
    writeFileSync(this.file, text);
    return moved;
  }

  /** The catalog that the destination writes to, opened beside Fjord. */
  openCatalog(): Promise<Catalog> {
    const lake = path.join(this.folder, 'lake');
    const own: CatalogOptions = {
      type: 'sql',
      uri: `sqlite:///${lake}/catalog.db`,
      name: 'fjord',
      warehouse: `file://${lake}`,
    };
    return openCatalog(this.#options.catalog ?? own);
  }

  async table(namespace: string, name: string): Promise<Table> {
    await using catalog = await this.openCatalog();
    const table = await catalog.loadTable({ namespace: [namespace], name });
    if (!table) throw new Error(`there is no table ${namespace}.${name}`);
    return table;
  }

  async hasTable(namespace: string, name: string): Promise<boolean> {
    return this.table(namespace, name).then(
      () => true,
      () => false,
    );
  }

  /** The table's contents by a foreign reader, in an order that depends on the values alone. */
  async read(reader: Reader, name: string, namespace = 'public'): Promise<TableContents> {
    const { metadataLocation } = await this.table(namespace, name);
    const { s3 } = this.#options;
    const read = { duckdb: readWithDuckDB, pyiceberg: readWithPyIceberg, spark: readWithSpark }[reader];
    const contents = await read({ metadataLocation, ...(s3 && { s3 }) });
    return { ...contents, rows: sortRows(contents.rows) };
  }

  /** What PostgreSQL says, in the same canonical text. */
  async expected(sql: string): Promise<TableContents> {
    const contents = await readWithPostgres(this.postgres, sql);
    return { ...contents, rows: sortRows(contents.rows) };
  }

  /** The names of the table's data files, to see that a run left them alone. */
  async files(name: string, namespace = 'public'): Promise<string[]> {
    const files = await Array.fromAsync(planFiles(await this.table(namespace, name)));
    return files.map(({ file }) => file.filePath).toSorted();
  }

  readDefinition(): Promise<string> {
    return readFile(this.file, 'utf8');
  }
}

/** Storage options of the destination for a test's S3 server. */
export function s3Options({ endpoint, region, accessKeyId, secretAccessKey }: S3Access) {
  return { endpoint, region, accessKeyId, secretAccessKey, pathStyle: true };
}

export function parseLines(text: string): Line[] {
  return text.split('\n').flatMap((line) => {
    try {
      return [JSON.parse(line) as Line];
    } catch {
      return [];
    }
  });
}
