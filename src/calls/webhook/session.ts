// What an app is told again on every request of a call: the cookies it has set, and credentials it has asked for.
import { parseCookie } from 'undici';
import type { Clock } from '../../lib/clock.ts';
import type { Random } from '../../lib/random.ts';
import { answerChallenge, formatAnswer, parseChallenge } from '../../sip/index.ts';

/** Bounds what an app can have us keep. */
const MAX_COOKIES = 50;
const MAX_COOKIE_LENGTH = 4096;

interface Cookie {
  readonly name: string;
  readonly value: string;
  readonly host: string;
  /** Also for the hosts below it. */
  readonly isWide: boolean;
  readonly path: string;
  readonly secure: boolean;
}

export interface UrlCredentials {
  readonly username: string;
  readonly password: string;
}

/** What an app has asked for; the next request brings it unasked. */
type Login =
  | { readonly kind: 'basic' }
  | {
      readonly kind: 'digest';
      readonly challenge: NonNullable<ReturnType<typeof parseChallenge>>;
      uses: number;
    };

export interface SessionWorld {
  readonly clock: Clock;
  readonly random: Random;
}

/** What one call, or one request by itself, remembers of the apps it has talked to. */
export class SessionMemory {
  readonly #world: SessionWorld;
  readonly #cookies = new Map<string, Cookie>();
  /** By origin and user name. */
  readonly #logins = new Map<string, Login>();

  constructor(world: SessionWorld) {
    this.#world = world;
  }

  /** The Cookie header (RFC 6265 §5.4); undefined without cookies for this URL. */
  cookieHeader(url: URL): string | undefined {
    const fitting = [...this.#cookies.values()].filter((cookie) => fits(cookie, url));
    const inOrder = fitting.toSorted((a, b) => b.path.length - a.path.length);
    return inOrder.map(({ name, value }) => `${name}=${value}`).join('; ') || undefined;
  }

  /** Keeps what a Set-Cookie header says (RFC 6265 §5.3), unless it is for other hosts. */
  keepCookies(url: URL, header: string | readonly string[] | undefined): void {
    for (const line of header === undefined ? [] : [header].flat()) this.#keepCookie(url, line as string);
  }

  #keepCookie(url: URL, line: string): void {
    const parsed = line.length > MAX_COOKIE_LENGTH ? null : parseCookie(line);
    if (!parsed || parsed.name === '' || /[\p{Cc}]/u.test(line)) return;
    const domain = parsed.domain?.replace(/^\./, '').toLowerCase();
    const isWide = domain !== undefined && domain !== url.hostname;
    // Nobody speaks for a whole top level.
    if (isWide && !(domain.includes('.') && url.hostname.endsWith(`.${domain}`))) return;
    const host = isWide ? domain : url.hostname;
    const path = parsed.path?.startsWith('/') ? parsed.path : url.pathname.replace(/\/[^/]*$/, '') || '/';
    const key = `${parsed.name};${host};${path}`;
    this.#cookies.delete(key);
    const isOver = (parsed.maxAge ?? 1) <= 0 || Number(parsed.expires ?? Infinity) <= this.#world.clock.now();
    if (isOver || this.#cookies.size >= MAX_COOKIES) return;
    const { name, value, secure = false } = parsed;
    this.#cookies.set(key, { name, value, host, isWide, path, secure });
  }

  /** The Authorization header, once the app has asked this user for one. */
  authorization(url: URL, method: string, credentials: UrlCredentials | undefined): string | undefined {
    const login = credentials && this.#logins.get(loginKey(url, credentials));
    if (!login) return undefined;
    if (login.kind === 'basic') {
      const pair = `${credentials.username}:${credentials.password}`;
      return `Basic ${Buffer.from(pair).toString('base64')}`;
    }
    login.uses += 1;
    const uri = url.pathname + url.search;
    const cnonce = this.#world.random.hex(16);
    const request = { method, uri, cnonce, nc: login.uses };
    return formatAnswer(answerChallenge(login.challenge, credentials, request));
  }

  /**
   * Reads a 401's WWW-Authenticate. Digest goes before Basic.
   * @returns whether another request may succeed: not where the same was answered already.
   */
  challenged(url: URL, credentials: UrlCredentials, header: string | readonly string[] | undefined): boolean {
    const offered = (header === undefined ? [] : [header].flat()).flatMap((value) =>
      String(value).split(/,\s*(?=(?:basic|digest)\s)/i),
    );
    const key = loginKey(url, credentials);
    const before = this.#logins.get(key);
    const [challenge] = offered.flatMap((value) => parseChallenge(value) ?? []);
    if (challenge) {
      const isRefusal = before?.kind === 'digest' && before.challenge.nonce === challenge.nonce;
      this.#logins.set(key, { kind: 'digest', challenge, uses: 0 });
      return !isRefusal;
    }
    if (before || !offered.some((value) => /^basic\b/i.test(value.trim()))) return false;
    this.#logins.set(key, { kind: 'basic' });
    return true;
  }
}

const loginKey = (url: URL, { username }: UrlCredentials): string => `${url.origin} ${username}`;

function fits({ host, isWide, path, secure }: Cookie, { hostname, pathname, protocol }: URL): boolean {
  const isHost = hostname === host || (isWide && hostname.endsWith(`.${host}`));
  const isBelow = pathname === path || pathname.startsWith(path.endsWith('/') ? path : `${path}/`);
  return isHost && isBelow && (!secure || protocol === 'https:');
}
