import { execFile } from 'node:child_process';
import { ConnectorError } from '@fjord/core';

// The command lines of the clouds are slow to start, and may ask a metadata service first.
const COMMAND_TIMEOUT_MS = 60_000;

type Kept = { password: Promise<string>; until: number };

/** Outputs of password commands, per command: each thread that connects has its own. */
const kept = new Map<string, Kept>();

/**
 * The password to log in with, none being the empty text. The output of a command is used again for as long as its option says; when the
 * command fails, the error names the program alone: its arguments and its output may hold secrets.
 */
export async function readPassword(settings: PasswordSettings): Promise<string> {
  const { password, passwordCommand } = settings;
  if (passwordCommand === undefined) return password ?? '';
  const key = JSON.stringify(passwordCommand.command);
  const known = kept.get(key);
  if (known && performance.now() < known.until) return known.password;
  const fresh = { password: runCommand(passwordCommand.command), until: performance.now() + passwordCommand.keepMs };
  kept.set(key, fresh);
  fresh.password.catch(() => kept.delete(key));
  return fresh.password;
}

/** Forgets a password that the server refused; true if a new one can be had by running the command again. */
export function forgetPassword({ passwordCommand }: PasswordSettings, refused: string): Promise<boolean> {
  if (passwordCommand === undefined) return Promise.resolve(false);
  return forgetOutput(JSON.stringify(passwordCommand.command), refused);
}

/** A password, or the command whose output is one, and for how many milliseconds. */
export type PasswordSettings = {
  password: string | undefined;
  passwordCommand: { command: string[]; keepMs: number } | undefined;
};

async function forgetOutput(key: string, refused: string): Promise<boolean> {
  const known = kept.get(key);
  // Another connection may have replaced it meanwhile.
  if (known && (await known.password.catch(() => undefined)) === refused && kept.get(key) === known) kept.delete(key);
  return true;
}

function runCommand([program = '', ...args]: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(program, args, { timeout: COMMAND_TIMEOUT_MS, encoding: 'utf8' }, (error, stdout) => {
      const password = stdout.replace(/\r?\n$/, '');
      if (error) reject(commandFailed(program, describe(error)));
      else if (password === '') reject(commandFailed(program, 'printed nothing'));
      else resolve(password);
    });
  });
}

function describe({ code, signal, killed }: { code?: unknown; signal?: unknown; killed?: boolean }): string {
  if (killed) return `did not end within ${COMMAND_TIMEOUT_MS / 1000} seconds`;
  if (typeof code === 'number') return `ended with exit code ${code}`;
  return typeof code === 'string' ? `could not be started (${code})` : `was ended by ${String(signal)}`;
}

function commandFailed(program: string, how: string): ConnectorError {
  return new ConnectorError('authentication_failed', `The program "${program}" of option passwordCommand ${how}.`, {
    help: 'Run the command by hand as the user that runs Fjord; what it prints is not shown here, since it may hold a secret.',
  });
}
