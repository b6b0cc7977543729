import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';

const SOURCE = path.join(import.meta.dirname, '../fixtures/counting-source.ts');
const folder = mkdtempSync(path.join(tmpdir(), 'fjord-runtime-'));
afterAll(() => rmSync(folder, { recursive: true }));

const file = (name: string, content: unknown) => {
  const place = path.join(folder, name);
  writeFileSync(place, JSON.stringify(content));
  return place;
};
const streams = file('streams.json', {
  pipeline: 'p',
  streams: [
    {
      stream: 'numbers',
      name: 'numbers',
      columns: [{ name: 'n', type: 'long', nullable: false }],
      primaryKey: ['n'],
      writeMode: 'append',
      target: { namespace: ['a'], name: 'numbers' },
    },
  ],
});

type Result = {
  code: number | null;
  out: { type: string }[];
  err: { type: string; [field: string]: unknown }[];
  text: string;
};

function start(...args: string[]) {
  return spawn(process.execPath, [SOURCE, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
}

async function finish(child: ReturnType<typeof start>): Promise<Result> {
  const chunks = { out: '', err: '' };
  child.stdout.on('data', (data: Buffer) => (chunks.out += data.toString()));
  child.stderr.on('data', (data: Buffer) => (chunks.err += data.toString()));
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  const parse = (text: string) =>
    text
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line));
  return { code, out: parse(chunks.out), err: parse(chunks.err), text: chunks.out + chunks.err };
}

test('spec names the connector, its protocol and its options', async () => {
  const { code, out } = await finish(start('spec'));
  expect(code).toBe(0);
  expect(out).toMatchObject([
    { type: 'SPEC', name: 'counting', kind: 'source', version: '1.2.3', protocol: { min: 1, max: 1 } },
  ]);
});

test('read frames a stream: state, status, schema, rows, states, status, and the end of the run', async () => {
  const { code, out } = await finish(start('read', '--config', file('c1.json', { to: 2 }), '--streams', streams));
  expect(code).toBe(0);
  expect(out).toEqual([
    { type: 'STATE', stream: 'numbers', state: null, resumed: true },
    { type: 'STATUS', stream: 'numbers', status: 'STARTED' },
    {
      type: 'SCHEMA',
      stream: 'numbers',
      version: 1,
      columns: [{ name: 'n', type: 'long', nullable: false }],
      primaryKey: ['n'],
    },
    { type: 'RECORD', stream: 'numbers', data: { n: '1' } },
    { type: 'STATE', stream: 'numbers', state: 1, rows: 1 },
    { type: 'RECORD', stream: 'numbers', data: { n: '2' } },
    { type: 'STATE', stream: 'numbers', state: 2, rows: 1 },
    { type: 'STATUS', stream: 'numbers', status: 'COMPLETE' },
    { type: 'STATUS', status: 'COMPLETE' },
  ]);
});

test('read resumes from the state it is given and says so first', async () => {
  const state = file('state.json', { streams: { numbers: 4 }, shared: null });
  const { out } = await finish(
    start('read', '--config', file('c2.json', { to: 5 }), '--streams', streams, '--state', state),
  );
  expect(out[0]).toEqual({ type: 'STATE', stream: 'numbers', state: 4, resumed: true });
  expect(out.filter(({ type }) => type === 'RECORD')).toEqual([
    { type: 'RECORD', stream: 'numbers', data: { n: '5' } },
  ]);
});

test('a stream of which the state holds everything is skipped: COMPLETE without STARTED', async () => {
  const state = file('whole.json', { streams: { numbers: 5 }, shared: null });
  const config = file('c6.json', { to: 5 });
  const { code, out } = await finish(start('read', '--config', config, '--streams', streams, '--state', state));
  expect(code).toBe(0);
  expect(out.filter(({ type }) => type !== 'SCHEMA')).toEqual([
    { type: 'STATE', stream: 'numbers', state: 5, resumed: true },
    { type: 'STATUS', stream: 'numbers', status: 'COMPLETE' },
    { type: 'STATUS', status: 'COMPLETE' },
  ]);
});

test('a stream without a state and without rows is empty, not skipped: it is STARTED', async () => {
  const { code, out } = await finish(start('read', '--config', file('c7.json', { to: 0 }), '--streams', streams));
  expect(code).toBe(0);
  expect(out.map((line) => ('status' in line ? line.status : line.type))).toEqual([
    'STATE',
    'STARTED',
    'SCHEMA',
    'COMPLETE',
    'COMPLETE',
  ]);
});

test('a fault ends with an ERROR line, its exit code, no COMPLETE, and no secret in any output', async () => {
  const config = file('c3.json', { to: 1, token: 'canary-secret-1', failWith: 'canary-secret-1' });
  const { code, out, err, text } = await finish(start('read', '--config', config, '--streams', streams));
  expect(code).toBe(3);
  expect(out.at(-1)).toEqual({ type: 'STATUS', status: 'INCOMPLETE' });
  expect(err.at(-1)).toMatchObject({
    type: 'ERROR',
    code: 'source_unreachable',
    message: 'It failed with ***.',
    retryable: true,
  });
  expect(text).not.toContain('canary-secret-1');
});

test('text printed by mistake is diverted to the log, cleaned of secrets', async () => {
  const { code, out, err } = await finish(
    start('check', '--config', file('c4.json', { to: 1, token: 'canary-secret-2' })),
  );
  expect(code).toBe(0);
  expect(out).toEqual([{ type: 'CONNECTION_STATUS', ok: true, problems: [] }]);
  expect(err).toMatchObject([{ type: 'LOG', level: 'warn', fields: { text: 'stray text with ***' } }]);
});

test.each([
  ['a missing option', ['check', '--config', 'c5.json'], { token: 'x' }, 2, 'config_invalid', /option to is required/],
  ['an unknown verb', ['rad'], {}, 2, 'arguments_invalid', /verbs spec, check, discover, read/],
  ['a missing file', ['read', '--config', 'c5.json'], { to: 1 }, 2, 'arguments_invalid', /needs --streams/],
])('%s is refused in words', async (_, args, config, exit, code, message) => {
  file('c5.json', config);
  const placed = args.map((arg) => (arg.endsWith('.json') ? path.join(folder, arg) : arg));
  const { code: actual, err } = await finish(start(...placed));
  expect(actual).toBe(exit);
  expect(err.at(-1)).toMatchObject({ type: 'ERROR', code });
  expect(err.at(-1)?.['message']).toMatch(message);
});

test.each([
  ['SIGTERM' as const, 143, 'terminated'],
  ['SIGINT' as const, 130, 'interrupted'],
])('%s ends the run with exit code %i after the rows so far', async (signal, exit, code) => {
  const child = start('read', '--config', file('c6.json', { to: 1_000_000, pauseMs: 5 }), '--streams', streams);
  child.stdout.once('data', () => child.kill(signal));
  const { code: actual, out, err } = await finish(child);
  expect(actual).toBe(exit);
  expect(out.at(-1)).toEqual({ type: 'STATUS', status: 'INCOMPLETE' });
  expect(err.at(-1)).toMatchObject({ type: 'ERROR', code });
});

test('a reader that goes away ends the source', async () => {
  const child = start('read', '--config', file('c7.json', { to: 100_000_000 }), '--streams', streams);
  child.stdout.once('data', () => child.stdout.destroy());
  let text = '';
  child.stderr.on('data', (data: Buffer) => (text += data.toString()));
  const code = await new Promise((resolve) => child.on('exit', resolve));
  expect(code).toBe(3);
  expect(text).toContain('run_broken');
});
