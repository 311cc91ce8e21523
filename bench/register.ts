// CPU per 1000 REGISTERs of 10,000 phones that refresh: each challenged, answered and kept in the database. Kamailio's
// registrar with its bindings in SQLite does the same beside us, where it is installed; interleaved, median of five.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { createSocket, type Socket } from 'node:dgram';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { systemClock } from '../src/lib/clock.ts';
import { systemRandom } from '../src/lib/random.ts';
import { Bindings } from '../src/registrar/bindings.ts';
import { register } from '../src/registrar/register.ts';
import { digestResponse, parseChallenge } from '../src/sip/auth/digest.ts';
import { ha1Of } from '../src/sip/index.ts';
import { heldOctets } from '../test/support/held-octets.ts';
import { cpuTimeMs, median } from './cpu-time.ts';

const PHONES = 10_000;
const ROUNDS = 5;
/** Of each round. */
const REGISTERS = 5000;
const PARALLEL = 50;
const DOMAIN = 'bench.sip.twilio.com';
const REALM = 'sip.twilio.com';
const PASSWORD = 'Correct-horse-1';
/** A credential list holds a thousand. */
const PER_LIST = 1000;
const ACCOUNT = { sid: `AC${'0'.repeat(32)}`, token: 'a-token-for-the-benchmark' };
const authorization = `Basic ${Buffer.from(`${ACCOUNT.sid}:${ACCOUNT.token}`).toString('base64')}`;

interface Registrar {
  readonly port: number;
  /** Of every process that works for it. */
  cpuMs(): number;
  memoryMb(): number;
  stop(): Promise<unknown>;
}

const user = (index: number): string => `user${index}`;

async function startTandem(folder: string): Promise<Registrar> {
  const child: ChildProcess = spawn(
    process.execPath,
    [join(import.meta.dirname, '../src/main.ts'), 'serve'],
    {
      env: {
        ...process.env,
        TANDEM_DATA: folder,
        TANDEM_HTTP_PORT: '0',
        TANDEM_SIP_PORT: '0',
        TANDEM_ACCOUNT_SID: ACCOUNT.sid,
        TANDEM_AUTH_TOKEN: ACCOUNT.token,
        TANDEM_LOG_LEVEL: 'error',
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
  const { value } = await lines[Symbol.asyncIterator]().next();
  const { http, sip } = JSON.parse(String(value)) as { http: string; sip: string };
  await makeUsers(http);
  const pid = child.pid as number;
  return {
    port: Number(sip.split(':')[1]),
    cpuMs: () => cpuTimeMs(pid),
    memoryMb: () => residentMb(pid),
    stop: () => {
      child.kill('SIGTERM');
      return new Promise((resolve) => child.once('exit', resolve));
    },
  };
}

async function makeUsers(http: string): Promise<void> {
  const post = async (path: string, form: Readonly<Record<string, string>>): Promise<string> => {
    const url = `${http}/2010-04-01/Accounts/${ACCOUNT.sid}/SIP/${path}.json`;
    const response = await fetch(url, {
      method: 'POST',
      headers: { authorization },
      body: new URLSearchParams(form),
    });
    const body = (await response.json()) as { sid: string; message?: string };
    if (!response.ok) throw new Error(body.message);
    return body.sid;
  };
  const domain = await post('Domains', { DomainName: DOMAIN, SipRegistration: 'true' });
  for (let first = 0; first < PHONES; first += PER_LIST) {
    const list = await post('CredentialLists', { FriendlyName: `from ${first}` });
    await post(`Domains/${domain}/Auth/Registrations/CredentialListMappings`, { CredentialListSid: list });
    const make = (index: number) =>
      post(`CredentialLists/${list}/Credentials`, { Username: user(index), Password: PASSWORD });
    for (let index = first; index < first + PER_LIST; index += 50) {
      await Promise.all(Array.from({ length: 50 }, (_, offset) => make(index + offset)));
    }
  }
}

/**
 * Bindings written through to SQLite (db_mode 1), passwords from memory: the job that ours is, at its cheapest. One
 * worker, as two lock each other out of SQLite.
 */
async function startKamailio(folder: string): Promise<Registrar | undefined> {
  const modules = '/usr/lib/x86_64-linux-gnu/kamailio/modules';
  if (!existsSync(join(modules, 'db_sqlite.so'))) return undefined;
  const port = 25_061;
  // In memory: the CPU is compared, not the disk, which every single one of its writes would wait for.
  const database = join(mkdtempSync('/dev/shm/kamailio-'), 'kamailio.sqlite');
  execFileSync('sqlite3', [database], {
    input: ['standard', 'usrloc']
      .map((name) => readFileSync(`/usr/share/kamailio/db_sqlite/${name}-create.sql`))
      .join('\n'),
  });
  const config = join(folder, 'k.cfg');
  writeFileSync(config, kamailioConfig(port, database));
  const child = spawn('kamailio', ['-f', config, '-Y', folder, '-DD', '-E', '-m', '256', '-M', '8'], {
    stdio: 'ignore',
  });
  await new Promise((resolve) => setTimeout(resolve, 2000));
  const all = () => [child.pid as number, ...childrenOf(child.pid as number)];
  return {
    port,
    cpuMs: () => all().reduce((sum, pid) => sum + cpuTimeMs(pid), 0),
    memoryMb: () => all().reduce((sum, pid) => sum + residentMb(pid), 0),
    stop: async () => {
      child.kill('SIGTERM');
      await new Promise((resolve) => child.once('exit', resolve));
      rmSync(dirname(database), { recursive: true });
    },
  };
}

const kamailioConfig = (port: number, database: string): string => `#!KAMAILIO
debug=0
log_stderror=yes
children=1
auto_aliases=no
dns=no
rev_dns=no
listen=udp:127.0.0.1:${port}
${['db_sqlite', 'tm', 'sl', 'pv', 'textops', 'siputils', 'auth', 'usrloc', 'registrar', 'nathelper'].map((name) => `loadmodule "${name}.so"`).join('\n')}
modparam("usrloc", "db_url", "sqlite:///${database}")
modparam("usrloc", "db_mode", 1)
modparam("registrar", "received_avp", "$avp(s:rcv)")
modparam("nathelper", "received_avp", "$avp(s:rcv)")
modparam("db_sqlite", "db_set_journal_mode", "WAL")
request_route {
  if (!is_method("REGISTER")) { sl_send_reply("405", "No"); exit; }
  if (!pv_proxy_authenticate("${REALM}", "${PASSWORD}", "0")) { proxy_challenge("${REALM}", "1"); exit; }
  fix_nated_register();
  save("location");
}
`;

function childrenOf(pid: number): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((each) => parentOf(each) === pid);
}

function parentOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  } catch {
    return undefined;
  }
}

