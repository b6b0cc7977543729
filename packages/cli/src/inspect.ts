import { formatColumnType } from '@fjord/core';
import { advisePartition, editorSchema, findProblems } from '@fjord/engine';
import type { Arguments } from './main.ts';
import { formatBytes, formatCount, table } from './table-text.ts';
import { withSession } from './with-session.ts';
import { print } from './screen.ts';

/** `fjord check`: all problems of both connectors, and of what the pipeline chooses. */
export function check(args: Arguments): Promise<number> {
  return withSession(args, async (session) => {
    const problems = await findProblems(session);
    if (args.json) print(JSON.stringify({ ok: problems.length === 0, problems }));
    else if (problems.length === 0) print('All is well: both sides can be reached and have what a sync needs.');
    else for (const { from, message, fix } of problems) print(`problem (${from}): ${message}\n  fix: ${fix}`);
    return problems.length === 0 ? 0 : 2;
  });
}

/** `fjord discover`: the streams of the source. */
export function discover(args: Arguments): Promise<number> {
  return withSession(args, async (session) => {
    const { streams } = await session.catalog();
    if (args.json) {
      print(JSON.stringify({ streams }));
      return 0;
    }
    const rows = streams.map((stream) => [
      stream.stream,
      stream.primaryKey.join(', ') || '-',
      String(stream.columns.length),
      stream.estimatedRows === undefined ? '?' : formatCount(stream.estimatedRows),
      stream.estimatedBytes === undefined ? '?' : formatBytes(stream.estimatedBytes),
    ]);
    print(table(['stream', 'key', 'columns', '~rows', '~size'], rows));
    for (const stream of streams) {
      const advice = advisePartition(stream);
      if (advice) print(`advice: partition ${stream.stream} by ${advice.partition.join(', ')}, since ${advice.reason}`);
    }
    for (const { unreadable } of streams)
      if (unreadable) print(`unreadable: ${unreadable.message}\n  fix: ${unreadable.fix}`);
    const columns = streams[0]?.columns ?? [];
    if (streams.length === 1) print(columns.map(({ name, type }) => `  ${name}: ${formatColumnType(type)}`).join('\n'));
    return 0;
  });
}

/** `fjord state`: what the tables hold. */
export function state(args: Arguments): Promise<number> {
  return withSession(args, async (session) => {
    const { file } = await session.select(await session.catalog());
    const states = await session.states(file);
    for (const { stream, state: durable } of states) print(JSON.stringify({ stream: stream ?? null, state: durable }));
    if (states.length === 0 && !args.json) print('The tables hold nothing of this pipeline yet.');
    return 0;
  });
}

/** `fjord spec`: the pipeline's schema with the options of both connectors in place. */
export function spec(args: Arguments): Promise<number> {
  return withSession(args, async (session) => {
    const [source, destination] = await session.specs();
    const pipeline = editorSchema({ source: source.config as never, destination: destination.config as never });
    print(JSON.stringify({ source, destination, pipeline }, null, args.json ? 0 : 2));
    return 0;
  });
}
