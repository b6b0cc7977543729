import { createHmac } from 'node:crypto';

/** A key of an SSH server: its type (`ssh-ed25519`) and its public part, as base64. */
export type HostKey = { type: string; key: string };

/** What a known hosts file says of one server: keys to trust, and keys that are revoked. */
export type KnownHost = { trusted: HostKey[]; revoked: HostKey[] };

/** Finds a server in the text of an OpenSSH known hosts file: plain, pattern or hashed names, with the port in brackets unless it is 22 (sshd(8)). */
export function findKnownHost(text: string, { host, port }: { host: string; port: number }): KnownHost {
  const name = port === 22 ? host.toLowerCase() : `[${host.toLowerCase()}]:${port}`;
  const known: KnownHost = { trusted: [], revoked: [] };
  for (const line of text.split('\n')) {
    const fields = line.trim().split(/\s+/);
    const marker = fields[0]?.startsWith('@') ? fields.shift() : undefined;
    const [names, type, key] = fields;
    if (!names || names.startsWith('#') || !type || !key || !matchesNames(names, name)) continue;
    // Keys of certificate authorities sign other keys; no server shows one.
    if (marker === undefined) known.trusted.push({ type, key });
    if (marker === '@revoked') known.revoked.push({ type, key });
  }
  return known;
}

function matchesNames(names: string, name: string): boolean {
  if (names.startsWith('|1|')) {
    const [, , salt = '', hash] = names.split('|');
    return createHmac('sha1', Buffer.from(salt, 'base64')).update(name).digest('base64') === hash;
  }
  const patterns = names.toLowerCase().split(',');
  if (patterns.some((pattern) => pattern.startsWith('!') && matchesPattern(pattern.slice(1), name))) return false;
  return patterns.some((pattern) => matchesPattern(pattern, name));
}

function matchesPattern(pattern: string, name: string): boolean {
  const expression = pattern.replace(/[^*?]/g, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);
  return new RegExp(`^${expression.replaceAll('*', '.*').replaceAll('?', '.')}$`, 'u').test(name);
}
