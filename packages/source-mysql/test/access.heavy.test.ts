import {
  findMySQLProblem,
  makeCertificateAuthority,
  type SqlServer,
  startMariaDB,
  startMySQL,
  type TemporaryFolder,
  temporaryFolder,
} from '@fjord/test-harness';
import { chmod } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Config } from '../src/config.ts';
import { connect } from '../src/connection.ts';
import { configFor, execute, openDatabase } from './mysql-fixture.ts';

const SERVERS: [name: string, start: (options: string[]) => Promise<SqlServer>, problem: string | undefined][] = [
  ['MariaDB', (options) => startMariaDB('kept', options), undefined],
  ['MySQL', (options) => startMySQL(options), findMySQLProblem()],
];

describe.for(SERVERS)('%s', ([name, start, problem]) => {
  const skip = problem !== undefined;
  let server: SqlServer;
  let folder: TemporaryFolder;
  let tls: Record<'trusted' | 'untrusted' | 'certified', Partial<Config['tls']>>;
  beforeAll(async () => {
    if (skip) return;
    folder = await temporaryFolder('fjord-mysql-tls');
    const [authority, other] = [
      await makeCertificateAuthority(folder.path, 'authority'),
      await makeCertificateAuthority(folder.path, 'other'),
    ];
    const [own, client] = [await authority.issue('localhost'), await authority.issue('reader')];
    await chmod(folder.path, 0o755);
    tls = {
      trusted: { caFile: authority.certFile },
      untrusted: { caFile: other.certFile },
      certified: { caFile: authority.certFile, certFile: client.certFile, keyFile: client.keyFile },
    };
    server = await start([`--ssl-ca=${authority.certFile}`, `--ssl-cert=${own.certFile}`, `--ssl-key=${own.keyFile}`]);
    const plugin = name === 'MySQL' ? " WITH caching_sha2_password BY 'secret'" : " BY 'secret'";
    await execute(server, [
      'CREATE DATABASE IF NOT EXISTS kept',
      'CREATE TABLE kept.shown (id int PRIMARY KEY, v int)',
      'CREATE TABLE kept.hidden (id int PRIMARY KEY, v int)',
      `CREATE USER 'reader'@'%' IDENTIFIED${plugin}`,
      `CREATE USER 'careful'@'%' IDENTIFIED${plugin} REQUIRE SSL`,
      `CREATE USER 'certified'@'%' IDENTIFIED${plugin} REQUIRE X509`,
      "GRANT SELECT ON kept.shown TO 'reader'@'%'",
      "GRANT INSERT ON kept.hidden TO 'reader'@'%'",
    ]);
  });
  afterAll(async () => {
    await server?.[Symbol.asyncDispose]();
    await folder?.[Symbol.asyncDispose]();
  });

  const as = (user: string, changes: Partial<Config> = {}) =>
    configFor({ ...server, user, password: 'secret' }, { host: 'localhost', ...changes });
  const logIn = async (config: Config): Promise<string> => {
    await using connection = await connect(config);
    return connection.facts.account;
  };

  test('lets in by password, in the clear and under each mode of TLS', { skip }, async () => {
    expect(await logIn(as('reader'))).toBe('reader@%');
    for (const mode of ['verify-full', 'verify-ca', 'require'] as const) {
      expect(await logIn(as('careful', { tls: { mode, ...tls.trusted } }))).toBe('careful@%');
    }
    expect(await logIn(as('certified', { tls: { mode: 'verify-full', ...tls.certified } }))).toBe('certified@%');
  });

  test('reads rows under TLS', { skip }, async () => {
    await using database = openDatabase(
      { ...server, host: 'localhost' },
      { tls: { mode: 'verify-full', ...tls.trusted } },
    );
    expect((await database.discover()).map(({ stream }) => stream)).toContain('kept.shown');
  });

  test.for([
    ['a wrong password', () => configFor({ ...server, user: 'reader', password: 'wrong' }), 'authentication_failed'],
    ['no TLS where the account wants it', () => as('careful'), 'authentication_failed'],
    [
      'no certificate where the account wants one',
      () => as('certified', { tls: { mode: 'require' } }),
      'authentication_failed',
    ],
    [
      'a certificate of somebody else',
      () => as('reader', { tls: { mode: 'verify-ca', ...tls.untrusted } }),
      'tls_failed',
    ],
    [
      'an address where a name is to be verified',
      () => as('reader', { host: '127.0.0.1', tls: { mode: 'verify-full', ...tls.trusted } }),
      'config_invalid',
    ],
    ['a port where nobody listens', () => as('reader', { port: 1 }), 'source_unreachable'],
  ] as const)('check tells of %s', { skip }, async ([, config, code]) => {
    await using database = openDatabase(server, config());
    const problems = await database.findProblems();
    expect(problems).toMatchObject([{ code }]);
    expect(JSON.stringify(problems)).not.toContain('secret');
  });

  test('check and discover tell what may not be read, with the statement that cures it', { skip }, async () => {
    await using database = openDatabase(server, as('reader', { schemas: ['kept', 'absent'] }));
    const streams = await database.discover();
    expect(streams.map(({ stream, unreadable }) => [stream, unreadable === undefined])).toEqual([
      ['kept.hidden', false],
      ['kept.shown', true],
    ]);
    const problems = await database.findProblems();
    expect(problems.map(({ code, fix }) => [code, fix])).toEqual([
      ['permission_denied', "GRANT SELECT ON `kept`.`hidden` TO 'reader'@'%';"],
      ['permission_denied', "GRANT SELECT ON `absent`.* TO 'reader'@'%';"],
    ]);
    await execute(server, [
      problems[0]?.fix.replace(/;$/, '') ?? '',
      'CREATE DATABASE absent',
      'CREATE TABLE absent.t (id int)',
    ]);
    await execute(server, [problems[1]?.fix.replace(/;$/, '') ?? '']);
    expect(await database.findProblems()).toEqual([]);
  });
});
