import type { SelectedStream } from '@fjord/core';

/** A name by which a query may call a stream's table. */
export type QueryName = { schema: string; name: string; stream: SelectedStream };

/** DuckDB's schema of what is called by its bare name. */
export const BARE = 'main';

/**
 * The names that a query's text may mean, each of one table: the table's whole name, the stream's name in its source, the bare name where only one
 * table has it. In doubt a name is left in: only tables whose name the text does not contain are left out. Names differ by more than
 * their case, as in DuckDB.
 */
export function findQueryNames(streams: readonly SelectedStream[], sql: string): QueryName[] {
  const text = normalize(sql);
  const all = streams.flatMap((stream): QueryName[][] => {
    const { target, namespace, name } = stream;
    return [
      [{ schema: target.namespace.join('.'), name: target.name, stream }],
      [{ schema: namespace ?? BARE, name, stream }],
      [{ schema: BARE, name: target.name, stream }],
    ];
  });
  const chosen = new Map<string, QueryName>();
  // The table's own name goes before what others may be called.
  for (const rank of [0, 1, 2]) {
    const names = all.filter((_, index) => index % 3 === rank).flat();
    for (const [key, candidates] of Map.groupBy(names, keyOf)) {
      const [first] = candidates;
      const isClear = candidates.every(({ stream }) => stream === first?.stream);
      if (first && isClear && !chosen.has(key)) chosen.set(key, first);
    }
  }
  return [...chosen.values()].filter(({ name }) => text.includes(normalize(name)));
}

const keyOf = ({ schema, name }: QueryName) => JSON.stringify([schema.toLowerCase(), name.toLowerCase()]);

/** Without quotes, which are doubled within a quoted name. */
const normalize = (text: string) => text.replaceAll('"', '').toLowerCase();
