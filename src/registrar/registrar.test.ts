// The registrar over a network in memory and a store that tests hold back: when it answers, and what it forgets.
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { OWNER, World } from '../../test/support/doorstep.ts';
import { MemoryLink } from '../../test/support/memory-link.ts';
import { Door, InboundPace, RejectionLog, Strangers } from '../admission/index.ts';
import { silentLog } from '../lib/log.ts';
import { seededRandom } from '../lib/random.ts';
import { domain, type Row, type registration } from '../resources/index.ts';
import { Nonces, type ResponseView, type SipUserAgent } from '../sip/index.ts';
import { createUserAgentOver } from '../sip/user-agent.ts';
import type { JournalEntry, Store } from '../store/index.ts';
import { Registrar, type RegistrarParts } from './registrar.ts';

const [EXCHANGE, PHONE, OTHER] = ['192.0.2.1', '192.0.2.2', '192.0.2.3'] as const;
const NAME = 'acme.sip.twilio.com';
const [NODE, ANOTHER] = ['this run', 'a run of another exchange'] as const;

let world: World;
let link: MemoryLink;
let registrar: Registrar;
let exchange: SipUserAgent;
let phone: SipUserAgent;
let home: Row<typeof domain>;
/** What was given to the journal, and what resolves each. */
let commits: { readonly entry: JournalEntry<never>; readonly done: (error?: Error) => void }[];
let answers: ResponseView[];
/** What is in the database, when it is asked for some bindings. */
let database: () => Promise<readonly Row<typeof registration>[]>;
/** Tells the registrar of bindings that were written. */
let hear: (sids?: readonly string[]) => Promise<void>;

const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

async function agentAt(address: string, seed: number): Promise<SipUserAgent> {
  const { clock } = world;
  const options = { clock, random: seededRandom(seed), log: silentLog };
  const agent = await createUserAgentOver(options, async (receive) => [link.attach(address, receive)]);
  onTestFinished(() => agent.close());
  return agent;
}

function partsOf(rows: readonly Row<typeof registration>[] = [], keepAliveS = 0): RegistrarParts {
  const commit = (entry: JournalEntry<never>) =>
    new Promise<void>((resolve, reject) => {
      commits.push({ entry, done: (error) => (error ? reject(error) : resolve()) });
    });
  const { directory, suffixes, clock, random } = world;
  const store = {
    node: NODE,
    directory,
    journal: { commit, claimBindings: async () => {} },
    list: async () => ({ rows }),
    findAll: async () => database(),
    onBindings(listener: typeof hear) {
      hear = listener;
    },
    onDeath() {},
  } as unknown as Store;
  const digest = {
    nonces: new Nonces({ key: Buffer.alloc(32), clock, random }),
    algorithms: ['MD5'],
  } as const;
  const rejections = { add() {} } as unknown as RejectionLog;
  const strangers = new Strangers(clock);
  const premises = { directory, suffixes };
  const door = new Door({
    ...premises,
    clock,
    digest,
    strangers,
    rejections,
    mainAccountSid: OWNER,
    numbers: { emergency: [], tollFraudPrefixes: [] },
    pace: new InboundPace({}),
    liveCalls: () => 0,
  });
  return { ...premises, clock, random, digest, door, store, log: silentLog, agent: exchange, keepAliveS };
}

beforeEach(async () => {
  world = new World();
  link = new MemoryLink(world.clock, seededRandom(3));
  commits = [];
  answers = [];
  database = async () => [];
  home = world.domain(NAME, { sipRegistration: true });
  world.registers(home, world.credentials(home, { bob: 'secret', eve: 'secret' }));
  exchange = await agentAt(EXCHANGE, 1);
  phone = await agentAt(PHONE, 2);
  registrar = await Registrar.open(partsOf());
  registrar.serve();
});

let calls = 0;

interface Sent {
  readonly user?: string;
  readonly password?: string;
  readonly expires?: string;
  readonly to?: string;
}

function send({ user = 'bob', password = 'secret', expires = '600', to }: Sent = {}): void {
  const aor = `sip:${user}@${NAME}`;
  phone.request(
    {
      method: 'REGISTER',
      uri: `sip:${NAME}`,
      from: aor,
      to: to ?? aor,
      destination: { transport: 'udp', address: EXCHANGE, port: 5060 },
      contact: `<sip:${user}@10.0.0.1>`,
      callId: `call-${++calls}`,
      headers: [['Expires', expires]],
      credentials: { username: user, password },
    },
    (outcome) => {
      if (outcome.kind === 'response') answers.push(outcome.response);
    },
  );
  world.clock.advance(0);
}

const reached = (user: string, at = registrar) => at.contactsOf(home.sid, user).bindings;

const statuses = () => answers.map(({ status }) => status);

async function commitAll(): Promise<void> {
  for (let done = 0; done < commits.length; done++) {
    commits[done]?.done();
    await settle();
  }
  world.clock.advance(0);
}

