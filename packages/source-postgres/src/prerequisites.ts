import { asConnectorError, type ConnectorError, type Problem } from '@fjord/core';
import type { Config } from './config.ts';
import { connect, type Connection } from './connection.ts';
import { type ConnectionSettings, settingsOf } from './connection-settings.ts';
import { sqlState } from './driver-errors.ts';
import { findPrivilegeProblems } from './privilege-problems.ts';
import { quoteIdentifier } from './quoting.ts';
import { findServerProblems, type LoadOptions } from './server-problems.ts';

/** Finds all that keeps this config from being read, each with what to do about it. It changes nothing on the server. */
export async function findProblems(config: Config & LoadOptions): Promise<Problem[]> {
  let settings: ConnectionSettings | undefined;
  let connection: Connection;
  try {
    settings = settingsOf(config);
    connection = await connect(config);
  } catch (error) {
    return [connectProblem(asConnectorError(error), settings)];
  }
  await using open = connection;
  const { isTooOld, problems } = await findServerProblems(open, config);
  if (isTooOld) return problems;
  const { user, database } = open.target;
  return [...problems, ...(await findPrivilegeProblems(open, { user, database, schemas: config.schemas }))];
}

function connectProblem(error: ConnectorError, settings: ConnectionSettings | undefined): Problem {
  const user = quoteIdentifier(settings?.user ?? '');
  const database = quoteIdentifier(settings?.database ?? '');
  const state = sqlState(error.cause);
  const fixes: Record<string, string | undefined> = {
    '28P01': `Correct the password, or set it on the server: ALTER ROLE ${user} PASSWORD '…';`,
    '3D000': `Correct the option \`database\`, or create it: CREATE DATABASE ${database};`,
    '42501': `GRANT CONNECT ON DATABASE ${database} TO ${user};`,
  };
  return { code: error.code, message: error.message, fix: (state && fixes[state]) ?? error.help };
}
