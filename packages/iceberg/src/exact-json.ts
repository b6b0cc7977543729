// TypeScript's library does not know these two parts of ES2025 yet (JSON.parse source text access).
declare global {
  interface JSON {
    rawJSON(text: string): object;
    parse(text: string, reviver: (key: string, value: unknown, context: { source?: string }) => unknown): unknown;
  }
}

/** Fields that hold 64-bit integers in the JSON of the Iceberg spec: always read as bigint, however small the value. */
const LONG_FIELDS: ReadonlySet<string> = new Set([
  'snapshot-id',
  'parent-snapshot-id',
  'current-snapshot-id',
  'sequence-number',
  'last-sequence-number',
  'next-row-id',
  'first-row-id',
  'added-rows',
]);

/** Parses JSON without losing digits: ids and any integer beyond 2^53 become bigint. Throws SyntaxError. */
export function parseExactJson(text: string): unknown {
  return JSON.parse(text, (key, value, context) => {
    if (typeof value !== 'number' || context.source === undefined) return value;
    const isInteger = /^-?\d+$/.test(context.source);
    if (isInteger && (LONG_FIELDS.has(key) || !Number.isSafeInteger(value))) return BigInt(context.source);
    return value;
  });
}

/** Writes JSON with every bigint as a plain integer. */
export function stringifyExactJson(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) => (typeof item === 'bigint' ? JSON.rawJSON(String(item)) : item));
}
