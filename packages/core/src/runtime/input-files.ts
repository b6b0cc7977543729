import { readFileSync } from 'node:fs';
import type { Static, TSchema } from '../schema.ts';
import { resolveReferences } from '../config/references.ts';
import { findSecrets } from '../config/secrets.ts';
import { validateConfig } from '../config/validate.ts';
import { ConnectorError } from '../errors.ts';
import { type Selection, SelectionSchema } from '../protocol/catalog.ts';
import type { Expression } from '../protocol/shape.ts';
import type { Log } from '../run-context.ts';

/** Reads, resolves and checks a connector's config file; its secrets are handed to `hide` before anything else can be said about it. */
export function loadConfig(file: string, schema: TSchema, tools: { hide(values: string[]): void; log: Log }): unknown {
  const { config: resolved, values } = resolveReferences(readJson(file, 'The config file'), schema);
  // What was not filled in yet may be part of a secret: a URI with a password in it.
  const { config: filled } = resolveReferences(resolved);
  tools.hide([...values, ...findSecrets(schema, filled)]);
  const { config, warnings } = validateConfig(schema, resolved, 'The config is not valid');
  for (const option of warnings) tools.log('warn', 'unknown option ignored', { option });
  return config;
}

/** Reads and checks the file of selected streams. */
export function loadSelection(file: string): Selection {
  return validateConfig(SelectionSchema, readJson(file, 'The streams file'), 'The streams file is not valid').config;
}

/** Fills in the references in the salts of hashed columns, in place: only the source, which hashes, ever knows them. */
export function resolveSalts({ streams }: Selection, hide: (values: string[]) => void): void {
  for (const { shape } of streams) {
    for (const { expression } of shape?.outputs ?? []) {
      if (!('call' in expression) || expression.call !== 'hash') continue;
      const { config, values } = resolveReferences({ salt: expression.arguments[1] });
      hide(values);
      expression.arguments[1] = (config as { salt: Expression }).salt;
    }
  }
}

/** The states to resume from: per stream id, and the shared one. */
export type States = { streams: Map<string, unknown>; shared: unknown };

/** Reads the state file of `read`: `{ "streams": { id: state }, "shared": … }`. */
export function loadStates(file: string | undefined): States {
  if (file === undefined) return { streams: new Map(), shared: undefined };
  const value = readJson(file, 'The state file');
  if (typeof value !== 'object' || value === null) {
    throw new ConnectorError('arguments_invalid', `The state file ${file} does not hold a JSON object.`);
  }
  const streams = 'streams' in value && typeof value.streams === 'object' ? value.streams : {};
  return { streams: new Map(Object.entries(streams ?? {})), shared: 'shared' in value ? value.shared : undefined };
}

/** Reads and checks a file that holds JSON of a shape; `what` names it should it be wrong. */
export function loadShaped<Schema extends TSchema>(file: string, schema: Schema, what: string): Static<Schema> {
  return validateConfig(schema, readJson(file, what), `${what} is not valid`).config;
}

/** The text of a file; `what` names it should it be unreadable. */
export function readText(file: string, what: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new ConnectorError('arguments_invalid', `${what} ${file} cannot be read.`, { cause });
  }
}

function readJson(file: string, what: string): unknown {
  const text = readText(file, what);
  try {
    return JSON.parse(text);
  } catch {
    // The parser's own message quotes the text, which may hold a secret.
    throw new ConnectorError('arguments_invalid', `${what} ${file} is not JSON.`);
  }
}
