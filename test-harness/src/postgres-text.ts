import type { CanonicalValue } from './read-table.ts';

/** Turns the text form of a PostgreSQL value (`elementType` set: of an array of it) into the canonical form that the foreign readers give. */
export function canonicalPostgresValue(
  text: string | null,
  type: { name: string; elementType?: string },
): CanonicalValue {
  if (text === null) return null;
  if (type.elementType !== undefined) return canonicalArray(parseArray(text), type.elementType);
  return canonicalScalar(text, type.name);
}

function canonicalArray(value: ArrayItem, elementType: string): CanonicalValue {
  if (Array.isArray(value)) return value.map((item) => canonicalArray(item, elementType));
  return value === null ? null : canonicalScalar(value, elementType);
}

function canonicalScalar(text: string, type: string): string {
  switch (type) {
    case 'bool':
      return text === 't' ? 'true' : 'false';
    case 'bytea':
      return text.slice(2);
    case 'time':
      return withMicroseconds(text);
    case 'timestamp':
    case 'timestamptz':
      return canonicalTimestamp(text);
    default:
      return text;
  }
}

function canonicalTimestamp(text: string): string {
  const parts = /^(\S+) ([\d:.]+)(\+00)?( BC)?$/.exec(text);
  // infinity and -infinity
  if (parts === null) return text;
  const [, date, time = '', zone, era = ''] = parts;
  return `${date}T${withMicroseconds(time)}${zone === undefined ? '' : 'Z'}${era}`;
}

function withMicroseconds(time: string): string {
  const [seconds, fraction = ''] = time.split('.');
  return `${seconds}.${fraction.padEnd(6, '0')}`;
}

type ArrayItem = string | null | ArrayItem[];

/** Parses an array literal, `[2:3]={…}` bounds skipped (PostgreSQL manual, 8.15.6 Array Input and Output Syntax). */
export function parseArray(text: string): ArrayItem[] {
  const tokens = text.slice(text.indexOf('{')).matchAll(/[{},]|"((?:[^"\\]|\\.)*)"|[^{},"]+/gs);
  const root: ArrayItem[] = [];
  const open: ArrayItem[][] = [root];
  for (const [token, quoted] of tokens) {
    const current = open.at(-1) ?? root;
    if (token === '{') {
      const inner: ArrayItem[] = [];
      current.push(inner);
      open.push(inner);
    } else if (token === '}') open.pop();
    else if (quoted !== undefined) current.push(quoted.replaceAll(/\\(.)/gs, '$1'));
    else if (token !== ',') current.push(token === 'NULL' ? null : token);
  }
  const [outermost] = root;
  if (!Array.isArray(outermost)) throw new Error(`Not an array literal: ${text.slice(0, 80)}`);
  return outermost;
}
