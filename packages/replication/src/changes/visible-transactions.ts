/** The transactions whose changes were given or forgotten, and that a chunk's snapshot must see (rule 9), until one has been seen to do so. */
export class VisibleTransactions {
  #first = 0;
  #transactions: string[] = [];

  add(transaction: string): void {
    this.#transactions.push(transaction);
  }

  /** What a chunk that begins now must see, and the mark to give to `confirm` once it was read. */
  list(): { notBefore: string[]; mark: number } {
    return { notBefore: [...this.#transactions], mark: this.#first + this.#transactions.length };
  }

  /** A chunk has seen all up to the mark: every later snapshot does. */
  confirm(mark: number): void {
    if (mark <= this.#first) return;
    this.#transactions = this.#transactions.slice(mark - this.#first);
    this.#first = mark;
  }
}
