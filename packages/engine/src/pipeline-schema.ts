import { type Static, type TSchema, Type } from '@fjord/core/schema';
import { ChangesOptions } from './changes.ts';
import { ColumnOptions } from './column-options.ts';
import { FilterOption, FilterSchema } from './filter-option.ts';
import { IncrementalOptions } from './incremental.ts';

const closed = { additionalProperties: false };
const Text = Type.String({ minLength: 1 });
const OneOrMore = (title: string, description: string) =>
  Type.Union([Text, Type.Array(Text, { minItems: 1 })], { title, description });

const ConnectorSchema = (role: string, example: string) =>
  Type.Object(
    {
      connector: OneOrMore(
        'Connector',
        `The ${role}: a short name (${example}), a package, the path of a file, or a command line as a list.`,
      ),
      config: Type.Unsafe<Record<string, unknown>>(
        Type.Object(
          {},
          {
            title: 'Options',
            description: `Options of the ${role}. A value may be \${env:NAME} or \${file:path}.`,
            default: {},
          },
        ),
      ),
    },
    { ...closed, title: role, description: `Where rows ${role === 'source' ? 'come from' : 'go'}.` },
  );

const TableLayout = {
  partition: Type.Optional(
    Type.Array(Text, {
      title: 'Partition',
      description:
        "The table's partition fields: a column, year(c), month(c), day(c), hour(c), bucket(N, c), truncate(W, c).",
    }),
  ),
  sort: Type.Optional(
    Type.Array(Text, {
      title: 'Sort order',
      description:
        "The table's sort order: a column or a transform of it, then asc or desc, nulls-first or nulls-last.",
    }),
  ),
  tableProperties: Type.Optional(
    Type.Record(Type.String(), Type.String(), {
      title: 'Table properties',
      description: 'Iceberg properties set on the table, such as write.object-storage.enabled.',
    }),
  ),
  formatVersion: Type.Optional(
    Type.Union([Type.Literal(2), Type.Literal(3)], {
      title: 'Format version',
      description: 'The Iceberg format of a new table; a table of a lower version is upgraded.',
      default: 2,
    }),
  ),
  onIncompatible: Type.Optional(
    Type.Union([Type.Literal('fail-stream'), Type.Literal('new-column')], {
      title: 'On incompatible',
      description:
        'When a column gets a type that its table column cannot hold: that stream fails, or goes on with a new column.',
      default: 'fail-stream',
    }),
  ),
  onRename: Type.Optional(
    Type.Union([Type.Literal('rename'), Type.Literal('new-column')], {
      title: 'On rename',
      description:
        'When a column is renamed at a source that tells so: the table column is renamed with all its values, or it stays as it is and rows go on in a new column.',
      default: 'rename',
    }),
  ),
};

const StreamRuleSchema = Type.Object(
  {
    match: OneOrMore(
      'Match',
      'Patterns over namespace.name: * stands for any text, ? for one character, a part in double quotes or a character behind a backslash for itself.',
    ),
    exclude: Type.Optional(OneOrMore('Exclude', 'Patterns of streams that this entry leaves out.')),
    filter: Type.Optional(FilterOption),
    columns: Type.Optional(ColumnOptions),
    whenChanged: Type.Optional(
      Type.Union([Type.Literal('refuse'), Type.Literal('backfill'), Type.Literal('continue')], {
        title: 'When changed',
        description:
          'When filter or transforms are other than when the rows of an appended table were copied: the stream is refused, copied anew, or left as it is.',
        default: 'refuse',
      }),
    ),
    writeMode: Type.Optional(
      Type.Union([Type.Literal('append'), Type.Literal('overwrite'), Type.Literal('upsert')], {
        title: 'Write mode',
        description:
          'append: rows are added, also one for each change. overwrite: each run replaces the table in one commit. upsert: a change, or a row of an increment, takes the place of the row with its key. By default upsert for changes of streams with a key, else append.',
      }),
    ),
    ...IncrementalOptions,
    ...ChangesOptions,
    target: Type.Optional(
      Type.Object(
        {
          namespace: Type.Optional(
            OneOrMore(
              'Namespace',
              "The table's namespace, by default the stream's own. {namespace}, {name} and {database} are filled in.",
            ),
          ),
          name: Type.Optional(
            Type.String({
              title: 'Name',
              description: "The table's name, by default the stream's own: raw_{name|lower}.",
              minLength: 1,
            }),
          ),
          location: Type.Optional(
            Type.String({
              title: 'Location',
              description: 'Where a new table keeps its files, if not in its place in the warehouse.',
              minLength: 1,
            }),
          ),
        },
        { ...closed, title: 'Target', description: "The table's place in the destination." },
      ),
    ),
    adopt: Type.Optional(
      Type.Boolean({
        title: 'Adopt',
        description: 'Write even to a table that holds rows of others.',
        default: false,
      }),
    ),
    ...TableLayout,
  },
  { ...closed, title: 'Streams' },
);

/** JSON Schema of pipeline.yaml, for validation and for editors. */
export const PipelineSchema = Type.Object(
  {
    id: Type.String({
      title: 'Id',
      description: 'The name of this pipeline in the state of its tables. Changing it makes a new pipeline.',
      pattern: '^[A-Za-z0-9_-]{1,64}$',
    }),
    source: ConnectorSchema('source', 'postgres'),
    destination: ConnectorSchema('destination', 'iceberg'),
    streams: Type.Array(StreamRuleSchema, {
      title: 'Streams',
      description: 'What is copied, and how. For each stream the first entry that matches it counts.',
      minItems: 1,
    }),
  },
  { ...closed, title: 'Fjord pipeline', definitions: { Filter: FilterSchema } },
);
export type PipelineFile = Static<typeof PipelineSchema>;
export type StreamRule = Static<typeof StreamRuleSchema>;

/** The pipeline's schema for editors, with the options of its two connectors (their SPEC's config schemas) in place if known. */
export function editorSchema(configs: { source?: TSchema; destination?: TSchema } = {}): Record<string, unknown> {
  const schema: Record<string, unknown> = { $schema: 'http://json-schema.org/draft-07/schema#', ...PipelineSchema };
  const { source, destination } = PipelineSchema.properties;
  schema['properties'] = {
    ...PipelineSchema.properties,
    source: withConfig(source, configs.source),
    destination: withConfig(destination, configs.destination),
  };
  return schema;
}

const withConfig = (schema: TSchema, config: TSchema | undefined) =>
  config === undefined
    ? schema
    : {
        ...schema,
        properties: { ...(schema['properties'] as Record<string, TSchema>), config: withReferences(config) },
      };

/** Editors must also let `${env:…}` stand where an option is no string. */
function withReferences(config: TSchema): TSchema {
  const properties: Record<string, TSchema> = config['properties'] ?? {};
  const reference = Type.String({ pattern: '\\$\\{(env|file):' });
  const open = Object.entries(properties).map(([name, option]) => {
    const { title, description, default: value } = option;
    const texts = {
      ...(title && { title }),
      ...(description && { description }),
      ...(value !== undefined && { default: value }),
    };
    return [name, option.type === 'string' ? option : { ...texts, anyOf: [option, reference] }];
  });
  return {
    ...config,
    properties: Object.fromEntries(open),
    required: (config['required'] ?? []).filter((name: string) => properties[name]?.['default'] === undefined),
  };
}
