import { expect, test } from 'vitest';
import { parseExactJson, stringifyExactJson } from '../src/index.ts';

test.each([
  ['{"snapshot-id":9223372036854775807}', { 'snapshot-id': 9223372036854775807n }],
  ['{"snapshot-id":1}', { 'snapshot-id': 1n }],
  ['{"current-snapshot-id":-1}', { 'current-snapshot-id': -1n }],
  ['{"timestamp-ms":1795394691366}', { 'timestamp-ms': 1795394691366 }],
  ['{"future":12345678901234567890}', { future: 12345678901234567890n }],
  ['{"properties":{"snapshot-id":"7"}}', { properties: { 'snapshot-id': '7' } }],
  ['{"ratio":1.5}', { ratio: 1.5 }],
])('%s is read and written without losing a digit', (text, value) => {
  expect(parseExactJson(text)).toEqual(value);
  expect(stringifyExactJson(value)).toBe(text);
});
