import type { Call, Compute } from './expression.ts';
import { readJsonPath } from './json-path.ts';
import { formatValue } from './value.ts';

/** The functions that give text, lengths in characters (code points); undefined if the call is none of them. */
export function compileText(call: Call): Compute | undefined {
  switch (call.name) {
    case 'lower':
      return ([text]) => (text as string).toLowerCase();
    case 'upper':
      return ([text]) => (text as string).toUpperCase();
    case 'trim':
      return ([text]) => (text as string).trim();
    case 'substring':
      return ([text, from, length]) =>
        substring(text as string, Number(from), length === undefined ? undefined : Number(length));
    case 'json':
      return readJsonPath(call);
    case 'mask':
      return mask(call);
    case 'replace':
      return () => call.literal(1);
    default:
      return undefined;
  }
}

/** SQL's substring: the first character is 1, and what lies before it counts. */
function substring(text: string, from: number, length: number | undefined): string {
  const start = Math.max(0, from - 1);
  const end = length === undefined ? Number.POSITIVE_INFINITY : from - 1 + Math.max(0, length);
  if (end <= start) return '';
  return isSimple(text) ? text.slice(start, end) : Array.from(text).slice(start, end).join('');
}

/** Keeps some characters at both ends, and hides all of a value that has no others. */
function mask(call: Call): Compute {
  const first = Number(call.literal(1));
  const last = Number(call.literal(2));
  const filler = String(call.literal(3));
  const type = call.types[0] ?? 'string';
  return ([value]) => {
    const text = formatValue(value!, type);
    const characters = isSimple(text) ? text : Array.from(text);
    const { length } = characters;
    if (length <= first + last) return filler.repeat(length);
    const [head, tail] = [characters.slice(0, first), characters.slice(length - last)];
    return join(head) + filler.repeat(length - first - last) + join(tail);
  };
}

const join = (characters: string | string[]) => (typeof characters === 'string' ? characters : characters.join(''));

/** Whether each unit of the text is a character of its own. */
const isSimple = (text: string) => !/[\uD800-\uDFFF]/.test(text);
