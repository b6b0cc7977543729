import { createHash, createHmac } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { openCatalog, openFileIO } from '../../src/index.ts';
import { ORDERS, ORDER_SCHEMA, reload } from '../warehouse.ts';
import { type SeenRequest, type StandInAnswer, startRestStandIn, tableAnswer } from './rest-stand-in.ts';

const NOT_FOUND: StandInAnswer = {
  status: 404,
  json: { error: { message: 'no', type: 'NoSuchTableException', code: 404 } },
};
const TABLE_PATH = '/v1/namespaces/shop/tables/orders';

/** Answers by path; what no rule answers is not found. */
function byPath(rules: Record<string, StandInAnswer | ((request: SeenRequest) => StandInAnswer)>) {
  return (request: SeenRequest): StandInAnswer => {
    const rule = rules[request.url.pathname] ?? (request.url.pathname === '/v1/config' ? { json: {} } : NOT_FOUND);
    return typeof rule === 'function' ? rule(request) : rule;
  };
}

describe("a server's configuration", () => {
  test('is asked for the warehouse; its prefix and separator are used, its overrides win, its defaults do not', async () => {
    await using server = await startRestStandIn(
      byPath({
        '/v1/config': {
          json: {
            defaults: { 's3.region': 'default', 's3.endpoint': 'http://default' },
            overrides: { prefix: 'cat/one', 'namespace-separator': '%2E', 's3.path-style-access': 'true' },
          },
        },
        '/v1/cat/one/namespaces/a%20b%2Ec/tables/t%2Fx': tableAnswer(ORDER_SCHEMA, 's3://b/t'),
      }),
    );
    const io = { 's3.region': 'mine', 's3.path-style-access': 'false' };
    await using catalog = await openCatalog({ type: 'rest', uri: `${server.uri}/`, warehouse: 'my wh', io });
    const table = await reload(catalog, { namespace: ['a b', 'c'], name: 't/x' });
    expect(server.seen[0]?.url.searchParams.get('warehouse')).toBe('my wh');
    expect(table.ioProperties).toMatchObject({
      's3.region': 'mine',
      's3.endpoint': 'http://default',
      's3.path-style-access': 'true',
    });
  });

  test('that cannot be had is told with the address and the reason', async () => {
    await using server = await startRestStandIn(() => ({
      status: 403,
      json: { error: { message: 'go away', type: 'ForbiddenException' } },
    }));
    await expect(openCatalog({ type: 'rest', uri: server.uri, token: 'hush-hush' })).rejects.toMatchObject({
      code: 'catalog_refused',
      message: `The REST catalog at ${server.uri} could not be opened: ${server.uri} answered 403 ForbiddenException: go away`,
    });
  });
});

test('tables are listed page by page', async () => {
  await using server = await startRestStandIn(
    byPath({
      '/v1/namespaces/shop/tables': ({ url }) => {
        const page = Number(url.searchParams.get('pageToken') || 0);
        const identifiers = [{ namespace: ['shop'], name: `t${page}` }];
        return { json: { identifiers, ...(page < 2 && { 'next-page-token': String(page + 1) }) } };
      },
    }),
  );
  await using catalog = await openCatalog({ type: 'rest', uri: server.uri });
  expect((await catalog.listTables(['shop'])).map(({ name }) => name)).toEqual(['t0', 't1', 't2']);
});

