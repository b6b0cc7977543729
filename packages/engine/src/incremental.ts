import { ConnectorError, type Incremental, type Stream } from '@fjord/core';
import { type Static, Type } from '@fjord/core/schema';
import { ChangesOptions } from './changes.ts';

const Text = Type.String({ minLength: 1 });

/** The options of a pipeline's entry that make its streams incremental. */
export const IncrementalOptions = {
  syncMode: Type.Optional(
    Type.Union([Type.Literal('full'), Type.Literal('incremental'), Type.Literal('changes')], {
      title: 'Sync mode',
      description:
        'full: all rows are read. incremental: after the first run only rows whose cursor is not below the greatest one read so far. changes: after the copy the change log is followed.',
      default: 'full',
    }),
  ),
  cursor: Type.Optional(
    Type.Union([Text, Type.Array(Text, { minItems: 1 })], {
      title: 'Cursor',
      description:
        'The columns that grow with each change of a row, such as updated_at; several are compared in order.',
    }),
  ),
  cursorFallback: Type.Optional(
    Type.String({
      title: 'Cursor fallback',
      description: 'The column that counts where the cursor is null, such as created_at.',
      minLength: 1,
    }),
  ),
  lookbackSeconds: Type.Optional(
    Type.Number({
      title: 'Lookback',
      description:
        'How many seconds below the greatest cursor rows are looked for that were committed late; only for dates and times.',
      default: 0,
      minimum: 0,
    }),
  ),
};

type Rule = Static<ReturnType<typeof ruleSchema>>;
const ruleSchema = () =>
  Type.Object({
    ...IncrementalOptions,
    writeMode: Type.Optional(Type.String()),
    deleteFiles: ChangesOptions.deleteFiles,
  });

/** What an entry says about reading a stream incrementally. Refuses what cannot be meant, naming the entry's `place`. */
export function selectIncremental(stream: Stream, rule: Rule, place: string): { incremental?: Incremental } {
  const { syncMode = 'full', cursor, cursorFallback: fallback, lookbackSeconds = 0, writeMode, deleteFiles } = rule;
  const columns = typeof cursor === 'string' ? [cursor] : (cursor ?? []);
  if (syncMode !== 'incremental') {
    if (columns.length === 0 && fallback === undefined && lookbackSeconds === 0) return {};
    throw refuse(place, `cursor options have no effect on sync mode "${syncMode}"`, 'Set `syncMode: incremental`.');
  }
  if (columns.length === 0) throw refuse(place, `${stream.stream} has no \`cursor\``, candidatesOf(stream));
  if (writeMode === 'overwrite') {
    throw refuse(place, `an increment of ${stream.stream} cannot overwrite its table`, 'Set `writeMode: append`.');
  }
  if (fallback !== undefined && columns.length > 1) {
    throw refuse(place, 'a cursor of several columns has no fallback', 'Name one cursor column, or no fallback.');
  }
  const missing = [...columns, ...(fallback === undefined ? [] : [fallback])].find((name) => !hasColumn(stream, name));
  if (missing !== undefined) {
    throw refuse(place, `${stream.stream} has no column "${missing}"`, candidatesOf(stream));
  }
  if (!stream.syncModes.includes('incremental')) {
    throw refuse(place, `the source cannot read ${stream.stream} incrementally`, 'Set `syncMode: full`.');
  }
  return {
    incremental: {
      cursor: columns,
      ...(fallback !== undefined && { fallback }),
      ...(lookbackSeconds > 0 && { lookbackSeconds }),
      ...(deleteFiles !== undefined && { deleteFiles }),
    },
  };
}

const hasColumn = ({ columns }: Stream, name: string) => columns.some((column) => column.name === name);

const candidatesOf = ({ cursorCandidates }: Stream) =>
  cursorCandidates.length === 0
    ? 'Choose a column that grows with each change of a row.'
    : `Columns that could serve: ${cursorCandidates.join(', ')}.`;

const refuse = (place: string, why: string, help: string) =>
  new ConnectorError('config_invalid', `${place}: ${why}.`, { help });
