import { type Column, ConnectorError, type SelectedStream, type Stream, streamId } from '@fjord/core';
import { expect, test } from 'vitest';
import { parsePipeline } from '../src/pipeline.ts';
import { selectStreams } from '../src/select-streams.ts';

const column = (name: string, type: Column['type'], nullable = true): Column => ({ name, type, nullable });
const stream = (name: string, columns: Column[], primaryKey: string[] = ['id']): Stream => ({
  stream: streamId('public', name),
  namespace: 'public',
  name,
  database: 'shop',
  columns,
  primaryKey,
  cursorCandidates: [],
  syncModes: ['full'],
});

const CUSTOMERS = stream('customers', [
  column('id', 'long', false),
  column('email', 'string'),
  column('phone', 'string'),
  column('age', 'int'),
  column('balance', 'decimal(10,2)'),
  column('ratio', 'float'),
  column('born', 'date'),
  column('seen', 'timestamptz'),
  column('at', 'timestamp'),
  column('active', 'boolean', false),
  column('token', 'uuid'),
  column('photo', 'binary'),
  column('tags', { type: 'list', element: 'string' }),
]);
const ORDERS = stream('orders', [
  column('id', 'long', false),
  column('total', 'decimal(12,2)'),
  column('note', 'string'),
]);

/** The rule's lines stand from line 5 of the file on. */
function select(rules: string, streams = [CUSTOMERS, ORDERS]): SelectedStream[] {
  const head = 'id: p\nsource: { connector: a }\ndestination: { connector: b }\nstreams:\n';
  return selectStreams(streams, parsePipeline(head + rules, 'p.yaml'));
}

function refusal(rules: string): string {
  try {
    select(rules);
  } catch (error) {
    if (error instanceof ConnectorError) return error.message;
    throw error;
  }
  throw new Error('nothing was refused');
}

const filtered = (filter: string) => `  - match: public.customers\n    filter: ${filter}\n`;
const conditionOf = (filter: string) => select(filtered(filter))[0]?.shape?.filter?.condition;

test('a stream without filter, renames and transforms has no shape', () => {
  expect(select('  - match: public.*\n').map(({ shape }) => shape)).toEqual([undefined, undefined]);
});

test('for each stream the first entry that matches it counts', () => {
  const selected = select(`
  - match: public.customers
    target: { name: people }
  - match: public.*
    exclude: public.x*
    writeMode: overwrite
`);
  expect(selected.map(({ target, writeMode }) => [target.name, writeMode])).toEqual([
    ['people', 'append'],
    ['orders', 'overwrite'],
  ]);
});

test.each([
  ['{ column: age, "=": 5 }', { column: 'age', compare: '=', value: 5 }],
  ['{ column: id, ">=": 9007199254740991 }', { column: 'id', compare: '>=', value: '9007199254740991' }],
  ['{ column: id, "!=": "-9223372036854775808" }', { column: 'id', compare: '!=', value: '-9223372036854775808' }],
  ['{ column: balance, ">": 0.005 }', { column: 'balance', compare: '>', value: '0.005' }],
  ['{ column: ratio, "<": 0.1 }', { column: 'ratio', compare: '<', value: Math.fround(0.1) }],
  ['{ column: ratio, "=": "NaN" }', { column: 'ratio', compare: '=', value: 'NaN' }],
  ['{ column: born, ">": 2000-02-29 }', { column: 'born', compare: '>', value: '2000-02-29' }],
  ['{ column: at, ">": 2000-02-29 }', { column: 'at', compare: '>', value: '2000-02-29T00:00:00.000000' }],
  [
    '{ column: seen, ">": "2000-02-29T01:30:00+02:00" }',
    { column: 'seen', compare: '>', value: '2000-02-28T23:30:00.000000Z' },
  ],
  ['{ column: active, "=": true }', { column: 'active', compare: '=', value: true }],
  [`{ column: email, in: [a, "b'c"] }`, { column: 'email', in: ['a', "b'c"] }],
  ['{ column: email, like: "%@example.com" }', { column: 'email', like: '%@example.com' }],
  ['{ column: tags2, isNull: true }', 'public.customers has no column "tags2"'],
  ['{ column: photo, isNull: false }', { column: 'photo', isNull: false }],
  [
    '{ column: age, between: [18, 65] }',
    {
      and: [
        { column: 'age', compare: '>=', value: 18 },
        { column: 'age', compare: '<=', value: 65 },
      ],
    },
  ],
  [
    '{ column: age, ">": 18, "<": 65 }',
    {
      and: [
        { column: 'age', compare: '>', value: 18 },
        { column: 'age', compare: '<', value: 65 },
      ],
    },
  ],
  [
    '{ or: [{ not: { column: age, "=": 1 } }, { and: [{ column: age, isNull: true }] }] }',
    { or: [{ not: { column: 'age', compare: '=', value: 1 } }, { and: [{ column: 'age', isNull: true }] }] },
  ],
])('filter %s', (filter, condition) => {
  if (typeof condition === 'string') expect(refusal(filtered(filter))).toContain(condition);
  else expect(conditionOf(filter)).toEqual(condition);
});

