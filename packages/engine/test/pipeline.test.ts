import { ConnectorError } from '@fjord/core';
import { expect, test } from 'vitest';
import { parsePipeline } from '../src/pipeline.ts';

const GOOD = `id: shop
source: { connector: postgres, config: {} }
destination: { connector: iceberg, config: {} }
streams:
  - match: public.*
`;

const messageOf = (text: string) => {
  try {
    parsePipeline(text, 'pipeline.yaml');
  } catch (error) {
    return error instanceof ConnectorError ? `${error.code} ${error.message}` : String(error);
  }
  return '';
};

test('a pipeline knows the line of each of its options', () => {
  const { placeOf } = parsePipeline(GOOD, 'pipeline.yaml');
  expect(placeOf(['streams', 0, 'match'])).toBe('pipeline.yaml:5');
  expect(placeOf(['destination'])).toBe('pipeline.yaml:3');
});

test.each([
  ['an unknown option', GOOD.replace('id: shop', 'id: shop\ncolour: red'), /pipeline\.yaml:\d+: .*colour/],
  ['a missing option', GOOD.replace('id: shop\n', ''), /pipeline\.yaml:1: .*id/],
  ['a wrong value', `${GOOD}    writeMode: sometimes\n`, /pipeline\.yaml:6: option streams\[0\]\.writeMode/],
  ['broken YAML', GOOD.replace('id: shop', 'id: [shop'), /pipeline\.yaml:\d+: /],
])('%s is refused with file and line', (_, text, expected) => {
  expect(messageOf(text)).toMatch(/^config_invalid /);
  expect(messageOf(text)).toMatch(expected);
});