describe('an answer', () => {
  it('comes when the binding is kept; a retransmission meanwhile is the same request', async () => {
    send();
    await settle();
    expect([statuses(), commits.length]).toEqual([[], 1]);
    world.clock.advance(500);
    expect(commits).toHaveLength(1);
    await commitAll();
    expect(statuses()).toEqual([200]);
    expect(reached('bob')).toMatchObject([{ uri: 'sip:bob@10.0.0.1', destination: { address: PHONE } }]);
  });

  it('waits for a late database no longer than a second; later ones do not wait until it is back', async () => {
    send();
    world.clock.advance(999);
    expect(statuses()).toEqual([]);
    world.clock.advance(1);
    expect(statuses()).toEqual([200]);
    send({ user: 'eve' });
    expect(statuses()).toEqual([200, 200]);
    await commitAll();
    expect(
      commits.map(({ entry }) => entry.records?.map(({ row }) => (row as { username: string }).username)),
    ).toEqual([['bob'], ['eve']]);
    send();
    expect(statuses()).toEqual([200, 200]);
    await commitAll();
    expect(statuses()).toEqual([200, 200, 200]);
  });

  it('comes although the database refuses', async () => {
    send();
    commits[0]?.done(new Error('disk'));
    await settle();
    world.clock.advance(0);
    expect(statuses()).toEqual([200]);
  });

  it('of many who come at once is one commit', async () => {
    send();
    for (let index = 0; index < 4; index++) send({ user: 'eve' });
    await commitAll();
    expect(commits.map(({ entry }) => entry.records?.length)).toEqual([1, 1]);
    expect(statuses()).toEqual([200, 200, 200, 200, 200]);
  });
});

it.each([
  ['tel:+14155550100', 400],
  ['sip:bob@elsewhere.example', 404],
  [`sip:eve@${NAME}`, 403],
  [`sip:${NAME}`, 403],
  [`sip:bob@${NAME.replace('sip', 'sip.tokyo')}`, 200],
])('To %s is answered %i', async (to, status) => {
  send({ to });
  await commitAll();
  expect(statuses()).toEqual([status]);
});

describe('a user', () => {
  it('registers five times a second, and no sixth; another one may', async () => {
    for (let index = 0; index < 6; index++) send();
    send({ user: 'eve' });
    await commitAll();
    expect(statuses().toSorted()).toEqual([200, 200, 200, 200, 200, 200, 503]);
    expect(answers.find(({ status }) => status === 503)?.header('Retry-After')).toBe('1');
    world.clock.advance(1000);
    send();
    await commitAll();
    expect(statuses().at(-1)).toBe(200);
  });

  it('is not kept out by strangers who use the name', async () => {
    for (let index = 0; index < 10; index++) send({ password: 'guess' });
    world.clock.advance(40_000);
    phone = await agentAt(OTHER, 4);
    send();
    await commitAll();
    expect(statuses().at(-1)).toBe(200);
  });
});

describe('a binding', () => {
  const bound = async () => {
    send();
    await commitAll();
    commits.length = 0;
  };

  it('ends with its time, and its row with the next sweep', async () => {
    await bound();
    const [row] = reached('bob');
    world.clock.advance(599_000);
    expect(reached('bob')).toHaveLength(1);
    world.clock.advance(1000);
    expect(reached('bob')).toEqual([]);
    world.clock.advance(30_000);
    expect(registrar.size).toBe(0);
    expect(commits.map(({ entry }) => entry.removed)).toMatchObject([[{ sid: row?.sid }]]);
    await commitAll();
  });

  it('ends with its domain', async () => {
    await bound();
    world.directory.drop(domain, home.sid);
    world.clock.advance(30_000);
    expect(registrar.size).toBe(0);
    expect(commits).toHaveLength(1);
    await commitAll();
  });

  it('leaves no timer when it is gone', async () => {
    await bound();
    const idle = world.clock.pending;
    world.clock.advance(3_600_000);
    await commitAll();
    world.clock.advance(60_000);
    expect(world.clock.pending).toBeLessThan(idle);
    expect(world.clock.pending).toBe(0);
  });

  it('outlives the registrar in the database, and what expired meanwhile does not', async () => {
    send();
    send({ user: 'eve', expires: '3600' });
    await commitAll();
    const rows = commits
      .flatMap(({ entry }) => entry.records ?? [])
      .map(({ row }) => row as Row<typeof registration>);
    await registrar.close();
    world.clock.advance(601_000);
    commits = [];
    const next = await Registrar.open(partsOf(rows));
    expect([reached('bob', next), reached('eve', next)]).toMatchObject([[], [{ uri: 'sip:eve@10.0.0.1' }]]);
    expect(commits.map(({ entry }) => entry.removed?.length)).toEqual([1]);
    commits[0]?.done();
    await next.close();
  });
});

