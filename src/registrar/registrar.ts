// The registrar: takes REGISTER, keeps who is reachable where, and tells the call engine.

import type { World } from '../admission/index.ts';
import {
  activeAccount,
  checkDigest,
  type DigestTerms,
  type Domain,
  type Door,
  type Identified,
  identify,
  noSuchPlace,
  type Premises,
  type Refusal,
  refuse,
  refuseWithoutCode,
  registrationListsOf,
  secureTransport,
} from '../admission/index.ts';
import type { Timer } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import { ownCopy } from '../lib/own-copy.ts';
import { domain } from '../resources/index.ts';
import {
  formatUri,
  type HeaderField,
  parseNameAddr,
  parseUri,
  type ServerRequest,
  type SipUri,
  type UserAgent,
} from '../sip/index.ts';
import type { Store } from '../store/index.ts';
import { type Binding, type BindingRow, bindingOf, type Contacts, NO_CONNECTIONS } from './binding.ts';
import { BindingWriter } from './binding-writer.ts';
import { Bindings } from './bindings.ts';
import { KeepAlive } from './keep-alive.ts';
import { type Aor, type RegisterOutcome, register } from './register.ts';
import { readRegister } from './register-request.ts';
import { SharedBindings } from './shared-bindings.ts';

export interface RegistrarParts extends World, Premises {
  readonly digest: DigestTerms;
  readonly door: Door;
  readonly store: Pick<
    Store,
    'list' | 'findAll' | 'journal' | 'directory' | 'node' | 'onBindings' | 'onDeath'
  >;
  readonly log: Log;
  readonly agent: UserAgent;
  /** Seconds between two OPTIONS to a device behind NAT; 0 for none. */
  readonly keepAliveS: number;
}

const SWEEP_MS = 30_000;

export class Registrar {
  readonly #parts: RegistrarParts;
  readonly #bindings = new Bindings();
  readonly #writer: BindingWriter;
  readonly #shared: SharedBindings;
  readonly #keepAlive: KeepAlive;
  #sweeping: Timer | undefined;
  #isClosed = false;

  private constructor(parts: RegistrarParts) {
    this.#parts = parts;
    this.#writer = new BindingWriter({ ...parts, journal: parts.store.journal });
    this.#shared = new SharedBindings({ ...parts, bindings: this.#bindings, writer: this.#writer });
    const rows = () => this.#own();
    this.#keepAlive = new KeepAlive({ ...parts, rows, intervalS: parts.keepAliveS });
  }

