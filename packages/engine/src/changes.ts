import { type Changes, ConnectorError, type Stream, type WriteMode } from '@fjord/core';
import { type Static, Type } from '@fjord/core/schema';

/** The options of a pipeline's entry that say how changes of its streams reach their tables. */
export const ChangesOptions = {
  deletes: Type.Optional(
    Type.Union([Type.Literal('hard'), Type.Literal('soft'), Type.Literal('ignore')], {
      title: 'Deletes',
      description:
        'What a row that was deleted in the source becomes in an upserted table. hard (unless set): it goes. soft: it stays, with the time in _fjord_deleted_at. ignore: it stays as it was.',
    }),
  ),
  deleteFiles: Type.Optional(
    Type.Union([Type.Literal('position'), Type.Literal('equality'), Type.Literal('copy-on-write')], {
      title: 'Delete files',
      description:
        'How rows are taken out of data files in upserted tables. position (unless set): by their place, which every engine reads. equality: by their key, for huge tables that are seldom read. copy-on-write: by none, the data files are written anew, for tables that are read much more than changed.',
    }),
  ),
  metadataColumns: Type.Optional(
    Type.Boolean({
      title: 'Metadata columns',
      description:
        'Whether the table says (unless set, it does) of each row by which change it came and when: _fjord_op, _fjord_position, _fjord_committed_at, _fjord_loaded_at.',
    }),
  ),
};

const ruleSchema = () =>
  Type.Object({
    ...ChangesOptions,
    syncMode: Type.Optional(Type.String()),
    writeMode: Type.Optional(Type.Unsafe<WriteMode>({})),
  });
type Rule = Static<ReturnType<typeof ruleSchema>>;

type Selection = { writeMode: WriteMode; changes?: Changes };

/**
 * How an entry's stream is written, and, where it follows the change log, how its changes are. Refuses what cannot be meant, naming the
 * entry's `place`.
 */
export function selectChanges(stream: Stream, rule: Rule, place: string): Selection {
  const { syncMode, writeMode, deletes, deleteFiles, metadataColumns } = rule;
  const options = {
    ...(deletes !== undefined && { deletes }),
    ...(deleteFiles !== undefined && { deleteFiles }),
    ...(metadataColumns !== undefined && { metadataColumns }),
  };
  const [option] = Object.keys(options);
  if (syncMode !== 'changes') {
    const idle = Object.keys(options).find((name) => !isUpsertOption(name, rule));
    if (idle !== undefined) throw refuse(place, `\`${idle}\` has no effect on this sync mode`, SET_CHANGES);
    if (writeMode === 'upsert' && syncMode !== 'incremental') {
      throw refuse(place, 'only changes and increments can be upserted', 'Set `syncMode: changes` or `incremental`.');
    }
    if (writeMode === 'upsert' && stream.primaryKey.length === 0) throw noKey(stream, place);
    return { writeMode: writeMode ?? 'append' };
  }
  if (!stream.syncModes.includes('changes')) {
    throw refuse(place, `the changes of ${stream.stream} cannot be followed`, whyNot(stream));
  }
  const mode = writeMode ?? (stream.primaryKey.length > 0 ? 'upsert' : 'append');
  if (mode === 'overwrite') {
    throw refuse(
      place,
      `changes of ${stream.stream} cannot overwrite its table`,
      'Set `writeMode: upsert` or `append`.',
    );
  }
  if (mode === 'upsert' && stream.primaryKey.length === 0) throw noKey(stream, place);
  if (mode === 'append' && (deletes !== undefined || deleteFiles !== undefined)) {
    throw refuse(place, `\`${option}\` has no effect: appended changes keep every row`, 'Set `writeMode: upsert`.');
  }
  return { writeMode: mode, changes: options };
}

/** Increments delete rows only to replace them: by their place, or by writing data files anew. */
const isUpsertOption = (option: string, { syncMode, writeMode, deleteFiles }: Rule) =>
  option === 'deleteFiles' && deleteFiles !== 'equality' && syncMode === 'incremental' && writeMode === 'upsert';

const noKey = ({ stream }: Stream, place: string) =>
  refuse(
    place,
    `${stream} has no primary key to upsert by`,
    'Give the table a primary key, or set `writeMode: append` to keep every change as a row.',
  );

const SET_CHANGES = 'Set `syncMode: changes`, or take the option out.';

const whyNot = ({ kind }: Stream) =>
  kind === undefined || kind === 'table' || kind === 'partitioned table' || kind === 'collection'
    ? 'Set `syncMode: full` or `incremental`: the source has no change log for it.'
    : `Set \`syncMode: full\` or \`incremental\`: a ${kind} has no changes of its own.`;

const refuse = (place: string, why: string, help: string) =>
  new ConnectorError('config_invalid', `${place}: ${why}.`, { help });
