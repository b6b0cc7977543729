import { ConnectorError, type ColumnType } from '@fjord/core';
import type { WireType } from '../column-types.ts';
import type { UnrepresentablePolicy } from '../config.ts';

/** A column as COPY sends it: how its bytes are read, and what it becomes. */
export type CopyColumn = { name: string; type: ColumnType; wire: WireType; isArray: boolean; nullable: boolean };

/** What to do with a value that the column's type cannot hold; `nearest` says whether there is a value to clamp it to. */
export type Verdict = 'null' | 'clamp';

/** Applies the policy for unrepresentable values to one column, and counts what became null. */
export class Rejections {
  readonly #column: CopyColumn;
  readonly #policy: UnrepresentablePolicy;
  readonly #stream: string;
  count = 0;

  constructor(column: CopyColumn, policy: UnrepresentablePolicy, stream: string) {
    this.#column = column;
    this.#policy = policy;
    this.#stream = stream;
  }

  /** Judges a value that cannot be held. `unrepresentable_value` names the column, never the value. */
  judge(nearest: 'has a nearest value' | 'has none'): Verdict {
    if (this.#policy === 'clamp' && nearest === 'has a nearest value') return 'clamp';
    if (this.#policy === 'fail' || !this.#column.nullable) {
      const { name } = this.#column;
      const message = `Column "${name}" of ${this.#stream} holds a value that its type cannot hold.`;
      throw new ConnectorError('unrepresentable_value', message, { stream: this.#stream });
    }
    this.count += 1;
    return 'null';
  }
}
