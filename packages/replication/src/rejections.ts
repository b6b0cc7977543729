import { ConnectorError } from '@fjord/core';

/** What becomes of values that a column cannot hold: null (counted), the nearest value (null where there is none), or a fault of the stream. */
export type UnrepresentablePolicy = 'null' | 'clamp' | 'fail';

/** A column as far as it matters here: whether it may be null, and whether rows are known by it. */
type JudgedColumn = { name: string; nullable: boolean; isKey: boolean };

/** What to do with a value that the column's type cannot hold. */
export type Verdict = 'null' | 'clamp';

/** What judges the values of all columns: the policy, and the stream that messages name. */
export type Court = { policy: UnrepresentablePolicy; stream: string };

/** Applies the policy for unrepresentable values to one column, or to what lies at one place within its values, and counts. */
export class Rejections {
  /** As Iceberg names places: `column`, `column.element`, `column.field`. */
  readonly path: string;
  readonly #court: Court;
  readonly #isKey: boolean;
  readonly #mayBeNull: boolean;
  count = 0;

  private constructor(path: string, court: Court, may: { isKey: boolean; mayBeNull: boolean }) {
    this.path = path;
    this.#court = court;
    this.#isKey = may.isKey;
    this.#mayBeNull = may.mayBeNull;
  }

  /** Of the values of a column themselves. */
  static of({ name, nullable, isKey }: JudgedColumn, court: Court): Rejections {
    return new Rejections(name, court, { isKey, mayBeNull: nullable });
  }

  /** Of the values within these. They may be null, but for those of a key: it would no longer tell rows apart. */
  within(name: string): Rejections {
    const isKey = this.#isKey;
    return new Rejections(`${this.path}.${name}`, this.#court, { isKey, mayBeNull: !isKey });
  }

  /** Judges a value that cannot be held; `nearest` says whether there is one to clamp it to. `unrepresentable_value` names the column, never the value. */
  judge(nearest: 'has a nearest value' | 'has none'): Verdict {
    const { policy, stream } = this.#court;
    if (policy === 'clamp' && nearest === 'has a nearest value') return 'clamp';
    if (policy === 'fail' || !this.#mayBeNull) {
      const message = `Column "${this.path}" of ${stream} holds a value that its type cannot hold.`;
      throw new ConnectorError('unrepresentable_value', message, { stream });
    }
    this.count += 1;
    return 'null';
  }

  /** Notes an array whose elements are all kept, in lists of another depth than its own. */
  reshape(found: number, declared: number): void {
    const { policy, stream } = this.#court;
    if (policy === 'fail' || this.#isKey) {
      const message = `Column "${this.path}" of ${stream} is declared with ${declared} dimension(s) and holds an array of ${found}.`;
      throw new ConnectorError('unrepresentable_value', message, { stream });
    }
    this.count += 1;
  }

  /** The error of composites that are not what was looked up: attributes may come and go while columns have the type, and no row in the catalog of the columns shows it. */
  altered(): ConnectorError {
    const { stream } = this.#court;
    const message = `The type of column "${this.path}" of ${stream} was altered since it was looked up.`;
    return new ConnectorError('plan_outdated', message, { stream });
  }
}
