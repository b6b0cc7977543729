import { type Static, Type } from '@fjord/core/schema';
import { ConnectionOptions } from './connection-options.ts';

/** Options of the PostgreSQL source; those that all databases share are added by @fjord/replication. */
export const ConfigSchema = Type.Object({
  ...ConnectionOptions.properties,
  schemas: Type.Optional(
    Type.Array(Type.String({ minLength: 1 }), {
      title: 'Schemas',
      description: 'The schemas to look for tables in; without it all that the user may see.',
      minItems: 1,
    }),
  ),
  unrepresentable: Type.Union([Type.Literal('null'), Type.Literal('clamp'), Type.Literal('fail')], {
    title: 'Unrepresentable values',
    description:
      'What becomes of NaN, infinity and times out of range: null (counted), clamp (the nearest value there is, null where there is none), or fail (the stream stops).',
    default: 'null',
  }),
  unboundedNumeric: Type.String({
    title: 'Unbounded numeric',
    description:
      'What numeric columns without precision, or with one above 38, become: string (exact), or decimal(38,s) with s digits after the point (what does not fit follows `unrepresentable`).',
    default: 'string',
    pattern: '^(string|decimal\\(38,([0-9]|[12][0-9]|3[0-8])\\))$',
  }),
  slot: Type.Optional(
    Type.String({
      title: 'Replication slot',
      description:
        'The slot through which changes are read, made if it is not there; without it one that is named for the pipeline. No two pipelines may share one.',
      pattern: '^[a-z0-9_]{1,63}$',
    }),
  ),
  publication: Type.Optional(
    Type.String({
      title: 'Publication',
      description:
        'The publication of the tables whose changes are read, made if it is not there; without it one that is named for the pipeline.',
      minLength: 1,
      maxLength: 63,
    }),
  ),
});

/** The options of the PostgreSQL source, defaults filled in. */
export type Config = Static<typeof ConfigSchema>;

export type UnrepresentablePolicy = Config['unrepresentable'];