const residentMb = (pid: number): number =>
  Math.round(Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024);

/** Phones in one socket: each REGISTER goes twice, without credentials and with them. */
class Phones {
  readonly #socket: Socket;
  readonly #waiting = new Map<string, (response: string) => void>();
  readonly #seqs = new Map<string, number>();

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('message', (octets) => {
      const text = octets.toString('latin1');
      // By CSeq as well: the answer to a retransmission may come late.
      const id = /^Call-ID: (.*)\r$/im.exec(text)?.[1];
      const seq = /^CSeq: (\d+)/im.exec(text)?.[1];
      this.#waiting.get(`${id} ${seq}`)?.(text);
    });
  }

  static async open(): Promise<Phones> {
    const socket = createSocket({ type: 'udp4', recvBufferSize: 4 << 20 });
    await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
    return new Phones(socket);
  }

  close(): void {
    this.#socket.close();
  }

  async register(port: number, index: number): Promise<void> {
    const name = user(index);
    const challenged = await this.#ask(port, name, '');
    const challenge = parseChallenge(/^Proxy-Authenticate: (.*)\r$/im.exec(challenged)?.[1] ?? '');
    if (!challenge) throw new Error(`no challenge: ${challenged.slice(0, 200)}`);
    const credentials = { username: name, password: PASSWORD };
    const answer = {
      ...challenge,
      uri: `sip:${DOMAIN}`,
      ...(challenge.qop && { counted: { nc: '00000001', cnonce: 'c' } }),
    };
    const response = digestResponse(answer, ha1Of('MD5', credentials, REALM), 'REGISTER');
    const counted = challenge.qop ? ', qop=auth, nc=00000001, cnonce="c"' : '';
    const header = `Proxy-Authorization: Digest username="${name}", realm="${REALM}", nonce="${challenge.nonce}", uri="sip:${DOMAIN}", response="${response}", algorithm=MD5${counted}\r\n`;
    const final = await this.#ask(port, name, header);
    if (!final.startsWith('SIP/2.0 200')) throw new Error(final.slice(0, 300));
  }

  #ask(port: number, name: string, header: string): Promise<string> {
    const callId = `${name}-at-${port}`;
    const seq = (this.#seqs.get(callId) ?? 0) + 1;
    this.#seqs.set(callId, seq);
    const text =
      `REGISTER sip:${DOMAIN} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:${this.#socket.address().port};branch=z9hG4bK${callId}${seq};rport\r\n` +
      `Max-Forwards: 70\r\nFrom: <sip:${name}@${DOMAIN}>;tag=${name}\r\nTo: <sip:${name}@${DOMAIN}>\r\nCall-ID: ${callId}\r\n` +
      `CSeq: ${seq} REGISTER\r\nContact: <sip:${name}@10.0.0.1:5060>;+sip.instance="<urn:uuid:${name}>"\r\nExpires: 600\r\nUser-Agent: Phone/1.0\r\n${header}Content-Length: 0\r\n\r\n`;
    return new Promise((resolve) => {
      let timer: NodeJS.Timeout;
      const send = () => {
        this.#socket.send(Buffer.from(text, 'latin1'), port, '127.0.0.1');
        timer = setTimeout(send, 1000);
      };
      this.#waiting.set(`${callId} ${seq}`, (response) => {
        clearTimeout(timer);
        this.#waiting.delete(`${callId} ${seq}`);
        resolve(response);
      });
      send();
    });
  }
}

