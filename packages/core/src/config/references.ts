import { readFileSync } from 'node:fs';
import type { TSchema } from '../schema.ts';
import { ConnectorError } from '../errors.ts';

const REFERENCE = /\$\{(env|file):([^}]+)\}/g;

/** A config with its `${env:NAME}` and `${file:path}` references filled in; `values` are what they stood for, to be kept out of every output. */
export type ResolvedConfig = { config: unknown; values: string[] };

/**
 * Fills in references in every string of a config. A missing variable or unreadable file is `config_reference`, naming it and the option.
 * An option that `schema` marks as `refreshed` keeps its reference, since the connector resolves it whenever it needs it; its value of now
 * is among `values` all the same.
 */
export function resolveReferences(config: unknown, schema?: TSchema): ResolvedConfig {
  const values: string[] = [];
  return { config: resolveValue(config, { path: '', schema }, values), values };
}

type Place = { path: string; schema: TSchema | undefined };

function resolveValue(value: unknown, { path, schema }: Place, values: string[]): unknown {
  if (typeof value === 'string') {
    const filled = value.replace(REFERENCE, (_, kind: string, name: string) => {
      const resolved = kind === 'env' ? readVariable(name, path) : readSecretFile(name, path);
      values.push(resolved);
      return resolved;
    });
    return schema?.['refreshed'] === true ? value : filled;
  }
  if (Array.isArray(value)) {
    return value.map((item, index) => resolveValue(item, { path: `${path}[${index}]`, schema: undefined }, values));
  }
  if (typeof value !== 'object' || value === null) return value;
  const properties: Record<string, TSchema | undefined> = schema?.['properties'] ?? {};
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => {
      const place = { path: path === '' ? key : `${path}.${key}`, schema: properties[key] };
      return [key, resolveValue(item, place, values)];
    }),
  );
}

function readVariable(name: string, path: string): string {
  const value = process.env[name];
  if (value !== undefined) return value;
  throw new ConnectorError(
    'config_reference',
    `Option ${path} names the environment variable ${name}, which is not set.`,
  );
}

function readSecretFile(name: string, path: string): string {
  try {
    // Secret files usually end in a newline that is not part of the secret.
    return readFileSync(name, 'utf8').replace(/\r?\n$/, '');
  } catch (cause) {
    throw new ConnectorError('config_reference', `Option ${path} names the file ${name}, which cannot be read.`, {
      cause,
    });
  }
}
