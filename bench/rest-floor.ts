// The least that a REST request can cost: fastify, a form or a SID, and one statement on the same tables.
// Arguments: `sqlite` and a file, or `postgres` and a URL; the tables are there.
import { DatabaseSync } from 'node:sqlite';
import Fastify from 'fastify';
import pg from 'pg';

const [engine = '', place = ''] = process.argv.slice(2);
const account = `AC${'0'.repeat(32)}`;
const COLUMNS = [
  'sid',
  'account_sid',
  'date_created',
  'date_updated',
  'friendly_name',
  'voice_url',
  'voice_method',
  'voice_fallback_url',
  'voice_fallback_method',
  'status_callback_url',
  'status_callback_method',
  'cnam_lookup_enabled',
  'connection_policy_sid',
  'from_domain_sid',
];

interface Floor {
  insert(row: readonly (string | number | null)[]): Promise<unknown> | unknown;
  find(sid: string): Promise<unknown> | unknown;
  list(limit: number): Promise<readonly unknown[]> | readonly unknown[];
}

const SQL = {
  insert: `insert into byoc_trunks (${COLUMNS.join()}) values (${COLUMNS.map((_, index) => `$${index + 1}`).join()})`,
  find: 'select * from byoc_trunks where sid = $1',
  list: 'select * from byoc_trunks where account_sid = $1 order by position desc limit $2',
};

function onSqlite(): Floor {
  const db = new DatabaseSync(place);
  db.exec('pragma journal_mode = wal; pragma foreign_keys = on; pragma synchronous = full');
  const [insert, find, list] = [SQL.insert, SQL.find, SQL.list].map((sql) =>
    db.prepare(sql.replaceAll(/\$\d+/g, '?')),
  );
  return {
    insert: (row) => insert?.run(...row),
    find: (sid) => find?.get(sid),
    list: (limit) => list?.all(account, limit) ?? [],
  };
}

function onPostgres(): Floor {
  const pool = new pg.Pool({ connectionString: place, max: 10 });
  return {
    insert: (row) => pool.query(SQL.insert, [...row]),
    find: async (sid) => (await pool.query(SQL.find, [sid])).rows[0],
    list: async (limit) => (await pool.query(SQL.list, [account, limit])).rows,
  };
}

const floor = engine === 'sqlite' ? onSqlite() : onPostgres();
let number = 0;

const server = Fastify();
server.addContentTypeParser(
  'application/x-www-form-urlencoded',
  { parseAs: 'string' },
  (_request, body, done) => done(null, new URLSearchParams(body as string)),
);
server.post<{ Body: URLSearchParams }>('/v1/ByocTrunks', async ({ body }, reply) => {
  number += 1;
  const sid = `BY${String(number).padStart(32, '0')}`;
  const name = body.get('FriendlyName');
  const now = Date.now();
  await floor.insert([sid, account, now, now, name, null, 'POST', null, 'POST', null, 'POST', 0, null, null]);
  return reply.code(201).send({ sid, account_sid: account, friendly_name: name });
});
server.get<{ Params: { sid: string } }>('/v1/ByocTrunks/:sid', async ({ params }) => floor.find(params.sid));
server.get<{ Querystring: { PageSize: string } }>('/v1/ByocTrunks', async ({ query }) => ({
  byoc_trunks: await floor.list(Number(query.PageSize)),
}));
const url = await server.listen({ host: '127.0.0.1', port: 0 });
process.stdout.write(`${JSON.stringify({ ready: true, http: url })}\n`);
