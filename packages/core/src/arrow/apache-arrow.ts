export { arrowSchema, arrowType } from './arrow-schema.ts';
export { batchToRecords } from './batch-to-records.ts';
export { columnData } from './column-data.ts';
