import { type Catalog, commitTable, commitTables, type Table, type TableBuild } from '@fjord/iceberg';
import type { JointWork, StreamWriter } from './stream-writer.ts';

/** A commit of several streams together: which are in it, and how each takes its part. */
export type Joint = {
  has(stream: StreamWriter): boolean;
  run(stream: StreamWriter): ReturnType<StreamWriter['commit']>;
  /** A stream does not come to its part. */
  skip(): void;
};

/** The commit of all streams that have something to commit together; undefined if there are no two. None of them may be committing. */
export function openJoint(
  catalog: Catalog,
  streams: Iterable<StreamWriter>,
  prepare: JointWork['prepare'],
): Joint | undefined {
  const taken = new Map<StreamWriter, JointWork['pending']>();
  for (const stream of streams) if (stream.jointly) taken.set(stream, stream.jointly);
  if (taken.size < 2) return undefined;
  const commit = new JointCommit(catalog, taken.size);
  const run: Joint['run'] = async (stream) => {
    const pending = taken.get(stream);
    if (!pending) throw new Error(`stream ${stream.stream} is not in the commit of others`);
    let hasCome = false;
    const publish: JointWork['publish'] = (build) => {
      hasCome = true;
      return commit.publish(build);
    };
    try {
      return await stream.commit({ pending, prepare, publish });
    } finally {
      if (!hasCome) commit.leave();
    }
  };
  return { has: (stream) => taken.has(stream), run, skip: () => commit.leave() };
}

type Part = { build: TableBuild; result: PromiseWithResolvers<Table> };

/** Commits of several streams as one of their catalog: it is made once each of them has come with its part, or has left without one. */
class JointCommit {
  readonly #catalog: Catalog;
  readonly #parts: Part[] = [];
  #awaited: number;

  constructor(catalog: Catalog, streams: number) {
    this.#catalog = catalog;
    this.#awaited = streams;
  }

  /** Takes a stream's part; gives its table after the commit of all. */
  publish(build: TableBuild): Promise<Table> {
    const part = { build, result: Promise.withResolvers<Table>() };
    this.#parts.push(part);
    this.#arrive();
    return part.result.promise;
  }

  /** A stream has nothing to commit, or cannot. */
  leave(): void {
    this.#arrive();
  }

  #arrive(): void {
    this.#awaited -= 1;
    if (this.#awaited > 0) return;
    this.#commit(this.#parts).catch((error: unknown) => {
      for (const { result } of this.#parts) result.reject(error);
    });
  }

  /** What one stream cannot commit is its own fault: the others go on without it. */
  async #commit(parts: readonly Part[]): Promise<void> {
    if (parts.length === 0) return;
    let culprit: { part: Part; error: unknown } | undefined;
    const builds = parts.map((part): TableBuild => {
      const build: TableBuild['build'] = async (table) => {
        try {
          return await part.build.build(table);
        } catch (error) {
          culprit = { part, error };
          throw error;
        }
      };
      return { ...part.build, build };
    });
    try {
      const tables = await this.#publish(builds);
      for (const [index, { result }] of parts.entries()) result.resolve(tables[index]!);
    } catch (error) {
      if (!culprit || culprit.error !== error) throw error;
      const { part } = culprit;
      part.result.reject(error);
      await this.#commit(parts.filter((other) => other !== part));
    }
  }

  async #publish(builds: readonly TableBuild[]): Promise<Table[]> {
    const [first, ...more] = builds;
    if (!first || more.length > 0) return commitTables(this.#catalog, builds);
    return [await commitTable(this.#catalog, first.identifier, first.build, { base: first.base })];
  }
}
