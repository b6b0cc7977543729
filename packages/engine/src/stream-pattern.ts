import type { Stream } from '@fjord/core';

/**
 * Whether a pattern matches a stream: its whole `namespace.name` (or name alone where there is no namespace), case and all.
 * `*` stands for any text, `?` for one character, a backslash takes either literally. A stream's id always matches itself.
 */
export function matchesPattern(pattern: string, stream: Pick<Stream, 'stream' | 'namespace' | 'name'>): boolean {
  return pattern === stream.stream || toExpression(pattern).test(nameOf(stream));
}

/** A stream's `namespace.name`, unquoted: what patterns are matched against. */
export function nameOf({ namespace, name }: Pick<Stream, 'namespace' | 'name'>): string {
  return namespace === undefined ? name : `${namespace}.${name}`;
}

function toExpression(pattern: string): RegExp {
  const source = pattern.replaceAll(/\\?[^]/gu, (token) => {
    if (token === '*') return '.*';
    if (token === '?') return '.';
    const literal = token.length > 1 && token.startsWith('\\') ? token.slice(1) : token;
    return literal.replace(/[\\^$.*+?()[\]{}|/]/u, String.raw`\$&`);
  });
  return new RegExp(`^${source}$`, 'su');
}
