import { runPython } from '../../src/index.ts';
import type { Pipeline } from './pipeline.ts';

type Keys = Record<'missing' | 'extra' | 'changed', Record<string, unknown>[]>;
type Verdict = {
  stream: string;
  status: string;
  rows: { source: number; table: number };
  ranges: { count: number; differing: number[] };
  keys: Keys;
  notes: string[];
};

/** Runs `fjord verify` and takes its verdicts apart. */
export async function verify(pipeline: Pipeline, ...args: string[]) {
  const { exitCode, stdout, stderr } = await pipeline.run('verify', ...args);
  const { streams } = JSON.parse(stdout || '{"streams":[]}') as { streams: Verdict[] };
  return { exitCode, stderr, streams, by: (stream: string) => streams.find((one) => one.stream === stream)! };
}

/** Changes a table by PyIceberg behind Fjord's back; the body finds `table`, `rows(filter)` and `put(rows, column, values)`. */
export async function damage(
  pipeline: Pipeline,
  name: [namespace: string, table: string],
  body: string,
): Promise<void> {
  const script = `
import sys
import pyarrow as pa, pyarrow.compute as pc
from pyiceberg.catalog import load_catalog
lake = sys.argv[1] + '/lake'
catalog = load_catalog('fjord', type='sql', uri='sqlite:///' + lake + '/catalog.db', warehouse='file://' + lake)
table = catalog.load_table((sys.argv[2], sys.argv[3]))
def rows(where): return table.scan(row_filter=where).to_arrow()
def put(rows, column, values):
    at = rows.schema.get_field_index(column)
    return rows.set_column(at, rows.schema.field(at), pa.array(values, rows.schema.field(at).type))
${body}`;
  await runPython(script, [pipeline.folder, ...name]);
}

const ids = (keys: Record<string, unknown>[]) => keys.map(({ id }) => Number(id)).toSorted((a, b) => a - b);
/** The ids of the rows that are lost, added and changed. */
export const numbers = ({ missing, extra, changed }: Keys) => [ids(missing), ids(extra), ids(changed)];