  /** Takes over the bindings of exchanges that are no more, an earlier run of this one included; hears of all others. */
  static async open(parts: RegistrarParts): Promise<Registrar> {
    const registrar = new Registrar(parts);
    const { store } = parts;
    store.onBindings((sids) => registrar.#read(sids));
    store.onDeath(() => registrar.#takeOver());
    await registrar.#takeOver();
    return registrar;
  }

  /** Takes the agent's REGISTERs. */
  serve(): void {
    this.#parts.agent.onRequest('REGISTER', (request) => this.#take(request));
  }

  /** Where a user of a domain is reached now. */
  contactsOf(domainSid: string, user: string): Contacts {
    const bindings: Binding[] = [];
    const elsewhere = new Set<string>();
    for (const row of this.#bindings.of(domainSid, user, this.#parts.clock.now())) {
      const isOwn = this.#isOwn(row);
      const binding = bindingOf(row, isOwn ? this.#parts.agent : NO_CONNECTIONS);
      if (binding) bindings.push(binding);
      else if (!isOwn) elsewhere.add(exchangeOf(row));
    }
    return { bindings, elsewhere: [...elsewhere] };
  }

  /** How many bindings there are. */
  get size(): number {
    return this.#bindings.size;
  }

  /** Resolves when every binding is kept. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#parts.clock.cancel(this.#sweeping);
    this.#keepAlive.stop();
    await this.#writer.close();
  }

  #take(visitor: ServerRequest): void {
    if (this.#isClosed) return visitor.ignore();
    const place = this.#parts.door.identify(visitor);
    const found = this.#admit(visitor, place);
    if ('status' in found) return this.#refuse(visitor, place, found);
    const { aor } = found;
    const { clock } = this.#parts;
    if (!this.#bindings.mayRegister(aor.domainSid, aor.username, clock.monotonic())) {
      return this.#refuse(visitor, place, tooOften(aor));
    }
    const outcome = this.#register(visitor, aor);
    if (outcome.kind === 'refused') return this.#refuse(visitor, place, outcome.refusal);
    const { bindings } = outcome;
    this.#bindings.set(aor.domainSid, aor.username, bindings);
    this.#awaitSweep();
    this.#writer.write(outcome, () =>
      visitor.respond(200, { headers: contactHeaders(bindings, clock.now()) }),
    );
  }

  #register({ request, received }: ServerRequest, aor: Aor): RegisterOutcome {
    try {
      const bindings = this.#bindings.of(aor.domainSid, aor.username, this.#parts.clock.now());
      const isLost = (row: BindingRow) => this.#isLost(row);
      const { node } = this.#parts.store;
      return register({ aor, bindings, request: readRegister(request), received, node, isLost }, this.#parts);
    } catch (error) {
      const why = `its Contact cannot be used: ${(error as Error).message}`;
      const fix = 'mend the Contact that the device writes';
      return { kind: 'refused', refusal: refuseWithoutCode(400, { why, fix }) };
    }
  }

  #admit(visitor: ServerRequest, place: Identified): { readonly aor: Aor } | Refusal {
    if (place.kind === 'unknown') return noSuchPlace(place.host);
    if (place.kind === 'trunk') return trunkRefusal(place.host);
    const { request, received } = visitor;
    const { digest, door, directory } = this.#parts;
    const lists = registrationListsOf(directory, place.domain.sid);
    const closed = closedRefusal(place.domain, lists) ?? secureTransport({ received, place });
    if (closed) return closed;
    const mayTry = door.mayTry(visitor);
    const given = { directory, lists, owner: place.domain.sid };
    const found = checkDigest(request, given, { terms: digest, mayTry });
    if ('status' in found) return found;
    door.proved(visitor, found.username);
    const suspended = activeAccount({ place, directory });
    if (suspended) return suspended;
    return this.#aorOf(visitor, place.domain, found.username);
  }

  /** Whose bindings they are: the user of To, who must be the one that showed a password (Twilio's 32106). */
  #aorOf(
    { request, received }: ServerRequest,
    own: Domain,
    username: string,
  ): { readonly aor: Aor } | Refusal {
    const uri = uriIn(request.header('To') ?? '');
    if (!uri) return refuseWithoutCode(400, { why: 'To is no SIP address', fix: 'register a sip: address' });
    const isOwn = uri.host === parseUri(request.uri).host || this.#isDomain(own, uri.host, received.address);
    if (!isOwn) {
      return refuseWithoutCode(404, {
        why: `To names ${uri.host}, which is not the domain it was sent to`,
        fix: `set the domain of the device's account to ${own.domainName}`,
      });
    }
    if (uri.user !== username) return wrongUser(uri.user ?? '', username);
    const { accountSid, sid: domainSid, domainName } = own;
    const user = ownCopy(username);
    const aor = formatUri({ scheme: 'sip', user, host: domainName, params: new Map(), headers: [] });
    return { aor: { accountSid, domainSid, domain: domainName, username: user, aor } };
  }

  #isDomain(own: Domain, host: string, address: string): boolean {
    const named = identify(host, { address }, this.#parts);
    return named.kind === 'domain' && named.domain.sid === own.sid;
  }

  /** Whether its flow is one of this exchange: nobody else says that it is over. */
  #isOwn({ node }: BindingRow): boolean {
    return node === this.#parts.store.node;
  }

  /** Only the exchange that holds a connection knows that it is gone. */
  #isLost(row: BindingRow): boolean {
    return this.#isOwn(row) && row.transport !== 'udp' && bindingOf(row, this.#parts.agent) === undefined;
  }

  *#own(): Generator<BindingRow> {
    for (const row of this.#bindings.all()) if (this.#isOwn(row)) yield row;
  }

