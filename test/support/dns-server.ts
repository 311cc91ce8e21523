// A DNS server of a test's own: answers from a zone written down in the test, or misbehaves as told.
import { createSocket, type Socket } from 'node:dgram';
import { Resolver } from 'node:dns/promises';
import { createServer, type Server } from 'node:net';

const TYPES = { A: 1, CNAME: 5, AAAA: 28, SRV: 33, NAPTR: 35 } as const;
type Type = keyof typeof TYPES;

/**
 * `silent` says nothing, `garbage` is no DNS message, `empty` claims success without a record, `forged` answers with an
 * address under another id, `astray` with one for another question; the rest are codes.
 */
type Mischief =
  | 'silent'
  | 'servfail'
  | 'refused'
  | 'notimp'
  | 'formerr'
  | 'garbage'
  | 'empty'
  | 'forged'
  | 'astray';
const CODES: Readonly<Record<string, number>> = { formerr: 1, servfail: 2, notimp: 4, refused: 5, empty: 0 };

/** By `TYPE name`. Records are written as in a zone file, with the TTL first: `60 10 20 5060 host.example`. */
export type Zone = Readonly<Record<string, readonly string[] | Mischief>>;

export interface DnsServer {
  readonly resolver: Resolver;
  /** What was asked, `TYPE name` each. */
  readonly asked: readonly string[];
  close(): Promise<void>;
}

/** Octets that do not fit a datagram are asked for again by TCP (RFC 1035 §4.2.1). */
const MAX_DATAGRAM_OCTETS = 512;

/** A name with CNAMEs answers every type by them, and by what they lead to. */
export async function startDnsServer(zone: Zone): Promise<DnsServer> {
  const asked: string[] = [];
  const respond = (query: Buffer, by: 'UDP' | 'TCP'): Buffer | undefined => {
    const { name, type, end } = readQuestion(query);
    asked.push(by === 'UDP' ? `${type} ${name}` : `${type} ${name} by TCP`);
    return answer(zone, query.subarray(0, end), { name, type });
  };
  const { socket, server } = await listen((query) => respond(query, 'TCP'));
  socket.on('message', (query, { address, port }) => {
    const octets = respond(query, 'UDP');
    if (octets) socket.send(octets.length > MAX_DATAGRAM_OCTETS ? truncated(query) : octets, port, address);
  });
  const resolver = new Resolver({ timeout: 150, tries: 1 });
  resolver.setServers([`127.0.0.1:${socket.address().port}`]);
  const close = async (): Promise<void> => {
    server.close();
    await new Promise<void>((resolve) => socket.close(() => resolve()));
  };
  return { resolver, asked, close };
}

type Respond = (query: Buffer) => Buffer | undefined;

/** UDP and TCP on one port; other tests' connections may be in the way. */
async function listen(respond: Respond): Promise<{ socket: Socket; server: Server }> {
  for (;;) {
    const socket = createSocket('udp4');
    await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
    const server = await listenTcp(socket.address().port, respond);
    if (server) return { socket, server };
    socket.close();
  }
}

/** Each query comes in one piece from a resolver on this machine. Undefined where another has the port. */
function listenTcp(port: number, respond: Respond): Promise<Server | undefined> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', (octets) => {
      const reply = respond(octets.subarray(2)) ?? Buffer.alloc(0);
      socket.end(Buffer.concat([numbers(`${reply.length}`), reply]));
    });
  });
  return new Promise((resolve) => {
    server.once('error', () => resolve(undefined));
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
}

function truncated(query: Buffer): Buffer {
  const reply = message(query.subarray(0, readQuestion(query).end), 0, []);
  reply.writeUInt16BE(reply.readUInt16BE(2) | 0x0200, 2);
  return reply;
}

interface Question {
  readonly name: string;
  readonly type: Type;
}

function readQuestion(query: Buffer): Question & { readonly end: number } {
  const labels: string[] = [];
  let at = 12;
  for (let length = query[at] as number; length > 0; length = query[at] as number) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += length + 1;
  }
  const code = query.readUInt16BE(at + 1);
  const type = (Object.keys(TYPES) as Type[]).find((each) => TYPES[each] === code) as Type;
  return { name: labels.join('.').toLowerCase(), type, end: at + 5 };
}

