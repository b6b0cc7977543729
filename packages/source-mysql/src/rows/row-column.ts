import type { ColumnType } from '@fjord/core';
import type { Wire } from './wire.ts';

/** A column as rows hold it: how its bytes are read, what it becomes, whether rows are known by it. */
export type RowColumn = { name: string; type: ColumnType; wire: Wire; nullable: boolean; isKey: boolean };
