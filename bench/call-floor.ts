// The least that an API-placed call can cost: a process that does the same work with nothing around it.
// Create over fastify, two RTP sockets, a SIP leg of fixed strings, four signed POSTs one after another, and the rows.
// The rows are those that a call leaves in Tandem: in a copy of its database, so that schema and indexes are the same,
// with the columns of a real call as a template; the call, its four changes, each callback in the outbox before its POST
// and marked after it, its event, the dialog while it is up, and the trace, by prepared statements, grouped as they come.
// Nothing is computed for them. Left out are threads, timers, checks and retransmission.
import { createHash, createHmac } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import Fastify from 'fastify';
import { Pool } from 'undici';

const [sipPort, callbackUrl, database] = [
  Number(process.argv[2]),
  new URL(process.argv[3] as string),
  process.argv[4] as string,
];
const pool = new Pool(callbackUrl.origin, { connections: 64 });
const db = new DatabaseSync(database);
db.exec('pragma journal_mode=wal; pragma synchronous=normal; pragma foreign_keys=on');

/** Writes copies of the table's first row, but for what differs. */
function inserter(table: string): (changes: Readonly<Record<string, SQLInputValue>>) => void {
  const { position: _, ...template } = db.prepare(`select * from ${table} limit 1`).get() ?? {};
  const columns = Object.keys(template);
  const names = columns.map((column) => `"${column}"`).join();
  const insert = db.prepare(`insert into ${table} (${names}) values (${columns.map(() => '?').join()})`);
  return (changes) => void insert.run(...Object.values({ ...template, ...changes }));
}

const insertCall = inserter('calls');
const insertWebhook = inserter('webhooks');
const insertEvent = inserter('call_events');
const insertTrace = inserter('route_traces');
const updateCall = db.prepare('update calls set status = ?, date_updated = ? where sid = ?');
const updateWebhook = db.prepare(
  "update webhooks set status = 'delivered', date_updated = ?, sent_at = ?, duration_ms = 1, response_status = 204, next_attempt_at = null where sid = ?",
);
const dialogColumns = db.prepare('pragma table_info(live_dialogs)').all() as { name: string; type: string }[];
const insertDialog = db.prepare(
  `insert into live_dialogs (${dialogColumns.map(({ name }) => name).join()}) values (${dialogColumns.map(() => '?').join()})`,
);
/** As long as those of a call are. */
const dialogValues = dialogColumns.map(({ type }) => (type === 'text' ? 'x'.repeat(30) : 1));
const dialogOf = (sid: string): SQLInputValue[] =>
  dialogColumns.map(({ name }, index) => (/tag|call_sid/.test(name) ? sid : (dialogValues[index] ?? 1)));
const removeDialog = db.prepare('delete from live_dialogs where call_sid = ?');
const form = String(db.prepare('select request_parameters from webhooks').get()?.request_parameters);

let waiting: (() => void)[] = [];
let committed = Promise.resolve();

/** Resolves when it is committed, with whatever else came in this turn. */
function write(work: () => void): Promise<void> {
  if (waiting.length === 0) {
    committed = new Promise((resolve) =>
      setImmediate(() => {
        const group = waiting;
        waiting = [];
        db.exec('begin immediate');
        for (const each of group) each();
        db.exec('commit');
        resolve();
      }),
    );
  }
  waiting.push(work);
  return committed;
}

const legs = new Map<string, (method: string) => void>();
const sip = createSocket({ type: 'udp4', recvBufferSize: 4 << 20 });
await new Promise<void>((resolve) => sip.bind(0, '127.0.0.1', resolve));
sip.on('message', (datagram) => {
  const text = datagram.toString('latin1');
  const start = text.indexOf('Call-ID: ') + 9;
  const leg = legs.get(text.slice(start, text.indexOf('\r\n', start)));
  if (text.startsWith('SIP/2.0 200')) leg?.(text.includes('CSeq: 1 ') ? 'INVITE' : 'BYE');
});

const sdp = `v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 20000 RTP/AVP 0 8 101\r\n`;
const { port } = sip.address();
const request = (method: string, cseq: number, callId: string, body = ''): string =>
  `${method} sip:+15550000001@127.0.0.1:${sipPort} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:${port};branch=z9hG4bK${callId}${cseq}\r\n` +
  `Max-Forwards: 70\r\nFrom: <sip:a@127.0.0.1>;tag=a\r\nTo: <sip:b@127.0.0.1>${cseq > 1 || method === 'ACK' ? ';tag=uas' : ''}\r\n` +
  `Call-ID: ${callId}\r\nCSeq: ${cseq} ${method}\r\nContact: <sip:127.0.0.1:${port}>\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
const send = (text: string): void => sip.send(Buffer.from(text, 'latin1'), sipPort, '127.0.0.1');

let number = 0;

async function post(sid: string): Promise<void> {
  const signature = createHmac('sha1', 'token').update(callbackUrl.href).update(form).digest('base64');
  const headers = { 'content-type': 'application/x-www-form-urlencoded', 'x-twilio-signature': signature };
  const body = form.replace(/CallSid=[^&]*/, `CallSid=${sid}`);
  const response = await pool.request({ path: callbackUrl.pathname, method: 'POST', headers, body });
  await response.body.dump();
}

/** A status callback: in the outbox before it is sent, marked and noted after it. */
async function tell(sid: string, status: string, before: Promise<void>): Promise<void> {
  const webhook = `WH${status}${sid}`;
  await write(() => {
    updateCall.run(status, Date.now(), sid);
    if (status === 'in-progress') insertDialog.run(...dialogOf(sid));
    if (status === 'completed') removeDialog.run(sid);
    insertWebhook({
      sid: webhook,
      call_sid: sid,
      outbox_id: webhook,
      status: 'queued',
      next_attempt_at: Date.now(),
    });
  });
  await before;
  await post(status === 'completed' ? `${sid}&CallStatus=completed` : sid);
  await write(() => {
    updateWebhook.run(Date.now(), Date.now(), webhook);
    insertEvent({ sid: `EV${status}${sid}`, call_sid: sid });
    if (status === 'completed') insertTrace({ call_sid: sid });
  });
}

async function call(sid: string): Promise<void> {
  const sockets = [createSocket('udp4'), createSocket('udp4')];
  await Promise.all(
    sockets.map((socket) => new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve))),
  );
  let last = tell(sid, 'initiated', Promise.resolve());
  const next = (status: string): void => {
    last = tell(sid, status, last);
  };
  send(request('INVITE', 1, sid, sdp));
  legs.set(sid, (method) => {
    if (method === 'BYE') return void legs.delete(sid);
    send(request('ACK', 1, sid));
    next('ringing');
    next('in-progress');
    send(request('BYE', 2, sid));
    next('completed');
    for (const socket of sockets) socket.close();
  });
}

const server = Fastify();
server.addContentTypeParser(
  'application/x-www-form-urlencoded',
  { parseAs: 'string' },
  (_request, body, done) => done(null, new URLSearchParams(body as string)),
);
server.post('/calls', async (request, reply) => {
  number += 1;
  const digits = createHash('md5').update(`${process.pid} ${number}`).digest('hex');
  const sid = `CA${digits}`;
  const to = (request.body as URLSearchParams).get('To');
  await write(() => insertCall({ sid, to, status: 'queued', end_time: null }));
  void call(sid);
  return reply.code(201).send({ sid, status: 'queued' });
});
const url = await server.listen({ host: '127.0.0.1', port: 0 });
process.stdout.write(`${JSON.stringify({ ready: true, http: url })}\n`);
