import { setTimeout as delay } from 'node:timers/promises';
import { type Catalog, type Table, type TableChanges, type TableIdentifier, formatIdentifier } from './catalog.ts';
import { IcebergError, isIcebergError } from './errors.ts';
import { applyUpdates } from './table-update.ts';

/** Changes built on a table just loaded; `written` are files of no use to anybody if these changes are not committed. */
export interface BuiltChanges extends TableChanges {
  readonly written?: readonly string[];
}

/** Builds changes on the table as it is now; called again after each conflict. Undefined: there is nothing to do. It may throw to stop. */
export type BuildChanges = (table: Table) => BuiltChanges | undefined | Promise<BuiltChanges | undefined>;

/** Options of `commitTable`. */
export interface CommitOptions {
  /** The table as last seen, which saves loading it; if it is outdated the commit conflicts and the table is loaded. */
  readonly base?: Table | undefined;
  /** How many times changes are built and tried: 20 unless said. */
  readonly maxAttempts?: number;
  /** Longest wait before the second attempt in ms, doubled for each further one: 50 unless said. The wait is random up to it. */
  readonly firstDelayMs?: number;
  /** Bound of the wait in ms: 5000 unless said. */
  readonly maxDelayMs?: number;
}

const MAX_ATTEMPTS = 20;
const FIRST_DELAY_MS = 50;
const MAX_DELAY_MS = 5000;

/**
 * Commits changes optimistically: builds them on the current table, commits, and after a conflict builds them anew. An unknown
 * outcome is read back, and counts as done if the commit is found in the table. Returns the table after the commit, or as it
 * is if there was nothing to do. Throws `no_such_table`, what `build` throws, or the last error once all attempts are used up.
 */
export async function commitTable(
  catalog: Catalog,
  identifier: TableIdentifier,
  build: BuildChanges,
  options: CommitOptions = {},
): Promise<Table> {
  let table = options.base ?? (await load(catalog, identifier));
  for (let attempt = 1; ; attempt++) {
    const outcome = await tryCommit({ catalog, identifier, table, changes: await build(table) });
    if ('table' in outcome) return outcome.table;
    if (attempt >= (options.maxAttempts ?? MAX_ATTEMPTS)) throw outcome.failure;
    await delay(waitMs(attempt, options));
    table = await load(catalog, identifier);
  }
}

/** A table's part in a commit of several: see `commitTable`. */
export interface TableBuild {
  readonly identifier: TableIdentifier;
  readonly build: BuildChanges;
  readonly base?: Table | undefined;
}

/**
 * Commits changes of several tables at once, all or none, by a catalog that has `commitTogether`; otherwise as `commitTable`. Gives the tables with
 * their new metadata, in the order of the builds; where it lies is not known.
 */
export async function commitTables(
  catalog: Catalog,
  builds: readonly TableBuild[],
  options: Omit<CommitOptions, 'base'> = {},
): Promise<Table[]> {
  let tables = await Promise.all(builds.map(async ({ base, identifier }) => base ?? load(catalog, identifier)));
  for (let attempt = 1; ; attempt++) {
    const current = tables;
    const parts = await buildAll(builds, current);
    const failure = await tryTogether(catalog, parts);
    if (!failure) return parts.map(({ table, changes }) => withUpdates(table, changes));
    if (attempt >= (options.maxAttempts ?? MAX_ATTEMPTS)) throw failure;
    await delay(waitMs(attempt, options));
    tables = await Promise.all(builds.map(({ identifier }) => load(catalog, identifier)));
  }
}

type Part = Omit<Attempt, 'catalog'>;

/** What was written for some tables is of no use if another's changes cannot be built. */
async function buildAll(builds: readonly TableBuild[], tables: readonly Table[]): Promise<Part[]> {
  const parts: Part[] = [];
  try {
    for (const [index, { identifier, build }] of builds.entries()) {
      const table = tables[index];
      if (table) parts.push({ identifier, table, changes: await build(table) });
    }
  } catch (error) {
    await removeAll(parts);
    throw error;
  }
  return parts;
}

async function tryTogether(catalog: Catalog, parts: readonly Part[]): Promise<IcebergError | undefined> {
  const commits = parts.flatMap(({ identifier, table: base, changes }) =>
    changes ? [{ identifier, base, changes }] : [],
  );
  if (commits.length === 0) return undefined;
  if (!catalog.commitTogether) throw new IcebergError('unsupported', 'The catalog does not commit tables together.');
  try {
    await catalog.commitTogether(commits);
    return undefined;
  } catch (error) {
    if (isIcebergError(error, 'commit_conflict')) {
      await removeAll(parts);
      return error;
    }
    if (!isIcebergError(error, 'commit_state_unknown')) throw error;
    for (const { identifier, changes } of commits) {
      if (isCommitted(await load(catalog, identifier), changes, error)) return undefined;
    }
    return error;
  }
}

async function removeAll(parts: readonly Part[]): Promise<void> {
  for (const { table, changes } of parts) if (changes) await removeWritten(table, changes);
}

function withUpdates(table: Table, changes: BuiltChanges | undefined): Table {
  return changes ? { ...table, metadata: applyUpdates(table.metadata, changes.updates) } : table;
}

interface Attempt {
  readonly catalog: Catalog;
  readonly identifier: TableIdentifier;
  readonly table: Table;
  readonly changes: BuiltChanges | undefined;
}

type Outcome = { readonly table: Table } | { readonly failure: IcebergError };

async function tryCommit({ catalog, identifier, table, changes }: Attempt): Promise<Outcome> {
  if (!changes) return { table };
  try {
    return { table: await catalog.commit(identifier, table, changes) };
  } catch (error) {
    if (isIcebergError(error, 'commit_conflict')) {
      await removeWritten(table, changes);
      return { failure: error };
    }
    // From here on nothing is deleted: the commit may have happened, or may yet happen.
    if (!isIcebergError(error, 'commit_state_unknown')) throw error;
    const current = await load(catalog, identifier);
    return isCommitted(current, changes, error) ? { table: current } : { failure: error };
  }
}

/** A commit is recognised by its snapshots' random ids, or by its metadata file, current or in the log. */
function isCommitted({ metadata, metadataLocation }: Table, changes: TableChanges, error: IcebergError): boolean {
  const added = changes.updates.flatMap((update) =>
    update.action === 'add-snapshot' ? [update.snapshot['snapshot-id']] : [],
  );
  if (added.some((id) => metadata.snapshots.some((snapshot) => snapshot['snapshot-id'] === id))) return true;
  if (error.metadataLocation === undefined) return false;
  const past = metadata['metadata-log'].map((entry) => entry['metadata-file']);
  return [metadataLocation, ...past].includes(error.metadataLocation);
}

async function removeWritten(table: Table, changes: BuiltChanges): Promise<void> {
  // A file that stays is garbage for orphan removal to collect, no reason to fail.
  await Promise.allSettled((changes.written ?? []).map((location) => table.io.delete(location)));
}

async function load(catalog: Catalog, identifier: TableIdentifier): Promise<Table> {
  const table = await catalog.loadTable(identifier);
  if (table) return table;
  throw new IcebergError('no_such_table', `Table "${formatIdentifier(identifier)}" does not exist.`);
}

function waitMs(attempt: number, options: CommitOptions): number {
  const longest = (options.firstDelayMs ?? FIRST_DELAY_MS) * 2 ** (attempt - 1);
  return Math.random() * Math.min(longest, options.maxDelayMs ?? MAX_DELAY_MS);
}
