import type { TSchema } from '../schema.ts';

/** Shorter values cannot be told from ordinary text, so replacing them would only garble messages. */
const MIN_SECRET_LENGTH = 4;

/** The password and other secrets inside of a URI, as they stand there and decoded. */
const URI_SECRETS = /:\/\/[^:@/?#]*:([^@/?#]*)@|[?&](?:password|sslpassword)=([^&#]*)/g;

/** A URI with neither a user nor parameters is an address, which messages name. */
const MAY_HOLD_SECRETS = /[@?]/;

/** The values of a config's secret options (`secret: true` in the schema), at any depth; of a secret URI also the password in it, and nothing if it is but an address. */
export function findSecrets(schema: TSchema, config: unknown): string[] {
  if (typeof config === 'string') {
    if (schema['secret'] !== true) return [];
    if (schema['format'] !== 'uri') return [config];
    return MAY_HOLD_SECRETS.test(config) ? [config, ...findUriSecrets(config)] : [];
  }
  if (typeof config !== 'object' || config === null) return [];
  const branches: TSchema[] = [...(schema['anyOf'] ?? []), ...(schema['allOf'] ?? [])];
  const own = Object.entries(config).flatMap(([key, value]) => {
    const property: TSchema | undefined = schema['properties']?.[key];
    return property ? findSecrets(property, value) : [];
  });
  return [...own, ...branches.flatMap((branch) => findSecrets(branch, config))];
}

function findUriSecrets(uri: string): string[] {
  return [...uri.matchAll(URI_SECRETS)].flatMap(([, password, parameter]) => {
    const text = password ?? parameter ?? '';
    try {
      return [...new Set([text, decodeURIComponent(text)])];
    } catch {
      // Whoever uses the URI refuses it, with a message of his own.
      return [text];
    }
  });
}

/** A function that replaces every known secret in a text by `***`; `add` makes more values known. */
export function createRedactor(): { redact(text: string): string; add(values: Iterable<string>): void } {
  const secrets = new Set<string>();
  return {
    add(values) {
      for (const value of values) {
        if (value.length < MIN_SECRET_LENGTH) continue;
        secrets.add(value);
        // Lines are JSON: a secret with quotes or backslashes appears there in its escaped form.
        secrets.add(JSON.stringify(value).slice(1, -1));
        secrets.add(encodeURIComponent(value));
      }
    },
    redact(text) {
      let clean = text;
      for (const secret of secrets) clean = clean.replaceAll(secret, '***');
      return clean;
    },
  };
}
