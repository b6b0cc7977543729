import type { ColumnType } from '@fjord/core';
import type { Wire } from './wire.ts';

/** A column as COPY sends it: how its bytes are read, what it becomes, whether rows are known by it. */
export type CopyColumn = { name: string; type: ColumnType; wire: Wire; nullable: boolean; isKey: boolean };
