/** An ordered queue between producers that wait for room and one consumer that waits for items. */
export class Mailbox<Item> implements AsyncIterable<Item> {
  readonly #capacity: number;
  #items: Item[] = [];
  #closed = false;
  #error: unknown;
  #wakeConsumer: (() => void) | undefined;
  #wakeProducers: (() => void)[] = [];

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** Queues an item at once; resolves when there is room for more. */
  async put(item: Item): Promise<void> {
    this.#items.push(item);
    this.#wakeConsumer?.();
    while (this.#items.length > this.#capacity && !this.#closed) {
      await new Promise<void>((resolve) => this.#wakeProducers.push(resolve));
    }
  }

  /** No more items will come; the consumer ends after the last one, or with the error right away. */
  close(error?: unknown): void {
    this.#closed = true;
    this.#error ??= error;
    this.#wakeConsumer?.();
    this.#release();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Item> {
    try {
      for (;;) {
        if (this.#error !== undefined) throw this.#error;
        const item = this.#items.shift();
        if (item !== undefined) {
          this.#release();
          yield item;
        } else if (this.#closed) return;
        else {
          await new Promise<void>((resolve) => {
            this.#wakeConsumer = resolve;
          });
        }
      }
    } finally {
      this.#closed = true;
      this.#release();
    }
  }

  #release(): void {
    for (const wake of this.#wakeProducers.splice(0)) wake();
  }
}
