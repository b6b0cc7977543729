import type { Stream } from '@fjord/core';

/**
 * Whether a pattern matches a stream: its whole `namespace.name` (or name alone where there is no namespace), case and all.
 * `*` stands for any text, `?` for one character, a backslash takes either literally, and so do double quotes around a namespace or name
 * (`"my.schema".*`; a quote in it is doubled). A stream's id always matches itself.
 */
export function matchesPattern(pattern: string, stream: Pick<Stream, 'stream' | 'namespace' | 'name'>): boolean {
  return pattern === stream.stream || toExpression(pattern).test(nameOf(stream));
}

/** A stream's `namespace.name`, unquoted: what patterns are matched against. */
export function nameOf({ namespace, name }: Pick<Stream, 'namespace' | 'name'>): string {
  return namespace === undefined ? name : `${namespace}.${name}`;
}

const SPECIAL = /[\\^$.*+?()[\]{}|/]/gu;
/** A whole part in quotes, or a character, perhaps behind a backslash. */
const TOKEN = /(?<=^|\.)"((?:[^"]|"")+)"(?=\.|$)|\\?[^]/gu;

function toExpression(pattern: string): RegExp {
  const source = pattern.replaceAll(TOKEN, (token, quoted: string | undefined) => {
    if (quoted !== undefined) return quoted.replaceAll('""', '"').replaceAll(SPECIAL, String.raw`\$&`);
    if (token === '*') return '.*';
    if (token === '?') return '.';
    const literal = token.length > 1 && token.startsWith('\\') ? token.slice(1) : token;
    return literal.replaceAll(SPECIAL, String.raw`\$&`);
  });
  return new RegExp(`^${source}$`, 'su');
}
