import { ConnectorError, type ErrorCode, type Problem, type SelectedStream } from '@fjord/core';
import type { Connection } from './connection.ts';
import { findLogServerProblems } from './log-server-problems.ts';
import { findLogStreamProblems, loadLoggedTables, type LoggedTable } from './log-stream-problems.ts';
import {
  findPublication,
  pasteFix,
  publicationProblems,
  publicationStatements,
  standbyProblem,
} from './publication.ts';
import { dropStatement, findSlot, type Slot } from './slot.ts';

/** What following needs: these streams, through this slot and publication, which is our own unless the user has named it. */
export type LogNeeds = {
  streams: readonly SelectedStream[];
  slot: string;
  publication: string;
  isOurs: boolean;
  version: number;
};

/** Finds all that keeps streams from following the log, or endangers it, each with the fix. */
export async function findLogProblems(connection: Connection, needs: LogNeeds): Promise<Problem[]> {
  const tables = await loadLoggedTables(connection, needs.streams);
  const slot = await findSlot(connection, needs.slot);
  return [
    ...(await findLogServerProblems(connection, needs.slot)),
    ...(slot ? slotProblems(slot, connection) : []),
    ...findLogStreamProblems(needs.streams, tables, needs.version),
    ...(await findPublicationProblems(connection, tables, needs)),
  ];
}

/** Makes sure that publishing these streams harms nobody: updates of a published table whose rows cannot be told apart fail, whoever makes them. */
export async function requireIdentities(connection: Connection, { streams, version }: LogNeeds): Promise<void> {
  const [problem] = findLogStreamProblems(streams, await loadLoggedTables(connection, streams), version);
  if (!problem) return;
  const { code, message, fix, stream } = problem;
  throw new ConnectorError(code as ErrorCode, message, { help: fix, ...(stream !== undefined && { stream }) });
}

/** Makes sure that a slot, if it is there, is one that changes of this database can be read through: another's is nobody's to move or drop. */
export function requireFitting(slot: Slot | undefined, connection: Connection): void {
  const [problem] = slot ? slotProblems(slot, connection) : [];
  if (problem) throw new ConnectorError('config_invalid', problem.message, { help: problem.fix });
}

function slotProblems(slot: Slot, { target }: Connection): Problem[] {
  const name = slot.slot_name;
  if (slot.plugin === 'pgoutput' && slot.database === target.database && !slot.temporary) return [];
  const what = slot.plugin === null ? 'a physical one' : `of plugin ${slot.plugin}, for database "${slot.database}"`;
  return [
    {
      code: 'config_invalid',
      message: `Replication slot "${name}" is another's: ${what}.`,
      fix: `Choose another name (option \`slot\`), or: ${dropStatement(name)}`,
    },
  ];
}

async function findPublicationProblems(
  connection: Connection,
  tables: readonly LoggedTable[],
  { streams, publication: name, isOurs, version }: LogNeeds,
): Promise<Problem[]> {
  const found = await findPublication(connection, name);
  const wanted = { name, streams, version, isOurs };
  const statements = publicationStatements(found, wanted);
  const [right] = await connection.query<{ mayCreate: boolean }>(
    `SELECT pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE') AS "mayCreate"`,
  );
  const mayChange = (found ? found.isOwn : right?.mayCreate) && tables.every(({ mayPublish }) => mayPublish);
  return [
    ...(found ? publicationProblems(found, wanted) : []),
    ...(statements.length > 0 && connection.isStandby ? [standbyProblem(statements)] : []),
    ...(statements.length > 0 && !connection.isStandby && !mayChange
      ? [
          {
            code: 'permission_denied',
            message: `User "${connection.target.user}" may not make publication "${name}" of all tables that are to be followed.`,
            fix: pasteFix(statements),
          },
        ]
      : []),
  ];
}
