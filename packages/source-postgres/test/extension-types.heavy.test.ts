import { formatColumnType } from '@fjord/core';
import { batchToRecords } from '@fjord/core/apache-arrow';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ExtensionServer } from './extension-server.ts';
import { chunkRequest, openDatabase, planRequest, selectNamed } from './postgres-fixture.ts';

let server: ExtensionServer;
beforeAll(async () => {
  server = await ExtensionServer.start();
});
afterAll(() => server?.[Symbol.asyncDispose]());

/** base64 of the server has line breaks. */
const base64 = (bytes: string) => `replace(encode(${bytes}, 'base64'), chr(10), '')`;

const POLYGON = 'POLYGON((0 0,1 0,1 0.1,0 0))';
const VALUES: { name: string; type: string; becomes: string; literals: string[]; said: (column: string) => string }[] =
  [
    {
      name: 'geom',
      type: 'tools.geometry',
      becomes: 'binary',
      literals: ['SRID=4326;POINT(1 2)', POLYGON, 'POINT EMPTY', 'LINESTRING ZM (1 2 3 4,5 6 7 8)'],
      said: (column) => base64(`tools.ST_AsEWKB(${column})`),
    },
    {
      name: 'geog',
      type: 'tools.geography(Point,4326)',
      becomes: 'binary',
      literals: ['POINT(-180 90)'],
      said: (column) => base64(`tools.ST_AsEWKB(${column}::tools.geometry)`),
    },
    {
      name: 'geoms',
      type: 'tools.geometry[]',
      becomes: 'list<binary>',
      literals: [`{"POINT(1 2)":NULL:"${POLYGON}"}`, '{}'],
      said: (column) =>
        `CASE WHEN ${column} IS NOT NULL THEN coalesce((SELECT json_agg(${base64('tools.ST_AsEWKB(e)')} ORDER BY n)
        FROM unnest(${column}) WITH ORDINALITY AS u (e, n)), '[]') END`,
    },
    {
      name: 'embedding',
      type: 'tools.vector(3)',
      becomes: 'list<float>',
      literals: ['[1.5,-2,3e38]', '[0,-0,1e-38]'],
      said: (column) => `to_json(${column}::real[]::float8[])`,
    },
    {
      name: 'half',
      type: 'tools.halfvec',
      becomes: 'list<float>',
      literals: ['[1,-65504,0.00006]', '[5.96e-8]'],
      said: (column) => `to_json(${column}::tools.vector::real[]::float8[])`,
    },
    {
      name: 'sparse',
      type: 'tools.sparsevec',
      becomes: 'string',
      literals: ['{1:1.5,3:-2}/5'],
      said: (column) => `${column}::text`,
    },
  ];

test('PostGIS and pgvector read as their own functions say, wherever they are installed', async () => {
  const columns = VALUES.map(({ name, type }) => `${name} ${type}`).join(', ');
  await server.db.exec(`CREATE TABLE places (id int PRIMARY KEY, ${columns})`);
  for (let row = 0; row < 5; row++) {
    const values = VALUES.map(({ type, literals }) =>
      literals[row] === undefined ? 'NULL' : `'${literals[row]}'::${type}`,
    );
    await server.db.exec(`SET search_path = tools; INSERT INTO public.places VALUES (${row}, ${values.join(', ')})`);
  }
  const said = VALUES.map(({ name, said: sql }) => `'${name}', ${sql(name)}`).join(', ');
  const { rows: expected } = await server.db.query<{ row: Record<string, unknown> }>(
    `SELECT json_build_object('id', id, ${said}) AS row FROM public.places ORDER BY id`,
  );

  await using database = openDatabase(server.address);
  const stream = await selectNamed(database, 'public.places');
  expect(stream.columns.slice(1).map(({ type }) => formatColumnType(type))).toEqual(
    VALUES.map(({ becomes }) => becomes),
  );
  const plan = await database.planChunks(stream, planRequest(1 << 30));
  const found: Record<string, unknown>[] = [];
  for await (const item of database.readChunk(chunkRequest(stream, plan))) {
    if ('rows' in item) found.push(...batchToRecords(item.body, stream.columns));
  }
  expect(found).toEqual(expected.map(({ row }) => row));
});
