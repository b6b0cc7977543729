/** Applies `work` to items in order and yields the results in order; up to `most` are under way, so that the latency of storage overlaps. */
export async function* mapAhead<Item, Result>(
  items: Iterable<Item>,
  most: number,
  work: (item: Item) => Promise<Result>,
): AsyncGenerator<Result> {
  const pending: Promise<Result>[] = [];
  for (const item of items) {
    const result = work(item);
    // Awaited later: until then a failure must not count as unhandled.
    result.catch(() => undefined);
    pending.push(result);
    if (pending.length >= most) yield await takeFirst(pending);
  }
  while (pending.length > 0) yield await takeFirst(pending);
}

async function takeFirst<Result>(pending: Promise<Result>[]): Promise<Result> {
  const [first] = pending.splice(0, 1);
  if (!first) throw new Error('there is nothing to wait for');
  return first;
}
