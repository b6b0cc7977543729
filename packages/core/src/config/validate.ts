import type { Static, TSchema } from '../schema.ts';
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import { ConnectorError } from '../errors.ts';

/** A checked config: defaults filled in, and warnings for keys that no option has. */
export type ValidConfig<Schema extends TSchema> = { config: Static<Schema>; warnings: string[] };

/** Checks a value against a schema, filling in defaults. `config_invalid` names every wrong option; `what` says whose they are. */
export function validateConfig<Schema extends TSchema>(
  schema: Schema,
  value: unknown,
  what: string,
): ValidConfig<Schema> {
  const problems = findConfigProblems(schema, value);
  if (problems.length > 0) throw new ConnectorError('config_invalid', `${what}: ${problems.map(describe).join('; ')}.`);
  return { config: value as Static<Schema>, warnings: findUnknownKeys(schema, value, '') };
}

/** A fault in a config: `path` is the option as `a.b[0]`, empty for the whole. */
export type ConfigProblem = { path: string; message: string };

/** To compile a schema takes longer than to check most values. */
const compiled = new WeakMap<TSchema, ValidateFunction>();

/** All faults of a value against a schema (not only the first). Fills defaults in place; text is taken as number or boolean where it spells one. */
export function findConfigProblems(schema: TSchema, value: unknown): ConfigProblem[] {
  const validate = compiled.get(schema) ?? compile(schema);
  if (validate(value)) return [];
  const faults = (validate.errors ?? []).filter((error) => !isBranchError(error, validate.errors ?? []));
  return faults.map(toProblem);
}

function compile(schema: TSchema): ValidateFunction {
  const ajv = new Ajv({
    allErrors: true,
    useDefaults: true,
    verbose: true,
    coerceTypes: false,
    strict: false,
    validateFormats: false,
    // Schemas are made by TypeBox: to check them by the schema of schemas would take most of the time.
    validateSchema: false,
    meta: false,
  });
  const validate = ajv.compile(schema);
  compiled.set(schema, validate);
  return validate;
}

/** Drops the noise that every branch of a union adds beside the union's own error. */
function isBranchError(error: ErrorObject, all: ErrorObject[]): boolean {
  return all.some(
    (other) => other !== error && other.keyword === 'anyOf' && error.schemaPath.startsWith(`${other.schemaPath}/`),
  );
}

function toProblem(error: ErrorObject): ConfigProblem {
  const path = error.instancePath
    .slice(1)
    .replaceAll('/', '.')
    .replace(/\.(\d+)(?=\.|$)/g, '[$1]');
  switch (error.keyword) {
    case 'required':
      return { path: join(path, String(error.params['missingProperty'])), message: 'is required' };
    case 'additionalProperties':
      return { path: join(path, String(error.params['additionalProperty'])), message: 'is not an option' };
    case 'anyOf':
      return { path, message: `must be ${alternatives(error)}` };
    case 'const':
      return { path, message: `must be ${JSON.stringify(error.params['allowedValue'])}` };
    default:
      return { path, message: error.message ?? 'is not valid' };
  }
}

function alternatives(error: ErrorObject): string {
  const branches: unknown = error.schema;
  if (!Array.isArray(branches)) return 'one of its forms';
  const values = branches.map((branch: { const?: unknown; type?: string }) =>
    branch.const === undefined ? (branch.type ?? 'another form') : JSON.stringify(branch.const),
  );
  return `one of ${values.join(', ')}`;
}

const join = (path: string, key: string) => (path === '' ? key : `${path}.${key}`);
const describe = ({ path, message }: ConfigProblem) =>
  path === '' ? `the config ${message}` : `option ${path} ${message}`;

function findUnknownKeys(schema: TSchema, value: unknown, path: string): string[] {
  const properties: unknown = schema['properties'];
  if (typeof value !== 'object' || value === null || typeof properties !== 'object' || properties === null) return [];
  return Object.entries(value).flatMap(([key, item]) => {
    const known: TSchema | undefined = (properties as Record<string, TSchema>)[key];
    return known ? findUnknownKeys(known, item, join(path, key)) : [join(path, key)];
  });
}