describe('OAuth2', () => {
  const TOKENS = '/v1/oauth/tokens';

  test('fetches one token for many calls, and another before it ends', async () => {
    let given = 0;
    await using server = await startRestStandIn(
      byPath({
        // A tenth of the life is the margin: this token is outdated as soon as it is there, the others are not.
        [TOKENS]: () => ({
          json: { access_token: `token-${++given}`, token_type: 'bearer', expires_in: given === 1 ? 0.001 : 3600 },
        }),
      }),
    );
    await using catalog = await openCatalog({
      type: 'rest',
      uri: server.uri,
      credential: 'me:se:cret',
      scope: 's',
      oauth2Fields: { audience: 'a' },
    });
    for (let call = 0; call < 3; call++) await catalog.loadTable(ORDERS);
    const grants = server.seen.filter(({ url }) => url.pathname === TOKENS);
    expect(Object.fromEntries(new URLSearchParams(grants[0]?.body))).toEqual({
      grant_type: 'client_credentials',
      client_id: 'me',
      client_secret: 'se:cret',
      scope: 's',
      audience: 'a',
    });
    expect(grants).toHaveLength(2);
    const last = server.seen.at(-1);
    expect(last?.headers.authorization).toBe('Bearer token-2');
  });

  test('replaces a token that the server does not take any more, and repeats the call', async () => {
    let given = 0;
    await using server = await startRestStandIn(
      byPath({
        [TOKENS]: () => ({ json: { access_token: `token-${++given}`, expires_in: 3600 } }),
        [TABLE_PATH]: ({ headers }) =>
          headers.authorization === 'Bearer token-1' ? { status: 401, json: {} } : tableAnswer(ORDER_SCHEMA, '/x'),
      }),
    );
    await using catalog = await openCatalog({ type: 'rest', uri: server.uri, credential: 'me:secret' });
    expect((await reload(catalog)).location).toBe('/x');
    expect(given).toBe(2);
  });

  test('tells a refusal by its code, without the secret', async () => {
    await using server = await startRestStandIn(
      byPath({ [TOKENS]: { status: 400, json: { error: 'invalid_client', error_description: 'wrong hush-hush' } } }),
    );
    const opened = openCatalog({ type: 'rest', uri: server.uri, credential: 'me:hush-hush' });
    await expect(opened).rejects.toMatchObject({
      code: 'catalog_refused',
      message: `The token server ${server.uri} refused the client credentials (invalid_client).`,
    });
  });
});

test('requests are signed so that AWS can verify them (Signature Version 4, computed here by its steps)', async () => {
  const sigv4 = {
    region: 'eu-central-1',
    service: 'glue',
    accessKeyId: 'AKID',
    secretAccessKey: 'secret',
    sessionToken: 'session',
  };
  await using server = await startRestStandIn(byPath({}));
  await using catalog = await openCatalog({ type: 'rest', uri: server.uri, warehouse: 'a b', sigv4 });
  await catalog.loadTable({ namespace: ['a', 'b'], name: 'größe' });
  await expect(catalog.createNamespace(['shop'])).rejects.toMatchObject({ code: 'catalog_failed' });
  expect(server.seen.map(({ method }) => method)).toContain('POST');
  for (const request of server.seen) {
    expect(request.headers['x-amz-security-token']).toBe('session');
    expect(request.headers.authorization).toBe(authorizationOf(request, sigv4));
  }
});

/** AWS General Reference: create a signed AWS API request. */
function authorizationOf(
  { method, url, headers, body }: SeenRequest,
  { region, service, accessKeyId, secretAccessKey }: Record<string, string>,
): string {
  const sent = String(headers.authorization);
  const signed = /SignedHeaders=([^,]+)/.exec(sent)?.[1] ?? '';
  const sha = (text: string) => createHash('sha256').update(text).digest('hex');
  const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest();
  const canonicalHeaders = signed
    .split(';')
    .map((name) => `${name}:${String(headers[name]).trim()}\n`)
    .join('');
  const query = [...url.searchParams]
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
    .toSorted()
    .join('&');
  // Every segment is encoded once more, for all services but S3.
  const path = url.pathname.split('/').map(encodeURIComponent).join('/');
  const canonical = [method, path, query, canonicalHeaders, signed, sha(body)].join('\n');
  const time = String(headers['x-amz-date']);
  const scope = `${time.slice(0, 8)}/${region}/${service}/aws4_request`;
  const key = [region ?? '', service ?? '', 'aws4_request'].reduce(
    hmac,
    hmac(`AWS4${secretAccessKey}`, time.slice(0, 8)),
  );
  const signature = hmac(key, ['AWS4-HMAC-SHA256', time, scope, sha(canonical)].join('\n')).toString('hex');
  return `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, SignedHeaders=${signed}, Signature=${signature}`;
}

