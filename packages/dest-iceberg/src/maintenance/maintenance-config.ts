import { type Static, Type } from '@fjord/core/schema';

/** Options of maintenance: what `fjord maintain` does with each table. A table's own properties win where Iceberg has one. */
export const MaintenanceSchema = Type.Object(
  {
    snapshotAgeHours: Type.Number({
      title: 'Snapshot age',
      description:
        'Snapshots older than so many hours expire; history.expire.max-snapshot-age-ms of a table or branch wins.',
      default: 120,
      minimum: 0,
    }),
    snapshotsToKeep: Type.Integer({
      title: 'Snapshots to keep',
      description:
        'The newest snapshots of each branch that never expire; history.expire.min-snapshots-to-keep of a table or branch wins.',
      default: 10,
      minimum: 1,
    }),
    orphanAgeHours: Type.Number({
      title: 'Orphan age',
      description:
        'Files that nothing refers to are deleted once they are so many hours old; a run that is under way must not take longer.',
      default: 72,
      minimum: 1,
    }),
    minInputFiles: Type.Integer({
      title: 'Files to put together',
      description:
        'So many small files of a partition are worth rewriting as one of the target size, and so many delete files of a data file as one.',
      default: 5,
      minimum: 2,
    }),
    deletedShare: Type.Number({
      title: 'Deleted share',
      description: 'A data file of which more than this share of rows is deleted is rewritten without them.',
      default: 0.3,
      exclusiveMinimum: 0,
      maximum: 1,
    }),
    whileFollowing: Type.Boolean({
      title: 'While following',
      description: 'Whether tables are kept in order in the background while their changes are followed.',
      default: true,
    }),
    filesWhileFollowing: Type.Integer({
      title: 'Files while following',
      description:
        'Once so many files of data or deletes, or snapshots, have come since the last time, a table is put in order.',
      default: 30,
      minimum: 1,
    }),
    snapshotsWhileFollowing: Type.Integer({
      title: 'Snapshots while following',
      description:
        'The newest snapshots of each branch that are kept while changes are followed, however young the older ones are; a table or branch that says itself how long keeps them so long.',
      default: 300,
      minimum: 1,
    }),
  },
  { title: 'Maintenance', description: 'What maintenance does with each table.', default: {} },
);

/** Checked options of maintenance. */
export type MaintenanceOptions = Static<typeof MaintenanceSchema>;
