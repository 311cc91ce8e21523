// What goes on beside a soak's calls: phones that register again and again, and an operator who asks the API.
import { setTimeout as sleep } from 'node:timers/promises';
import { Pool } from 'undici';
import type { Tandem } from '../src/tandem.ts';
import type { TrunkParty } from './trunk-party.ts';
import { PASSWORD, PHONE_DOMAIN, PHONES, type Site } from './trunk-traffic.ts';

const REFRESH_MS = 5000;
const EXPIRES_S = 600;
const ASK_MS = 250;

export class Askers {
  /** What was answered, by request. */
  readonly answers: Record<string, number> = {};
  unanswered = 0;
  /** Answers of another kind than success. */
  faults = 0;
  readonly #tandem: Tandem;
  readonly #party: TrunkParty;
  readonly #site: Site;
  readonly #pool: Pool;
  readonly #stop = new AbortController();
  #loops: readonly Promise<void>[] = [];

  constructor(tandem: Tandem, party: TrunkParty, site: Site) {
    this.#tandem = tandem;
    this.#party = party;
    this.#site = site;
    this.#pool = new Pool(tandem.http, { connections: 4 });
  }

  start(): void {
    const phones = Array.from({ length: PHONES }, (_, index) => this.#refresh(`phone${index}`));
    this.#loops = [...phones, this.#operate()];
  }

  /** Every phone takes its registration back. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#loops);
  }

  /** Gets something of the API, and counts the answer. */
  async ask(url: string, form?: Readonly<Record<string, string>>): Promise<unknown> {
    const { accountSid, authToken } = this.#tandem.account;
    const key = Buffer.from(`${accountSid}:${authToken}`).toString('base64');
    const path = url.replace(this.#tandem.http, '');
    const name = `${form ? 'POST' : 'GET'} ${path.replace(/[A-Z]{2}[0-9a-f]{32}/g, '…').replace(/\?.*/, '')}`;
    try {
      const { statusCode, body } = await this.#pool.request({
        path,
        method: form ? 'POST' : 'GET',
        headers: { authorization: `Basic ${key}`, 'content-type': 'application/x-www-form-urlencoded' },
        body: form ? new URLSearchParams(form).toString() : null,
      });
      const text = await body.text();
      this.#count(`${name} ${statusCode}`, statusCode < 300);
      return text.startsWith('{') ? JSON.parse(text) : text;
    } catch (error) {
      this.#count(`${name} ${String(error)}`, false);
      this.unanswered += 1;
      return {};
    }
  }

  async #refresh(user: string): Promise<void> {
    const register = async (expiresS: number): Promise<void> => {
      const credentials = { username: user, password: PASSWORD };
      const status = await this.#party.register(`sip:${user}@${PHONE_DOMAIN}`, credentials, expiresS);
      this.#count(`REGISTER ${status}`, status === '200');
      if (!/^\d/.test(status)) this.unanswered += 1;
    };
    while (!this.#stop.signal.aborted) {
      await register(EXPIRES_S);
      await this.#rest(REFRESH_MS);
    }
    await register(0);
  }

  async #operate(): Promise<void> {
    const { trunkSid } = this.#site;
    const account = `/2010-04-01/Accounts/${this.#tandem.account.accountSid}`;
    const questions: readonly (() => Promise<unknown>)[] = [
      () => this.ask(`${account}/Calls.json?PageSize=20`),
      () => this.ask(`${account}/Calls.json?Status=in-progress`),
      () => this.ask(`${account}/Recordings.json?PageSize=20`),
      () => this.ask('/tandem/v1/Registrations'),
      () => this.ask('/metrics'),
      () => this.ask(`/v1/Trunks/${trunkSid}`, { FriendlyName: `at ${Date.now()}` }),
    ];
    for (let turn = 0; !this.#stop.signal.aborted; turn++) {
      await questions[turn % questions.length]?.();
      await this.#rest(ASK_MS);
    }
  }

  /** Shorter where it is over. */
  async #rest(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#stop.signal }).catch(() => {});
  }

  #count(what: string, isFine: boolean): void {
    this.answers[what] = (this.answers[what] ?? 0) + 1;
    if (!isFine) this.faults += 1;
  }
}