describe('a commit', () => {
  test('is repeated under one Idempotency-Key where the server has them, and only there', async () => {
    for (const lifetime of ['PT30M', undefined]) {
      let commits = 0;
      await using server = await startRestStandIn(
        byPath({
          '/v1/config': { json: lifetime === undefined ? {} : { 'idempotency-key-lifetime': lifetime } },
          [TABLE_PATH]: ({ method }) =>
            method === 'POST' && ++commits === 1 ? { status: 503 } : tableAnswer(ORDER_SCHEMA, '/x'),
        }),
      );
      await using catalog = await openCatalog({ type: 'rest', uri: server.uri });
      const base = await reload(catalog);
      const commit = catalog.commit(ORDERS, base, {
        requirements: [],
        updates: [{ action: 'set-location', location: '/y' }],
      });
      const keys = () =>
        server.seen.filter(({ method }) => method === 'POST').map(({ headers }) => headers['idempotency-key']);
      if (lifetime === undefined) {
        await expect(commit).rejects.toMatchObject({ code: 'commit_state_unknown' });
        expect(keys()).toEqual([undefined]);
      } else {
        await commit;
        expect(keys()).toHaveLength(2);
        expect(new Set(keys()).size).toBe(1);
        expect(keys()[0]).toMatch(/^[0-9a-f-]{36}$/);
      }
    }
  });

  test.each([
    [[409], 'commit_conflict'],
    [[404], 'no_such_table'],
    [[400], 'catalog_refused'],
    [[403], 'catalog_refused'],
    [[500], 'commit_state_unknown'],
    [[502], 'commit_state_unknown'],
    [[504], 'commit_state_unknown'],
    [[429, 409], 'commit_conflict'],
  ])('answered %j is %s', async (statuses, code) => {
    let call = 0;
    await using server = await startRestStandIn(
      byPath({
        [TABLE_PATH]: ({ method }) =>
          method === 'POST'
            ? { status: statuses[call++] ?? 200, headers: { 'retry-after': '0' } }
            : tableAnswer(ORDER_SCHEMA, '/x'),
      }),
    );
    await using catalog = await openCatalog({ type: 'rest', uri: server.uri });
    const base = await reload(catalog);
    const changes = { requirements: [], updates: [{ action: 'set-location' as const, location: '/y' }] };
    await expect(catalog.commit(ORDERS, base, changes)).rejects.toMatchObject({ code });
    expect(call).toBe(statuses.length);
  });

  test('that conflicts after an attempt without an answer is in doubt: it may conflict with itself', async () => {
    let call = 0;
    await using server = await startRestStandIn(
      byPath({
        '/v1/config': { json: { 'idempotency-key-lifetime': 'PT30M' } },
        [TABLE_PATH]: ({ method }) =>
          method === 'POST' ? { status: call++ === 0 ? 502 : 409 } : tableAnswer(ORDER_SCHEMA, '/x'),
      }),
    );
    await using catalog = await openCatalog({ type: 'rest', uri: server.uri });
    const changes = { requirements: [], updates: [{ action: 'set-location' as const, location: '/y' }] };
    await expect(catalog.commit(ORDERS, await reload(catalog), changes)).rejects.toMatchObject({
      code: 'commit_state_unknown',
    });
  });
});

