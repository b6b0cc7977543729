/** Positions that share all but their lowest 16 bits are kept together, as bits. */
const CONTAINER_BITS = 16;
const CONTAINER_SIZE = 2 ** CONTAINER_BITS;
const WORDS = CONTAINER_SIZE / 32;

/** The bits of one container, word by word, and how many are set. */
export type Container = { words: Uint32Array; count: number };

/** A set of row positions of one data file: 8 KB for each 65,536 rows of which one is in it. */
export class PositionSet {
  /** By the positions' upper bits. */
  readonly #containers = new Map<number, Container>();
  #size = 0;

  static of(positions: Iterable<number>): PositionSet {
    const set = new PositionSet();
    for (const position of positions) set.add(position);
    return set;
  }

  get size(): number {
    return this.#size;
  }

  /** A set of the same positions that goes its own way. */
  copy(): PositionSet {
    const set = new PositionSet();
    for (const [key, { words, count }] of this.#containers) set.#containers.set(key, { words: words.slice(), count });
    set.#size = this.#size;
    return set;
  }

  /** Adds a position; false if it was there. */
  add(position: number): boolean {
    const container = this.container(Math.floor(position / CONTAINER_SIZE));
    const low = position % CONTAINER_SIZE;
    const word = low >>> 5;
    const bit = 1 << (low & 31);
    const bits = container.words[word] ?? 0;
    if ((bits & bit) !== 0) return false;
    container.words[word] = bits | bit;
    container.count += 1;
    this.#size += 1;
    return true;
  }

  has(position: number): boolean {
    const container = this.#containers.get(Math.floor(position / CONTAINER_SIZE));
    if (!container) return false;
    const low = position % CONTAINER_SIZE;
    return ((container.words[low >>> 5] ?? 0) & (1 << (low & 31))) !== 0;
  }

  /** Adds all positions of another set. */
  addAll(other: PositionSet): void {
    for (const position of other) this.add(position);
  }

  /** The positions in ascending order. */
  *[Symbol.iterator](): Generator<number> {
    for (const key of this.keys()) {
      const { words } = this.container(key);
      for (let word = 0; word < WORDS; word++) {
        for (let bits = words[word] ?? 0; bits !== 0; bits &= bits - 1) {
          yield key * CONTAINER_SIZE + word * 32 + (31 - Math.clz32(bits & -bits));
        }
      }
    }
  }

  /** The upper bits of its positions, ascending. */
  keys(): number[] {
    return [...this.#containers.keys()].toSorted((a, b) => a - b);
  }

  /** The container of the given upper bits; an empty one is made where there is none. Whoever changes it by itself calls `recount`. */
  container(key: number): Container {
    const known = this.#containers.get(key);
    if (known) return known;
    const made = { words: new Uint32Array(WORDS), count: 0 };
    this.#containers.set(key, made);
    return made;
  }

  /** Counts anew after containers were filled from outside. */
  recount(): void {
    this.#size = 0;
    for (const container of this.#containers.values()) {
      container.count = 0;
      for (const bits of container.words) container.count += countBits(bits);
      this.#size += container.count;
    }
  }
}

function countBits(word: number): number {
  const pairs = word - ((word >>> 1) & 0x55555555);
  const nibbles = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333);
  return (((nibbles + (nibbles >>> 4)) & 0x0f0f0f0f) * 0x01010101) >>> 24;
}