test.each([
  ['{ column: age, "=": 1.5 }', 'the value is no int, which column "age" is'],
  ['{ column: age, "=": 3000000000 }', 'the value is no int'],
  ['{ column: age, "=": "x" }', 'the value is no int'],
  ['{ column: id, "=": 9007199254740993 }', 'the value is no long'],
  ['{ column: id, "=": "9223372036854775808" }', 'the value is no long'],
  ['{ column: balance, "=": 1234567890123456.5 }', 'the value is no decimal(10,2)'],
  ['{ column: born, "=": 2001-02-29 }', 'the value is no date'],
  ['{ column: born, "=": "0000-01-01" }', 'the value is no date'],
  ['{ column: seen, "=": "2000-01-01T00:00:00" }', 'the value is no timestamptz'],
  ['{ column: seen, "=": "0001-01-01T00:00:00+01:00" }', 'the value is no timestamptz'],
  ['{ column: at, "=": "2000-01-01T00:00:00Z" }', 'the value is no timestamp'],
  ['{ column: email, "=": 5 }', 'the value is no string'],
  ['{ column: email, "=": "a\\0b" }', 'the value is no string'],
  ['{ column: email, like: "a\\\\" }', 'lone backslash'],
  ['{ column: age, like: "1%" }', 'like needs a text'],
  ['{ column: active, "<": true }', 'column "active" is a boolean, which has no order'],
  ['{ column: tags, isNull: true }', 'column "tags" is a list<string>, which no filter can compare'],
  ['{ column: age }', 'nothing is said of column "age"'],
  ['{ column: age, "=": 1, and: [{ column: age, "=": 1 }] }', 'a filter is one of'],
  ['{ not: { column: age, "=": 1 }, "=": 2 }', 'nothing may stand beside `not`'],
  ['{ column: age, "==": 1 }', 'option streams[0].filter.== is not an option'],
  ['{ column: age, "=": null }', 'option streams[0].filter.= must be string,number,boolean'],
  ['{ and: [{ column: age, "=": 1 }, { colum: age }] }', 'option streams[0].filter.and[1].colum is not an option'],
  ['{ column: age, in: [] }', 'must NOT have fewer than 1 items'],
  ['{ column: age, between: [1] }', 'must NOT have fewer than 2 items'],
])('filter %s is refused', (filter, message) => {
  const refused = refusal(filtered(filter));
  expect(refused).toContain(message);
  expect(refused).toMatch(/^p\.yaml:6: /);
});

test('a refusal names the very line, however deep', () => {
  const rule = `  - match: public.customers
    filter:
      and:
        - { column: age, '>': 1 }
        - or:
            - not:
                column: nobody
                isNull: true
`;
  expect(refusal(rule)).toMatch(/^p\.yaml:11: public\.customers has no column "nobody"\./);
});

test('a filter column that one of the streams lacks is refused: its rows would slip through', () => {
  const rule = `  - match: public.*\n    filter: { column: email, isNull: false }\n`;
  expect(refusal(rule)).toContain('public.orders has no column "email"');
});

const columns = (text: string) => `  - match: public.customers\n    columns:\n${text}`;

test('renames and transforms give columns with their types, in place, and new ones at the end', () => {
  const [selected] = select(
    columns(`      exclude: [ratio, born, at, active, token, photo, tags]
      rename: { email: mail_hash, age: years }
      transform:
        id: { hash: { salt: '\${env:SALT}' } }
        email: { hash: { salt: '\${env:SALT}' } }
        phone: { mask: { keepLast: 4 } }
        balance: { compute: balance * 1.19 }
        region: { constant: eu }
        seen: { drop: true }
        mail: { compute: "lower(email)" }
`),
  );
  expect(selected?.columns).toEqual([
    { name: 'id', type: 'string', nullable: false },
    { name: 'mail_hash', type: 'string', nullable: true },
    { name: 'phone', type: 'string', nullable: true },
    { name: 'years', type: 'int', nullable: true },
    { name: 'balance', type: 'decimal(13,4)', nullable: true },
    { name: 'region', type: 'string', nullable: false },
    { name: 'mail', type: 'string', nullable: true },
  ]);
  expect(selected?.primaryKey).toEqual(['id']);
  expect(selected?.shape?.columns.map(({ name }) => name)).toEqual(['id', 'email', 'phone', 'age', 'balance']);
  expect(selected?.shape?.outputs[0]?.expression).toEqual({
    call: 'hash',
    arguments: [{ column: 'id' }, { literal: '${env:SALT}', type: 'string' }],
    type: 'string',
  });
});

test('a renamed key column is the key of the table', () => {
  const [selected] = select(columns('      rename: { id: customer_id }\n'));
  expect(selected?.primaryKey).toEqual(['customer_id']);
  expect(selected?.shape?.primaryKey).toEqual(['id']);
});

