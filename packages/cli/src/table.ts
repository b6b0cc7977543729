import { ConnectorError, type Message } from '@fjord/core';
import { withSession } from './with-session.ts';
import type { Arguments } from './main.ts';
import { overview, tableText } from './table-view.ts';
import { print } from './screen.ts';

/** `fjord table`: how the tables of the pipeline are, one line each, or all about one. */
export function showTables(args: Arguments): Promise<number> {
  return withSession(args, async (session) => {
    const { file } = await session.selectTables();
    const tables = await session.tables(file);
    const { subject } = args;
    if (subject === undefined) print(args.json ? JSON.stringify({ tables }) : overview(tables));
    else {
      const found = findTable(tables, subject);
      print(args.json ? JSON.stringify(found) : tableText(found, Date.now()));
    }
    return 0;
  });
}

/** The table of that whole name, else the one of that bare name or of the stream called so. */
function findTable(tables: readonly Message<'TABLE'>[], name: string): Message<'TABLE'> {
  const whole = tables.find(({ table }) => table === name);
  const others = tables.filter(({ table, stream }) => stream === name || table.endsWith(`.${name}`));
  const [only, second] = whole ? [whole] : others;
  if (only && !second) return only;
  const names = (second ? others : tables).map(({ table }) => table).join(', ');
  throw new ConnectorError(
    'arguments_invalid',
    second ? `Several tables are called ${name}.` : `The pipeline has no table ${name}.`,
    { help: `Its tables are ${names}.` },
  );
}