  /** Of the bindings of exchanges that are no more, those stay that can be called from here. */
  async #takeOver(): Promise<void> {
    if (this.#isClosed) return;
    await this.#parts.store.journal.claimBindings();
    await this.#shared.read();
    if (!this.#isClosed) this.#sweep();
  }

  async #read(sids?: readonly string[]): Promise<void> {
    if (this.#isClosed) return;
    await this.#shared.read(sids);
    this.#awaitSweep();
  }

  #refuse(visitor: ServerRequest, place: Identified, refusal: Refusal): void {
    const telling = this.#parts.door.turnAway(visitor, place, refusal);
    if (telling === 'silent') return visitor.ignore();
    const { status, headers } = refusal;
    visitor.respond(status, { headers }, { stateless: telling === 'stateless' });
  }

  #awaitSweep(): void {
    if (this.#isClosed || this.#bindings.isEmpty) return;
    this.#keepAlive.wake();
    if (this.#sweeping) return;
    this.#sweeping = this.#parts.clock.after(SWEEP_MS, () => {
      this.#sweeping = undefined;
      this.#sweep();
    });
  }

  /**
   * Forgets what has expired, and of its own whom nothing can reach, and what was bound to a domain that is gone. Rows
   * go where they are this exchange's.
   */
  #sweep(): void {
    const { clock, directory } = this.#parts;
    const now = clock.now();
    const gone = this.#bindings.sweep(
      (row) =>
        row.expiresAt <= now ||
        (this.#isOwn(row) && (this.#isLost(row) || directory.find(domain, row.domainSid) === undefined)),
    );
    const over = gone.filter((row) => this.#isOwn(row)).map(({ sid }) => sid);
    if (over.length > 0) this.#writer.write({ over });
    this.#awaitSweep();
  }
}

/** Undefined where it is no SIP URI: the stack takes others in To. */
function uriIn(header: string): SipUri | undefined {
  try {
    return parseUri(parseNameAddr(header).uri);
  } catch {
    return undefined;
  }
}

/** That a device registered at, in words. */
const exchangeOf = ({ ownAddress }: BindingRow): string =>
  ownAddress === null || /^[0.:]*$/.test(ownAddress) ? 'another exchange' : `exchange ${ownAddress}`;

/** Every binding, with what is left of its time (RFC 3261 §10.3 step 8). */
const contactHeaders = (bindings: readonly BindingRow[], now: number): readonly HeaderField[] =>
  bindings.map(({ contact, expiresAt, instanceId, regId }) => [
    'Contact',
    [
      `<${contact}>`,
      `expires=${Math.max(0, Math.round((expiresAt - now) / 1000))}`,
      ...(instanceId === null ? [] : [`+sip.instance="${instanceId}"`]),
      ...(regId === null ? [] : [`reg-id=${regId}`]),
    ].join(';'),
  ]);

function closedRefusal(
  { sipRegistration, domainName }: Domain,
  lists: readonly string[],
): Refusal | undefined {
  if (!sipRegistration) {
    return refuse(403, 32_210, {
      why: `domain ${domainName} takes no registrations`,
      fix: `set SipRegistration on domain ${domainName}`,
      stranger: true,
    });
  }
  if (lists.length > 0) return undefined;
  return refuse(403, 32_212, {
    why: `no credential list is mapped to the registrations of domain ${domainName}`,
    fix: `map a CredentialList under Auth/Registrations of domain ${domainName}`,
    stranger: true,
  });
}

const trunkRefusal = (host: string): Refusal =>
  refuseWithoutCode(403, {
    why: `${host} is an Elastic trunk: PBXs do not register with trunks`,
    fix: 'authenticate the calls of the PBX instead, and set its address as OriginationUrl of the trunk',
    stranger: true,
  });

const wrongUser = (user: string, username: string): Refusal =>
  refuse(403, 32_106, {
    why: `${username} may not register as "${user}"`,
    fix: 'give the device one name, as the user of its account and for authentication',
  });

const tooOften = ({ aor }: Aor): Refusal =>
  refuse(503, 32_008, {
    headers: [['Retry-After', '1']],
    why: `${aor} registers more than 5 times a second`,
    fix: 'see why its devices register anew all the time',
  });
