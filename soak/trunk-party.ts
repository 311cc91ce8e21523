// A party of trunk calls without sound of its own: it calls, registers, sends its party elsewhere, and says what it was told.
import { systemClock } from '../src/lib/clock.ts';
import { silentLog } from '../src/lib/log.ts';
import { systemRandom } from '../src/lib/random.ts';
import {
  createUserAgent,
  type Dialog,
  type Endpoint,
  type InviteOptions,
  type RequestOutcome,
  type SipUserAgent,
} from '../src/sip/index.ts';

const SDP =
  'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\n';
export const BODY = { contentType: 'application/sdp', content: SDP };

/** A status, or why there is none. */
export const told = (outcome: RequestOutcome): string =>
  outcome.kind === 'response' ? `${outcome.response.status}` : outcome.kind;

export interface PartyCall {
  /** The callee rings, or the call is over. */
  readonly rings: Promise<void>;
  /** `200`, another status, or why there is none. */
  readonly final: Promise<string>;
  /** X-Twilio-Error of the refusal; empty without one. */
  readonly error: string;
  /** The other side has hung up, or nobody answers any more. */
  readonly ended: Promise<'remote' | 'local' | 'failure'>;
  cancel(): void;
  hangUp(): void;
  /** Resolves with the last status that its NOTIFYs told, or with that of a REFER that was refused. */
  transfer(to: string): Promise<string>;
}

export class TrunkParty {
  readonly #agent: SipUserAgent;
  readonly #exchange: Endpoint;

  /** @param exchange where it sends everything */
  constructor(agent: SipUserAgent, exchange: Endpoint) {
    this.#agent = agent;
    this.#exchange = exchange;
  }

  static async open(exchange: Endpoint): Promise<TrunkParty> {
    const agent = await createUserAgent({
      clock: systemClock,
      random: systemRandom(),
      log: silentLog,
      listen: [{ host: '127.0.0.1', port: 0 }],
      dialogMethods: ['REFER'],
    });
    return new TrunkParty(agent, exchange);
  }

  close(): Promise<void> {
    return this.#agent.close();
  }

  call(options: Pick<InviteOptions, 'uri' | 'from' | 'credentials'>): PartyCall {
    const rings = Promise.withResolvers<void>();
    const final = Promise.withResolvers<string>();
    const ended = Promise.withResolvers<'remote' | 'local' | 'failure'>();
    const news = new News();
    let error = '';
    let dialog: Dialog | undefined;
    const invite = this.#agent.invite(
      { ...options, destination: this.#exchange, body: BODY },
      {
        provisional: ({ status }) => {
          if (status > 100) rings.resolve();
        },
        answered: (made) => {
          dialog = made;
          made.handle({
            ended: (by) => {
              news.over();
              ended.resolve(by);
            },
            offered: () => BODY,
            requested: ({ body }) => news.hear(body),
          });
          rings.resolve();
          final.resolve('200');
        },
        failed: (failure) => {
          rings.resolve();
          if (failure.kind === 'response') error = failure.response.header('X-Twilio-Error') ?? '';
          final.resolve(told(failure));
        },
        late: ({ kind, status }) => {
          if (kind === 'final') final.resolve(`${status}`);
        },
      },
    );
    return {
      rings: rings.promise,
      final: final.promise,
      get error() {
        return error;
      },
      ended: ended.promise,
      cancel: () => invite.cancel(),
      hangUp: () => dialog?.bye(),
      transfer: (to) => news.askedFor(to, dialog),
    };
  }

  /** @returns the final status, or why there is none */
  register(
    aor: string,
    credentials: { username: string; password: string },
    expiresS: number,
  ): Promise<string> {
    const uri = `sip:${aor.slice(aor.indexOf('@') + 1)}`;
    const headers = [['Expires', `${expiresS}`]] as const;
    const options = { method: 'REGISTER', uri, from: aor, to: aor, destination: this.#exchange };
    return new Promise((resolve) =>
      this.#agent.request({ ...options, headers, credentials }, (outcome) => resolve(told(outcome))),
    );
  }
}

/** What NOTIFYs tell of a transfer (RFC 3515). */
class News {
  readonly #last = Promise.withResolvers<string>();

  /** Sends the REFER. */
  askedFor(to: string, dialog: Dialog | undefined): Promise<string> {
    dialog?.request({ method: 'REFER', headers: [['Refer-To', `<${to}>`]] }, (outcome) => {
      if (told(outcome) !== '202') this.tell(told(outcome));
    });
    return this.#last.promise;
  }

  tell(status: string): void {
    this.#last.resolve(status);
  }

  hear(fragment: string): number {
    const status = fragment.slice(8, 11);
    if (status >= '200') this.tell(status);
    return 200;
  }

  over(): void {
    this.tell('over');
  }
}
