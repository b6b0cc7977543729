import { type Static, Type } from '@fjord/core/schema';
import { ConnectionOptions } from './connection-options.ts';

/** Options of the MySQL source; those that all databases share are added by @fjord/replication. */
export const ConfigSchema = Type.Object({
  ...ConnectionOptions.properties,
  schemas: Type.Optional(
    Type.Array(Type.String({ minLength: 1 }), {
      title: 'Schemas',
      description: 'The schemas (databases) to look for tables in; without it all that the user may see.',
      minItems: 1,
    }),
  ),
  unrepresentable: Type.Union([Type.Literal('null'), Type.Literal('clamp'), Type.Literal('fail')], {
    title: 'Unrepresentable values',
    description:
      'What becomes of zero and partial dates, and of times that are no time of day: null (counted), clamp (the nearest value there is, null where there is none), or fail (the stream stops).',
    default: 'null',
  }),
  wideDecimal: Type.String({
    title: 'Wide decimals',
    description:
      'What DECIMAL columns of more than 38 digits become: string (exact), or decimal(38,s) with s digits after the point (what does not fit follows `unrepresentable`).',
    default: 'string',
    pattern: '^(string|decimal\\(38,([0-9]|[12][0-9]|3[0-8])\\))$',
  }),
  tinyint1: Type.Union([Type.Literal('int'), Type.Literal('boolean')], {
    title: 'tinyint(1)',
    description:
      'What TINYINT(1) columns, which BOOLEAN is another word for, become: int, or boolean (all but 0 is true).',
    default: 'int',
  }),
  timeAs: Type.Union([Type.Literal('time'), Type.Literal('string')], {
    title: 'TIME',
    description:
      'What TIME columns become: time (of day; what is negative or longer than a day follows `unrepresentable`), or string (exact, as MySQL prints it).',
    default: 'time',
  }),
});

/** The options of the MySQL source, defaults filled in. */
export type Config = Static<typeof ConfigSchema>;

/** The options that decide how types map. */
export type TypeOptions = Pick<Config, 'wideDecimal' | 'tinyint1' | 'timeAs'>;
