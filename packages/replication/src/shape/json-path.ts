import type { Call, Compute } from './expression.ts';

/** A key of an object or an index of an array, one after the other. */
type Path = (string | number)[];

/** Keeps numbers as they are written: JavaScript's would round them. Node has these, the compiler's library not yet. */
type RawJson = typeof JSON & {
  rawJSON(text: string): object;
  isRawJSON(value: unknown): value is { rawJSON: string };
};
const raw = JSON as RawJson;
const keepNumbers = (_: string, value: unknown, { source }: { source?: string } = {}) =>
  typeof value === 'number' && source !== undefined ? raw.rawJSON(source) : value;

/**
 * Reads what lies at a path of a JSON text: text unquoted, all else as JSON. Null where nothing or null lies there; text that is no JSON
 * is rejected.
 */
export function readJsonPath(call: Call): Compute {
  const path = parseJsonPath(String(call.literal(1)));
  if (!path) throw new Error('the selection holds a path that is none');
  return ([text]) => {
    let found: unknown;
    try {
      found = JSON.parse(text as string, keepNumbers as (key: string, value: unknown) => unknown);
    } catch {
      return call.reject();
    }
    for (const step of path) {
      if (typeof found !== 'object' || found === null || raw.isRawJSON(found) || !Object.hasOwn(found, step))
        return null;
      // An array has its length and an object no numbers: each takes only steps of its own kind.
      if (Array.isArray(found) !== (typeof step === 'number')) return null;
      found = (found as Record<string | number, unknown>)[step];
    }
    if (found === null || found === undefined) return null;
    return typeof found === 'string' ? found : JSON.stringify(found);
  };
}

function parseJsonPath(text: string): Path | undefined {
  const steps = [...text.slice(1).matchAll(/\.([A-Za-z_][\w-]*)|\["((?:[^"\\]|\\.)*)"\]|\[(\d+)\]/gy)];
  const length = steps.reduce((sum, [step]) => sum + step.length, 1);
  if (!text.startsWith('$') || length !== text.length) return undefined;
  return steps.map(([, name, quoted, index]) =>
    index === undefined ? (name ?? String(JSON.parse(`"${quoted ?? ''}"`))) : Number(index),
  );
}