describe('of several exchanges', () => {
  type Binding = Row<typeof registration>;
  /** Bob's binding, as this exchange has written it. */
  const bound = async (): Promise<Binding> => {
    send();
    await commitAll();
    return commits.flatMap(({ entry }) => entry.records ?? []).at(-1)?.row as Binding;
  };
  const inDatabase = async (...rows: readonly Binding[]): Promise<void> => {
    database = async () => rows;
    await hear(['RG']);
  };

  it.each([
    ['udp', 'sip:eve@10.0.0.1', 1, []],
    ['tcp', 'sip:eve@10.0.0.1;transport=tcp', 0, ['exchange 10.9.9.9']],
    ['tls', 'sip:eve@192.0.2.9;transport=tls', 0, ['exchange 10.9.9.9']],
    ['tcp', 'sip:eve@192.0.2.9;transport=tcp', 1, []],
  ] as const)('a device at another one, by %s as %s', async (transport, contact, count, elsewhere) => {
    // What is connected to this exchange from that address is another device behind the same NAT.
    exchange.hasFlow = () => true;
    const values = {
      username: 'eve',
      sid: 'RGeve',
      node: ANOTHER,
      sourceIp: '192.0.2.9',
      sourcePort: 41_000,
    };
    await inDatabase({ ...(await bound()), ...values, transport, contact, ownAddress: '10.9.9.9' });
    expect(reached('eve')).toHaveLength(count);
    expect(registrar.contactsOf(home.sid, 'eve').elsewhere).toEqual(elsewhere);
    // Neither its connection nor its domain is looked at here, and its row is not deleted here when it is over.
    commits = [];
    world.clock.advance(30_000);
    expect([registrar.contactsOf(home.sid, 'eve').elsewhere, commits]).toEqual([elsewhere, []]);
    world.clock.advance(600_000);
    expect(registrar.size).toBe(0);
    const removed = commits.flatMap(({ entry }) => entry.removed ?? []);
    expect(removed).toMatchObject([{ ifOwn: true }]);
    expect(removed.map(({ sid }) => sid)).not.toContain('RGeve');
    await commitAll();
  });

  it('a device that renews at another one is that one’s, and its row outlives the time that it had here', async () => {
    const row = await bound();
    await inDatabase({ ...row, node: ANOTHER, expiresAt: row.expiresAt + 600_000, sourcePort: 2 });
    expect(reached('bob')).toMatchObject([{ sid: row.sid, destination: { port: 2 } }]);
    commits = [];
    world.clock.advance(660_000);
    expect([reached('bob').length, commits]).toEqual([1, []]);
  });

  it('a device at another one stays when a second one of its user registers here', async () => {
    const row = await bound();
    const there = {
      sid: 'RGtcp',
      contactKey: 'tcp',
      transport: 'tcp',
      node: ANOTHER,
      ownAddress: null,
    } as const;
    await inDatabase(row, { ...row, ...there });
    commits = [];
    await bound();
    expect(commits.flatMap(({ entry }) => entry.removed ?? [])).toEqual([]);
    expect(registrar.contactsOf(home.sid, 'bob')).toMatchObject({
      bindings: [{ sid: row.sid }],
      elsewhere: ['another exchange'],
    });
  });

  it('one that is renewed here again is this one’s, by the same row', async () => {
    const row = await bound();
    await inDatabase({ ...row, node: ANOTHER, sourcePort: 2 });
    expect(await bound()).toMatchObject({ sid: row.sid, node: NODE, sourceIp: PHONE });
  });

  it('one whose row is gone is not called any more', async () => {
    await bound();
    await hear(['RG']);
    expect(registrar.size).toBe(1);
    const [row] = reached('bob');
    await hear([row?.sid ?? '']);
    expect(registrar.size).toBe(0);
  });

  it('what was read while a device registered here is old', async () => {
    const row = await bound();
    const reading = Promise.withResolvers<readonly Binding[]>();
    database = () => reading.promise;
    const heard = hear([row.sid]);
    await settle();
    world.clock.advance(1000);
    send();
    reading.resolve([{ ...row, node: ANOTHER, sourcePort: 2 }]);
    await heard;
    expect(reached('bob')).toMatchObject([{ destination: { address: PHONE, port: 5060 } }]);
    await inDatabase({ ...row, node: ANOTHER, sourcePort: 2 });
    expect(reached('bob')).toMatchObject([{ destination: { address: PHONE, port: 5060 } }]);
    await commitAll();
    await inDatabase({ ...row, node: ANOTHER, sourcePort: 2 });
    expect(reached('bob')).toMatchObject([{ destination: { port: 2 } }]);
  });
});

it('keeps a NAT open by OPTIONS, each device once in the interval, for as long as it is bound', async () => {
  registrar = await Registrar.open(partsOf([], 30));
  registrar.serve();
  const asked: number[] = [];
  phone.onRequest('OPTIONS', ({ request, respond }) => {
    expect(request.uri).toBe('sip:bob@10.0.0.1');
    asked.push(world.clock.monotonic());
    respond(200);
  });
  send();
  await commitAll();
  world.clock.advance(600_000);
  expect(asked).toHaveLength(20);
  expect(new Set(asked.slice(1).map((at, index) => at - (asked[index] ?? 0)))).toEqual(new Set([30_000]));
  world.clock.advance(600_000);
  expect(asked).toHaveLength(20);
  await commitAll();
  await registrar.close();
});
