// The least that an API-placed call can cost: a process that does the same work with nothing around it.
// Create over fastify, the call's rows in SQLite, two RTP sockets, a SIP leg of fixed strings, four signed POSTs.
import { createHmac } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import Fastify from 'fastify';
import { Pool } from 'undici';

const [sipPort, callbackUrl] = [Number(process.argv[2]), new URL(process.argv[3] as string)];
const pool = new Pool(callbackUrl.origin, { connections: 64 });
const db = new DatabaseSync(join(mkdtempSync(join(tmpdir(), 'tandem-floor-')), 'floor.sqlite'));
db.exec('pragma journal_mode=wal; pragma synchronous=normal');
db.exec('create table calls (sid text primary key, status text, data text, updated integer)');
const insert = db.prepare('insert into calls values (?, ?, ?, ?)');
const update = db.prepare('update calls set status = ?, updated = ? where sid = ?');

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

async function post(sid: string, status: string): Promise<void> {
  const form = `CallSid=${sid}&AccountSid=AC&From=%2B15550009999&To=%2B15550000001&CallStatus=${status}&ApiVersion=2010-04-01&Direction=outbound-api`;
  const signature = createHmac('sha1', 'token').update(callbackUrl.href).update(form).digest('base64');
  const headers = { 'content-type': 'application/x-www-form-urlencoded', 'x-twilio-signature': signature };
  const { body } = await pool.request({ path: callbackUrl.pathname, method: 'POST', headers, body: form });
  await body.dump();
}

async function call(sid: string): Promise<void> {
  const sockets = [createSocket('udp4'), createSocket('udp4')];
  await Promise.all(
    sockets.map((socket) => new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve))),
  );
  let last = post(sid, 'initiated');
  const tell = (status: string): void => {
    update.run(status, Date.now(), sid);
    last = last.then(() => post(sid, status));
  };
  send(request('INVITE', 1, sid, sdp));
  legs.set(sid, (method) => {
    if (method === 'BYE') return void legs.delete(sid);
    send(request('ACK', 1, sid));
    tell('ringing');
    tell('in-progress');
    send(request('BYE', 2, sid));
    tell('completed');
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
  const sid = `CA${String(number).padStart(32, '0')}`;
  insert.run(sid, 'queued', String(request.body), Date.now());
  void call(sid);
  return reply.code(201).send({ sid, status: 'queued' });
});
const url = await server.listen({ host: '127.0.0.1', port: 0 });
process.stdout.write(`${JSON.stringify({ ready: true, http: url })}\n`);
