import type { Log, SelectedStream } from '@fjord/core';
import type { Catalog, Table } from '@fjord/iceberg';
import type { KeyIndexes } from '../changes/key-indexes.ts';
import { toConnectorError } from '../iceberg-errors.ts';
import type { ParquetPool } from '../parquet/sink.ts';
import type { InTurn } from './compact-table.ts';
import { maintainTable, type MaintenanceReport } from './maintain-table.ts';
import type { MaintenanceOptions } from './maintenance-config.ts';

/** What upkeep works with: a pool of its own, so that a sync's files wait for none of it. */
export type UpkeepParts = {
  catalog: Catalog;
  pool: ParquetPool;
  indexes: KeyIndexes;
  options: MaintenanceOptions;
  targetFileBytes: number;
  log: Log;
};

/** A commit of a sync: the table after it, and how to commit between two of its kind. */
export type Committed = { selected: SelectedStream; table: Table; inTurn: InTurn };

type Size = { files: number; snapshots: number };

/** Data rewritten at a time: a minute's work of one core or so. */
const MAX_BYTES = 2 ** 30;
/** A table is looked at after so many commits at the soonest: planning costs in proportion to its files. */
const MIN_COMMITS = 5;

/** Keeps tables small while their changes are followed: one at a time, in the background, whenever enough has come since the last time. */
export class Upkeep implements AsyncDisposable {
  readonly #parts: UpkeepParts;
  readonly #stop = new AbortController();
  /** How large each table was after it was put in order, and the commits since. */
  readonly #known = new Map<string, { size: Size; commits: number }>();
  readonly #waiting = new Map<string, Committed>();
  #working: Promise<void> | undefined;

  constructor(parts: UpkeepParts) {
    this.#parts = parts;
  }

  /** Takes note of a commit, and begins to put its table in order if that is due. */
  note(committed: Committed): void {
    if (this.#stop.signal.aborted) return;
    const { stream } = committed.selected;
    const now = sizeOf(committed.table);
    const { filesWhileFollowing: many, snapshotsWhileFollowing } = this.#parts.options;
    // Of a table that is new to this process only too many snapshots are known to be too many.
    const known = this.#known.get(stream) ?? {
      size: { files: now.files, snapshots: Math.min(now.snapshots, snapshotsWhileFollowing) },
      commits: 0,
    };
    this.#known.set(stream, { ...known, commits: known.commits + 1 });
    const { files, snapshots } = known.size;
    const isDue = known.commits + 1 >= MIN_COMMITS && (now.files >= files + many || now.snapshots >= snapshots + many);
    if (!isDue) return;
    this.#waiting.set(stream, committed);
    this.#working ??= this.#work().finally(() => {
      this.#working = undefined;
    });
  }

  /** Ends the work under way. What it has written and not committed is deleted. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    this.#waiting.clear();
    await this.#working;
  }

  async #work(): Promise<void> {
    for (let [next] = this.#waiting; next && !this.#stop.signal.aborted; [next] = this.#waiting) {
      const [stream, committed] = next;
      this.#waiting.delete(stream);
      await this.#maintain(committed);
    }
  }

  /** A table that cannot be put in order is still written to: the next time may do better. */
  async #maintain({ selected, inTurn }: Committed): Promise<void> {
    const { catalog, log, options, pool, indexes, targetFileBytes } = this.#parts;
    const { stream, target } = selected;
    try {
      const report = await maintainTable({
        catalog,
        identifier: target,
        pool,
        indexes,
        options,
        targetFileBytes,
        skipOrphans: true,
        whileFollowing: { inTurn, maxBytes: MAX_BYTES },
        signal: this.#stop.signal,
      });
      if (report && hasDone(report)) log('info', 'table put in order', { stream, ...fieldsOf(report) });
    } catch (thrown) {
      if (this.#stop.signal.aborted) return;
      const { code, message } = toConnectorError(thrown);
      log('warn', 'table not put in order; it is tried again later', { stream, code, reason: message });
    }
    const table = await catalog.loadTable(target).catch(() => undefined);
    if (table) this.#known.set(stream, { size: sizeOf(table), commits: 0 });
  }
}

/** As the newest snapshot's summary says; a table of another writer may not say it. */
function sizeOf({ metadata }: Table): Size {
  const head = metadata.snapshots.find((snapshot) => snapshot['snapshot-id'] === metadata['current-snapshot-id']);
  const total = (name: string) => Number(head?.summary?.[`total-${name}`] ?? 0);
  return { files: total('data-files') + total('delete-files'), snapshots: metadata.snapshots.length };
}

function hasDone({ compaction, gathering, expiredSnapshots, manifestsMerged }: MaintenanceReport): boolean {
  return compaction.files + gathering.deleteFiles + expiredSnapshots + manifestsMerged > 0;
}

function fieldsOf({ compaction, gathering, expiredSnapshots, expiredFiles }: MaintenanceReport) {
  return {
    rewrittenFiles: compaction.files,
    newFiles: compaction.into,
    gatheredDeleteFiles: gathering.deleteFiles,
    expiredSnapshots,
    expiredFiles,
  };
}
