import { asConnectorError, type ConnectorError, type Problem } from '@fjord/core';
import type { ReplicationOptions } from '@fjord/replication';
import type { Config } from './config.ts';
import { connect, type Connection } from './connection.ts';
import { serverErrorNumber } from './driver-errors.ts';
import { findPrivilegeProblems } from './privilege-problems.ts';
import { findServerProblems } from './server-problems.ts';

/** Finds all that keeps this config from being read, each with what to do about it. It changes nothing on the server. */
export async function findProblems(config: Config & Pick<ReplicationOptions, 'parallel'>): Promise<Problem[]> {
  let connection: Connection;
  try {
    connection = await connect(config);
  } catch (error) {
    return [connectProblem(asConnectorError(error), config)];
  }
  await using open = connection;
  const { isTooOld, problems } = await findServerProblems(open, config);
  if (isTooOld) return problems;
  return [...problems, ...(await findPrivilegeProblems(open, config.schemas))];
}

const ACCESS_DENIED = 1045;

function connectProblem(error: ConnectorError, { user }: Config): Problem {
  const isDenied = serverErrorNumber(error.cause) === ACCESS_DENIED && user !== undefined;
  const fix = isDenied
    ? `Correct the password, or set it on the server: ALTER USER '${user.replaceAll("'", "''")}'@'%' IDENTIFIED BY '…';`
    : error.help;
  return { code: error.code, message: error.message, fix };
}