async function registerAll(phones: Phones, port: number, indexes: Iterator<number>): Promise<void> {
  const one = async () => {
    for (let next = indexes.next(); !next.done; next = indexes.next())
      await phones.register(port, next.value);
  };
  await Promise.all(Array.from({ length: PARALLEL }, one));
}

function* range(from: number, count: number): Generator<number> {
  for (let index = 0; index < count; index++) yield (from + index) % PHONES;
}

/** CPU milliseconds per 1000 REGISTERs, challenge included. */
async function round(phones: Phones, registrar: Registrar, from: number): Promise<number> {
  const before = registrar.cpuMs();
  await registerAll(phones, registrar.port, range(from, REGISTERS));
  return ((registrar.cpuMs() - before) * 1000) / REGISTERS;
}

/** Heap that 10,000 bindings take, each of its own user, once what is garbage is collected. */
function bytesPerBinding(): number {
  const bindings = new Bindings();
  const world = { clock: systemClock, random: systemRandom() };
  const before = heldOctets();
  for (let index = 0; index < PHONES; index++) {
    const username = user(index);
    const aor = {
      accountSid: ACCOUNT.sid,
      domainSid: `SD${'0'.repeat(32)}`,
      domain: DOMAIN,
      username,
      aor: `sip:${username}@${DOMAIN}`,
    };
    const key = `urn:uuid:${username}`;
    const contact = {
      uri: `sip:${username}@10.0.0.1:5060`,
      key,
      expiresS: 600,
      instanceId: key,
      regId: null,
    };
    const request = { contacts: [contact], callId: `${username}-at-5060`, cseq: 2, userAgent: 'Phone/1.0' };
    const received = { transport: 'udp', address: `10.1.${index >> 8}.${index & 255}`, port: 5060 } as const;
    const given = { aor, bindings: [], request, received, node: 'run', isLost: () => false };
    const outcome = register(given, world);
    if (outcome.kind === 'registered') bindings.set(aor.domainSid, username, outcome.bindings);
  }
  const held = heldOctets() - before;
  return Math.round(held / bindings.size);
}

/** CPU milliseconds per 1000 REGISTERs of us and of Kamailio, and the memory that bindings take here. */
export async function measure(): Promise<object> {
  // First, while nothing else comes and goes; what is compiled and cached once is none of it.
  bytesPerBinding();
  const bytes = bytesPerBinding();
  const folder = mkdtempSync(join(tmpdir(), 'tandem-register-'));
  const phones = await Phones.open();
  const tandem = await startTandem(join(folder, 'data'));
  const kamailio = await startKamailio(folder);
  try {
    return { phones: PHONES, bytesPerBinding: bytes, ...(await compare(phones, tandem, kamailio)) };
  } finally {
    phones.close();
    await Promise.all([tandem.stop(), kamailio?.stop()]);
    rmSync(folder, { recursive: true });
  }
}

async function compare(phones: Phones, tandem: Registrar, kamailio: Registrar | undefined): Promise<object> {
  const emptyMb = tandem.memoryMb();
  for (const registrar of [tandem, kamailio]) {
    if (registrar) await registerAll(phones, registrar.port, range(0, PHONES));
  }
  const fullMb = tandem.memoryMb();
  const ours: number[] = [];
  const theirs: number[] = [];
  for (let index = 0; index < ROUNDS; index++) {
    ours.push(await round(phones, tandem, index * REGISTERS));
    if (kamailio) theirs.push(await round(phones, kamailio, index * REGISTERS));
  }
  const ratios = ours.map((each, index) => each / (theirs[index] ?? Number.NaN));
  return {
    tandemCpuMsPer1000: median(ours),
    ...(kamailio && { kamailioCpuMsPer1000: median(theirs), ratio: Number(median(ratios).toFixed(2)) }),
    memoryMb: { empty: emptyMb, with10000Bindings: fullMb },
  };
}