describe('keys that a catalog lends', () => {
  const lend = (name: string, expiresAtMs: number) => ({
    'storage-credentials': [
      { prefix: 's3://', config: { 's3.access-key-id': 'of-another-prefix' } },
      {
        prefix: 's3://lake/',
        config: {
          's3.access-key-id': name,
          's3.secret-access-key': 'secret',
          's3.session-token': `session-${name}`,
          's3.session-token-expires-at-ms': String(expiresAtMs),
        },
      },
    ],
  });

  test.each([
    [
      'the credentials endpoint',
      ['GET /v1/{prefix}/namespaces/{namespace}/tables/{table}/credentials'],
      `${TABLE_PATH}/credentials`,
    ],
    ['the table, where there is no such endpoint', [], TABLE_PATH],
  ])(
    'are fetched anew from %s before they end, in whatever thread the properties come to',
    async (_what, endpoints, path) => {
      let lent = 0;
      const keys: string[] = [];
      const soon = () => Date.now() + (lent < 2 ? 1000 : 3_600_000);
      const give = () => tableAnswer(ORDER_SCHEMA, 's3://lake/orders', lend(`key-${++lent}`, soon()));
      await using store = await startRestStandIn(({ headers }) => {
        keys.push(
          `${/Credential=([^/]+)/.exec(headers.authorization ?? '')?.[1]} ${String(headers['x-amz-security-token'])}`,
        );
        return {};
      });
      await using server = await startRestStandIn(
        byPath({
          '/v1/config': { json: { endpoints, defaults: { 's3.endpoint': store.uri, 's3.region': 'us-east-1' } } },
          [TABLE_PATH]: give,
          [path]: give,
        }),
      );
      await using catalog = await openCatalog({ type: 'rest', uri: server.uri, token: 'mine' });
      const table = await reload(catalog);
      const asked = server.seen.at(-1);
      expect(asked?.headers['x-iceberg-access-delegation']).toBe('vended-credentials');
      // What a worker thread does with properties that came to it as a message.
      const io = openFileIO(table.location, structuredClone(table.ioProperties));
      for (const name of ['a', 'b', 'c', 'd']) await io.write(`s3://lake/orders/${name}`, Uint8Array.of(1));
      expect(keys).toEqual(Array.from({ length: 4 }, () => 'key-2 session-key-2'));
      const refreshes = server.seen.filter(({ url }) => url.pathname === path).slice(path === TABLE_PATH ? 1 : 0);
      expect(refreshes).toHaveLength(1);
      expect(refreshes.every(({ headers }) => headers.authorization === 'Bearer mine')).toBe(true);
    },
  );

  test('that cannot be fetched anew are told by the place they are for, without any key', async () => {
    await using server = await startRestStandIn(
      byPath({
        '/v1/config': { json: { endpoints: ['GET /v1/{prefix}/namespaces/{namespace}/tables/{table}/credentials'] } },
        [TABLE_PATH]: tableAnswer(ORDER_SCHEMA, 's3://lake/orders', lend('key', Date.now() - 1)),
        [`${TABLE_PATH}/credentials`]: { status: 403, json: {} },
      }),
    );
    await using catalog = await openCatalog({ type: 'rest', uri: server.uri, io: { 's3.region': 'us-east-1' } });
    const { io } = await reload(catalog);
    await expect(io.read('s3://lake/orders/x')).rejects.toMatchObject({
      code: 'storage_failed',
      message: 'The catalog gave no fresh credentials for s3://lake/orders.',
    });
  });

  test("are not asked for where keys of one's own are used", async () => {
    await using server = await startRestStandIn(
      byPath({ [TABLE_PATH]: tableAnswer(ORDER_SCHEMA, 's3://lake/orders') }),
    );
    await using catalog = await openCatalog({
      type: 'rest',
      uri: server.uri,
      accessDelegation: 'none',
      io: { 's3.access-key-id': 'own' },
    });
    const { ioProperties } = await reload(catalog);
    expect(server.seen.at(-1)?.headers['x-iceberg-access-delegation']).toBeUndefined();
    expect(ioProperties).toEqual({ 's3.access-key-id': 'own' });
  });
});
