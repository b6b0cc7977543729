import type { Message, Stream } from '@fjord/core';
import type { Question } from './ask.ts';

/** Options of a source that are asked for, where it has them. */
const TEXTS: Record<string, string> = {
  host: 'host',
  port: 'Port',
  database: 'Database',
  user: 'User',
  password: 'Where the password is, as a reference: ${env:NAME} or ${file:path}',
  tls: 'TLS: verify-full, verify-ca, require or disable',
};
const FALLBACKS: Record<string, string> = { host: 'localhost', tls: 'verify-full' };
const PASSWORDS: Record<string, string> = { postgres: '${env:PGPASSWORD}', mysql: '${env:MYSQL_PWD}' };
const TITLES: Record<string, string> = { postgres: 'PostgreSQL', mysql: 'MySQL', mongodb: 'MongoDB', oracle: 'Oracle' };

/** How rows reach the tables, in words that are asked for; pipeline-text.ts says what each means in the file. */
export const MODES = ['changes', 'overwrite', 'append'] as const;
/** One of `MODES`. */
export type Mode = (typeof MODES)[number];

/** What is asked about a source: the options that it has, with its own defaults. Without a SPEC all of them. */
export function connectionQuestions(source: string, spec: Message<'SPEC'> | undefined): Question[] {
  const properties = spec?.config['properties'];
  const options: Record<string, unknown> =
    typeof properties === 'object' && properties !== null ? { ...properties } : TEXTS;
  return Object.entries(TEXTS).flatMap(([option, text]) => {
    const schema = options[option];
    if (schema === undefined) return [];
    const given: unknown = typeof schema === 'object' && schema !== null ? Reflect.get(schema, 'default') : undefined;
    const own = typeof given === 'string' || typeof given === 'number' ? String(given) : undefined;
    const fallback =
      option === 'password' ? (PASSWORDS[source] ?? '${env:PASSWORD}') : (own ?? FALLBACKS[option] ?? undefined);
    const shown = option === 'host' ? `${TITLES[source] ?? source} ${text}` : text;
    return [{ option, text: shown, ...(fallback !== undefined && { fallback }) }];
  });
}

/** What is asked once the streams are known; the fallbacks are what most would choose of them. */
export function choiceQuestions(streams: readonly Stream[]): Question[] {
  const namespaces = [...new Set(streams.map(({ namespace }) => namespace ?? ''))].filter((name) => name !== '');
  const [only = 'public', second] = namespaces;
  const canFollow = streams.length > 0 && streams.every(({ syncModes }) => syncModes.includes('changes'));
  return [
    {
      option: 'match',
      text: 'Tables to copy, a pattern over schema.table',
      fallback:
        second !== undefined && !namespaces.includes('public')
          ? '*.*'
          : `${namespaces.includes('public') ? 'public' : only}.*`,
    },
    {
      option: 'mode',
      text: 'Rows: changes (follow the change log), overwrite (all, each time) or append (once)',
      fallback: canFollow ? 'changes' : 'append',
    },
    { option: 'warehouse', text: 'Warehouse: a folder, or s3://BUCKET/PREFIX', fallback: './warehouse' },
  ];
}
