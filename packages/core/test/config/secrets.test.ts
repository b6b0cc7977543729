import { Type } from '@sinclair/typebox';
import { expect, test } from 'vitest';
import { findSecrets } from '../../src/config/index.ts';

const SCHEMA = Type.Object({
  uri: Type.Optional(Type.String({ format: 'uri', secret: true })),
  token: Type.Optional(Type.String({ secret: true })),
  name: Type.Optional(Type.String()),
});

test.each([
  [{ token: 'hush-hush', name: 'shop' }, ['hush-hush']],
  [{ uri: 'mysql://me:hush%20hush@host/db' }, ['mysql://me:hush%20hush@host/db', 'hush%20hush', 'hush hush']],
  [{ uri: 'postgresql://host/db?password=hush' }, ['postgresql://host/db?password=hush', 'hush']],
  // Not encoded as it should be, and hidden as a whole all the same.
  [{ uri: 'mysql://me:hu/sh@host/db' }, ['mysql://me:hu/sh@host/db']],
  [{ uri: 'https://catalog.example.com/api' }, []],
  [{ uri: 'thrift://metastore:9083' }, []],
])('the secrets of %j', (config, secrets) => {
  expect(findSecrets(SCHEMA, config).toSorted()).toEqual(secrets.toSorted());
});
