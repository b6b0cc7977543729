/**
 * Passes on what is read of a chunk, and then, unless it was read to its end, has the connection left: stopped at a mark (an item that says
 * what was `reached`) it is in order but for its transaction, anywhere else it is not.
 */
export async function* leaveInOrder<Item extends object>(
  items: AsyncIterable<Item>,
  leave: (isAtMark: boolean) => Promise<unknown>,
): AsyncGenerator<Item> {
  let place: 'inside' | 'at a mark' | 'at the end' = 'inside';
  try {
    for await (const item of items) {
      if ('reached' in item) place = 'at a mark';
      yield item;
      place = 'inside';
    }
    place = 'at the end';
  } finally {
    if (place !== 'at the end') await leave(place === 'at a mark');
  }
}