function answer(zone: Zone, query: Buffer, { name, type }: Question): Buffer | undefined {
  const entry = zone[`${type} ${name}`] ?? zone[`CNAME ${name}`];
  if (entry === 'silent') return undefined;
  if (entry === 'garbage') return Buffer.concat([query.subarray(0, 2), Buffer.from('no DNS at all')]);
  if (entry === 'forged' || entry === 'astray') return misled(query, entry);
  if (typeof entry === 'string') return message(query, CODES[entry] as number, []);
  const isName = Object.keys(zone).some((key) => key.endsWith(` ${name}`));
  return message(query, isName ? 0 : 3, records(zone, { name, type }));
}

/** An answer that a resolver must not take for its own. */
function misled(query: Buffer, how: 'forged' | 'astray'): Buffer {
  const reply = message(query, 0, [record('h.example', 'A', '60 192.0.2.66')]);
  // The id, or the first letter of the name.
  const at = how === 'forged' ? 1 : 13;
  reply[at] = (reply[at] as number) ^ 1;
  return reply;
}

/** Follows CNAMEs for as long as a server may, so that a loop is a long answer. */
function records(zone: Zone, { name, type }: Question, depth = 0): Buffer[] {
  const own = zone[`${type} ${name}`];
  if (Array.isArray(own)) return own.map((text: string) => record(name, type, text));
  const alias = zone[`CNAME ${name}`];
  if (!Array.isArray(alias) || depth > 8) return [];
  const text: string = alias[0];
  const target = text.split(' ')[1] as string;
  return [record(name, 'CNAME', text), ...records(zone, { name: target, type }, depth + 1)];
}

function message(query: Buffer, code: number, answers: readonly Buffer[]): Buffer {
  const head = Buffer.from(query.subarray(0, 12));
  head.writeUInt16BE(0x8180 | code, 2);
  head.writeUInt16BE(answers.length, 6);
  head.writeUInt16BE(0, 8);
  head.writeUInt16BE(0, 10);
  return Buffer.concat([head, query.subarray(12), ...answers]);
}

function record(name: string, type: Type, text: string): Buffer {
  const [ttl, ...fields] = text.split(' ');
  const data = DATA[type](fields);
  const fixed = Buffer.alloc(10);
  fixed.writeUInt16BE(TYPES[type], 0);
  fixed.writeUInt16BE(1, 2);
  fixed.writeUInt32BE(Number(ttl), 4);
  fixed.writeUInt16BE(data.length, 8);
  return Buffer.concat([domain(name), fixed, data]);
}

const DATA: Readonly<Record<Type, (fields: readonly string[]) => Buffer>> = {
  A: ([address = '']) => Buffer.from(address.split('.').map(Number)),
  /** Written in full: eight groups. */
  AAAA: ([address = '']) => Buffer.concat(address.split(':').map((group) => numbers(`0x${group}`))),
  CNAME: ([target = '']) => domain(target),
  SRV: ([priority, weight, port, target = '']) =>
    Buffer.concat([numbers(priority, weight, port), domain(target)]),
  NAPTR: ([order, preference, flags = '', service = '', target = '']) =>
    Buffer.concat([numbers(order, preference), text(flags), text(service), text(''), domain(target)]),
};

function numbers(...values: readonly (string | undefined)[]): Buffer {
  const octets = Buffer.alloc(values.length * 2);
  values.forEach((value, index) => octets.writeUInt16BE(Number(value), index * 2));
  return octets;
}

const text = (value: string): Buffer => Buffer.from(`${String.fromCharCode(value.length)}${value}`, 'latin1');

const domain = (name: string): Buffer =>
  Buffer.concat([...name.split('.').filter(Boolean).map(text), Buffer.alloc(1)]);