test('a change of streams without such a column is no fault, but without any stream it is', () => {
  const rule = `  - match: public.*\n    columns: { transform: { email: { mask: { text: x } } } }\n`;
  expect(select(rule).map(({ shape }) => shape !== undefined)).toEqual([true, false]);
  expect(refusal(rule.replace('email', 'emial'))).toBe('p.yaml:6: no stream of this entry has a column "emial".');
});

test.each([
  ['transform: { id: { drop: true } }', 'column "id" is part of the key of public.customers'],
  ['transform: { id: { mask: { keepLast: 1 } } }', 'column "id" is part of the key of public.customers'],
  ['transform: { id: { constant: 1 } }', 'column "id" is part of the key of public.customers'],
  ['exclude: [id]', 'column "id" is part of the key of public.customers'],
  ['include: [email]', 'column "id" is part of the key of public.customers'],
  ['rename: { email: phone }', 'public.customers would have two columns "phone"'],
  ['transform: { email: { hash: { salt: secret } } }', 'must match pattern'],
  ['transform: { email: { mask: { text: x, keepLast: 1 } } }', '`text` of a mask stands for the whole value'],
  ['transform: { email: { drop: true, constant: 1 } }', 'a transform is one of hash, mask, drop, constant, compute'],
  ['transform: { n: { constant: x, type: int } }', 'the constant is no int: Write a whole number of 32 bits.'],
  ['transform: { n: { constant: 1.234, type: "decimal(4,2)" } }', 'the constant is no decimal(4,2)'],
  ['transform: { tags: { hash: { salt: "${env:A}" } } }', 'a nested column can only be dropped'],
  ['transform: { n: { compute: "nope(email)" } }', 'there is no function nope'],
  ['transform: { n: { compute: "lower(age)" } }', "lower takes a string, not a int; use cast(…, 'string')"],
  ['transform: { n: { compute: "email + 1" } }', '+ takes numbers, not a string'],
  ['transform: { n: { compute: "lower(" } }', 'something is missing at the end'],
  ['transform: { n: { compute: "age ! 1" } }', '"! 1" is not understood'],
  ['transform: { n: { compute: "coalesce(age, email)" } }', 'coalesce takes values of one type, not int and string'],
  ['transform: { n: { compute: "cast(email, \'blob\')" } }', '"blob" is no type that a value can be cast to'],
  ['transform: { n: { compute: "json(email, \'a.b\')" } }', 'is no path such as'],
  ['transform: { n: { compute: "missing" } }', 'there is no column "missing"'],
  ['{ include: [id], exclude: [email] }', 'give either `include` or `exclude`'],
  [
    '{ exclude: [email], transform: { email: { hash: { salt: "${env:A}" } } } }',
    'column "email" of public.customers is left out',
  ],
])('columns: %s is refused', (text, message) => {
  const rule = text.startsWith('{')
    ? `  - match: public.customers\n    columns: ${text}\n`
    : columns(`      ${text}\n`);
  const refused = refusal(rule);
  expect(refused).toContain(message);
  expect(refused).toMatch(/^p\.yaml:[67]: /);
});

test.each([
  ['age + 1', 'long'],
  ['age + 1.5', 'decimal(12,1)'],
  ['balance - age', 'decimal(13,2)'],
  ['balance * balance', 'decimal(20,4)'],
  ['ratio * 2', 'double'],
  ['age / 2', 'double'],
  ['-1 * (age - 2)', 'long'],
  ["concat(email, ' ', age)", 'string'],
  ['substring(email, 1, 3)', 'string'],
  ['coalesce(balance, 0)', 'decimal(10,2)'],
  ['coalesce(balance, 0.005)', 'decimal(11,3)'],
  ['coalesce(age, id)', 'long'],
  ["coalesce(email, phone, 'none')", 'string'],
  ["cast(balance, 'long')", 'long'],
  ["cast(seen, 'date')", 'date'],
  ["date_trunc('month', seen)", 'timestamptz'],
  ["date_trunc('year', born)", 'date'],
  ['year(at)', 'int'],
  ['json(email, \'$.a["b c"][0]\')', 'string'],
  ['"email"', 'string'],
  ["upper(trim('it''s'))", 'string'],
])('%s is a %s', (expression, type) => {
  const rule = columns(`      transform:\n        result: { compute: ${JSON.stringify(expression)} }\n`);
  expect(select(rule)[0]?.columns.at(-1)).toEqual({ name: 'result', type, nullable: true });
});

test('tables are named by templates; two streams in one table are refused with the line', () => {
  const rule = `  - match: public.*\n    target: { namespace: ['{database}', '{namespace|upper}'], name: 'raw_{name}' }\n`;
  expect(select(rule).map(({ target }) => target)).toEqual([
    { namespace: ['shop', 'PUBLIC'], name: 'raw_customers' },
    { namespace: ['shop', 'PUBLIC'], name: 'raw_orders' },
  ]);
  expect(refusal(`  - match: public.*\n    target:\n      name: all\n`)).toBe(
    'p.yaml:7: public.customers and public.orders would share the table public.all.',
  );
  expect(refusal(`  - match: public.*\n    target: { name: '{nam}' }\n`)).toMatch(/^p\.yaml:6: "\{nam\}" is none of/);
});
