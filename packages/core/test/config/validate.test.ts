import { Type } from '@sinclair/typebox';
import { expect, test } from 'vitest';
import {
  createRedactor,
  findConfigProblems,
  findSecrets,
  resolveReferences,
  validateConfig,
} from '../../src/config/index.ts';

const Schema = Type.Object({
  host: Type.String(),
  port: Type.Integer({ default: 5432, minimum: 1 }),
  password: Type.Optional(Type.String({ secret: true })),
  tls: Type.Object({ mode: Type.Union([Type.Literal('on'), Type.Literal('off')], { default: 'on' }) }, { default: {} }),
});

test('defaults are filled in, nested ones too', () => {
  expect(validateConfig(Schema, { host: 'a' }, 'x').config).toEqual({ host: 'a', port: 5432, tls: { mode: 'on' } });
});

test.each([
  ['a missing option', {}, [{ path: 'host', message: 'is required' }]],
  ['a wrong type', { host: 'a', port: 'x' }, [{ path: 'port', message: 'must be integer' }]],
  ['a number out of range', { host: 'a', port: 0 }, [{ path: 'port', message: 'must be >= 1' }]],
  [
    'a value that is none of the choices',
    { host: 'a', tls: { mode: 'maybe' } },
    [{ path: 'tls.mode', message: 'must be one of "on", "off"' }],
  ],
  [
    'two faults at once',
    { port: 'x' },
    [
      { path: 'host', message: 'is required' },
      { path: 'port', message: 'must be integer' },
    ],
  ],
])('%s is named', (_, config, problems) => {
  expect(findConfigProblems(Schema, structuredClone(config))).toEqual(problems);
});

test('an unknown option is a warning, not a fault', () => {
  expect(validateConfig(Schema, { host: 'a', hots: 1, tls: { mode: 'on', x: 1 } }, 'x').warnings).toEqual([
    'hots',
    'tls.x',
  ]);
});

test('the message of a refused config names every option and no value', () => {
  expect(() => validateConfig(Schema, { port: 'canary' }, 'The config is not valid')).toThrow(
    'The config is not valid: option host is required; option port must be integer.',
  );
});

test('references are filled in at any depth and their values made known', () => {
  process.env['FJORD_TEST_REFERENCE'] = 'swordfish';
  const config = { a: ['x-${env:FJORD_TEST_REFERENCE}'], b: { c: '${env:FJORD_TEST_REFERENCE}' }, d: 1 };
  expect(resolveReferences(config)).toEqual({
    config: { a: ['x-swordfish'], b: { c: 'swordfish' }, d: 1 },
    values: ['swordfish', 'swordfish'],
  });
});

test('a reference to nothing names the option and the variable', () => {
  expect(() => resolveReferences({ a: { b: '${env:FJORD_NOT_SET}' } })).toThrow(
    'Option a.b names the environment variable FJORD_NOT_SET, which is not set.',
  );
  expect(() => resolveReferences({ p: '${file:/no/such}' })).toThrow(
    'Option p names the file /no/such, which cannot be read.',
  );
});

test('secret options are found and kept out of every text, in plain, JSON and URL form', () => {
  const redactor = createRedactor();
  redactor.add(findSecrets(Schema, { host: 'db.example', password: 'p"a ss/1' }));
  expect(
    redactor.redact(`a p"a ss/1 b ${JSON.stringify('p"a ss/1')} ${encodeURIComponent('p"a ss/1')} db.example`),
  ).toBe('a *** b "***" *** db.example');
});

test('an option that is refreshed keeps its reference, whose value is made known all the same', () => {
  process.env['FJORD_TEST_REFERENCE'] = 'swordfish';
  const Refreshed = Type.Object({ tls: Type.Object({ key: Type.String({ refreshed: true }) }), other: Type.String() });
  const config = { tls: { key: '${env:FJORD_TEST_REFERENCE}' }, other: '${env:FJORD_TEST_REFERENCE}' };
  expect(resolveReferences(config, Refreshed)).toEqual({
    config: { tls: { key: '${env:FJORD_TEST_REFERENCE}' }, other: 'swordfish' },
    values: ['swordfish', 'swordfish'],
  });
  expect(() => resolveReferences({ tls: { key: '${file:/no/such}' } }, Refreshed)).toThrow(
    'Option tls.key names the file /no/such, which cannot be read.',
  );
});

test('of a secret URI the passwords in it are secrets too, as written and decoded', () => {
  const Secret = Type.Object({ uri: Type.String({ secret: true, format: 'uri' }) });
  const uri = 'postgresql://me:p%40ss%C3%A9@a,b/db?sslpassword=s3cret&x=1';
  expect(findSecrets(Secret, { uri })).toEqual([uri, 'p%40ss%C3%A9', 'p@ssé', 's3cret']);
});
