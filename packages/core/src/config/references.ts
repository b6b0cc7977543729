import { readFileSync } from 'node:fs';
import { ConnectorError } from '../errors.ts';

const REFERENCE = /\$\{(env|file):([^}]+)\}/g;

/** A config with its `${env:NAME}` and `${file:path}` references filled in; `values` are what they stood for, to be kept out of every output. */
export type ResolvedConfig = { config: unknown; values: string[] };

/** Fills in references in every string of a config. A missing variable or unreadable file is `config_reference`, naming it and the option. */
export function resolveReferences(config: unknown): ResolvedConfig {
  const values: string[] = [];
  return { config: resolveValue(config, '', values), values };
}

function resolveValue(value: unknown, path: string, values: string[]): unknown {
  if (typeof value === 'string') {
    return value.replace(REFERENCE, (_, kind: string, name: string) => {
      const resolved = kind === 'env' ? readVariable(name, path) : readSecretFile(name, path);
      values.push(resolved);
      return resolved;
    });
  }
  if (Array.isArray(value)) return value.map((item, index) => resolveValue(item, `${path}[${index}]`, values));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, resolveValue(item, path === '' ? key : `${path}.${key}`, values)]),
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
