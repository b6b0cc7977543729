export { arrowSchema, arrowType } from './arrow-schema.ts';
export { batchToRecords } from './batch-to-records.ts';
export { columnData } from './column-data.ts';
export { isFreeText, parseCanonical } from './canonical-text.ts';
export { formatSum, RowSums, type SummedColumns } from './row-sums.ts';
