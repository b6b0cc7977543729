import { ConnectorError, resolveReferences } from '@fjord/core';
import type { PasswordSettings } from './password.ts';

const DEFAULT_KEEP_ALIVE_SECONDS = 30;
// Tokens of the clouds live from 15 minutes (Amazon RDS) to an hour.
const DEFAULT_PASSWORD_MINUTES = 10;

type Secrets = { uri: string | undefined; password: string | undefined };

/** The options of all connections, defaults filled in. */
type SharedOptions<Tls> = {
  tls: Tls;
  passwordCommand?: string[];
  passwordMinutes?: number;
  connectTimeoutSeconds: number;
  keepAliveSeconds?: number;
};

/** What every connection needs besides its server and its user. Times are in milliseconds. */
export type SharedSettings<Tls> = PasswordSettings & { tls: Tls; connectTimeoutMs: number; keepAliveMs: number };

/** `config_invalid`: `fault` is what the connection has or needs. */
export const invalidConnection = (fault: string) =>
  new ConnectorError('config_invalid', `The source's connection ${fault}.`);

/** The options that may be or hold secrets, with files of secrets as they are now. */
export function readSecrets({ uri, password }: { uri?: string; password?: string }): Secrets {
  return resolveReferences({ uri, password }).config as Secrets;
}

/** The error where options are missing, by their names and values; an URI would say all of them. */
export function missingOptions(values: Record<string, unknown>): ConnectorError {
  const missing = Object.entries(values).flatMap(([name, value]) => (value ? [] : [`\`${name}\``]));
  return invalidConnection(`needs ${missing.join(', ')}, or \`uri\``);
}

/** Refuses options beside an URI that says what they say. */
export function forbidBesideUri(values: Record<string, unknown>): void {
  for (const [name, value] of Object.entries(values)) {
    if (value !== undefined) throw invalidConnection(`has both \`uri\` and \`${name}\``);
  }
}

/** The password of an URI, or the one that was given alone; both are too many. */
export function onePassword(inUri: string | undefined, separate: string | undefined): string | undefined {
  if (inUri !== undefined && separate !== undefined) {
    throw invalidConnection('has a password twice, in `uri` and alone');
  }
  return inUri ?? separate;
}

/** The settings that all connections have, from their options and the password as it is now. */
export function sharedSettings<Tls>(options: SharedOptions<Tls>, password: string | undefined): SharedSettings<Tls> {
  const { passwordCommand: command, passwordMinutes = DEFAULT_PASSWORD_MINUTES } = options;
  if (password !== undefined && command !== undefined) {
    throw invalidConnection('has both `password` and `passwordCommand`');
  }
  return {
    password,
    passwordCommand: command && { command, keepMs: passwordMinutes * 60_000 },
    tls: options.tls,
    connectTimeoutMs: options.connectTimeoutSeconds * 1000,
    keepAliveMs: (options.keepAliveSeconds ?? DEFAULT_KEEP_ALIVE_SECONDS) * 1000,
  };
}
