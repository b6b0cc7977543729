import { findConfigProblems } from '@fjord/core/config';
import { temporaryFolder } from '@fjord/test-harness';
import { describe, expect, test } from 'vitest';
import { type Config, ConfigSchema } from '../src/config.ts';
import { catalogOptions } from '../src/open-warehouse.ts';
import { findProblems } from '../src/prerequisites.ts';

/** A config as the runtime hands it over: checked, with defaults. */
function config(value: object): Config {
  const filled = structuredClone(value);
  expect(findConfigProblems(ConfigSchema, filled)).toEqual([]);
  return filled as Config;
}

const S3 = { region: 'eu-central-1', accessKeyId: 'id', secretAccessKey: 'key' };
const S3_PROPERTIES = { 's3.region': 'eu-central-1', 's3.access-key-id': 'id', 's3.secret-access-key': 'key' };

describe('the options of a catalog', () => {
  test.each([
    [
      { warehouse: 's3://lake/wh/', catalog: { type: 'postgres', uri: 'postgresql://u:p@h/db' }, s3: S3 },
      { type: 'sql', uri: 'postgresql://u:p@h/db', name: 'fjord', warehouse: 's3://lake/wh', io: S3_PROPERTIES },
    ],
    [
      {
        warehouse: 'gs://lake',
        catalog: { type: 'mysql', uri: 'mysql://u:p@h/db', name: 'n' },
        gcs: { keyFile: '/k' },
      },
      { type: 'sql', uri: 'mysql://u:p@h/db', name: 'n', warehouse: 'gs://lake', io: { 'gcs.key-file': '/k' } },
    ],
    [
      { catalog: { type: 'rest', uri: 'https://c', credential: 'a:b', audience: 'x' }, warehouse: 'prod' },
      {
        type: 'rest',
        uri: 'https://c',
        warehouse: 'prod',
        credential: 'a:b',
        oauth2Fields: { audience: 'x' },
        accessDelegation: 'vended-credentials',
        io: {},
      },
    ],
    [
      { catalog: { type: 'rest', uri: 'https://c', signingName: 's3tables', accessDelegation: 'none' }, s3: S3 },
      {
        type: 'rest',
        uri: 'https://c',
        accessDelegation: 'none',
        sigv4: { region: 'eu-central-1', service: 's3tables', accessKeyId: 'id', secretAccessKey: 'key' },
        io: S3_PROPERTIES,
      },
    ],
    [
      { warehouse: 's3://lake', catalog: { type: 'glue', catalogId: '123' }, s3: S3 },
      {
        type: 'glue',
        warehouse: 's3://lake',
        region: 'eu-central-1',
        catalogId: '123',
        accessKeyId: 'id',
        secretAccessKey: 'key',
        io: S3_PROPERTIES,
      },
    ],
    [
      {
        warehouse: 'abfss://c@a.dfs.core.windows.net/x',
        catalog: { type: 'hive', uri: 'thrift://h:9083' },
        azure: { sasToken: 's' },
      },
      {
        type: 'hive',
        uri: 'thrift://h:9083',
        warehouse: 'abfss://c@a.dfs.core.windows.net/x',
        locks: true,
        io: { 'adls.sas-token': 's' },
      },
    ],
    [
      { warehouse: '/wh', catalog: { type: 'hadoop' } },
      { type: 'hadoop', warehouse: '/wh', io: {} },
    ],
  ])('%j', (given, expected) => {
    expect(catalogOptions(config(given))).toEqual(expected);
  });
});

describe('a config that does not fit together is refused by the option', () => {
  test.each([
    [
      { warehouse: '/w', catalog: { type: 'postgres' } },
      'Option catalog.uri is required for a catalog of type postgres.',
    ],
    [
      { warehouse: '/w', catalog: { type: 'hive', uri: 'https://h' } },
      'Option catalog.uri is not the address of a catalog of type hive: see its description.',
    ],
    [{ catalog: { type: 'glue' } }, 'Option warehouse is required for a catalog of type glue.'],
    [{}, 'Option catalog.file is required when the warehouse is not a local folder.'],
    [{ warehouse: 's3://b' }, 'Option catalog.file is required when the warehouse is not a local folder.'],
    [
      { warehouse: 'ftp://b', catalog: { type: 'hadoop' } },
      'Option warehouse names a storage that is not supported: ftp.',
    ],
    [
      { catalog: { type: 'rest', uri: 'https://h', signingName: 'glue' } },
      'Option s3.region is required to sign requests to a catalog of type rest.',
    ],
  ])('%j', (given, message) => {
    expect(() => catalogOptions(config(given))).toThrow(expect.objectContaining({ code: 'config_invalid', message }));
  });
});

describe('check', () => {
  test('finds nothing wrong with a folder that it can write to, and leaves nothing there', async () => {
    await using folder = await temporaryFolder();
    for (const type of ['sqlite', 'hadoop'] as const) {
      expect(await findProblems(config({ warehouse: folder.path, catalog: { type } }))).toEqual([]);
    }
  });

  test('names a catalog that is not there, and what to look at', async () => {
    await using folder = await temporaryFolder();
    const catalog = { type: 'postgres', uri: 'postgresql://fjord:hush-hush@127.0.0.1:1/catalog' };
    expect(await findProblems(config({ warehouse: folder.path, catalog }))).toEqual([
      {
        code: 'destination_unreachable',
        message: "The catalog's PostgreSQL database could not be used (ECONNREFUSED).",
        fix: expect.stringContaining('Check catalog.uri'),
      },
    ]);
  });

  test('names a storage that cannot be written to', async () => {
    const problems = await findProblems(config({ warehouse: '/dev/null/x', catalog: { type: 'hadoop' } }));
    expect(problems.map(({ code, fix }) => [code, fix])).toContainEqual([
      'config_invalid',
      'A file stands where a folder is needed: move it away, or name another folder in option warehouse.',
    ]);
  });
});
