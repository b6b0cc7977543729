import { createHmac } from 'node:crypto';
import { expect, test } from 'vitest';
import { findKnownHost } from '../src/known-hosts.ts';

const hashed = (name: string) => {
  const salt = Buffer.from('0123456789abcdefghij');
  return `|1|${salt.toString('base64')}|${createHmac('sha1', salt).update(name).digest('base64')}`;
};
const FILE = `
# a comment
bastion.example,10.0.0.7 ssh-ed25519 AAAA1
[bastion.example]:2222 ssh-ed25519 AAAA2 a comment
*.lan,!old.lan ssh-rsa AAAA3
${hashed('hidden.example')} ecdsa-sha2-nistp256 AAAA4
@revoked bastion.example ssh-ed25519 AAAA5
@cert-authority *.example ssh-ed25519 AAAA6
bastion.example
`;

test.each([
  ['bastion.example', 22, ['AAAA1'], ['AAAA5']],
  ['BASTION.example', 22, ['AAAA1'], ['AAAA5']],
  ['10.0.0.7', 22, ['AAAA1'], []],
  ['bastion.example', 2222, ['AAAA2'], []],
  ['db.lan', 22, ['AAAA3'], []],
  ['old.lan', 22, [], []],
  ['xlan', 22, [], []],
  ['hidden.example', 22, ['AAAA4'], []],
  ['other.example', 22, [], []],
])('%s:%d', (host, port, trusted, revoked) => {
  const known = findKnownHost(FILE, { host, port });
  expect(known.trusted.map(({ key }) => key)).toEqual(trusted);
  expect(known.revoked.map(({ key }) => key)).toEqual(revoked);
});
